// `generate --interactive`: a loop over typed lines.
#pragma once

#include <iostream>
#include <string_view>
#include <utility>
#include <vector>

#include <common/any_model.hpp>
#include <common/prompt.hpp>
#include <common/terminal.hpp>
#include <common/writer.hpp>

namespace examples {

/// All of it is one text: the session keeps what was typed and what was written.
class conversation {
public:
  conversation(const writing_options& chosen, const prompt_options& prompt, writer& writer,
               const any_model& model, const transept::tokenizer& tokenizer)
      : chosen_(chosen), prompt_(prompt), writer_(writer), model_(model), tokenizer_(tokenizer) {}

  void run() {
    if (is_terminal(stdin)) {
      std::cerr << "Type a text, and the model goes on from there; an empty line lets it go on as it is.\n"
                   "A line that ends in \\ continues on the next. Ctrl-D ends.";
      if (chosen_.sampling.is_random()) std::cerr << " Seed: " << *chosen_.sampling.seed;
      std::cerr << "\n";
    }
    if (!prompt_.from_nothing()) answer(prompt_.tokens(model_, &tokenizer_));
    while (std::cout) {
      const auto line = read_line("> ");
      if (!line) break;
      answer(seen_.empty() ? tokenizer_.encode_prompt(*line, prompt_.special())
                           : tokenizer_.encode(*line, prompt_.special()));
    }
  }

private:
  void answer(std::vector<transept::token_id> typed) {
    transept::session& session = writer_.session();
    if (typed.size() > session.capacity()) {
      std::cerr << "note: these are " << typed.size() << " tokens, but the model's context holds only "
                << session.capacity() << ": not taken\n";
      return;
    }
    std::vector<transept::token_id> prompt = std::move(unseen_);
    prompt.insert(prompt.end(), typed.begin(), typed.end());
    if (prompt.size() > session.capacity() - session.length()) {
      std::cerr << "note: the model's context of " << session.capacity()
                << " tokens is full: what was before is forgotten\n";
      reset(session);
      seen_.clear();
      prompt = std::move(typed);
    }
    if (prompt.empty()) prompt.push_back(step_back());

    const written made = write(prompt);
    if (made.each[0].reason == transept::finish_reason::context_full)
      std::cerr << "note: the model's context of " << session.capacity() << " tokens is full\n";

    seen_.insert(seen_.end(), prompt.begin(), prompt.end());
    seen_.insert(seen_.end(), made.each[0].ids.begin(), made.each[0].ids.end());
    unseen_.clear();
    if (made.pending) {
      unseen_.push_back(*made.pending);
      seen_.pop_back();
    }
  }

  written write(const std::vector<transept::token_id>& prompt) {
    shown_text out;
    std::cout << style().colour();
    written made =
        writer_.write(prompt, seen_, [&](transept::token_id, std::string_view text) { out.show(text); });
    out.show("\n");
    return made;
  }

  /// Where nothing new was typed: the last token once more, or the one that every text starts with.
  transept::token_id step_back() {
    if (seen_.empty()) return start_token(model_, &tokenizer_);
    const transept::token_id last = seen_.back();
    seen_.pop_back();
    truncate(writer_.session(), seen_.size());
    return last;
  }

  const writing_options& chosen_;
  const prompt_options& prompt_;
  writer& writer_;
  const any_model& model_;
  const transept::tokenizer& tokenizer_;
  std::vector<transept::token_id> seen_;   // what the session holds
  std::vector<transept::token_id> unseen_; // the last token written, which it does not hold yet
};

} // namespace examples

// What a program starts from: --prompt TEXT, or --ids 1,2,3, or neither.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <common/any_model.hpp>
#include <common/ids.hpp>
#include <common/tokenizer.hpp>

#include <transept/text/tokenizer.hpp>

namespace examples {

/// The token that a text from nothing begins with: config.json's beginning of text, else its end of text,
/// else the vocabulary's <|endoftext|>.
inline transept::token_id start_token(const any_model& model, const transept::tokenizer* tokenizer) {
  std::vector<transept::token_id> named(model.settings.eos_token_ids);
  if (model.settings.bos_token_id) named.insert(named.begin(), *model.settings.bos_token_id);
  if (tokenizer && tokenizer->end_of_text()) named.push_back(*tokenizer->end_of_text());
  for (const transept::token_id id : named)
    if (id >= 0 && static_cast<std::size_t>(id) < model.vocab_size()) return id;
  throw transept::argument_error("this model names no end-of-text token to start from: give a prompt");
}

/// Throws argument_error for an id that the model does not have. `what` has them: "the prompt".
inline void check_ids(const any_model& model, std::span<const transept::token_id> ids,
                      const std::string& what) {
  for (const transept::token_id id : ids)
    if (id < 0 || static_cast<std::size_t>(id) >= model.vocab_size())
      throw transept::argument_error(what + " has token id " + std::to_string(id) +
                                     ", but the ids of this model are from 0 to " +
                                     std::to_string(model.vocab_size() - 1));
}

/// The same; and context_error for more than fit.
inline void check_prompt(const any_model& model, std::span<const transept::token_id> ids) {
  check_ids(model, ids, "the prompt");
  if (ids.size() > model.shape().most_positions())
    throw transept::context_error("the prompt has " + std::to_string(ids.size()) +
                                  " tokens, but this model's context holds only " +
                                  std::to_string(model.n_positions()));
}

struct prompt_options {
  std::optional<std::string> text;
  std::vector<std::string> ids; ///< none, or one; several where the program takes several
  bool allow_special = false;

  void add_to(CLI::App& app, bool takes_several = false) {
    CLI::Option* const by_text = app.add_option("--prompt", text, "Text to begin with")
                                     ->type_name("TEXT")
                                     ->group("What to begin with");
    CLI::Option* const by_ids =
        app.add_option("--ids", ids,
                       "The same as token ids (or @FILE: a file that holds them); needs no vocabulary")
            ->type_name("1,2,3")
            ->excludes(by_text)
            ->group("What to begin with");
    if (takes_several)
      by_ids->allow_extra_args(false);
    else
      by_ids->expected(1);
    app.add_flag("--allow-special", allow_special,
                 "In --prompt, <|endoftext|> and its like are tokens, not text")
        ->group("What to begin with");
  }

  transept::special_tokens special() const {
    return allow_special ? transept::special_tokens::allowed : transept::special_tokens::as_text;
  }

  /// The folder's tokenizer. One that is missing matters only where the prompt is a text.
  std::optional<transept::tokenizer> open_tokenizer(const std::filesystem::path& folder) const {
    return text && !text->empty() ? examples::open_tokenizer(folder) : find_tokenizer(folder);
  }

  /// The prompt's ids, checked; nothing given, or an empty text: the start token alone.
  std::vector<transept::token_id> tokens(const any_model& model, const transept::tokenizer* tokenizer) const {
    std::vector<transept::token_id> prompt;
    if (!ids.empty()) {
      prompt = ids_argument(ids.front());
      if (prompt.empty()) throw transept::argument_error("--ids: no token ids");
    } else if (text && tokenizer) {
      prompt = tokenizer->encode_prompt(*text, special());
    }
    if (prompt.empty()) prompt.push_back(start_token(model, tokenizer));
    check_prompt(model, prompt);
    return prompt;
  }

  bool from_nothing() const { return ids.empty() && (!text || text->empty()); }
};

} // namespace examples

// Continues a text.
#include <chrono>
#include <functional>
#include <optional>

#include <common/any_model.hpp>
#include <common/checks.hpp>
#include <common/program.hpp>
#include <common/prompt.hpp>
#include <common/sampling_options.hpp>
#include <common/terminal.hpp>

#include <transept/core/json.hpp>
#include <transept/generate/generation.hpp>
#include <transept/text/stop_matcher.hpp>
#include <transept/text/stream_decoder.hpp>

namespace {

using namespace examples;

struct options {
  model_options common;
  prompt_options prompt;
  sampling_options sampling;
  std::size_t max_new_tokens = 100;
  std::vector<std::string> stop;
  bool interactive = false;
  bool json = false;

  void add_to(CLI::App& app) {
    prompt.add_to(app);
    app.add_option("--max-new-tokens", max_new_tokens,
                   "At most so many tokens; fewer where the context is full")
        ->type_name("N")
        ->check(whole_number())
        ->capture_default_str();
    app.add_option("--stop", stop, "End before this text (may be given several times)")
        ->type_name("TEXT")
        ->take_all()
        ->expected(1)
        ->allow_extra_args(false);
    CLI::Option* const talk =
        app.add_flag("--interactive", interactive, "Continue what you type, line after line, as one text");
    app.add_flag("--json", json, "Print one object instead: ids, text, times")->excludes(talk);
    sampling.add_to(app);
    common.add_to(app);
    app.description("Continues a text with a GPT-2: prints the prompt and, as it comes, its continuation.");
    app.footer(
        "Without --prompt and --ids the model writes freely, from its end-of-text token. Plain sampling\n"
        "(the default) is wild; --temperature 0.8 --top-k 40 reads better. A folder without a vocabulary\n"
        "prints token ids. --json prints prompt_ids, ids, text (what was generated), finish_reason, seed,\n"
        "load_ms, prefill_ms, decode_ms_per_token, threads. Statistics go to stderr.");
  }
};

using clock_type = std::chrono::steady_clock;

double milliseconds(clock_type::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

/// What one generation gave.
struct continuation {
  std::vector<transept::token_id> ids;
  std::string text;
  transept::finish_reason reason = transept::finish_reason::running;
  std::optional<transept::token_id> pending; // the last id, where the session has not seen it
  double prefill_ms = 0;
  std::optional<double> decode_ms_per_token; // from the first token on; none for fewer than two
};

class writer {
public:
  using sampler = std::function<transept::token_id(transept::candidates&)>;

  writer(const options& chosen, const any_model& model, const transept::tokenizer* tokenizer)
      : chosen_(chosen),
        model_(model),
        tokenizer_(tokenizer),
        session_(model.make_session({.threads = chosen.common.threads})),
        sampler_(chosen.sampling.sampler()),
        stop_(chosen.stop) {}

  transept::session& session() { return session_; }

  /// Continues the session by `prompt` and what the model makes of it. `history`: what the session holds.
  /// `show(id, text)` is called for each token, with the text that is complete by it.
  template <class Show>
  continuation write(std::span<const transept::token_id> prompt, std::vector<transept::token_id> history,
                     Show&& show) {
    const auto begin = clock_type::now();
    auto tokens =
        transept::generate(model_, session_, prompt, std::ref(sampler_),
                           {.max_new_tokens = chosen_.max_new_tokens, .history = std::move(history)});
    continuation result;
    result.prefill_ms = milliseconds(clock_type::now() - begin);

    std::optional<transept::stream_decoder> decoder;
    if (tokenizer_) decoder.emplace(*tokenizer_);
    stop_.reset();
    clock_type::time_point first, last;
    for (const auto& token : tokens) {
      last = clock_type::now();
      if (result.ids.empty()) first = last;
      result.ids.push_back(token.id);
      const std::string_view text = decoder ? stop_.push(decoder->push(token.id)) : std::string_view();
      result.text += text;
      show(token.id, text);
      if (stop_.stopped() || !std::cout) break;
    }
    if (decoder && !stop_.stopped()) {
      for (const std::string& rest :
           {std::string(stop_.push(decoder->flush())), std::string(stop_.flush())}) {
        result.text += rest;
        if (!rest.empty()) show(-1, rest);
      }
    }
    if (result.ids.size() > 1)
      result.decode_ms_per_token = milliseconds(last - first) / static_cast<double>(result.ids.size() - 1);
    result.reason = stop_.stopped() ? transept::finish_reason::stop_string : tokens.finish_reason();
    result.pending = tokens.pending();
    return result;
  }

private:
  const options& chosen_;
  const any_model& model_;
  const transept::tokenizer* tokenizer_;
  transept::session session_;
  sampler sampler_;
  transept::stop_matcher stop_;
};

// ---- One continuation, printed ---------------------------------------------------------------------------

void tell_statistics(const options& chosen, std::size_t prompt_size, const continuation& result,
                     transept::session& session) {
  if (!std::cout) return; // that is told instead
  std::ostream& out = std::cerr;
  if (result.reason == transept::finish_reason::context_full)
    out << "note: ended because the model's context of " << session.capacity() << " tokens is full\n";
  if (result.reason == transept::finish_reason::stop_token) out << "note: the model ended the text\n";
  out << "prompt: " << prompt_size << (prompt_size == 1 ? " token" : " tokens") << " in "
      << decimal(result.prefill_ms, 1) << " ms; generated: " << result.ids.size();
  if (result.decode_ms_per_token && *result.decode_ms_per_token > 0)
    out << " at " << decimal(1000 / *result.decode_ms_per_token, 1) << " tokens per second";
  out << "; threads: " << session.threads().size();
  if (chosen.sampling.is_random()) out << "; seed: " << *chosen.sampling.seed;
  out << "\n";
}

void print_text(const options& chosen, writer& writer, const transept::tokenizer& tokenizer,
                const std::vector<transept::token_id>& prompt) {
  const style style;
  std::string last;
  const auto show = [&](std::string_view text) {
    std::cout << text << std::flush;
    if (!text.empty()) last = text.back();
  };
  if (!chosen.prompt.from_nothing()) {
    std::cout << style.bold();
    show(tokenizer.decode(prompt));
    std::cout << style.plain() << std::flush;
  }
  const continuation result =
      writer.write(prompt, {}, [&](transept::token_id, std::string_view text) { show(text); });
  if (last != "\n") std::cout << std::endl;
  tell_statistics(chosen, prompt.size(), result, writer.session());
}

void print_ids(const options& chosen, writer& writer, const std::vector<transept::token_id>& prompt) {
  std::cerr << "note: no vocabulary in " << chosen.common.model.string() << ", so token ids are printed\n";
  std::cout << join_ids(prompt) << std::flush;
  const continuation result = writer.write(
      prompt, {}, [](transept::token_id id, std::string_view) { std::cout << ',' << id << std::flush; });
  std::cout << std::endl;
  tell_statistics(chosen, prompt.size(), result, writer.session());
}

void print_json(const options& chosen, writer& writer, bool has_text,
                const std::vector<transept::token_id>& prompt, double load_ms) {
  const continuation result = writer.write(prompt, {}, [](transept::token_id, std::string_view) {});
  nlohmann::ordered_json object;
  object["prompt_ids"] = prompt;
  object["ids"] = result.ids;
  object["text"] = nullptr;
  if (has_text) object["text"] = result.text;
  object["finish_reason"] = transept::name_of(result.reason);
  object["seed"] = nullptr;
  if (chosen.sampling.is_random()) object["seed"] = *chosen.sampling.seed;
  object["load_ms"] = load_ms;
  object["prefill_ms"] = result.prefill_ms;
  object["decode_ms_per_token"] = nullptr;
  if (result.decode_ms_per_token) object["decode_ms_per_token"] = *result.decode_ms_per_token;
  object["threads"] = writer.session().threads().size();
  // Bytes that are no UTF-8, of which JSON knows nothing, become U+FFFD.
  std::cout << object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

// ---- --interactive ---------------------------------------------------------------------------------------

/// A loop over typed lines. All of it is one text: the session keeps what was typed and what was written.
class conversation {
public:
  conversation(const options& chosen, writer& writer, const any_model& model,
               const transept::tokenizer& tokenizer)
      : chosen_(chosen), writer_(writer), model_(model), tokenizer_(tokenizer) {}

  void run() {
    if (is_terminal(stdin)) {
      std::cerr << "Type a text, and the model goes on from there; an empty line lets it go on as it is.\n"
                   "A line that ends in \\ continues on the next. Ctrl-D ends.";
      if (chosen_.sampling.is_random()) std::cerr << " Seed: " << *chosen_.sampling.seed;
      std::cerr << "\n";
    }
    if (!chosen_.prompt.from_nothing()) answer(chosen_.prompt.tokens(model_, &tokenizer_));
    while (std::cout) {
      const auto line = read_line("> ");
      if (!line) break;
      answer(tokenizer_.encode(*line));
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

    const style style;
    std::cout << style.colour();
    const continuation result = writer_.write(
        prompt, seen_, [](transept::token_id, std::string_view text) { std::cout << text << std::flush; });
    std::cout << style.plain() << std::endl;
    if (result.reason == transept::finish_reason::context_full)
      std::cerr << "note: the model's context of " << session.capacity() << " tokens is full\n";

    seen_.insert(seen_.end(), prompt.begin(), prompt.end());
    seen_.insert(seen_.end(), result.ids.begin(), result.ids.end());
    unseen_.clear();
    if (result.pending) {
      unseen_.push_back(*result.pending);
      seen_.pop_back();
    }
  }

  /// Where nothing new was typed: the last token once more, or the one that every text starts with.
  transept::token_id step_back() {
    if (seen_.empty()) return start_token(model_, &tokenizer_);
    const transept::token_id last = seen_.back();
    seen_.pop_back();
    truncate(writer_.session(), seen_.size());
    return last;
  }

  const options& chosen_;
  writer& writer_;
  const any_model& model_;
  const transept::tokenizer& tokenizer_;
  std::vector<transept::token_id> seen_;   // what the session holds
  std::vector<transept::token_id> unseen_; // the last token written, which it does not hold yet
};

void run(options& chosen) {
  for (const std::string& text : chosen.stop)
    if (text.empty()) throw transept::argument_error("--stop: an empty text would end everything at once");
  const auto begin = clock_type::now();
  const auto model = open_model(chosen.common.model, chosen.common.load_options());
  const bool needs_text = chosen.interactive || !chosen.stop.empty();
  const std::optional<transept::tokenizer> tokenizer =
      needs_text ? transept::load_tokenizer(chosen.common.model)
                 : chosen.prompt.open_tokenizer(chosen.common.model);
  const transept::tokenizer* const words = tokenizer ? &*tokenizer : nullptr;
  chosen.sampling.settle_seed();
  writer writer(chosen, *model, words);
  const double load_ms = milliseconds(clock_type::now() - begin);

  if (chosen.interactive) return conversation(chosen, writer, *model, *words).run();
  const std::vector<transept::token_id> prompt = chosen.prompt.tokens(*model, words);
  if (chosen.json)
    print_json(chosen, writer, words != nullptr, prompt, load_ms);
  else if (words)
    print_text(chosen, writer, *words, prompt);
  else
    print_ids(chosen, writer, prompt);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("", "generate");
  options chosen;
  chosen.add_to(app);
  return run_program(app, argc, argv, [&] { run(chosen); });
}

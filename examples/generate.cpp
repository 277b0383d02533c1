// Continues a text.
#include <algorithm>
#include <optional>

#include <common/any_model.hpp>
#include <common/checks.hpp>
#include <common/conversation.hpp>
#include <common/program.hpp>
#include <common/prompt.hpp>
#include <common/sampling_options.hpp>
#include <common/speculation_options.hpp>
#include <common/terminal.hpp>
#include <common/writer.hpp>

#include <transept/core/json.hpp>

namespace {

using namespace examples;

/// Each sample has a key/value cache of its own.
constexpr std::size_t most_samples = 256;

struct options {
  model_options common;
  prompt_options prompt;
  writing_options writing;
  speculation_options speculation;
  std::optional<std::size_t> num_samples;
  bool interactive = false;
  bool json = false;

  void add_to(CLI::App& app) {
    prompt.add_to(app);
    app.add_option("--max-new-tokens", writing.max_new_tokens,
                   "At most so many tokens; fewer where the context is full")
        ->type_name("N")
        ->check(whole_number())
        ->capture_default_str();
    app.add_flag("--ignore-eos", writing.ignore_eos, "Go on behind the model's end tokens");
    app.add_option("--stop", writing.stop, "End before this text (may be given several times)")
        ->type_name("TEXT")
        ->take_all()
        ->expected(1)
        ->allow_extra_args(false);
    CLI::Option* const samples =
        app.add_option("--num-samples", num_samples,
                       "So many continuations, decoded together and printed one after another at the end")
            ->type_name("N")
            ->check(whole_number_between(1, most_samples));
    CLI::Option* const talk =
        app.add_flag("--interactive", interactive, "Continue what you type, line after line, as one text")
            ->excludes(samples);
    app.add_flag("--json", json, "Print one object instead: ids, text, times")->excludes(talk);
    speculation.add_to(app)->excludes(samples);
    writing.sampling.add_to(app);
    common.add_to(app);
    app.description("Continues a text: prints the prompt and, as it comes, its continuation.");
    app.footer(
        "Without --prompt and --ids the model writes freely, from its end-of-text token. Plain sampling\n"
        "(the default) is wild; --temperature 0.8 --top-k 40 reads better. A folder without a vocabulary\n"
        "prints token ids. --json prints prompt_ids, ids, text (what was generated), finish_reason, seed,\n"
        "load_ms, prefill_ms, decode_ms_per_token, threads; with --speculate drafted and accepted, so many "
        "tokens\n"
        "were guessed and came; with --num-samples also samples, each with its\n"
        "ids, text and finish_reason, of which the first is repeated outside, and decode_ms_per_token is "
        "the\n"
        "time by the tokens of all. Statistics go to stderr.");
  }
};

/// What is not the text goes to stderr.
void tell_statistics(const options& chosen, std::size_t prompt_size, const written& made,
                     const any_model& model) {
  if (!std::cout) return; // that is told instead
  std::ostream& out = std::cerr;
  const std::size_t samples = made.each.size();
  const auto ended_by = [&](transept::finish_reason reason) {
    return std::ranges::count(made.each, reason, &continuation::reason);
  };
  if (const auto full = ended_by(transept::finish_reason::context_full)) {
    out << "note: ";
    if (samples > 1) out << full << " of " << samples << " samples ";
    out << "ended because the model's context of " << model.n_positions() << " tokens is full\n";
  }
  if (const auto ended = ended_by(transept::finish_reason::stop_token)) {
    out << "note: the model ended ";
    if (samples > 1)
      out << ended << " of " << samples << " samples\n";
    else
      out << "the text\n";
  }
  std::size_t count = 0;
  for (const continuation& each : made.each) count += each.ids.size();
  out << "prompt: " << prompt_size << (prompt_size == 1 ? " token" : " tokens") << " in "
      << decimal(made.prefill_ms, 1) << " ms; generated: " << count;
  if (samples > 1) out << " in " << samples << " samples";
  if (made.decode_ms_per_token && *made.decode_ms_per_token > 0)
    out << " at " << decimal(1000 / *made.decode_ms_per_token, 1) << " tokens per second";
  out << "; threads: " << made.threads;
  if (made.speculated.drafted > 0)
    out << "; guessed: " << made.speculated.drafted << ", of which " << made.speculated.accepted << " came";
  if (chosen.writing.sampling.is_random()) out << "; seed: " << *chosen.writing.sampling.seed;
  out << "\n";
}

// ---- One continuation, printed as it comes ---------------------------------------------------------------

written print_text(const options& chosen, writer& writer, const transept::tokenizer& tokenizer,
                   const std::vector<transept::token_id>& prompt) {
  shown_text out;
  if (!chosen.prompt.from_nothing()) {
    const style style;
    const std::string text = tokenizer.decode(prompt);
    std::cout << style.bold();
    out.show(text);
    std::cout << style.plain() << std::flush;
  }
  written made = writer.write(prompt, {}, [&](transept::token_id, std::string_view text) { out.show(text); });
  out.end_line();
  return made;
}

written print_ids(writer& writer, const std::vector<transept::token_id>& prompt) {
  shown_text out;
  out.show(join_ids(prompt));
  written made = writer.write(
      prompt, {}, [&](transept::token_id id, std::string_view) { out.show("," + std::to_string(id)); });
  out.end_line();
  return made;
}

// ---- All that was written, printed at the end ------------------------------------------------------------

/// Each sample with the prompt before it; between two of them a line of dashes.
void print_samples(const options& chosen, const written& made, const transept::tokenizer* tokenizer,
                   const std::vector<transept::token_id>& prompt) {
  const style style;
  for (std::size_t i = 0; i < made.each.size(); ++i) {
    if (i > 0) std::cout << "---------------\n";
    if (!tokenizer) {
      std::vector<transept::token_id> ids = prompt;
      ids.insert(ids.end(), made.each[i].ids.begin(), made.each[i].ids.end());
      std::cout << join_ids(ids) << "\n";
      continue;
    }
    const std::string begin = chosen.prompt.from_nothing() ? "" : tokenizer->decode(prompt);
    std::cout << style.bold() << begin << style.plain() << made.each[i].text;
    if (!(begin + made.each[i].text).ends_with('\n')) std::cout << "\n";
  }
}

nlohmann::ordered_json as_json(const continuation& made, bool has_text) {
  nlohmann::ordered_json object;
  object["ids"] = made.ids;
  object["text"] = nullptr;
  if (has_text) object["text"] = made.text;
  object["finish_reason"] = transept::name_of(made.reason);
  return object;
}

void print_json(const options& chosen, const written& made, bool has_text,
                const std::vector<transept::token_id>& prompt, double load_ms) {
  nlohmann::ordered_json object;
  object["prompt_ids"] = prompt;
  object.update(as_json(made.each[0], has_text));
  object["seed"] = nullptr;
  if (chosen.writing.sampling.is_random()) object["seed"] = *chosen.writing.sampling.seed;
  object["load_ms"] = load_ms;
  object["prefill_ms"] = made.prefill_ms;
  object["decode_ms_per_token"] = nullptr;
  if (made.decode_ms_per_token) object["decode_ms_per_token"] = *made.decode_ms_per_token;
  object["threads"] = made.threads;
  if (!chosen.speculation.drafter.empty()) {
    object["drafted"] = made.speculated.drafted;
    object["accepted"] = made.speculated.accepted;
  }
  if (chosen.num_samples)
    for (const continuation& each : made.each) object["samples"].push_back(as_json(each, has_text));
  // Bytes that are no UTF-8, of which JSON knows nothing, become U+FFFD.
  std::cout << object.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

void run(options& chosen) {
  for (const std::string& text : chosen.writing.stop)
    if (text.empty()) throw transept::argument_error("--stop: an empty text would end everything at once");
  chosen.writing.session = chosen.common.session_options();
  const auto begin = clock_type::now();
  const auto model = open_model(chosen.common.model, chosen.common.load_options());
  const bool needs_text = chosen.interactive || !chosen.writing.stop.empty();
  const std::optional<transept::tokenizer> tokenizer =
      needs_text ? examples::open_tokenizer(chosen.common.model)
                 : chosen.prompt.open_tokenizer(chosen.common.model);
  const transept::tokenizer* const words = tokenizer ? &*tokenizer : nullptr;
  chosen.writing.sampling.settle_seed();

  const std::size_t num_samples = chosen.num_samples.value_or(1);
  std::vector<transept::token_id> prompt;
  if (!chosen.interactive) {
    prompt = chosen.prompt.tokens(*model, words);
    chosen.writing.session.capacity = model->capacity_for(prompt.size() + chosen.writing.max_new_tokens);
  }
  const speculator speculator(chosen.speculation, chosen.common.model, chosen.common.load_options(),
                              chosen.writing.session, *model);
  chosen.writing.speculation = speculator.made();
  std::optional<writer> writer;
  if (num_samples == 1) writer.emplace(chosen.writing, *model, words);
  const double load_ms = milliseconds(clock_type::now() - begin);
  if (chosen.interactive) return conversation(chosen.writing, chosen.prompt, *writer, *model, *words).run();

  if (!words && !chosen.json)
    std::cerr << "note: no vocabulary in " << chosen.common.model.string() << ", so token ids are printed\n";
  if (writer && !chosen.json) {
    const written made = words ? print_text(chosen, *writer, *words, prompt) : print_ids(*writer, prompt);
    return tell_statistics(chosen, prompt.size(), made, *model);
  }
  const written made = writer ? writer->write(prompt, {}, [](transept::token_id, std::string_view) {})
                              : write_samples(chosen.writing, *model, words, prompt, num_samples);
  if (chosen.json) return print_json(chosen, made, words != nullptr, prompt, load_ms);
  print_samples(chosen, made, words, prompt);
  tell_statistics(chosen, prompt.size(), made, *model);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("", "generate");
  options chosen;
  chosen.add_to(app);
  return run_program(app, argc, argv, [&] { run(chosen); });
}

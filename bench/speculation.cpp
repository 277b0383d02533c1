// What guesses save: GPT-2's time per token with several drafters over that of plain decoding, in turns, and
// whether the tokens are the same, as they must be.
//
//   speculation                                   124M of random weights: what drafts cost that never come,
//                                                 and what those save that always do
//   speculation --model FOLDER --prompt-file F    a trained model, a text of your own
//
// A row is a median of rounds, of the ratio to plain decoding in the same round.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <common/checks.hpp>
#include <common/program.hpp>
#include <common/texts.hpp>

#include <transept/core/json.hpp>
#include <transept/generate/generation.hpp>
#include <transept/generate/sampling.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>

namespace {

using transept::token_id;
using model_type = transept::gpt2<transept::any_gpt2>;

struct settings {
  std::filesystem::path model, prompt_file;
  std::string dtype = "f32";
  int threads = 0, prompt = 64, new_tokens = 64, drafts = 8, repeat = 5;
  bool json = false;
};

model_type model_of(const settings& chosen, const std::string& dtype) {
  const auto type = *examples::element_type_named(dtype);
  if (!chosen.model.empty())
    return transept::load<model_type>(chosen.model,
                                      {.type = type, .packed = true, .threads = chosen.threads});
  return transept::initialise<model_type>(transept::gpt2_small, {}, 1,
                                          {.type = type, .packed = true, .threads = chosen.threads});
}

std::vector<token_id> prompt_of(const settings& chosen, std::size_t vocab_size) {
  if (!chosen.prompt_file.empty())
    return transept::load_tokenizer(chosen.model).encode_prompt(examples::read_all(chosen.prompt_file));
  std::vector<token_id> ids(static_cast<std::size_t>(chosen.prompt));
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<token_id>(i * 7919 % vocab_size);
  return ids;
}

struct outcome {
  std::vector<token_id> ids;
  double ms_per_token = 0;
  transept::speculation_counts counts;
};

outcome run(const model_type& model, transept::session& session, const std::vector<token_id>& prompt,
            const settings& chosen, transept::drafter draft) {
  reset(session);
  outcome made;
  auto tokens = generate(
      model, session, prompt, transept::greedy(),
      {.max_new_tokens = static_cast<std::size_t>(chosen.new_tokens),
       .ignore_eos = true,
       .speculation = {.draft = std::move(draft), .most_drafts = static_cast<std::size_t>(chosen.drafts)}});
  std::optional<std::chrono::steady_clock::time_point> first;
  for (const auto& token : tokens) {
    made.ids.push_back(token.id);
    if (!first) first = std::chrono::steady_clock::now(); // the prompt's step led to this one
  }
  const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - *first;
  made.ms_per_token = time.count() / static_cast<double>(made.ids.size() - 1);
  made.counts = tokens.speculated();
  return made;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

void run(const settings& chosen) {
  const model_type model = model_of(chosen, chosen.dtype), coarse = model_of(chosen, "int4");
  transept::session session(model, {.threads = chosen.threads}), own(coarse, {.threads = chosen.threads});
  const auto vocab_size = static_cast<std::size_t>(model.config.vocab_size);
  const std::vector<token_id> prompt = prompt_of(chosen, vocab_size);
  const std::vector<token_id> expected = run(model, session, prompt, chosen, {}).ids;
  std::vector<token_id> whole = prompt;
  whole.insert(whole.end(), expected.begin(), expected.end());
  const auto from_text = [&whole, vocab_size](token_id offset) -> transept::drafter {
    return [&whole, vocab_size, offset](std::span<const token_id> text, std::span<token_id> drafts) {
      const std::size_t count = std::min(drafts.size(), whole.size() - text.size());
      for (std::size_t i = 0; i < count; ++i)
        drafts[i] =
            static_cast<token_id>((static_cast<std::size_t>(whole[text.size() + i] + offset)) % vocab_size);
      return count;
    };
  };
  const std::vector<std::pair<std::string, std::function<transept::drafter()>>> ways{
      {"never right", [&] { return from_text(1); }},
      {"lookup", [] { return transept::lookup_drafter(); }},
      {"self (int4)", [&] { return transept::model_drafter(coarse, own); }},
      {"always right", [&] { return from_text(0); }}};
  std::vector<double> plain;
  std::map<std::string, std::vector<double>> ratios;
  std::map<std::string, transept::speculation_counts> counts;
  for (int i = 0; i < chosen.repeat; ++i) {
    plain.push_back(run(model, session, prompt, chosen, {}).ms_per_token);
    for (const auto& [name, make] : ways) {
      const outcome made = run(model, session, prompt, chosen, make());
      if (made.ids != expected) throw transept::numeric_error("guesses changed the tokens: " + name);
      ratios[name].push_back(made.ms_per_token / plain.back());
      counts[name] = made.counts;
    }
  }
  if (chosen.json) {
    transept::json object = {{"plain_ms", median(plain)}};
    for (const auto& [name, values] : ratios)
      object[name] = {{"over_plain", median(values)},
                      {"drafted", counts[name].drafted},
                      {"accepted", counts[name].accepted}};
    std::cout << object.dump() << '\n';
    return;
  }
  std::printf("%s, %d threads, %d tokens behind %zu; plain decoding: %.3f ms per token\n",
              chosen.dtype.c_str(), session.threads().size(), chosen.new_tokens, prompt.size(),
              median(plain));
  std::printf("drafter         time over plain   drafted  accepted\n");
  for (const auto& [name, make] : ways)
    std::printf("%-15s %15.2f %9zu %9zu\n", name.c_str(), median(ratios[name]), counts[name].drafted,
                counts[name].accepted);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures what guesses save in GPT-2's decoding. The tokens are the same in any case.",
               "speculation");
  settings chosen;
  CLI::Option* const model =
      app.add_option("--model", chosen.model, "Folder of a GPT-2; none: 124M, with random weights")
          ->type_name("PATH");
  app.add_option("--prompt-file", chosen.prompt_file, "A text to go on from")
      ->type_name("FILE")
      ->needs(model);
  app.add_option("--dtype", chosen.dtype, "Type of the weights")
      ->type_name(examples::element_type_choices)
      ->check(examples::is_element_type())
      ->capture_default_str();
  const auto add_number = [&](const char* name, int& value, int least, const char* what) {
    app.add_option(name, value, what)
        ->type_name("N")
        ->check(CLI::Range(least, 1 << 20).description(""))
        ->capture_default_str();
  };
  add_number("--threads", chosen.threads, 0, "Threads to compute with; 0: one per processor");
  add_number("--prompt", chosen.prompt, 1, "Tokens before them, where there is no text");
  add_number("--new-tokens", chosen.new_tokens, 2, "Tokens to generate");
  add_number("--drafts", chosen.drafts, 1, "Guesses of a pass, at most");
  add_number("--repeat", chosen.repeat, 1, "Rounds");
  app.add_flag("--json", chosen.json, "One JSON object");
  return examples::run_program(app, argc, argv, [&] { run(chosen); });
}

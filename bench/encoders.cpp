// Encoders end to end: texts of different lengths, hidden states of all tokens, with random weights made in
// place.
//
//   encoders --size BERT-base --dtype int8 --texts 32 --shortest 10 --longest 128
//
// Prints the median of warm runs, operations per second (attention's whole squares included; there is no
// padding) and their share of what multiply-adds of f32 in registers reach on as many threads, measured in
// the same run.
#include "machine.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <common/arithmetic.hpp>
#include <common/checks.hpp>
#include <common/program.hpp>

#include <transept/core/json.hpp>
#include <transept/encode/encode.hpp>
#include <transept/models/bert.hpp>
#include <transept/models/initialise.hpp>

namespace {

using transept::token_id;

struct settings {
  std::string size = "BERT-base", dtype = "f32";
  int threads = 0, texts = 32, shortest = 10, longest = 128, tokens_at_once = 2048, repeat = 7;
  bool json = false;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

/// Lengths from the shortest to the longest, evenly, in an order that is not sorted.
transept::text_batch some_texts(const settings& chosen, std::size_t vocab_size) {
  transept::text_batch texts;
  for (int s = 0; s < chosen.texts; ++s) {
    const int place = chosen.texts == 1 ? 0 : s * 7 % chosen.texts;
    const int steps = std::max(chosen.texts - 1, 1);
    const int length = chosen.shortest + (chosen.longest - chosen.shortest) * place / steps;
    std::vector<token_id> ids(static_cast<std::size_t>(length));
    for (std::size_t i = 0; i < ids.size(); ++i)
      ids[i] = static_cast<token_id>((i * 7919 + static_cast<std::size_t>(s) * 13) % vocab_size);
    texts.add(ids);
  }
  return texts;
}

/// Of the products of all texts, a multiply-add being two.
double operations_of(const transept::decoder_shape& shape, const transept::encoder_input& texts) {
  const auto number = [](std::size_t n) { return static_cast<double>(n); };
  const double width = number(shape.n_embd);
  double operations = 0;
  for (std::size_t s = 0; s < texts.texts(); ++s) {
    const double length = number(texts.offsets[s + 1] - texts.offsets[s]);
    operations += 2 * length * (4 * width * width + 2 * width * number(shape.n_inner) + 2 * length * width);
  }
  return operations * number(shape.n_layer);
}

transept::bert_config config_named(const std::string& size) {
  if (size == "BERT-large") return transept::bert_large;
  if (size == "DistilBERT") return transept::distilbert_base;
  return size == "MiniLM" ? transept::bert_config{.n_embd = 384, .n_layer = 6, .n_head = 12}
                          : transept::bert_base;
}

void run(const settings& chosen) {
  const transept::bert_config config = config_named(chosen.size);
  const auto model = transept::initialise<transept::bert<transept::any_bert>>(
      config, {}, 1,
      {.type = *examples::element_type_named(chosen.dtype), .packed = true, .threads = chosen.threads});
  const transept::text_batch texts = some_texts(chosen, static_cast<std::size_t>(config.vocab_size));
  transept::encoder_session session({.threads = chosen.threads, .tokens_at_once = chosen.tokens_at_once});
  std::vector<double> times, peaks;
  for (int i = 0; i <= chosen.repeat; ++i) {
    const auto start = std::chrono::steady_clock::now();
    const auto seen = encode(model, session, texts.input());
    const std::chrono::duration<double, std::milli> time = std::chrono::steady_clock::now() - start;
    if (i == 0) continue; // touches memory for the first time
    times.push_back(time.count());
    peaks.push_back(examples::arithmetic_peak(session.threads()));
  }
  const double ms = median(times), peak = median(peaks);
  const double operations = operations_of(model.shape(), texts.input()), rate = operations / ms * 1e3;
  const double per_second = 1e3 * chosen.texts / ms;
  if (chosen.json) {
    const transept::json object = {{"size", chosen.size},
                                   {"dtype", chosen.dtype},
                                   {"threads", session.threads().size()},
                                   {"texts", chosen.texts},
                                   {"tokens", texts.token_count()},
                                   {"ms", ms},
                                   {"texts_per_second", per_second},
                                   {"flop", operations},
                                   {"flop_per_second", rate},
                                   {"peak_flop_per_second", peak}};
    std::cout << object.dump() << '\n';
    return;
  }
  std::printf("%s, %s, %d texts of %d to %d tokens (%zu), %d threads\n", chosen.size.c_str(),
              chosen.dtype.c_str(), chosen.texts, chosen.shortest, chosen.longest, texts.token_count(),
              session.threads().size());
  std::printf(
      "  all texts %9.2f ms   %.1f texts/s, %.1f GFLOP/s, %.2f of the %.1f that multiply-adds alone reach\n",
      ms, per_second, rate / 1e9, rate / peak, peak / 1e9);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures encoders, with random weights.", "encoders");
  settings chosen;
  app.add_option("--size", chosen.size, "Which model")
      ->type_name("BERT-base|BERT-large|DistilBERT|MiniLM")
      ->check(CLI::IsMember({"BERT-base", "BERT-large", "DistilBERT", "MiniLM"}).description(""))
      ->capture_default_str();
  app.add_option("--dtype", chosen.dtype, "Type of the weights")
      ->type_name(examples::element_type_choices)
      ->check(examples::is_element_type())
      ->capture_default_str();
  const auto add_number = [&](const char* name, int& value, const char* what) {
    app.add_option(name, value, what)->type_name("N")->check(CLI::Range(0, 1 << 20))->capture_default_str();
  };
  add_number("--threads", chosen.threads, "Threads to compute with; 0: one per processor");
  add_number("--texts", chosen.texts, "How many");
  add_number("--shortest", chosen.shortest, "Tokens of the shortest");
  add_number("--longest", chosen.longest, "Tokens of the longest");
  add_number("--tokens-at-once", chosen.tokens_at_once, "Texts are encoded together up to so many tokens");
  add_number("--repeat", chosen.repeat, "Warm runs");
  app.add_flag("--json", chosen.json, "One JSON object");
  return examples::run_program(app, argc, argv, [&] { run(chosen); });
}

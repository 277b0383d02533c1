// What a training step costs: forward, backward and optimizer of a GPT-2 with random weights, its products in
// f32 or of operands rounded to bf16.
//
//   training --size 124M --batch 4 --context 256 --threads 2 --products bf16
//
// Prints medians, operations per second and their share of what multiply-adds in registers reach on as many
// threads, measured in the same run.
#include "machine.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdio>
#include <iostream>
#include <string>
#include <vector>

#include <sys/resource.h>

#include <CLI/CLI.hpp>

#include <common/arithmetic.hpp>
#include <common/program.hpp>

#include <transept/core/json.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>
#include <transept/train/training.hpp>

namespace {

using transept::token_id;

// nanoGPT's settings for Shakespeare by characters: on a CPU, and on a GPU.
constexpr transept::gpt2_config char_cpu{
    .n_embd = 128, .n_layer = 4, .n_head = 4, .vocab_size = 65, .n_positions = 64};
constexpr transept::gpt2_config char_gpu{
    .n_embd = 384, .n_layer = 6, .n_head = 6, .vocab_size = 65, .n_positions = 256};

struct settings {
  std::string size = "124M", products = "f32";
  int threads = 0, batch = 4, context = 64, repeat = 5;
  bool json = false;
};

struct measurement {
  double forward_ms = 0, backward_ms = 0, optimizer_ms = 0, step_ms = 0;
  double operations = 0, peak = 0; ///< of a step; per second
  std::size_t bytes = 0, peak_rss_bytes = 0;
  int threads = 0;
  double loss = 0;
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

template <class F>
double milliseconds(F&& f) {
  const auto start = std::chrono::steady_clock::now();
  f();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

template <transept::gpt2_config Config>
measurement run(const settings& chosen) {
  if (chosen.context > Config.n_positions)
    throw transept::context_error("this model has " + std::to_string(Config.n_positions) +
                                  " positions; --context " + std::to_string(chosen.context) + " is more");
  transept::trainer trainer(
      transept::initialise<transept::gpt2<Config>>(1, {.threads = chosen.threads}),
      {.products = examples::f32_precision_named(chosen.products), .threads = chosen.threads});
  std::vector<token_id> ids(static_cast<std::size_t>(chosen.batch * chosen.context + 1));
  for (std::size_t i = 0; i < ids.size(); ++i)
    ids[i] = static_cast<token_id>(i * 7919 % static_cast<std::size_t>(Config.vocab_size));
  const transept::token_rows tokens(ids.data(), chosen.batch, chosen.context);
  const transept::token_rows targets(ids.data() + 1, chosen.batch, chosen.context);

  measurement result{.operations =
                         examples::operations_of_step(trainer.model().shape(), chosen.batch, chosen.context),
                     .threads = trainer.threads().size()};
  std::vector<double> forward, both, optimizer, whole, peak;
  for (int i = 0; i <= chosen.repeat; ++i) { // the first is not counted
    const double forward_ms = milliseconds([&] { evaluate(trainer, tokens, targets); });
    const double both_ms =
        milliseconds([&] { result.loss = accumulate_gradients(trainer, tokens, targets); });
    const double optimizer_ms = milliseconds([&] { optimizer_step(trainer, 1e-4); });
    if (i == 0) continue;
    forward.push_back(forward_ms);
    both.push_back(both_ms - forward_ms);
    optimizer.push_back(optimizer_ms);
    whole.push_back(both_ms + optimizer_ms);
    peak.push_back(examples::arithmetic_peak(trainer.threads()));
  }
  result.forward_ms = median(forward);
  result.backward_ms = median(both);
  result.optimizer_ms = median(optimizer);
  result.step_ms = median(whole);
  result.peak = median(peak);
  result.bytes = trainer.bytes();
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  result.peak_rss_bytes = static_cast<std::size_t>(usage.ru_maxrss) * 1024;
  return result;
}

measurement run(const settings& chosen) {
  if (chosen.size == "char-cpu") return run<char_cpu>(chosen);
  if (chosen.size == "char") return run<char_gpu>(chosen);
  return run<transept::gpt2_small>(chosen);
}

void print(const settings& chosen, const measurement& result) {
  const double rate = result.operations / result.step_ms * 1e3;
  if (chosen.json) {
    const transept::json object = {{"size", chosen.size},
                                   {"batch", chosen.batch},
                                   {"context", chosen.context},
                                   {"threads", result.threads},
                                   {"products", chosen.products},
                                   {"step_ms", result.step_ms},
                                   {"forward_ms", result.forward_ms},
                                   {"backward_ms", result.backward_ms},
                                   {"optimizer_ms", result.optimizer_ms},
                                   {"flop", result.operations},
                                   {"flop_per_second", rate},
                                   {"peak_flop_per_second", result.peak},
                                   {"trainer_bytes", result.bytes},
                                   {"peak_rss_bytes", result.peak_rss_bytes},
                                   {"loss", result.loss}};
    std::cout << object.dump() << '\n';
    return;
  }
  std::printf("GPT-2 %s, batch %d x %d, %d threads, products in %s\n", chosen.size.c_str(), chosen.batch,
              chosen.context, result.threads, chosen.products.c_str());
  std::printf("  a step    %9.2f ms   %.1f GFLOP/s, %.2f of the %.1f that multiply-adds alone reach\n",
              result.step_ms, rate / 1e9, rate / result.peak, result.peak / 1e9);
  std::printf("  forward   %9.2f ms\n", result.forward_ms);
  std::printf("  backward  %9.2f ms\n", result.backward_ms);
  std::printf("  optimizer %9.2f ms\n", result.optimizer_ms);
  std::printf("  memory    %9.1f MB   of the trainer; at most %.1f MB of the process\n",
              static_cast<double>(result.bytes) / 1e6, static_cast<double>(result.peak_rss_bytes) / 1e6);
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures steps of training, with random weights.", "training");
  settings chosen;
  const auto number = [&](const char* name, int& value, const char* what, int least, int most) {
    app.add_option(name, value, what)
        ->type_name("N")
        ->check(CLI::Range(least, most).description(""))
        ->capture_default_str();
  };
  app.add_option("--size", chosen.size, "GPT-2's smallest, or nanoGPT's models of characters")
      ->type_name("124M|char-cpu|char")
      ->check(CLI::IsMember({"124M", "char-cpu", "char"}).description(""))
      ->capture_default_str();
  app.add_option("--products", chosen.products,
                 "What matrices are multiplied in; bf16x3: three products of bf16 parts, where AMX is")
      ->type_name("f32|bf16|bf16x3")
      ->check(CLI::IsMember({"f32", "bf16", "bf16x3"}).description(""))
      ->capture_default_str();
  number("--batch", chosen.batch, "Sequences in a batch", 1, 1 << 16);
  number("--context", chosen.context, "Tokens in a sequence", 1, 1024);
  number("--threads", chosen.threads, "Threads to compute with; 0: one per processor", 0, 1024);
  number("--repeat", chosen.repeat, "Steps, whose medians are printed; one more comes first", 1, 100'000);
  app.add_flag("--json", chosen.json, "Print one JSON object");
  return examples::run_program(app, argc, argv, [&] { print(chosen, run(chosen)); });
}

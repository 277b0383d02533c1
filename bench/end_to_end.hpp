// A decoder end to end: a prompt, then new tokens one by one, with random weights made in place, so that it
// needs no files. A program names its models; what is measured, and how, is here.
//
// Times are medians of `--repeat` warm runs; the first run, which touches memory for the first time, is told
// apart (first_prefill_ms). What the machine reads from memory per second is measured in the same run, since
// bytes over bandwidth is the least time a token can take.
#pragma once

#include "machine.hpp"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <sys/resource.h>

#include <CLI/CLI.hpp>

#include <common/arithmetic.hpp>
#include <common/checks.hpp>
#include <common/program.hpp>

#include <transept/core/blocks.hpp>
#include <transept/core/json.hpp>
#include <transept/generate/batch_generation.hpp>
#include <transept/generate/generation.hpp>
#include <transept/generate/sampling.hpp>
#include <transept/generate/session.hpp>
#include <transept/io/save_model.hpp>
#include <transept/models/initialise.hpp>

namespace bench {

using transept::element_type;
using transept::token_id;

struct settings {
  std::string size, dtype = "f32", kv_dtype = "f32", f32_precision = "full";
  int threads = 0, prompt = 512, new_tokens = 32, batch = 1, repeat = 5;
  std::uint64_t seed = 1;
  std::filesystem::path save = {};
  bool json = false;
};

struct measurement {
  double first_prefill_ms = 0, prefill_ms = 0, step_ms = 0, read_bandwidth_gb_s = 0;
  double prompt_operations = 0; ///< of the prompt's products, a multiply-add being two
  std::size_t weight_bytes = 0, cache_bytes = 0, peak_rss_bytes = 0;
  int threads = 0;
  std::vector<token_id> ids = {};
};

inline double median(std::vector<double> values) {
  std::ranges::sort(values);
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

inline double milliseconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

/// Bytes of the matrices that every token reads whole.
template <class Model>
std::size_t bytes_read_per_token(const Model& model) {
  std::size_t bytes = 0;
  transept::for_each_parameter(
      [&](std::string_view, const auto& leaf) {
        using leaf_type = std::remove_cvref_t<decltype(leaf)>;
        if constexpr (leaf_type::rank == 2) {
          if (leaf_type::use == transept::matrix_use::lookup) return;
          bytes += bytes_of(leaf.type(), static_cast<std::size_t>(leaf.size()));
        }
      },
      model);
  return bytes;
}

inline std::vector<token_id> some_prompt(int length, int vocab_size) {
  std::vector<token_id> tokens(static_cast<std::size_t>(length));
  for (std::size_t i = 0; i < tokens.size(); ++i)
    tokens[i] = static_cast<token_id>((i * 7919 + 13) % static_cast<std::size_t>(vocab_size));
  return tokens;
}

/// One run: the prompt, then a step for each token but the first, which the prompt's pass gives. As with
/// `generate`, a stop token ends it.
struct timing {
  double prefill_ms, step_ms;
  std::vector<token_id> ids;
};

inline timing timing_of(double prefill_ms, double all_ms, std::vector<token_id> ids) {
  if (ids.size() < 2)
    throw transept::error("the model stopped at the first token: give another --seed or --prompt");
  return {prefill_ms, (all_ms - prefill_ms) / static_cast<double>(ids.size() - 1), std::move(ids)};
}

template <class Model>
timing run_once(const Model& model, transept::session& session, const std::vector<token_id>& prompt,
                std::size_t new_tokens) {
  reset(session);
  std::vector<token_id> ids;
  const auto start = std::chrono::steady_clock::now();
  auto tokens = generate(model, session, prompt, transept::greedy(), {.max_new_tokens = new_tokens});
  const double prefill_ms = milliseconds_since(start);
  for (const token_id token : tokens) ids.push_back(token);
  const double all_ms = milliseconds_since(start);
  return timing_of(prefill_ms, all_ms, std::move(ids));
}

/// The prompt's pass ends with the first token of the first continuation.
template <class Model>
timing run_once(const Model& model, transept::batch& batch, const std::vector<token_id>& prompt,
                std::size_t new_tokens) {
  double prefill_ms = 0;
  const auto start = std::chrono::steady_clock::now();
  auto results = generate_batch(
      model, batch, prompt, batch.max_sequences(), [](std::size_t) { return transept::greedy(); },
      {.max_new_tokens = new_tokens},
      [&](std::size_t, const transept::generated_token&) {
        if (prefill_ms == 0) prefill_ms = milliseconds_since(start);
      });
  const double all_ms = milliseconds_since(start);
  for (const auto& result : results)
    if (result.ids != results[0].ids) throw transept::error("two sequences of a batch got different tokens");
  return timing_of(prefill_ms, all_ms, std::move(results[0].ids));
}

/// Operations of a prompt's products: those of the blocks, attention's causal half, and the last token's
/// logits.
inline double operations_of_prompt(const transept::decoder_shape& shape, double tokens) {
  // Of a training step: a third is the forward pass, whose output matrix meets every token.
  const double output = 2.0 * static_cast<double>(shape.n_output) * static_cast<double>(shape.vocab_size);
  return examples::operations_of_step(shape, 1, tokens) / 3 - (tokens - 1) * output;
}

/// `make(options)` makes the model.
template <class Make>
measurement measure_model(const settings& chosen, Make&& make) {
  const element_type type = *examples::element_type_named(chosen.dtype);
  const auto model =
      make(transept::initialise_options{.type = type, .packed = true, .threads = chosen.threads});
  if (!chosen.save.empty()) {
    if (is_block_type(type))
      throw transept::argument_error(
          "--save: folders hold f32, f16 and bf16 only; quantize makes int8 and int4");
    save(model, chosen.save);
  }
  const auto pool = std::make_shared<transept::thread_pool>(chosen.threads);
  const auto cache_type = examples::cache_type_named(chosen.kv_dtype);
  const auto precision = examples::f32_precision_named(chosen.f32_precision);
  const auto prompt = some_prompt(chosen.prompt, model.config.vocab_size);
  const auto new_tokens = static_cast<std::size_t>(chosen.new_tokens);

  measurement result{.prompt_operations = operations_of_prompt(model.shape(), chosen.prompt),
                     .weight_bytes = bytes_read_per_token(model),
                     .threads = pool->size()};
  const auto measure = [&](auto& state) {
    std::vector<double> prefill, step;
    for (int i = 0; i <= chosen.repeat; ++i) {
      timing once = run_once(model, state, prompt, new_tokens);
      if (i == 0) {
        result.first_prefill_ms = once.prefill_ms;
        result.ids = std::move(once.ids);
        continue;
      }
      if (once.ids != result.ids) throw transept::error("two runs gave different tokens");
      prefill.push_back(once.prefill_ms);
      step.push_back(once.step_ms);
    }
    result.prefill_ms = median(prefill);
    result.step_ms = median(step);
  };
  if (chosen.batch == 1) {
    transept::session session(model, {.pool = pool, .cache_type = cache_type, .f32_precision = precision});
    result.cache_bytes = session.cache().bytes();
    measure(session);
  } else {
    transept::batch batch(
        model,
        {.max_sequences = chosen.batch, .pool = pool, .cache_type = cache_type, .f32_precision = precision});
    const std::size_t any = add(batch);
    result.cache_bytes = static_cast<std::size_t>(chosen.batch) * batch.cache(any).bytes();
    remove(batch, any);
    measure(batch);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  result.peak_rss_bytes = static_cast<std::size_t>(usage.ru_maxrss) * 1024;
  // Last, for it takes memory of its own.
  result.read_bandwidth_gb_s = bench::read_bandwidth(*pool) / 1e9;
  return result;
}

/// The models of a program, by the name of their size.
using models_by_size = std::map<std::string, std::function<measurement(const settings&)>>;

inline void print(const std::string& name, const settings& chosen, const measurement& result) {
  const double ms_per_token = result.step_ms / chosen.batch;
  const double tokens_per_second = 1000 / ms_per_token;
  const double bytes_per_second = static_cast<double>(result.weight_bytes) * 1000 / result.step_ms;
  if (chosen.json) {
    const transept::json object = {{"size", chosen.size},
                                   {"dtype", chosen.dtype},
                                   {"kv_dtype", chosen.kv_dtype},
                                   {"f32_precision", chosen.f32_precision},
                                   {"threads", result.threads},
                                   {"prompt", chosen.prompt},
                                   {"new_tokens", chosen.new_tokens},
                                   {"batch", chosen.batch},
                                   {"repeat", chosen.repeat},
                                   {"seed", chosen.seed},
                                   {"prefill_ms", result.prefill_ms},
                                   {"prompt_operations", result.prompt_operations},
                                   {"first_prefill_ms", result.first_prefill_ms},
                                   {"decode_ms_per_token", ms_per_token},
                                   {"step_ms", result.step_ms},
                                   {"tokens_per_second", tokens_per_second},
                                   {"weight_bytes", result.weight_bytes},
                                   {"cache_bytes", result.cache_bytes},
                                   {"peak_rss_bytes", result.peak_rss_bytes},
                                   {"read_bandwidth_gb_s", result.read_bandwidth_gb_s},
                                   {"ids", result.ids}};
    std::cout << object.dump() << '\n';
    return;
  }
  std::printf("%s %s, %s, %d threads\n", name.c_str(), chosen.size.c_str(), chosen.dtype.c_str(),
              result.threads);
  std::printf("  prompt of %-5d %9.1f ms   %.1f GFLOP/s (first time %.1f ms)\n", chosen.prompt,
              result.prefill_ms, result.prompt_operations / result.prefill_ms / 1e6, result.first_prefill_ms);
  if (chosen.batch > 1) std::printf("  a step of %-5d %9.2f ms\n", chosen.batch, result.step_ms);
  std::printf("  a token         %9.2f ms   %.1f tokens/s\n", ms_per_token, tokens_per_second);
  std::printf(
      "  weights         %9.1f MB   read at %.1f GB/s, %.2f of the %.1f GB/s that reading alone reaches\n",
      static_cast<double>(result.weight_bytes) / 1e6, bytes_per_second / 1e9,
      bytes_per_second / 1e9 / result.read_bandwidth_gb_s, result.read_bandwidth_gb_s);
  std::printf("  cache           %9.1f MB   for the whole context\n",
              static_cast<double>(result.cache_bytes) / 1e6);
  std::printf("  peak memory     %9.1f MB\n", static_cast<double>(result.peak_rss_bytes) / 1e6);
}

/// The program's command line: `usual` is the size that is measured unless another is chosen.
inline int run_program(int argc, char** argv, const std::string& name, const std::string& what,
                       const models_by_size& models, const std::string& usual) {
  CLI::App app("Measures " + what + " end to end, with random weights.", name);
  settings chosen{.size = usual};
  std::vector<std::string> sizes;
  for (const auto& [size, run] : models) sizes.push_back(size);
  app.add_option("--size", chosen.size, "Which of the published sizes")
      ->type_name(CLI::detail::join(sizes, "|"))
      ->check(CLI::IsMember(sizes).description(""))
      ->capture_default_str();
  app.add_option("--dtype", chosen.dtype, "Type of the weights in memory")
      ->type_name(examples::element_type_choices)
      ->check(examples::is_element_type())
      ->capture_default_str();
  app.add_option("--kv-dtype", chosen.kv_dtype, "Type of the key/value cache")
      ->type_name(examples::cache_type_choices)
      ->check(examples::is_cache_type())
      ->capture_default_str();
  examples::add_f32_precision(app, chosen.f32_precision);
  app.add_option("--threads", chosen.threads, "Threads to compute with; 0: one per processor")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--prompt", chosen.prompt, "Tokens of the prompt")
      ->type_name("N")
      ->check(CLI::Range(1, 1023).description(""))
      ->capture_default_str();
  app.add_option("--new-tokens", chosen.new_tokens, "Tokens to generate, greedily")
      ->type_name("N")
      ->check(CLI::Range(2, 1023).description(""))
      ->capture_default_str();
  app.add_option("--batch", chosen.batch, "Continuations of the prompt, decoded together")
      ->type_name("N")
      ->check(CLI::Range(1, 1024).description(""))
      ->capture_default_str();
  app.add_option("--repeat", chosen.repeat, "Warm runs, whose medians are printed")
      ->type_name("N")
      ->check(CLI::Range(1, 1000).description(""))
      ->capture_default_str();
  app.add_option("--seed", chosen.seed, "Of the weights")
      ->type_name("N")
      ->check(examples::whole_number())
      ->capture_default_str();
  app.add_option("--save", chosen.save,
                 "Write the weights into this folder too, as Hugging Face lays them out")
      ->type_name("FOLDER");
  app.add_flag("--json", chosen.json, "Print one JSON object");
  return examples::run_program(app, argc, argv, [&] {
    if (chosen.prompt + chosen.new_tokens - 1 > 1024)
      throw transept::context_error("prompt and new tokens together must fit 1024 positions; got " +
                                    std::to_string(chosen.prompt) + " + " +
                                    std::to_string(chosen.new_tokens));
    print(what, chosen, models.at(chosen.size)(chosen));
  });
}

} // namespace bench

// GPT-2 end to end: a prompt, then new tokens one by one, with random weights made in place, so that it needs
// no files.
//
//   gpt2 --size 124M --dtype int8 --prompt 512 --new-tokens 64
//   gpt2 --size 124M --dtype bf16 --batch 16        the prompt continued sixteen times at once
//   gpt2 --size 124M --dtype f32 --save gpt2-random the weights as a folder too, for others to run
//
// Times are medians of `--repeat` warm runs; the first run, which touches memory for the first time, is told
// apart (first_prefill_ms). What the machine reads from memory per second is measured in the same run, since
// bytes over bandwidth is the least time a token can take.
#include "machine.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include <sys/resource.h>

#include <CLI/CLI.hpp>

#include <common/checks.hpp>
#include <common/program.hpp>

#include <transept/core/blocks.hpp>
#include <transept/core/json.hpp>
#include <transept/generate/batch_generation.hpp>
#include <transept/generate/generation.hpp>
#include <transept/generate/sampling.hpp>
#include <transept/generate/session.hpp>
#include <transept/io/save_model.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>

namespace {

using transept::element_type;
using transept::token_id;

struct settings {
  std::string size = "124M", dtype = "f32", kv_dtype = "f32", f32_precision = "full";
  int threads = 0, prompt = 512, new_tokens = 32, batch = 1, repeat = 5;
  std::uint64_t seed = 1;
  std::filesystem::path save;
  bool json = false;
};

struct measurement {
  double first_prefill_ms = 0, prefill_ms = 0, step_ms = 0, read_bandwidth_gb_s = 0;
  std::size_t weight_bytes = 0, cache_bytes = 0, peak_rss_bytes = 0;
  int threads = 0;
  std::vector<token_id> ids = {};
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return (values[(values.size() - 1) / 2] + values[values.size() / 2]) / 2;
}

double milliseconds_since(std::chrono::steady_clock::time_point start) {
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

std::vector<token_id> some_prompt(int length, int vocab_size) {
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

timing timing_of(double prefill_ms, double all_ms, std::vector<token_id> ids) {
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

template <transept::gpt2_config Config>
measurement run(const settings& chosen, element_type type) {
  const auto model = transept::initialise<transept::gpt2<Config>>(
      chosen.seed, {.type = type, .packed = true, .threads = chosen.threads});
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

  measurement result{.weight_bytes = bytes_read_per_token(model), .threads = pool->size()};
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

measurement run(const settings& chosen) {
  const element_type type = *examples::element_type_named(chosen.dtype);
  if (chosen.size == "355M") return run<transept::gpt2_medium>(chosen, type);
  if (chosen.size == "774M") return run<transept::gpt2_large>(chosen, type);
  if (chosen.size == "1558M") return run<transept::gpt2_xl>(chosen, type);
  return run<transept::gpt2_small>(chosen, type);
}

void print(const settings& chosen, const measurement& result) {
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
  std::printf("GPT-2 %s, %s, %d threads\n", chosen.size.c_str(), chosen.dtype.c_str(), result.threads);
  std::printf("  prompt of %-5d %9.1f ms   (first time %.1f ms)\n", chosen.prompt, result.prefill_ms,
              result.first_prefill_ms);
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

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Measures GPT-2 end to end, with random weights.", "gpt2");
  settings chosen;
  app.add_option("--size", chosen.size, "Which of the published sizes")
      ->type_name("124M|355M|774M|1558M")
      ->check(CLI::IsMember({"124M", "355M", "774M", "1558M"}).description(""))
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
      throw transept::context_error("prompt and new tokens together must fit GPT-2's 1024 positions; got " +
                                    std::to_string(chosen.prompt) + " + " +
                                    std::to_string(chosen.new_tokens));
    print(chosen, run(chosen));
  });
}

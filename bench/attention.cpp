// Attention over the cache, one layer: a token behind 10 or 1000 others (bound by memory: B/s of keys and
// values read) for each type of the cache, and a prompt of 512 (bound by arithmetic: FLOP/s). And of 32
// heads, as models of 7 billion parameters have them, which share keys and values or not: a token behind
// 8,000, and prompts of 1,024 and 8,192, causal or in a window of 512.
//
// Floor: of 4 key/value heads a pair (query, visible key) of 8,192 positions takes no more than 1.1 of what
// one of 1,024 takes (`ns/pair`), and a window of 512 at 8,192 no more than 1/6 of the time without.
#include "machine.hpp"

#include <string>
#include <vector>

#include <transept/layers/kv_cache.hpp>

namespace {

namespace kernels = transept::kernels;
using transept::cache_type;
constexpr std::size_t head_width = 64; // of all published sizes

/// Layers of keys and values as many as exceed the caches, so that each call reads its own from memory.
transept::kv_cache filled_cache(transept::compute_context& context, std::size_t heads, std::size_t positions,
                                std::size_t layers, cache_type type) {
  transept::kv_cache cache(layers, heads, head_width, positions, type);
  const auto row = bench::activations(2 * heads * head_width);
  for (std::size_t layer = 0; layer < layers; ++layer)
    append(context, cache, layer, row.data(), row.data() + heads * head_width, 1, 0);
  for (std::size_t layer = 0; layer < layers; ++layer)
    append(context, cache, layer, row.data(), row.data() + heads * head_width, positions,
           0); // row_stride 0: all equal
  advance(cache, positions);
  return cache;
}

struct attention_run {
  std::size_t heads, key_value_heads, rows, before;
  cache_type type = cache_type::f32;
  transept::visibility sees = transept::causal;
};

void run(benchmark::State& state, const attention_run& of, int thread_count) {
  transept::thread_pool threads(thread_count);
  transept::workspace memory;
  transept::compute_context context{threads, memory};
  const std::size_t width = of.heads * head_width, rows = of.rows;
  const std::size_t positions = of.before + rows;
  const std::size_t bytes = 2 * positions * of.key_value_heads * head_width * size_of(of.type);
  const std::size_t layers = rows == 1 ? std::max<std::size_t>(1, (std::size_t{128} << 20) / bytes) : 1;
  const auto cache = filled_cache(context, of.key_value_heads, positions, layers, of.type);
  const auto queries = bench::activations(rows * 3 * width);
  std::vector<float> out(rows * width); // zeros: that its pages come into being is not timed
  const kernels::attention_problem problem{.queries = queries.data(),
                                           .row_stride = 3 * width,
                                           .rows = rows,
                                           .first_position = of.before,
                                           .heads = of.heads,
                                           .head_width = head_width,
                                           .scale = 0.125f,
                                           .key_value_heads = of.key_value_heads,
                                           .sees = of.sees};
  std::size_t layer = 0;
  const bench::stopwatch watch;
  for (auto _ : state) {
    kernels::attend(context, problem, cache.layer(layer++ % layers), out.data());
    benchmark::ClobberMemory();
  }
  if (rows == 1) {
    bench::report_bytes(state, watch, threads, static_cast<double>(bytes));
  } else { // q · k and p · v: two multiply-adds for each number of each pair (query, visible key)
    double pairs = 0;
    for (std::size_t r = 0; r < rows; ++r) {
      const auto seen = of.sees.keys_of(of.before + r, positions);
      pairs += static_cast<double>((seen.end - seen.begin) * of.heads);
    }
    bench::report_flops(state, watch, threads, 4 * pairs * static_cast<double>(head_width));
    state.counters["ns/pair"] = benchmark::Counter(watch.seconds_per_iteration(state) * 1e9 / pairs);
  }
}

void add(const std::string& name, const attention_run& of, int threads) {
  benchmark::RegisterBenchmark((name + "/threads:" + std::to_string(threads)).c_str(),
                               [=](benchmark::State& state) { run(state, of, threads); })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

const bool added = [] {
  for (const int threads : {1, 2}) {
    for (const auto& size : bench::model_sizes) {
      const std::string name = size.name;
      for (const auto& [type_name, type] :
           {std::pair{"f32", cache_type::f32}, {"bf16", cache_type::bf16}, {"int8", cache_type::int8}})
        for (const std::size_t before : {std::size_t{10}, std::size_t{1000}})
          add(name + "/token/" + type_name + "/context:" + std::to_string(before),
              {size.heads, size.heads, 1, before, type}, threads);
      add(name + "/prompt:512", {size.heads, size.heads, 512, 0}, threads);
    }
    for (const std::size_t shared : {std::size_t{32}, std::size_t{4}}) {
      const std::string name = "7B/key_value_heads:" + std::to_string(shared);
      for (const auto& [type_name, type] : {std::pair{"f32", cache_type::f32}, {"bf16", cache_type::bf16}})
        add(name + "/token/" + type_name + "/context:8000", {32, shared, 1, 8000, type}, threads);
      for (const std::size_t rows : {std::size_t{1024}, std::size_t{8192}})
        add(name + "/prompt:" + std::to_string(rows), {32, shared, rows, 0}, threads);
      add(name + "/prompt:8192/window:512",
          {32, shared, 8192, 0, cache_type::f32, transept::sliding_window(512)}, threads);
    }
  }
  return true;
}();

} // namespace

// Attention over the cache, one layer: a token behind 10 or 1000 others (bound by memory: B/s of keys and
// values read) for each type of the cache, and a prompt of 512 (bound by arithmetic: FLOP/s).
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

void run(benchmark::State& state, std::size_t heads, std::size_t rows, std::size_t before, cache_type type,
         int thread_count) {
  transept::thread_pool threads(thread_count);
  transept::workspace memory;
  transept::compute_context context{threads, memory};
  const std::size_t width = heads * head_width;
  const std::size_t positions = before + rows;
  const std::size_t bytes = 2 * positions * width * size_of(type);
  const std::size_t layers = rows == 1 ? std::max<std::size_t>(1, (std::size_t{128} << 20) / bytes) : 1;
  const auto cache = filled_cache(context, heads, positions, layers, type);
  const auto queries = bench::activations(rows * 3 * width);
  transept::buffer<float> out(rows * width);
  const kernels::attention_problem problem{.queries = queries.data(),
                                           .row_stride = 3 * width,
                                           .rows = rows,
                                           .first_position = before,
                                           .heads = heads,
                                           .head_width = head_width,
                                           .scale = 0.125f};
  std::size_t layer = 0;
  const bench::stopwatch watch;
  for (auto _ : state) {
    kernels::attend(context, problem, cache.layer(layer++ % layers), out.data());
    benchmark::ClobberMemory();
  }
  if (rows == 1) {
    bench::report_bytes(state, watch, threads, static_cast<double>(bytes));
  } else { // q · k and p · v: two multiply-adds for each number of each pair (query, visible key)
    const double pairs =
        static_cast<double>(rows) * (static_cast<double>(before) + (static_cast<double>(rows) + 1) / 2);
    bench::report_flops(state, watch, threads, 4 * pairs * static_cast<double>(width));
  }
}

const bool added = [] {
  for (const auto& size : bench::model_sizes) {
    for (const int threads : {1, 2}) {
      const auto add = [&](const std::string& what, std::size_t rows, std::size_t before,
                           cache_type type = cache_type::f32) {
        benchmark::RegisterBenchmark(
            (std::string(size.name) + "/" + what + "/threads:" + std::to_string(threads)).c_str(),
            [=, heads = size.heads](benchmark::State& state) {
              run(state, heads, rows, before, type, threads);
            })
            ->UseRealTime()
            ->Unit(benchmark::kMicrosecond);
      };
      for (const auto& [name, type] :
           {std::pair{"f32", cache_type::f32}, {"bf16", cache_type::bf16}, {"int8", cache_type::int8}}) {
        add(std::string("token/") + name + "/context:10", 1, 10, type);
        add(std::string("token/") + name + "/context:1000", 1, 1000, type);
      }
      add("prompt:512", 512, 0);
    }
  }
  return true;
}();

} // namespace

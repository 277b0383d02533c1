// Kernels that work row by row: layer norm, softmax, activations, on one row and on 512, in cache. B/s counts
// what is read and written; all of them should vanish beside the matrix products.
#include "machine.hpp"

#include <string>

#include <transept/kernels/layer_norm.hpp>
#include <transept/kernels/softmax.hpp>

namespace {

namespace kernels = transept::kernels;

void rate(benchmark::State& state, std::size_t floats) {
  state.counters["B/s"] = benchmark::Counter(static_cast<double>(floats * sizeof(float)),
                                             benchmark::Counter::kIsIterationInvariantRate);
}

void layer_norm(benchmark::State& state, std::size_t width, std::size_t rows, int thread_count) {
  transept::thread_pool threads(thread_count);
  transept::workspace memory;
  transept::compute_context context{threads, memory};
  const auto x = bench::activations(rows * width);
  const auto weight = bench::activations(width), bias = bench::activations(width);
  transept::buffer<float> y(rows * width);
  for (auto _ : state) {
    kernels::layer_norm(context, {x.data(), rows, width}, weight.data(), bias.data(), 1e-5f, y.data());
    benchmark::ClobberMemory();
  }
  rate(state, 2 * rows * width);
}

/// Over one vocabulary: what sampling does once a token.
void softmax(benchmark::State& state, std::size_t count) {
  const auto logits = bench::activations(count);
  transept::buffer<float> x(count);
  for (auto _ : state) {
    std::copy_n(logits.data(), count, x.data());
    kernels::softmax(x.data(), count);
    benchmark::ClobberMemory();
  }
  rate(state, 2 * count);
}

void activation(benchmark::State& state, transept::activation_type type, std::size_t count) {
  const auto values = bench::activations(count);
  transept::buffer<float> x(count);
  for (auto _ : state) {
    std::copy_n(values.data(), count, x.data());
    kernels::activate(type, x.data(), count);
    benchmark::ClobberMemory();
  }
  rate(state, 2 * count);
}

template <class Run>
void add(const std::string& name, Run run) {
  benchmark::RegisterBenchmark(name.c_str(), run)->UseRealTime()->Unit(benchmark::kMicrosecond);
}

const bool added = [] {
  using transept::activation_type;
  for (const auto& size : bench::model_sizes) {
    const std::string name = size.name;
    const std::size_t width = size.width;
    for (const std::size_t rows : {1u, 512u})
      for (const int threads : {1, 2})
        add(name + "/layer_norm/rows:" + std::to_string(rows) + "/threads:" + std::to_string(threads),
            [=](benchmark::State& state) { layer_norm(state, width, rows, threads); });
    for (const activation_type type :
         {activation_type::gelu_tanh, activation_type::gelu_erf, activation_type::relu})
      add(name + "/" + std::string(name_of(type)),
          [=](benchmark::State& state) { activation(state, type, 4 * width); });
  }
  add("124M/softmax", [](benchmark::State& state) { softmax(state, 50257); });
  return true;
}();

} // namespace

// Kernels that work row by row: layer norm, softmax, activations, on one row and on 512, in cache. B/s counts
// what is read and written, `of_read_write` is its share of what one thread reads and writes at most, and
// `vs_libm` says how many times faster than the standard library's functions a formula is. All of them should
// vanish beside the matrix products.
#include "machine.hpp"

#include <cmath>
#include <string>

#include <transept/kernels/layer_norm.hpp>
#include <transept/kernels/softmax.hpp>
#include <transept/kernels/vector/activation.hpp>

namespace {

namespace kernels = transept::kernels;

/// Reports a kernel that reads and writes `count` floats.
void report(benchmark::State& state, const bench::stopwatch& watch, std::size_t count) {
  transept::thread_pool one(1);
  bench::report_read_write(state, watch, one, static_cast<double>(2 * count * sizeof(float)));
}

/// The same, and beside `formula`, float(float), from the standard library.
template <class Formula>
void report(benchmark::State& state, const bench::stopwatch& watch, std::size_t count, Formula&& formula) {
  const double seconds = watch.seconds_per_iteration(state);
  report(state, watch, count);
  const auto from = bench::activations(count);
  transept::buffer<float> to(count);
  const double by_libm = bench::seconds_of([&] {
    for (std::size_t i = 0; i < count; ++i) to.data()[i] = formula(from.data()[i]);
    benchmark::ClobberMemory();
  });
  state.counters["vs_libm"] = benchmark::Counter(by_libm / seconds);
}

/// GELU's two formulas.
float by_libm(transept::activation_type type, float x) {
  switch (type) {
  case transept::activation_type::gelu_tanh:
    return 0.5f * x * (1 + std::tanh(0.7978845608f * (x + 0.044715f * x * x * x)));
  default:
    return 0.5f * x * (1 + std::erf(x * 0.7071067812f));
  }
}

void layer_norm(benchmark::State& state, std::size_t width, std::size_t rows, int thread_count) {
  transept::thread_pool threads(thread_count);
  transept::workspace memory;
  transept::compute_context context{threads, memory};
  const auto x = bench::activations(rows * width);
  const auto weight = bench::activations(width), bias = bench::activations(width);
  transept::buffer<float> y(rows * width);
  const bench::stopwatch watch;
  for (auto _ : state) {
    kernels::layer_norm(context, {x.data(), rows, width}, weight.data(), bias.data(), 1e-5f, y.data());
    benchmark::ClobberMemory();
  }
  report(state, watch, rows * width);
}

/// Over one vocabulary: what sampling does once a token.
void softmax(benchmark::State& state, std::size_t count) {
  const auto logits = bench::activations(count);
  transept::buffer<float> x(count);
  const bench::stopwatch watch;
  for (auto _ : state) {
    std::copy_n(logits.data(), count, x.data());
    kernels::softmax(x.data(), count);
    benchmark::ClobberMemory();
  }
  report(state, watch, count, [](float value) { return std::exp(value - 1.0f); }); // the largest is 1
}

void activation(benchmark::State& state, transept::activation_type type, std::size_t count) {
  const auto values = bench::activations(count);
  transept::buffer<float> x(count);
  const bench::stopwatch watch;
  for (auto _ : state) {
    std::copy_n(values.data(), count, x.data());
    kernels::activate(type, x.data(), count);
    benchmark::ClobberMemory();
  }
  if (type == transept::activation_type::relu)
    report(state, watch, count);
  else
    report(state, watch, count, [type](float value) { return by_libm(type, value); });
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

// The matrix products of GPT-2: one row (decoding, bound by memory: B/s) and 512 (a prompt, bound by
// arithmetic: FLOP/s), each also as a fraction of what the machine can do.
//
//   matmul --benchmark_filter='124M/.*/f32/rows:1/'
#include "machine.hpp"

#include <string>

#include <transept/kernels/matmul.hpp>

namespace {

using transept::element_type;
namespace kernels = transept::kernels;

struct product {
  std::size_t inner, outputs;
  bool transposed; // the output embedding
  element_type type;
  std::size_t rows;
  int threads;
};

void run(benchmark::State& state, const product& what) {
  transept::thread_pool threads(what.threads);
  const std::size_t room = what.transposed ? kernels::matmul_transposed_scratch_bytes(what.inner, 2)
                                           : kernels::matmul_scratch_bytes(what.rows, what.outputs, 2);
  transept::workspace memory(room);
  transept::compute_context context{threads, memory};
  const auto x = bench::activations(what.rows * what.inner);
  transept::buffer<float> y(what.rows * what.outputs);
  std::fill_n(y.data(), y.size(), 0.0f);
  const std::size_t bytes = what.inner * what.outputs * size_of(what.type);
  bench::rotation weights(bytes);
  const bench::stopwatch watch;
  for (auto _ : state) {
    const kernels::rows_of_floats rows{x.data(), what.rows, what.inner};
    const kernels::stored_matrix matrix{weights.next(), what.type,
                                        what.transposed ? what.outputs : what.inner,
                                        what.transposed ? what.inner : what.outputs};
    if (what.transposed)
      kernels::matmul_transposed(context, rows, matrix, y.data(), {});
    else
      kernels::matmul(context, rows, matrix, y.data(), {});
    benchmark::ClobberMemory();
  }
  if (what.rows == 1)
    bench::report_bytes(state, watch, threads, static_cast<double>(bytes));
  else
    bench::report_flops(state, watch, threads,
                        2.0 * static_cast<double>(what.rows * what.inner * what.outputs));
}

void add(const std::string& name, const product& what) {
  benchmark::RegisterBenchmark((name + "/" +
                                (what.type == element_type::f32   ? "f32"
                                 : what.type == element_type::f16 ? "f16"
                                                                  : "bf16") +
                                "/rows:" + std::to_string(what.rows) +
                                "/threads:" + std::to_string(what.threads))
                                   .c_str(),
                               [what](benchmark::State& state) { run(state, what); })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

const bool added = [] {
  for (const auto& size : bench::model_sizes) {
    for (const element_type type : {element_type::f32, element_type::f16, element_type::bf16}) {
      for (const std::size_t rows : {1u, 512u}) {
        for (const int threads : {1, 2}) {
          const std::size_t width = size.width;
          const std::string name = size.name;
          add(name + "/attn.c_attn", {width, 3 * width, false, type, rows, threads});
          add(name + "/attn.c_proj", {width, width, false, type, rows, threads});
          add(name + "/mlp.c_fc", {width, 4 * width, false, type, rows, threads});
          add(name + "/mlp.c_proj", {4 * width, width, false, type, rows, threads});
          // A prompt's logits are wanted for its last token; those of every token once, for the record.
          if (rows == 1 || (width == 768 && type == element_type::f32))
            add(name + "/output", {width, 50257, true, type, rows, threads});
        }
      }
    }
  }
  return true;
}();

} // namespace

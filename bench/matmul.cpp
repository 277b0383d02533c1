// The matrix products of GPT-2: one row (decoding, bound by memory: B/s), 16 (a batch) and 512 (a prompt,
// bound by arithmetic: FLOP/s), each also as a fraction of what the machine can do: `of_peak` is of AMX's
// peak, or of bf16 dot products', where the product runs on them, and of f32 multiply-adds' otherwise, also
// where int8 products do more at once.
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
  transept::matrix_layout layout;
  element_type type;
  std::size_t rows;
  int threads;
};

bench::arithmetic_unit unit_of(const product& what) {
  using bench::arithmetic_unit;
  const bool has_amx = kernels::amx::available();
  if (is_block_type(what.type))
    return has_amx && what.rows >= kernels::amx::tile_rows ? arithmetic_unit::amx_int8
                                                           : arithmetic_unit::multiply_adds;
  if (!kernels::runs_in_tiles(what.type, what.rows)) return arithmetic_unit::multiply_adds;
  return has_amx ? arithmetic_unit::amx_bf16 : arithmetic_unit::bf16_dot_products;
}

void run(benchmark::State& state, const product& what) {
  transept::thread_pool threads(what.threads);
  const bool in_blocks = is_block_type(what.type);
  const bool in_panels = what.layout == transept::matrix_layout::panels;
  transept::workspace memory(in_blocks ? kernels::matmul_panels_scratch_bytes(what.rows, what.inner, 2)
                             : what.transposed ? kernels::matmul_transposed_scratch_bytes(what.inner, 2)
                                               : kernels::product_scratch_bytes(what.rows, what.outputs, 2));
  transept::compute_context context{threads, memory};
  const auto x = bench::activations(what.rows * what.inner);
  transept::buffer<float> y(what.rows * what.outputs);
  std::fill_n(y.data(), y.size(), 0.0f);
  const std::size_t bytes = in_panels ? kernels::panel_bytes(what.type, what.inner, what.outputs)
                                      : what.inner * what.outputs * size_of(what.type);
  bench::rotation weights(bytes);
  const bench::stopwatch watch;
  for (auto _ : state) {
    const kernels::rows_of_floats rows{x.data(), what.rows, what.inner};
    const kernels::stored_matrix matrix{weights.next(), what.type,
                                        what.transposed ? what.outputs : what.inner,
                                        what.transposed ? what.inner : what.outputs, what.layout};
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
                        2.0 * static_cast<double>(what.rows * what.inner * what.outputs), unit_of(what));
}

std::string name_of_type(element_type type) {
  switch (type) {
  case element_type::f32:
    return "f32";
  case element_type::f16:
    return "f16";
  case element_type::bf16:
    return "bf16";
  case element_type::q8_0:
    return "int8";
  case element_type::q4_0:
    return "int4";
  case element_type::q4_k:
    return "q4_k";
  }
  return "?";
}

void add(const std::string& name, const product& what) {
  // Linear layers are packed, unless they are mapped from a file.
  const bool mapped = !what.transposed && what.layout == transept::matrix_layout::row_major;
  benchmark::RegisterBenchmark((name + "/" + name_of_type(what.type) + (mapped ? "/mapped" : "") + "/rows:" +
                                std::to_string(what.rows) + "/threads:" + std::to_string(what.threads))
                                   .c_str(),
                               [what](benchmark::State& state) { run(state, what); })
      ->UseRealTime()
      ->Unit(benchmark::kMicrosecond);
}

const bool added = [] {
  for (const auto& size : bench::model_sizes) {
    for (const element_type type :
         {element_type::f32, element_type::f16, element_type::bf16, element_type::q8_0, element_type::q4_0}) {
      for (const std::size_t rows : {1u, 16u, 512u}) {
        for (const int threads : {1, 2}) {
          const std::size_t width = size.width;
          const std::string name = size.name;
          using transept::matrix_layout;
          const auto add_linear = [&](matrix_layout layout) {
            add(name + "/attn.c_attn", {width, 3 * width, false, layout, type, rows, threads});
            add(name + "/attn.c_proj", {width, width, false, layout, type, rows, threads});
            add(name + "/mlp.c_fc", {width, 4 * width, false, layout, type, rows, threads});
            add(name + "/mlp.c_proj", {4 * width, width, false, layout, type, rows, threads});
          };
          add_linear(matrix_layout::panels);
          if (!is_block_type(type)) add_linear(matrix_layout::row_major);
          // A prompt's logits are wanted for its last token; those of every token once, for the record.
          if (rows == 1 || (width == 768 && type == element_type::f32))
            add(name + "/output",
                {width, 50257, true, is_block_type(type) ? matrix_layout::panels : matrix_layout::row_major,
                 type, rows, threads});
        }
      }
    }
  }
  return true;
}();

} // namespace

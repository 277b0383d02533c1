// What the layers of a GPT-2 cost in training, f32, forward and backward: 124M at 4 sequences of 256 tokens,
// and nanoGPT's model of characters for a CPU at 12 of 64.
//
//   training_layers --benchmark_filter='124M/.*/threads:2'
//
// Of products: FLOP/s, and as `of_peak` the share of what multiply-adds in registers reach; what is computed
// twice counts once. Of the rest: B/s of what is read and written, and as `of_read_write` the share of
// what as many threads move at most, from memory or from the caches that hold as much.
#include "machine.hpp"

#include <algorithm>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <transept/kernels/activation.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/train/adamw.hpp>
#include <transept/train/loss.hpp>

namespace {

using transept::element_type, transept::extent, transept::gradient_weights;
namespace kernels = transept::kernels;

/// What passes are computed with: threads, scratch memory, and operands that live as long.
class workbench {
public:
  explicit workbench(int thread_count) : threads(thread_count) {}

  transept::thread_pool threads;
  transept::workspace memory;
  transept::compute_context context{threads, memory};

  /// Ordinary numbers.
  float* floats(std::size_t count) { return kept_.emplace_back(bench::activations(count)).data(); }
  float* zeros(std::size_t count) { return kept_.emplace_back(transept::zeros(count)).data(); }
  template <extent Width>
  transept::activations<Width> rows(std::size_t count) {
    return {floats(count * Width), static_cast<extent>(count)};
  }

private:
  std::vector<transept::buffer<float>> kept_;
};

using pass = std::function<void()>;
struct passes {
  pass forward, backward;
};

/// Floating-point operations, or else bytes read and written.
struct work {
  double flops, bytes;
};
work flops(double count) { return {count, 0}; }
work floats_moved(std::size_t count) { return {0, static_cast<double>(count * sizeof(float))}; }

void run(benchmark::State& state, const work& what, int threads,
         const std::function<pass(workbench&)>& prepare) {
  workbench on(threads);
  const pass compute = prepare(on);
  compute(); // scratch memory is allocated
  const bench::stopwatch watch;
  for (auto _ : state) {
    compute();
    benchmark::ClobberMemory();
  }
  if (what.flops > 0)
    bench::report_flops(state, watch, on.threads, what.flops);
  else
    bench::report_read_write(state, watch, on.threads, what.bytes);
}

void add(const std::string& name, const work& what, const std::function<pass(workbench&)>& prepare) {
  for (const int threads : {1, 2})
    benchmark::RegisterBenchmark((name + "/threads:" + std::to_string(threads)).c_str(),
                                 [=](benchmark::State& state) { run(state, what, threads, prepare); })
        ->UseRealTime()
        ->Unit(benchmark::kMicrosecond);
}

void add(const std::string& name, const work& forward, const work& backward,
         const std::function<passes(workbench&)>& prepare) {
  add(name + "/forward", forward, [=](workbench& on) { return prepare(on).forward; });
  add(name + "/backward", backward, [=](workbench& on) { return prepare(on).backward; });
}

template <extent In, extent Out>
void add_linear(const std::string& name, std::size_t rows) {
  const double product = 2.0 * static_cast<double>(rows) * (In * Out);
  add(name, flops(product), flops(2 * product), [=](workbench& on) -> passes {
    const transept::linear<In, Out> layer{{on.floats(In * Out), element_type::f32, In, Out},
                                          {on.floats(Out), Out}};
    const transept::linear<In, Out, true, gradient_weights> gradient{{on.zeros(In * Out), In, Out},
                                                                     {on.zeros(Out), Out}};
    const auto x = on.rows<In>(rows), dx = on.rows<In>(rows);
    const auto y = on.rows<Out>(rows);
    return {[=, &on] { forward(layer, on.context, x, y); },
            [=, &on] { backward(layer, gradient, on.context, x, y, dx); }};
  });
}

/// Between the projections: queries, keys and values lie side by side in rows.
void add_attention(const std::string& name, std::size_t sequences, std::size_t length, std::size_t heads,
                   std::size_t head_width) {
  const std::size_t rows = sequences * length, width = heads * head_width;
  // q · k and p · v: two multiply-adds for each number of each pair (query, visible key)
  const double products = 2.0 * static_cast<double>(rows * (length + 1) * width);
  add(name, flops(products), flops(2 * products), [=](workbench& on) -> passes {
    const float* const x = on.floats(rows * 3 * width);
    float* const dx = on.floats(rows * 3 * width);
    float *const out = on.floats(rows * width), *const log_sums = on.floats(rows * heads);
    const kernels::sequence_attention problem{x,      x + width, x + 2 * width, 3 * width, sequences,
                                              length, heads,     head_width,    0.125f,    {}};
    const kernels::sequence_attention_gradient gradient{out, log_sums,   on.floats(rows * width),
                                                        dx,  dx + width, dx + 2 * width};
    attend_whole_sequences(on.context, problem, out, log_sums); // which the backward pass reads
    return {[=, &on] { attend_whole_sequences(on.context, problem, out, log_sums); },
            [=, &on] { attend_whole_sequences_backward(on.context, problem, gradient); }};
  });
}

void add_layer_norm(const std::string& name, std::size_t rows, std::size_t width) {
  const std::size_t count = rows * width; // of x and y; of x, dy and dx += …
  add(name, floats_moved(2 * count), floats_moved(4 * count), [=](workbench& on) -> passes {
    const kernels::rows_of_floats x{on.floats(count), rows, width};
    const float *const weight = on.floats(width), *const bias = on.floats(width);
    float *const y = on.floats(count), *const dx = on.floats(count);
    float *const dweight = on.zeros(width), *const dbias = on.zeros(width);
    return {[=, &on] { kernels::layer_norm(on.context, x, weight, bias, 1e-5f, y); },
            [=, &on] { layer_norm_backward(on.context, x, weight, 1e-5f, y, dx, dweight, dbias); }};
  });
}

void add_gelu(const std::string& name, std::size_t count) {
  const auto type = transept::activation_type::gelu_tanh; // of x and y; of x, y and dx *= …
  add(name, floats_moved(2 * count), floats_moved(4 * count), [=](workbench& on) -> passes {
    const float* const x = on.floats(count);
    float *const y = on.floats(count), *const dx = on.zeros(count); // zeros stay what they are
    return {[=, &on] { kernels::activate(on.context, type, x, count, y); },
            [=, &on] { kernels::activate_backward(on.context, type, x, count, y, dx); }};
  });
}

std::vector<transept::token_id> some_tokens(std::size_t count, std::size_t vocabulary) {
  std::vector<transept::token_id> ids(count);
  for (std::size_t i = 0; i < count; ++i) ids[i] = static_cast<transept::token_id>(i * 7919 % vocabulary);
  return ids;
}

/// With the output matrix; `backward` is both passes, which are one.
template <extent Vocabulary, extent Width>
void add_cross_entropy(const std::string& name, std::size_t rows) {
  const double product = 2.0 * static_cast<double>(rows) * (Vocabulary * Width);
  add(name, flops(product), flops(3 * product), [=](workbench& on) -> passes {
    const transept::embedding<Vocabulary, Width> layer{
        {on.floats(Vocabulary * Width), element_type::f32, Vocabulary, Width}};
    const transept::gradient_matrix<Vocabulary, Width, transept::matrix_use::table> gradient(
        on.zeros(Vocabulary * Width), Vocabulary, Width);
    const auto x = on.rows<Width>(rows), dx = on.rows<Width>(rows);
    const auto targets = some_tokens(rows, Vocabulary);
    return {[=, &on] { sum_losses(layer.weight, on.context, x, targets); },
            [=, &on] {
              sum_losses_backward(layer.weight, gradient, on.context, x, targets, {.weight = 1e-3f}, dx);
            }};
  });
}

/// A row of the tokens' table, and one of the positions', for each row of x.
void add_embedding(const std::string& name, std::size_t sequences, std::size_t length, std::size_t width,
                   std::size_t vocabulary) {
  const std::size_t rows = sequences * length;
  const std::size_t count = rows * width; // of both tables and x; twice of dx and table += …
  add(name, floats_moved(3 * count), floats_moved(6 * count), [=](workbench& on) -> passes {
    const kernels::stored_matrix wte{on.floats(vocabulary * width), element_type::f32, vocabulary, width};
    const kernels::stored_matrix wpe{on.floats(length * width), element_type::f32, length, width};
    float *const x = on.floats(count), *const dwte = on.zeros(vocabulary * width),
                 *const dwpe = on.zeros(length * width);
    const auto ids = some_tokens(rows, vocabulary);
    const auto token = [ids](std::size_t row) { return static_cast<std::size_t>(ids[row]); };
    const auto position = [length](std::size_t row) { return row % length; };
    return {[=] {
              for (std::size_t row = 0; row < rows; ++row) {
                copy_row(wte, token(row), x + row * width);
                add_row(wpe, position(row), x + row * width);
              }
            },
            [=, &on] {
              kernels::scatter_rows(on.context, x, rows, width, dwte, token);
              kernels::scatter_rows(on.context, x, rows, width, dwpe, position);
            }};
  });
}

/// Of one block's parameters.
template <class Block>
void add_adamw(const std::string& name) {
  struct training {
    transept::parameter_layout layout{Block{}};
    transept::buffer<float> parameters = bench::activations(layout.size());
    transept::buffer<float> gradients = transept::zeros(layout.size());
    transept::adamw_state moments{layout};
  };
  // Gradients are used up; moments fade, but too slowly for any to become subnormal.
  const transept::adamw_options options{.beta_1 = 1 - 1e-6, .beta_2 = 1 - 1e-6};
  const std::size_t count = transept::parameter_layout(Block{}).size();
  add(name, floats_moved(8 * count), [=](workbench& on) -> pass {
    const auto all = std::make_shared<training>();
    std::ranges::fill(all->moments.first.span(), 1.0f);
    std::ranges::fill(all->moments.second.span(), 1.0f);
    return [=, &on] {
      adamw_step(on.threads, all->layout, options, 1e-10, 1.0, all->parameters, all->gradients, all->moments);
    };
  });
}

template <transept::gpt2_config Config>
void add_layers(const std::string& name, std::size_t sequences) {
  constexpr std::size_t width = Config.n_embd, inner = Config.n_inner, vocabulary = Config.vocab_size;
  constexpr std::size_t length = Config.n_positions;
  const std::size_t rows = sequences * length;
  add_linear<width, 3 * width>(name + "/attn.c_attn", rows);
  add_linear<width, width>(name + "/attn.c_proj", rows);
  add_linear<width, inner>(name + "/mlp.c_fc", rows);
  add_linear<inner, width>(name + "/mlp.c_proj", rows);
  add_attention(name + "/attention", sequences, length, Config.n_head, Config.head_width);
  add_layer_norm(name + "/layer_norm", rows, width);
  add_gelu(name + "/gelu", rows * inner);
  add_cross_entropy<vocabulary, width>(name + "/cross_entropy", rows);
  add_embedding(name + "/embedding", sequences, length, width, vocabulary);
  add_adamw<typename transept::gpt2<Config>::block>(name + "/adamw");
}

const bool added = [] {
  add_layers<{.n_embd = 768, .n_layer = 12, .n_head = 12, .n_positions = 256}>("124M", 4);
  add_layers<{.n_embd = 128, .n_layer = 4, .n_head = 4, .vocab_size = 65, .n_positions = 64}>("char-cpu", 12);
  return true;
}();

} // namespace

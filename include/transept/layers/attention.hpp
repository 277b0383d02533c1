// Multi-head causal self-attention (Vaswani et al. 2017, section 3.2.2), GPT-2's form: one projection makes
// queries, keys and values together; head width is its own parameter, so Heads · HeadWidth may differ from
// Width (as in GPT-3 13B).
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>
#include <tuple>

#include <transept/layers/kv_cache.hpp>
#include <transept/layers/linear.hpp>
#include <transept/layers/observer.hpp>
#include <transept/layers/residual.hpp>
#include <transept/layers/whole_sequences.hpp>

namespace transept::inline TRANSEPT_ABI {

template <extent Width, extent Heads, extent HeadWidth = even_share(Width, Heads),
          class Weights = inference_weights>
struct multi_head_attention {
  static_assert(Width > 0 && Heads > 0, "attention: the width and the number of heads must be positive");
  static_assert(HeadWidth > 0,
                "attention: the width must be divisible by the number of heads unless the head "
                "width is given");

  linear<Width, 3 * Heads * HeadWidth, Weights> c_attn; ///< queries, keys, values side by side
  linear<Heads * HeadWidth, Width, Weights> c_proj;

  static constexpr auto members = std::tuple(member{"c_attn", &multi_head_attention::c_attn},
                                             member{"c_proj", &multi_head_attention::c_proj});
  static constexpr std::size_t parameter_count =
      decltype(c_attn)::parameter_count + decltype(c_proj)::parameter_count;
};

/// The usual scale of the scores, 1 / √HeadWidth (Vaswani et al. 2017, eq. 1).
template <extent HeadWidth>
float attention_scale() {
  return 1.0f / std::sqrt(static_cast<float>(HeadWidth));
}

/// y [rows, Width] += attention of x [rows, Width] over the cache's `layer` and itself. The rows are the
/// positions that follow those in the cache, or in a batch of caches one position of each; their keys and
/// values are appended to that layer (the caller advances the cache once all layers are done). `scale`
/// multiplies the scores.
template <extent Width, extent Heads, extent HeadWidth, extent XWidth, extent YWidth, key_value_cache Cache,
          class Observer = no_observer>
void forward(const multi_head_attention<Width, Heads, HeadWidth>& layer, compute_context& context,
             activations<XWidth> x, activations<YWidth> y, Cache& cache, std::size_t layer_index, float scale,
             Observer&& observer = {}) {
  static_assert(XWidth == Width, "multi_head_attention: the input's width must equal the layer's");
  static_assert(YWidth == Width, "multi_head_attention: the output's width must equal the layer's");
  static_assert(!observing<Observer> || std::same_as<Cache, kv_cache>,
                "multi_head_attention: an observer looks into one sequence at a time, not into a batch");
  static_assert(!taping<Observer> || std::same_as<Cache, whole_sequences>,
                "multi_head_attention: gradients flow through whole sequences (layers/whole_sequences.hpp), "
                "not through a cache");
  constexpr extent inner = Heads * HeadWidth;
  const auto rows = static_cast<std::size_t>(x.rows());
  workspace::scope scope(context.memory);

  const auto queries_keys_values =
      take_kept<3 * inner>(scope, observer, x.rows()); // [rows, 3 · Heads · HeadWidth]
  forward(layer.c_attn, context, x, queries_keys_values);
  const float* const queries = queries_keys_values.data();
  append(context, cache, layer_index, queries + inner, queries + 2 * inner, rows, 3 * inner);

  const auto heads = take_kept<inner>(scope, observer, x.rows()); // [rows, Heads · HeadWidth]
  const kernels::attention_problem problem{.queries = queries,
                                           .row_stride = 3 * inner,
                                           .rows = rows,
                                           .first_position = position(cache, 0),
                                           .heads = Heads,
                                           .head_width = HeadWidth,
                                           .scale = scale};
  attend(context, problem, cache, layer_index, heads.data());
  if constexpr (observing<Observer>) observer.attention(layer_index, problem, cache.layer(layer_index));

  add_residual(layer.c_proj, context, heads, y, observer);
}

/// dx [rows, Width] = the gradient that dy gives the input, which lies on the tape under what the layer kept.
template <extent Width, extent Heads, extent HeadWidth>
void backward(const multi_head_attention<Width, Heads, HeadWidth>& layer,
              const multi_head_attention<Width, Heads, HeadWidth, gradient_weights>& gradient,
              compute_context& context, activations<Width> dy, activations<Width> dx,
              const whole_sequences& sequences, float scale, tape& tape) {
  constexpr extent inner = Heads * HeadWidth;
  const extent rows = dy.rows();
  workspace::scope scope(context.memory);
  const auto dadded = residual_gradient(scope, context, dy, tape);

  const auto* const log_sums = tape.take_back_floats(static_cast<std::size_t>(rows * Heads));
  const auto mask = detail::mask_here(tape, tape.dropout.attention);
  const auto heads = tape.take_back<inner>(rows);
  const auto dheads = scope.take<inner>(rows); // [rows, Heads · HeadWidth]
  backward(layer.c_proj, gradient.c_proj, context, heads, dadded, dheads);

  const auto queries_keys_values = tape.take_back<3 * inner>(rows); // [rows, 3 · Heads · HeadWidth]
  const auto dqueries_keys_values = scope.take<3 * inner>(rows);
  const float* const queries = queries_keys_values.data();
  float* const dqueries = dqueries_keys_values.data();
  kernels::attend_whole_sequences_backward(context,
                                           {.queries = queries,
                                            .keys = queries + inner,
                                            .values = queries + 2 * inner,
                                            .row_stride = 3 * inner,
                                            .sequences = static_cast<std::size_t>(rows) / sequences.length(),
                                            .length = sequences.length(),
                                            .heads = Heads,
                                            .head_width = HeadWidth,
                                            .scale = scale,
                                            .dropout = mask},
                                           {.out = heads.data(),
                                            .log_sums = log_sums,
                                            .dout = dheads.data(),
                                            .dqueries = dqueries,
                                            .dkeys = dqueries + inner,
                                            .dvalues = dqueries + 2 * inner});

  const auto x = tape.take_back<Width>(rows);
  backward(layer.c_attn, gradient.c_attn, context, x, dqueries_keys_values, dx);
}

} // namespace transept::inline TRANSEPT_ABI

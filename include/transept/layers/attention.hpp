// Multi-head self-attention (Vaswani et al. 2017, section 3.2.2), with as many heads of keys and values as of
// queries, fewer (grouped queries; Ainslie et al. 2023), or one (multi-query; Shazeer 2019). One projection
// makes queries, keys and values together. Head width is a number of its own, so heads · head width may
// differ from the width (as in GPT-3 13B).
//
// What only changes numbers is told with each call (attention_settings): which keys a query sees, the scale
// and a cap of the scores, rotation by position, a bias by distance.
#pragma once

#include <cmath>
#include <concepts>
#include <cstddef>

#include <transept/kernels/rotary.hpp>
#include <transept/kernels/sequence_attention.hpp>
#include <transept/kernels/visibility.hpp>
#include <transept/layers/head_norm.hpp>
#include <transept/layers/kv_cache.hpp>
#include <transept/layers/kv_cache_batch.hpp>
#include <transept/layers/linear.hpp>
#include <transept/layers/observer.hpp>
#include <transept/layers/residual.hpp>
#include <transept/layers/whole_sequences.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The extents of an attention layer: as a template argument, where they may be `dyn`, and as values.
struct attention_extents {
  extent width;                                   ///< of the residual stream
  extent heads;                                   ///< of queries
  extent key_value_heads = heads;                 ///< each serves heads / key_value_heads heads of queries
  extent head_width = even_share(width, heads);   ///< of queries, keys and values
  choice input_bias = true;                       ///< of the projection to queries, keys and values
  choice output_bias = true;                      ///< of the projection from the heads back to the width
  choice head_norms = false;                      ///< norms of queries and keys
  head_norm_kind norm_kind = head_norm_kind::rms; ///< what those are over

  /// Numbers of a position's queries.
  constexpr extent queries() const { return product_of(heads, head_width); }
  /// Of its keys, or of its values.
  constexpr extent keys() const { return product_of(key_value_heads, head_width); }
  /// Of all three.
  constexpr extent queries_keys_values() const { return sum_of(queries(), product_of(2, keys())); }
  /// Numbers in the weight of the queries' norm; 0 where there is none.
  constexpr extent query_norm() const {
    return extent_if(head_norms, head_norm_width(norm_kind, heads, head_width));
  }
  /// In that of the keys' norm.
  constexpr extent key_norm() const {
    return extent_if(head_norms, head_norm_width(norm_kind, key_value_heads, head_width));
  }

  friend constexpr bool operator==(const attention_extents&, const attention_extents&) = default;
};

/// The parameters of an attention layer, as this file's first lines describe it.
template <attention_extents Extents, class Weights = inference_weights>
struct attention {
  static_assert((Extents.width > 0 || Extents.width == dyn) && (Extents.heads > 0 || Extents.heads == dyn),
                "attention: the width and the number of heads must be positive");
  static_assert(Extents.head_width > 0 || Extents.head_width == dyn,
                "attention: the width must be divisible by the number of heads unless the head "
                "width is given");
  static_assert(Extents.heads == dyn || Extents.key_value_heads == dyn ||
                    (Extents.key_value_heads > 0 && Extents.heads % Extents.key_value_heads == 0),
                "attention: the number of heads must be a multiple of the key/value heads");
  static constexpr extent width = Extents.width; ///< of the residual stream

  /// Outputs: the queries of all heads, then the keys, then the values.
  linear<Extents.width, Extents.queries_keys_values(), Extents.input_bias, Weights> query_key_value;
  /// From the heads, side by side, back to the width.
  linear<Extents.queries(), Extents.width, Extents.output_bias, Weights> output;
  head_norm<Extents.query_norm(), Weights> query_norm; ///< of every head's queries
  head_norm<Extents.key_norm(), Weights> key_norm;     ///< of every head's keys
  attention_extents extents = Extents;                 ///< all known

  /// For the walk over parameters.
  static constexpr auto members =
      members_of(member{"query_key_value", &attention::query_key_value}, member{"output", &attention::output},
                 member{"query_norm", &attention::query_norm}, member{"key_norm", &attention::key_norm});
  /// Numbers in its parameters; those of a `dyn` extent count as 0.
  static constexpr std::size_t parameter_count =
      decltype(query_key_value)::parameter_count + decltype(output)::parameter_count +
      decltype(query_norm)::parameter_count + decltype(key_norm)::parameter_count;

  /// With its extents, and no data yet.
  static attention shaped(const attention_extents& e = Extents) {
    return {.query_key_value =
                decltype(query_key_value)::shaped(e.width, e.queries_keys_values(), e.input_bias),
            .output = decltype(output)::shaped(e.queries(), e.width, e.output_bias),
            .query_norm = decltype(query_norm)::shaped(e.query_norm()),
            .key_norm = decltype(key_norm)::shaped(e.key_norm()),
            .extents = e};
  }
};

/// As many heads of keys and values as of queries, and biases: GPT-2's form.
template <extent Width, extent Heads, extent HeadWidth = even_share(Width, Heads),
          class Weights = inference_weights>
using multi_head_attention =
    attention<attention_extents{.width = Width, .heads = Heads, .head_width = HeadWidth}, Weights>;

/// How queries and keys are rotated by their positions (layers/positions/rotary.hpp): one row of angles for
/// each row of a pass; none: they are not.
struct rotation {
  const float* angles = nullptr;                   ///< [rows, width]: cosines, then sines
  std::size_t width = 0;                           ///< numbers of a head that are rotated, the first ones
  rotary_pairing pairing = rotary_pairing::halves; ///< which numbers are turned together
};

/// The numbers of an attention layer that are no extents.
struct attention_settings {
  float scale = 1.0f;               ///< multiplies the scores: 1 / √head_width in most models
  float soft_cap = 0.0f;            ///< score = cap · tanh(score / cap); 0: none (Gemma 2)
  visibility sees = causal;         ///< which keys a query sees
  transept::rotation rotation = {}; ///< of queries and keys, by position
  kernels::distance_bias bias = {}; ///< added to the scores
  norm_settings head_norm = {};     ///< where heads have norms
  float clip = 0.0f; ///< queries, keys and values are at most this, either way; 0: no limit (MPT)
};

/// The usual scale of the scores, 1 / √head width (Vaswani et al. 2017, eq. 1).
inline float attention_scale(extent head_width) { return 1.0f / std::sqrt(static_cast<float>(head_width)); }

namespace detail {

/// The heads of queries and keys, which lie side by side in rows of queries, keys and values.
TRANSEPT_FUNCTION kernels::head_rows heads_in_rows(const attention_extents& e, extent rows, extent heads);

/// Rotates queries and keys, or their gradients back.
TRANSEPT_FUNCTION void rotate_heads(compute_context& context, const attention_extents& e,
                                    const rotation& rotation, extent rows, float* queries,
                                    bool backwards = false);

/// x [count], or what is beyond ±limit of it, at the limit.
TRANSEPT_FUNCTION void clip(float* x, std::size_t count, float limit);

/// No gradient flows through the numbers that are at the limit.
TRANSEPT_FUNCTION void clip_backward(const float* clipped, std::size_t count, float limit, float* dx);

} // namespace detail

/// Whether heads of queries and keys may be normed.
template <attention_extents Extents>
inline constexpr bool has_head_norms = Extents.head_norms != choice(false);

/// y [rows, width] += attention of x [rows, width] over the cache's `layer` and itself; or y = … The rows are
/// the positions that follow those in the cache, or in a batch of caches one position of each; their keys and
/// values are appended to that layer (the caller advances the cache once all layers are done).
template <attention_extents Extents, extent XWidth, extent YWidth, key_value_cache Cache,
          class Observer = no_observer>
void forward(const attention<Extents>& layer, compute_context& context, activations<XWidth> x,
             activations<YWidth> y, Cache& cache, std::size_t layer_index, const attention_settings& settings,
             Observer&& observer = {}, bool add_to_y = true) {
  static_assert(compatible(XWidth, Extents.width), "attention: the input's width must equal the layer's");
  static_assert(compatible(YWidth, Extents.width), "attention: the output's width must equal the layer's");
  static_assert(!observing<Observer> || !std::same_as<Cache, kv_cache_batch>,
                "attention: an observer looks into one sequence at a time, not into a batch");
  static_assert(!taping<Observer> || std::same_as<Cache, whole_sequences>,
                "attention: gradients flow through whole sequences (layers/whole_sequences.hpp), "
                "not through a cache");
  const attention_extents& e = layer.extents;
  const auto rows = static_cast<std::size_t>(x.rows());
  const auto row_stride = static_cast<std::size_t>(e.queries_keys_values());
  workspace::scope scope(context.memory);

  const auto queries_keys_values =
      take_kept<Extents.queries_keys_values()>(scope, observer, x.rows(), e.queries_keys_values());
  forward(layer.query_key_value, context, x, queries_keys_values);
  float* const queries = queries_keys_values.data(); // [rows, heads · head_width], row_stride apart
  float* const keys = queries + e.queries();         // [rows, key_value_heads · head_width]
  if (settings.clip > 0) {
    detail::clip(queries, static_cast<std::size_t>(queries_keys_values.size()), settings.clip);
    if constexpr (taping<Observer>) observer.keep_copy(queries_keys_values);
  }
  if constexpr (has_head_norms<Extents>)
    if (layer.query_norm.is_there()) {
      if constexpr (taping<Observer>) observer.keep_copy(queries_keys_values);
      norm_heads(context, Extents.norm_kind, detail::heads_in_rows(e, x.rows(), e.heads),
                 layer.query_norm.weight.data(), settings.head_norm, queries);
      norm_heads(context, Extents.norm_kind, detail::heads_in_rows(e, x.rows(), e.key_value_heads),
                 layer.key_norm.weight.data(), settings.head_norm, keys);
    }
  detail::rotate_heads(context, e, settings.rotation, x.rows(), queries);
  append(context, cache, layer_index, keys, keys + e.keys(), rows, row_stride);

  const auto heads = take_kept<Extents.queries()>(scope, observer, x.rows(), e.queries());
  const kernels::attention_problem problem{.queries = queries,
                                           .row_stride = row_stride,
                                           .rows = rows,
                                           .first_position = position(cache, 0),
                                           .heads = static_cast<std::size_t>(e.heads),
                                           .head_width = static_cast<std::size_t>(e.head_width),
                                           .scale = settings.scale,
                                           .key_value_heads = static_cast<std::size_t>(e.key_value_heads),
                                           .soft_cap = settings.soft_cap,
                                           .sees = settings.sees,
                                           .bias = settings.bias};
  attend(context, problem, cache, layer_index, heads.data());
  if constexpr (observing<Observer> && std::same_as<Cache, kv_cache>)
    observer.attention(layer_index, problem, cache.layer(layer_index));

  forward_dropped(layer.output, context, heads, y, add_to_y, observer);
}

/// dx [rows, width] = the gradient that dy gives the input, which lies on the tape under what the layer kept.
template <attention_extents Extents, extent XWidth>
void backward(const attention<Extents>& layer, const attention<Extents, gradient_weights>& gradient,
              compute_context& context, activations<XWidth> dy, activations<XWidth> dx,
              const whole_sequences& sequences, const attention_settings& settings, tape& tape) {
  const attention_extents& e = layer.extents;
  constexpr extent inner = Extents.queries(), all = Extents.queries_keys_values();
  const extent rows = dy.rows();
  workspace::scope scope(context.memory);
  const auto dmade = undropped_gradient(scope, context, dy, tape);

  const auto* const log_sums = tape.take_back_floats(static_cast<std::size_t>(rows * e.heads));
  const auto mask = detail::mask_here(tape, tape.dropout.attention);
  const auto heads = tape.take_back<inner>(rows, e.queries());
  const auto dheads = scope.take<inner>(rows, e.queries()); // [rows, heads · head_width]
  backward(layer.output, gradient.output, context, heads, dmade, dheads);

  activations<all> unnormed(nullptr, 0, e.queries_keys_values());
  if (layer.query_norm.is_there()) unnormed = tape.take_back<all>(rows, e.queries_keys_values());
  activations<all> clipped(nullptr, 0, e.queries_keys_values());
  if (settings.clip > 0) clipped = tape.take_back<all>(rows, e.queries_keys_values());
  const auto queries_keys_values = tape.take_back<all>(rows, e.queries_keys_values());
  const auto dqueries_keys_values = scope.take<all>(rows, e.queries_keys_values());
  const float* const queries = queries_keys_values.data();
  float* const dqueries = dqueries_keys_values.data();
  float* const dkeys = dqueries + e.queries();
  kernels::attend_whole_sequences_backward(context,
                                           {.queries = queries,
                                            .keys = queries + e.queries(),
                                            .values = queries + e.queries() + e.keys(),
                                            .row_stride = static_cast<std::size_t>(e.queries_keys_values()),
                                            .sequences = sequences.count(static_cast<std::size_t>(rows)),
                                            .length = sequences.length(),
                                            .heads = static_cast<std::size_t>(e.heads),
                                            .head_width = static_cast<std::size_t>(e.head_width),
                                            .scale = settings.scale,
                                            .dropout = mask,
                                            .key_value_heads = static_cast<std::size_t>(e.key_value_heads),
                                            .soft_cap = settings.soft_cap,
                                            .sees = settings.sees,
                                            .bias = settings.bias,
                                            .offsets = sequences.offsets().data()},
                                           {.out = heads.data(),
                                            .log_sums = log_sums,
                                            .dout = dheads.data(),
                                            .dqueries = dqueries,
                                            .dkeys = dkeys,
                                            .dvalues = dkeys + e.keys()});
  detail::rotate_heads(context, e, settings.rotation, rows, dqueries, /*backwards*/ true);
  if constexpr (has_head_norms<Extents>)
    if (layer.query_norm.is_there()) {
      norm_heads_backward(context, Extents.norm_kind, detail::heads_in_rows(e, rows, e.heads),
                          unnormed.data(), layer.query_norm.weight.data(), settings.head_norm, dqueries,
                          gradient.query_norm.weight.data());
      norm_heads_backward(context, Extents.norm_kind, detail::heads_in_rows(e, rows, e.key_value_heads),
                          unnormed.data() + e.queries(), layer.key_norm.weight.data(), settings.head_norm,
                          dkeys, gradient.key_norm.weight.data());
    }
  if (settings.clip > 0)
    detail::clip_backward(clipped.data(), static_cast<std::size_t>(clipped.size()), settings.clip, dqueries);
  const auto x = tape.take_back<XWidth>(rows, dx.cols());
  backward(layer.query_key_value, gradient.query_key_value, context, x, dqueries_keys_values, dx);
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/layers/impl/attention.hpp>
#endif

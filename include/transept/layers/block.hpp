// A pre-norm transformer block, as GPT-2 has it (Radford et al. 2019, section 2.3):
//
//   x = x + attention(norm₁(x));   x = x + feed_forward(norm₂(x))
#pragma once

#include <cstddef>
#include <tuple>

#include <transept/layers/attention.hpp>
#include <transept/layers/feed_forward.hpp>
#include <transept/layers/layer_norm.hpp>

namespace transept::inline TRANSEPT_ABI {

template <extent Width, extent Heads, extent HeadWidth = even_share(Width, Heads), extent Inner = 4 * Width,
          class Weights = inference_weights>
struct pre_norm_block {
  layer_norm<Width, Weights> ln_1;
  multi_head_attention<Width, Heads, HeadWidth, Weights> attn;
  layer_norm<Width, Weights> ln_2;
  feed_forward<Width, Inner, Weights> mlp;

  static constexpr auto members =
      std::tuple(member{"ln_1", &pre_norm_block::ln_1}, member{"attn", &pre_norm_block::attn},
                 member{"ln_2", &pre_norm_block::ln_2}, member{"mlp", &pre_norm_block::mlp});
  static constexpr std::size_t parameter_count =
      decltype(ln_1)::parameter_count + decltype(attn)::parameter_count + decltype(ln_2)::parameter_count +
      decltype(mlp)::parameter_count;
};

/// The numbers of a block that are no dimensions.
struct block_settings {
  float layer_norm_epsilon = 1e-5f;
  activation_type activation = activation_type::gelu_tanh;
  float attention_scale = 1.0f; ///< multiplies the scores: 1 / √head_width in GPT-2
};

/// norm(x), written to `scratch`; or, where a tape must keep it, to memory of the tape beside a copy of x.
template <extent Width, class Observer>
activations<Width> norm_of(const layer_norm<Width>& norm, compute_context& context, activations<Width> x,
                           activations<Width> scratch, float epsilon, [[maybe_unused]] Observer& observer) {
  if constexpr (taping<Observer>) {
    observer.keep_copy(x);
    scratch = observer.template keep<Width>(x.rows());
  }
  forward(norm, context, x, scratch, epsilon);
  return scratch;
}

/// x [rows, Width] in place; the rows follow the positions in the cache (or, one each, those in a batch of
/// caches), to whose `layer_index` they are appended.
template <extent Width, extent Heads, extent HeadWidth, extent Inner, extent XWidth, key_value_cache Cache,
          class Observer = no_observer>
void forward(const pre_norm_block<Width, Heads, HeadWidth, Inner>& block, compute_context& context,
             activations<XWidth> x, Cache& cache, std::size_t layer_index, const block_settings& settings,
             Observer&& observer = {}) {
  static_assert(XWidth == Width, "pre_norm_block: the input's width must equal the block's");
  workspace::scope scope(context.memory);
  const auto scratch = scope.take<Width>(x.rows()); // [rows, Width]
  const float epsilon = settings.layer_norm_epsilon;

  const auto normed_1 = norm_of(block.ln_1, context, x, scratch, epsilon, observer);
  forward(block.attn, context, normed_1, x, cache, layer_index, settings.attention_scale, observer); // x += …

  const auto normed_2 = norm_of(block.ln_2, context, x, scratch, epsilon, observer);
  forward(block.mlp, context, normed_2, x, settings.activation, observer); // x += …
}

/// dx [rows, Width]: the gradient of the block's output becomes that of its input.
template <extent Width, extent Heads, extent HeadWidth, extent Inner>
void backward(const pre_norm_block<Width, Heads, HeadWidth, Inner>& block,
              const pre_norm_block<Width, Heads, HeadWidth, Inner, gradient_weights>& gradient,
              compute_context& context, activations<Width> dx, const whole_sequences& sequences,
              const block_settings& settings, tape& tape) {
  workspace::scope scope(context.memory);
  const auto dnormed = scope.take<Width>(dx.rows()); // [rows, Width]
  const float epsilon = settings.layer_norm_epsilon;

  backward(block.mlp, gradient.mlp, context, dx, dnormed, settings.activation, tape);
  const auto x_2 = tape.take_back<Width>(dx.rows());
  backward(block.ln_2, gradient.ln_2, context, x_2, dnormed, dx, epsilon); // dx += …

  backward(block.attn, gradient.attn, context, dx, dnormed, sequences, settings.attention_scale, tape);
  const auto x_1 = tape.take_back<Width>(dx.rows());
  backward(block.ln_1, gradient.ln_1, context, x_1, dnormed, dx, epsilon); // dx += …
}

} // namespace transept::inline TRANSEPT_ABI

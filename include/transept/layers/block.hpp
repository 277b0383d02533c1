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

/// x [rows, Width] in place; the rows follow the positions in the cache (or, one each, those in a batch of
/// caches), to whose `layer_index` they are appended.
template <extent Width, extent Heads, extent HeadWidth, extent Inner, extent XWidth, key_value_cache Cache,
          class Observer = no_observer>
void forward(const pre_norm_block<Width, Heads, HeadWidth, Inner>& block, compute_context& context,
             activations<XWidth> x, Cache& cache, std::size_t layer_index, const block_settings& settings,
             Observer&& observer = {}) {
  static_assert(XWidth == Width, "pre_norm_block: the input's width must equal the block's");
  workspace::scope scope(context.memory);
  const auto normed = scope.take<Width>(x.rows()); // [rows, Width]

  forward(block.ln_1, context, x, normed, settings.layer_norm_epsilon);
  forward(block.attn, context, normed, x, cache, layer_index, settings.attention_scale, observer); // x += …

  forward(block.ln_2, context, x, normed, settings.layer_norm_epsilon);
  forward(block.mlp, context, normed, x, settings.activation); // x += …
}

} // namespace transept::inline TRANSEPT_ABI

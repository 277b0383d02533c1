// Norms of queries and keys (Dehghani et al. 2023), of which models have three kinds: over the numbers of
// each head with one weight for all of them, over those of all heads at once, or over each head's with a
// weight of its own.
#pragma once

#include <cstddef>
#include <cstdint>

#include <transept/kernels/head_rows.hpp>
#include <transept/layers/norm_settings.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What a norm of queries or keys is over.
enum class head_norm_kind : std::uint8_t {
  rms,       ///< RMS norms of each head, which have one weight (Qwen3)
  joint_rms, ///< an RMS norm of all heads together (OLMo 2)
  layer      ///< layer norms of each head, each with a weight of its own, none with a bias (StableLM 2)
};

/// How many numbers the weight of such a norm has.
constexpr extent head_norm_width(head_norm_kind kind, extent heads, extent head_width) {
  return kind == head_norm_kind::rms ? head_width : product_of(heads, head_width);
}

/// The norm of queries, or of keys. A width of 0 is one that is not there.
template <extent Width, class Weights = inference_weights>
struct head_norm {
  typename Weights::template vector<Width> weight; ///< of one head or, one behind another, of all

  /// For the walk over parameters.
  static constexpr auto members = members_of(member{"weight", &head_norm::weight});
  /// Numbers in its parameters; those of a `dyn` extent count as 0.
  static constexpr std::size_t parameter_count = static_count(Width);

  /// With its extents, and no data yet.
  static head_norm shaped(extent width = Width) { return {decltype(weight)::shaped(width)}; }
  bool is_there() const { return weight.size() != 0; } ///< whether it has a width
};

/// The norm of every head of x, in place. weight: head_norm_width numbers.
TRANSEPT_FUNCTION void norm_heads(compute_context& context, head_norm_kind kind, kernels::head_rows where,
                                  const float* weight, const norm_settings& settings, float* x);

/// The gradient of what norm_heads made of x becomes that of x, in place; that of the weight grows.
TRANSEPT_FUNCTION void norm_heads_backward(compute_context& context, head_norm_kind kind,
                                           kernels::head_rows where, const float* x, const float* weight,
                                           const norm_settings& settings, float* dy_to_dx, float* dweight);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/layers/impl/head_norm.hpp>
#endif

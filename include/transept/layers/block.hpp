// A transformer block: attention and a feed-forward network, each with a norm, around a residual stream x.
//
//   pre-norm    x = x + attention(norm₁(x));    x = x + network(norm₂(x))       GPT-2 (Radford et al. 2019)
//   post-norm   x = norm₁(x + attention(x));    x = norm₂(x + network(x))       Vaswani et al. 2017
//   parallel    x = x + attention(norm₁(x)) + network(norm₂(x))                 GPT-NeoX (Black et al. 2022)
//   one norm    x = x + attention(norm₁(x)) + network(norm₁(x))                 GPT-J (Wang & Komatsuzaki
//   2021)
//
// A pre-norm block with output norms is sandwiched (Gemma 2): x = x + norm(attention(norm₁(x))). One whose
// other norms are never there has output norms alone (OLMo 2): x = x + norm(attention(x)).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include <transept/kernels/add.hpp>
#include <transept/layers/attention.hpp>
#include <transept/layers/feed_forward.hpp>
#include <transept/layers/layer_norm.hpp>
#include <transept/layers/rms_norm.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Where the norms stand, and what the network reads; the formulas are in this file's first lines.
enum class block_order : std::uint8_t { pre_norm, post_norm, parallel, parallel_one_norm };

/// The numbers of a block that are no extents.
struct block_settings {
  norm_settings norm = {}; ///< of all norms of the block; heads have settings of their own
  activation_type activation = activation_type::gelu_tanh; ///< of the network
  attention_settings attention = {};                       ///< of its attention
  block_order order = block_order::pre_norm;               ///< where the norms stand
  /// Of a pre-norm block: the residual connection begins behind the norm (BLOOM's
  /// apply_residual_connection_post_layernorm).
  bool residual_after_norm = false;
};

/// `OutputNorm`, of what attention and network add, may be one that is not there; so may `Norm`, where there
/// are output norms, and `SecondNorm`, where the order is parallel_one_norm.
template <class Norm, class Attention, class Network, class OutputNorm, class SecondNorm = Norm>
struct block {
  static constexpr extent width = Attention::width; ///< of the residual stream

  Norm norm_1;               ///< of what attention reads; post-norm: of x + attention(x)
  Attention attention;       ///< that of layers/attention.hpp, or another
  OutputNorm attention_norm; ///< of what attention adds
  SecondNorm norm_2;         ///< of what the network reads; post-norm: of x + network(x)
  Network network;           ///< feed_forward, gated_feed_forward, or another
  OutputNorm network_norm;   ///< of what the network adds

  /// For the walk over parameters.
  static constexpr auto members =
      members_of(member{"norm_1", &block::norm_1}, member{"attention", &block::attention},
                 member{"attention_norm", &block::attention_norm}, member{"norm_2", &block::norm_2},
                 member{"network", &block::network}, member{"network_norm", &block::network_norm});
  /// Numbers in its parameters; those of a `dyn` extent count as 0.
  static constexpr std::size_t parameter_count = Norm::parameter_count + SecondNorm::parameter_count +
                                                 Attention::parameter_count + Network::parameter_count +
                                                 2 * OutputNorm::parameter_count;

  /// One with the output norms that its type has, whose network has these extents besides its width.
  static block shaped(extent x_width, const attention_extents& extents, auto... of_network) {
    const auto width_of = [&](bool never_there) { return never_there ? extent{0} : x_width; };
    return {.norm_1 = Norm::shaped(width_of(Norm::never_there)),
            .attention = Attention::shaped(extents),
            .attention_norm = OutputNorm::shaped(width_of(OutputNorm::never_there)),
            .norm_2 = SecondNorm::shaped(width_of(SecondNorm::never_there)),
            .network = Network::shaped(x_width, of_network...),
            .network_norm = OutputNorm::shaped(width_of(OutputNorm::never_there))};
  }
};

/// A block of layer norms and a plain network, all with biases: GPT-2's, and its kin's.
template <class Attention, extent Inner, class Weights = inference_weights>
using plain_block = block<layer_norm<Attention::width, true, true, Weights>, Attention,
                          feed_forward<Attention::width, Inner, true, Weights>, rms_norm<0, Weights>>;

/// The same with one norm, which attention and network read: GPT-J's.
template <class Attention, extent Inner, class Weights = inference_weights>
using one_norm_block =
    block<layer_norm<Attention::width, true, true, Weights>, Attention,
          feed_forward<Attention::width, Inner, true, Weights>, rms_norm<0, Weights>, rms_norm<0, Weights>>;

/// GPT-2's, by its numbers.
template <extent Width, extent Heads, extent HeadWidth = even_share(Width, Heads),
          extent Inner = product_of(4, Width), class Weights = inference_weights>
using pre_norm_block = plain_block<multi_head_attention<Width, Heads, HeadWidth, Weights>, Inner, Weights>;

namespace detail {

/// norm(x), written to `scratch`; or, where a tape must keep it, to memory of the tape beside a copy of x. A
/// norm that is never there leaves x as it is.
template <class Norm, extent Width, class Observer>
activations<Width> norm_of(const Norm& norm, compute_context& context, activations<Width> x,
                           activations<Width> scratch, const norm_settings& settings,
                           [[maybe_unused]] Observer& observer) {
  if constexpr (taping<Observer>) observer.keep_copy(x);
  if constexpr (Norm::never_there) {
    return x;
  } else {
    if constexpr (taping<Observer>) scratch = observer.template keep<Width>(x.rows(), x.cols());
    forward(norm, context, x, scratch, settings);
    return scratch;
  }
}

/// x += norm(output), where run(y, add) makes y = output or y += output; x += output if there is no norm.
template <class OutputNorm, extent Width, class Run, class Observer>
void add_output([[maybe_unused]] const OutputNorm& norm, compute_context& context, activations<Width> x,
                [[maybe_unused]] const norm_settings& settings, Run&& run,
                [[maybe_unused]] Observer& observer) {
  if constexpr (OutputNorm::never_there) {
    run(x, true);
  } else {
    if (!norm.is_there()) return run(x, true);
    workspace::scope scope(context.memory);
    const auto output = scope.take<Width>(x.rows(), x.cols());
    run(output, false);
    if constexpr (taping<Observer>) observer.keep_copy(output);
    forward(norm, context, output, output, settings);
    kernels::add(context, output.data(), static_cast<std::size_t>(x.size()), x.data());
  }
}

/// The gradient of what was normed, which lies on the tape, in memory of `scope`, for dx that of the norm.
template <class Norm, class Gradient, extent Width>
activations<Width> norm_gradient(workspace::scope& scope, const Norm& norm, const Gradient& gradient,
                                 compute_context& context, activations<Width> dx,
                                 const norm_settings& settings, tape& tape) {
  const auto input = tape.take_back<Width>(dx.rows(), dx.cols());
  const auto dinput = scope.take<Width>(dx.rows(), dx.cols());
  std::fill_n(dinput.data(), dinput.size(), 0.0f);
  backward(norm, gradient, context, input, dx, dinput, settings);
  return dinput;
}

/// That of an output, for dx that of x in add_output: dx itself if there is no norm.
template <class OutputNorm, class Gradient, extent Width>
activations<Width> output_gradient([[maybe_unused]] workspace::scope& scope,
                                   [[maybe_unused]] const OutputNorm& norm,
                                   [[maybe_unused]] const Gradient& gradient,
                                   [[maybe_unused]] compute_context& context, activations<Width> dx,
                                   [[maybe_unused]] const norm_settings& settings,
                                   [[maybe_unused]] tape& tape) {
  if constexpr (!OutputNorm::never_there)
    if (norm.is_there()) return norm_gradient(scope, norm, gradient, context, dx, settings, tape);
  return dx;
}

template <extent Width>
activations<Width> copy_of(workspace::scope& scope, activations<Width> x) {
  const auto copy = scope.take<Width>(x.rows(), x.cols());
  std::copy_n(x.data(), x.size(), copy.data());
  return copy;
}

/// x = norm(x + output), where run(y, add) does as for add_output and reads x.
template <class Norm, extent Width, class Run, class Observer>
void add_and_norm(const Norm& norm, compute_context& context, activations<Width> x,
                  const norm_settings& settings, Run&& run, [[maybe_unused]] Observer& observer) {
  if constexpr (taping<Observer>) observer.keep_copy(x);
  run(x, true);
  if constexpr (taping<Observer>) observer.keep_copy(x);
  forward(norm, context, x, x, settings);
}

/// The way back of add_and_norm: run(dsum, dinput) is that of the output.
template <class Norm, class Gradient, extent Width, class Run>
void add_and_norm_backward(const Norm& norm, const Gradient& gradient, compute_context& context,
                           activations<Width> dx, const norm_settings& settings, Run&& run, tape& tape) {
  workspace::scope scope(context.memory);
  const auto dsum = norm_gradient(scope, norm, gradient, context, dx, settings, tape);
  run(dsum, dx);
  kernels::add(context, dsum.data(), static_cast<std::size_t>(dx.size()), dx.data());
}

} // namespace detail

/// x [rows, Width] in place; the rows follow the positions in the cache (or, one each, those in a batch of
/// caches), to whose `layer_index` they are appended.
template <class Norm, class Attention, class Network, class OutputNorm, class SecondNorm, extent Width,
          key_value_cache Cache, class Observer = no_observer>
void forward(const block<Norm, Attention, Network, OutputNorm, SecondNorm>& block, compute_context& context,
             activations<Width> x, Cache& cache, std::size_t layer_index, const block_settings& settings,
             Observer&& observer = {}) {
  static_assert(compatible(Width, Attention::width), "block: the input's width must equal the block's");
  const auto attend = [&](activations<Width> from) {
    return [&, from](activations<Width> y, bool add) {
      forward(block.attention, context, from, y, cache, layer_index, settings.attention, observer, add);
    };
  };
  const auto feed = [&](activations<Width> from) {
    return [&, from](activations<Width> y, bool add) {
      forward(block.network, context, from, y, settings.activation, observer, add);
    };
  };
  if constexpr (!Norm::never_there && !SecondNorm::never_there)
    if (settings.order == block_order::post_norm) {
      detail::add_and_norm(block.norm_1, context, x, settings.norm, attend(x), observer);
      detail::add_and_norm(block.norm_2, context, x, settings.norm, feed(x), observer);
      return;
    }
  workspace::scope scope(context.memory);
  const auto scratch = scope.take<Width>(x.rows(), x.cols()); // [rows, Width]
  const bool parallel = settings.order == block_order::parallel;
  const auto before = parallel ? detail::copy_of(scope, x) : x; // what the second norm reads

  const auto normed_1 = detail::norm_of(block.norm_1, context, x, scratch, settings.norm, observer);
  if (settings.residual_after_norm) std::copy_n(normed_1.data(), x.size(), x.data());
  detail::add_output(block.attention_norm, context, x, settings.norm, attend(normed_1), observer);

  if (settings.order == block_order::parallel_one_norm) {
    if constexpr (taping<Observer>) observer.keep_copy(normed_1); // what the network reads
    detail::add_output(block.network_norm, context, x, settings.norm, feed(normed_1), observer);
    return;
  }
  const auto normed_2 = detail::norm_of(block.norm_2, context, before, scratch, settings.norm, observer);
  if (settings.residual_after_norm) std::copy_n(normed_2.data(), x.size(), x.data());
  detail::add_output(block.network_norm, context, x, settings.norm, feed(normed_2), observer);
}

/// dx [rows, Width]: the gradient of the block's output becomes that of its input.
template <class Norm, class Attention, class Network, class OutputNorm, class SecondNorm, class GradientNorm,
          class GradientAttention, class GradientNetwork, class GradientOutputNorm, class GradientSecondNorm,
          extent Width>
void backward(const block<Norm, Attention, Network, OutputNorm, SecondNorm>& block,
              const transept::block<GradientNorm, GradientAttention, GradientNetwork, GradientOutputNorm,
                                    GradientSecondNorm>& gradient,
              compute_context& context, activations<Width> dx, const whole_sequences& sequences,
              const block_settings& settings, tape& tape) {
  const auto attend = [&](activations<Width> dy, activations<Width> dinput) {
    backward(block.attention, gradient.attention, context, dy, dinput, sequences, settings.attention, tape);
  };
  const auto feed = [&](activations<Width> dy, activations<Width> dinput) {
    backward(block.network, gradient.network, context, dy, dinput, settings.activation, tape);
  };
  if constexpr (!Norm::never_there && !SecondNorm::never_there)
    if (settings.order == block_order::post_norm) {
      detail::add_and_norm_backward(block.norm_2, gradient.norm_2, context, dx, settings.norm, feed, tape);
      detail::add_and_norm_backward(block.norm_1, gradient.norm_1, context, dx, settings.norm, attend, tape);
      return;
    }
  workspace::scope scope(context.memory);
  const auto dnormed = scope.take<Width>(dx.rows(), dx.cols()); // [rows, Width]
  const bool one_norm = settings.order == block_order::parallel_one_norm;
  const bool parallel = settings.order == block_order::parallel || one_norm;
  const auto dy = parallel ? detail::copy_of(scope, dx) : dx; // the gradient of what both add

  // dx += the gradient through a norm. Where the residual connection begins behind it, all goes that way.
  const auto norm_backward = [&](const auto& norm, const auto& its_gradient) {
    if constexpr (std::remove_cvref_t<decltype(norm)>::never_there) {
      kernels::add(context, dnormed.data(), static_cast<std::size_t>(dx.size()), dx.data());
    } else {
      const auto input = tape.take_back<Width>(dx.rows(), dx.cols());
      if (settings.residual_after_norm) {
        kernels::add(context, dx.data(), static_cast<std::size_t>(dx.size()), dnormed.data());
        std::fill_n(dx.data(), dx.size(), 0.0f);
      }
      backward(norm, its_gradient, context, input, dnormed, dx, settings.norm);
    }
  };
  {
    workspace::scope inside(context.memory);
    feed(detail::output_gradient(inside, block.network_norm, gradient.network_norm, context, dy,
                                 settings.norm, tape),
         dnormed);
  }
  const auto dnormed_by_network = one_norm ? detail::copy_of(scope, dnormed) : dnormed;
  if (!one_norm) norm_backward(block.norm_2, gradient.norm_2);
  {
    workspace::scope inside(context.memory);
    attend(detail::output_gradient(inside, block.attention_norm, gradient.attention_norm, context, dy,
                                   settings.norm, tape),
           dnormed);
  }
  if (one_norm)
    kernels::add(context, dnormed_by_network.data(), static_cast<std::size_t>(dx.size()), dnormed.data());
  norm_backward(block.norm_1, gradient.norm_1);
}

} // namespace transept::inline TRANSEPT_ABI

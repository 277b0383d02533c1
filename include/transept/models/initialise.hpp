// Seeded random initialisation as GPT-2's (Radford et al. 2018, section 4.1; 2019, section 2.3):
//
//   matrices          N(0, 0.02²)
//   output and down   N(0, 0.02² / (2 · n_layer)): matrices that write to the residual stream
//   norm weights      1;   biases 0
//
// Parameter p of the walk draws from its own stream of random numbers, so the result does not depend on the
// number of threads.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/random.hpp>
#include <transept/models/convert.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/family.hpp>
#include <transept/runtime/thread_pool.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/tensor/parameters.hpp>

namespace transept::inline TRANSEPT_ABI {

/// How a model with random weights is made.
struct initialise_options {
  int vocab_size = 50257; ///< where the type leaves it `dyn` and no shape is given
  int n_positions = 1024; ///< the same
  /// How matrices are stored; vectors are always f32, and with a block type so are positions.
  element_type type = element_type::f32;
  /// Whether linear layers are laid out for the kernels (pack_weights). The numbers are the same.
  bool packed = false;
  /// Standard deviation of matrices.
  float standard_deviation = 0.02f;
  /// Threads to draw with; 0: one per processor.
  int threads = 0;
};

namespace detail {

/// out [count] = N(0, deviation²), draws 0, 1, 2, … of (seed, stream).
template <class T>
void fill_normal_weights(thread_pool& threads, T* out, std::size_t count, float deviation, std::uint64_t seed,
                         std::uint64_t stream) {
  parallel_for(threads, count, 4096, [&](std::size_t begin, std::size_t end, int) {
    float drawn[512];
    for (std::size_t i = begin; i < end; i += std::size(drawn)) {
      const std::size_t n = std::min(std::size(drawn), end - i);
      fill_normal(std::span(drawn, n), seed, stream, i);
      for (std::size_t j = 0; j < n; ++j) out[i + j] = narrow(deviation * drawn[j], T{});
    }
  });
}

/// Whether the parameter called `here` is the matrix of a layer that writes to the residual stream.
inline bool writes_residual(std::string_view here) {
  return here.ends_with("attention.output.weight") || here.ends_with("network.down.weight");
}

} // namespace detail

/// Gives every parameter of `model` (shaped) that has no data yet random values of its own memory. For models
/// that are walked by for_each_parameter; `residual_writers` is how many layers add to the residual stream,
/// each an attention's `output` or a network's `down` (2 · n_layer in GPT-2). Norm weights are the vectors
/// named `weight`; they begin as 1 less `weight_offset`.
template <class Model>
void initialise_parameters(Model& model, weight_owner& memory, std::uint64_t seed, int residual_writers,
                           const initialise_options& options = {}, float weight_offset = 0.0f) {
  thread_pool threads(options.threads);
  std::uint64_t stream = 0;
  for_each_parameter_here(
      [&](std::string_view here, auto& leaf) {
        const std::uint64_t own_stream = stream++;
        if (leaf.data() != nullptr) return;
        const auto count = static_cast<std::size_t>(leaf.size());
        if constexpr (std::remove_cvref_t<decltype(leaf)>::rank == 1) {
          float* data = detail::allocate_weights<float>(memory, count);
          std::fill_n(data, count, here.ends_with(".weight") ? 1.0f - weight_offset : 0.0f);
          leaf = {data, leaf.size()};
        } else {
          const float deviation =
              detail::writes_residual(here)
                  ? options.standard_deviation / std::sqrt(static_cast<float>(residual_writers))
                  : options.standard_deviation;
          const bool in_blocks = is_block_type(options.type);
          const element_type drawn_as = in_blocks ? element_type::f32 : options.type;
          weight_owner passing; // of numbers that are quantized or packed at once
          constexpr matrix_use use = std::remove_cvref_t<decltype(leaf)>::use;
          const bool is_packed = options.packed && use == matrix_use::linear && !in_blocks;
          const bool is_kept = !is_packed && (!in_blocks || use == matrix_use::lookup);
          with_element_type(drawn_as, [&]<class T>(T) {
            T* data = detail::allocate_weights<T>(is_kept ? memory : passing, count);
            detail::fill_normal_weights(threads, data, count, deviation, seed, own_stream);
            leaf = {data, drawn_as, leaf.rows(), leaf.cols()};
          });
          if (is_packed)
            leaf = pack(leaf, threads, memory);
          else if (!is_kept)
            leaf = convert(leaf, options.type, threads, memory);
        }
      },
      model);
}

/// A model of run-time shape with random weights: `initialise<llama<any_llama>>(shape, settings, seed)`.
/// Throws std::bad_alloc, and config_error for settings that contradict themselves.
template <class Model>
Model initialise(const typename Model::family::config& shape, typename Model::family::settings settings,
                 std::uint64_t seed, const initialise_options& options = {}) {
  Model model = shaped_model<Model>(shape, std::move(settings));
  initialise_parameters(model, model.memory, seed, 2 * static_cast<int>(model.blocks.size()), options,
                        model.norms().weight_offset);
  return model;
}

/// A model with random weights: `auto model = initialise<gpt2<gpt2_small>>(seed)`.
/// Throws argument_error for sizes that are not positive, std::bad_alloc.
template <class Model>
Model initialise(std::uint64_t seed, const initialise_options& options = {}) {
  auto shape = Model::static_config;
  static_assert(is_known([](auto config) {
                  config.vocab_size = config.n_positions = 1;
                  return config;
                }(Model::static_config)),
                "initialise<Model>(seed) needs a model whose extents are all static, but for vocab_size and "
                "n_positions; give the shape of any other: initialise<Model>(shape, settings, seed)");
  if (options.vocab_size < 1 || options.n_positions < 1)
    throw argument_error("initialise: vocab_size and n_positions must be positive");
  if (shape.vocab_size == dyn) shape.vocab_size = options.vocab_size;
  if (shape.n_positions == dyn) shape.n_positions = options.n_positions;
  typename Model::family::settings settings;
  const auto has = [&](token_id id) { return id < shape.vocab_size; };
  if (settings.bos_token_id && !has(*settings.bos_token_id))
    settings.bos_token_id.reset(); // none of this vocabulary
  std::erase_if(settings.eos_token_ids, [&](token_id id) { return !has(id); });
  complete_rotary(shape, settings);
  return initialise<Model>(shape, std::move(settings), seed, options);
}

} // namespace transept::inline TRANSEPT_ABI

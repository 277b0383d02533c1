// Seeded random initialisation as GPT-2's (Radford et al. 2018, section 4.1; 2019, section 2.3):
//
//   matrices          N(0, 0.02²)
//   c_proj matrices   N(0, 0.02² / (2 · n_layer)): those that write to the residual stream
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

#include <transept/core/error.hpp>
#include <transept/core/random.hpp>
#include <transept/models/convert.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/runtime/thread_pool.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/tensor/parameters.hpp>

namespace transept::inline TRANSEPT_ABI {

struct initialise_options {
  /// Rows of wte and wpe where the type leaves them `dyn`; else what the type says.
  int vocab_size = 50257;
  int n_positions = 1024;
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

inline bool ends_with_member(std::string_view name, std::string_view last) {
  return name.ends_with(last) && (name.size() == last.size() || name[name.size() - last.size() - 1] == '.');
}

} // namespace detail

/// Gives every parameter of `model` (shaped, without data) random values of its own memory. For models that
/// are walked by for_each_parameter; `residual_writers` is how many layers add to the residual stream, each
/// through a matrix named c_proj.weight (2 · n_layer in GPT-2).
/// Norm weights are the vectors named `weight`.
template <class Model>
void initialise_parameters(Model& model, weight_owner& memory, std::uint64_t seed, int residual_writers,
                           const initialise_options& options = {}) {
  thread_pool threads(options.threads);
  std::uint64_t stream = 0;
  for_each_parameter(
      [&](std::string_view name, auto& leaf) {
        const auto count = static_cast<std::size_t>(leaf.size());
        if constexpr (std::remove_cvref_t<decltype(leaf)>::rank == 1) {
          float* data = detail::allocate_weights<float>(memory, count);
          std::fill_n(data, count, detail::ends_with_member(name, "weight") ? 1.0f : 0.0f);
          leaf = {data, leaf.size()};
        } else {
          const float deviation =
              detail::ends_with_member(name, "c_proj.weight")
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
            detail::fill_normal_weights(threads, data, count, deviation, seed, stream);
            leaf = {data, drawn_as, leaf.rows(), leaf.cols()};
          });
          if (is_packed)
            leaf = pack(leaf, threads, memory);
          else if (!is_kept)
            leaf = convert(leaf, options.type, threads, memory);
        }
        ++stream;
      },
      model);
}

/// A GPT-2 with random weights: `auto model = initialise<gpt2<gpt2_small>>(seed)`.
/// Throws argument_error for sizes that are not positive, std::bad_alloc.
template <class Model>
Model initialise(std::uint64_t seed, const initialise_options& options = {}) {
  constexpr auto config = Model::config;
  if (options.vocab_size < 1 || options.n_positions < 1)
    throw argument_error("initialise: vocab_size and n_positions must be positive");
  Model model = Model::shaped(config.vocab_size == dyn ? options.vocab_size : config.vocab_size,
                              config.n_positions == dyn ? options.n_positions : config.n_positions);
  if (model.vocab_size() <= 50256) { // GPT-2's end-of-text token is none of this vocabulary's
    model.settings.bos_token_id.reset();
    model.settings.eos_token_ids.clear();
  }
  initialise_parameters(model, model.memory, seed, 2 * config.n_layer, options);
  return model;
}

} // namespace transept::inline TRANSEPT_ABI

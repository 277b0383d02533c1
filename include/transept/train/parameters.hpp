// A model that can change: its parameters in one flat buffer of f32, and others of the same layout for what
// training keeps beside them (gradients, moments).
#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <string_view>
#include <type_traits>
#include <vector>

#include <transept/models/convert.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Where a parameter lies in the flat buffers.
struct parameter_span {
  std::size_t offset, size; ///< in floats
  bool decays;              ///< a matrix: weight decay applies to it, as it does not to biases and norms
};

/// The layout of a model's parameters in a flat buffer, each aligned to a cache line: first those that are
/// trained, then those that are frozen, each kind in the walk's order. So a buffer of what is kept beside
/// trained parameters only is a prefix of one of all.
class parameter_layout {
public:
  /// The first `frozen` parameters of the walk are frozen.
  template <class Model>
  explicit parameter_layout(const Model& model, std::size_t frozen = 0) {
    for_each_parameter(
        [&](std::string_view, const auto& leaf) {
          spans_.push_back({.offset = 0,
                            .size = static_cast<std::size_t>(leaf.size()),
                            .decays = std::remove_cvref_t<decltype(leaf)>::rank == 2});
        },
        model);
    const auto first_trained = spans_.begin() + static_cast<std::ptrdiff_t>(frozen);
    trained_size_ = place(first_trained, spans_.end(), 0);
    size_ = place(spans_.begin(), first_trained, trained_size_);
  }

  /// Floats in a buffer of all parameters, the gaps included.
  std::size_t size() const { return size_; }
  /// Floats in a buffer of trained parameters only (gradients, moments): up to here the same.
  std::size_t trained_size() const { return trained_size_; }
  /// Whether it is trained, for one of spans().
  bool is_trained(const parameter_span& span) const { return span.offset < trained_size_; }
  /// One for each parameter, in the walk's order.
  const std::vector<parameter_span>& spans() const { return spans_; }

private:
  using iterator = std::vector<parameter_span>::iterator;

  /// Lays spans one behind the other from `offset` on; returns where the next would lie.
  static std::size_t place(iterator first, iterator last, std::size_t offset);

  std::vector<parameter_span> spans_;
  std::size_t size_ = 0, trained_size_ = 0;
};

/// A flat buffer, all zeros.
TRANSEPT_FUNCTION buffer<float> zeros(std::size_t count);

/// A copy of `model`, whatever its element type, as f32 in `values`, which its views point into and which it
/// shares: a model as any other, whose parameters change when `values` do.
template <class Model>
Model copy_into(const Model& model, const parameter_layout& layout,
                const std::shared_ptr<buffer<float>>& values, thread_pool& threads) {
  Model copy = model;
  copy.memory = {};
  copy.memory.keep(values);
  auto span = layout.spans().begin();
  for_each_parameter(
      [&](std::string_view, const auto& from, auto& to) {
        float* const data = values->data() + span++->offset;
        if constexpr (std::remove_cvref_t<decltype(from)>::rank == 2) {
          copy_elements(from, threads, data);
          to = {data, element_type::f32, from.rows(), from.cols()};
        } else {
          std::copy_n(from.data(), from.size(), data);
          to = {data, from.size()};
        }
      },
      model, copy);
  return copy;
}

/// `model`'s gradient (or a moment of it): the same aggregate over `values`, trained_size() floats; leaves of
/// frozen parameters have no memory.
template <class Model>
auto gradient_of(const Model& model, const parameter_layout& layout, buffer<float>& values) {
  using gradient_type = typename Model::template stored_as<gradient_weights>;
  gradient_type gradient = [&] {
    if constexpr (requires { gradient_type::shaped(model.config); })
      return gradient_type::shaped(model.config);
    else
      return gradient_type();
  }();
  auto span = layout.spans().begin();
  for_each_parameter(
      [&](std::string_view, const auto& parameter, auto& leaf) {
        float* const data = layout.is_trained(*span) ? values.data() + span->offset : nullptr;
        ++span;
        if constexpr (std::remove_cvref_t<decltype(leaf)>::rank == 2)
          leaf = {data, parameter.rows(), parameter.cols()};
        else
          leaf = {data, parameter.size()};
      },
      model, gradient);
  return gradient;
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/train/impl/parameters.hpp>
#endif

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
  std::size_t offset, size;
  bool decays; ///< a matrix: weight decay applies to it, as it does not to biases and norms
};

/// The layout of a model's parameters in a flat buffer: in the walk's order, each aligned to a cache line.
class parameter_layout {
public:
  template <class Model>
  explicit parameter_layout(const Model& model) {
    for_each_parameter(
        [&](std::string_view, const auto& leaf) {
          const auto size = static_cast<std::size_t>(leaf.size());
          spans_.push_back({size_, size, std::remove_cvref_t<decltype(leaf)>::rank == 2});
          size_ = (size_ + size + line - 1) / line * line;
        },
        model);
  }

  /// Floats in a buffer, the gaps included.
  std::size_t size() const { return size_; }
  const std::vector<parameter_span>& spans() const { return spans_; }

private:
  static constexpr std::size_t line = buffer_alignment / sizeof(float);
  std::vector<parameter_span> spans_;
  std::size_t size_ = 0;
};

/// A flat buffer, all zeros.
inline buffer<float> zeros(const parameter_layout& layout) {
  buffer<float> values(layout.size());
  std::fill_n(values.data(), values.size(), 0.0f);
  return values;
}

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

/// `model`'s gradient (or a moment of it): the same aggregate over `values`.
template <class Model>
auto gradient_of(const Model& model, const parameter_layout& layout, buffer<float>& values) {
  typename Model::template stored_as<gradient_weights> gradient;
  auto span = layout.spans().begin();
  for_each_parameter(
      [&](std::string_view, const auto& parameter, auto& leaf) {
        float* const data = values.data() + span++->offset;
        if constexpr (std::remove_cvref_t<decltype(leaf)>::rank == 2)
          leaf = {data, parameter.rows(), parameter.cols()};
        else
          leaf = {data, parameter.size()};
      },
      model, gradient);
  return gradient;
}

} // namespace transept::inline TRANSEPT_ABI

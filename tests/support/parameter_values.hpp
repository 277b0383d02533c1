// The numbers of a loaded model's parameters, whatever their type and layout.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include <transept/io/file_tensors.hpp>
#include <transept/io/safetensors_writer.hpp>
#include <transept/kernels/embedding.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

namespace support {

/// [rows, cols] of a matrix, by rows. Of panels, a linear layer's outputs are its columns, a table's its
/// rows.
template <class Matrix>
std::vector<float> matrix_values(const Matrix& matrix, bool is_linear) {
  using namespace transept;
  const auto rows = static_cast<std::size_t>(matrix.rows()), cols = static_cast<std::size_t>(matrix.cols());
  std::vector<float> stored(rows * cols);
  if (matrix.layout() == matrix_layout::panels) {
    const std::size_t inputs = is_linear ? rows : cols;
    for (std::size_t output = 0; output < stored.size() / inputs; ++output)
      kernels::copy_row({matrix.data(), matrix.type(), stored.size() / inputs, inputs, matrix_layout::panels},
                        output, stored.data() + output * inputs);
  } else {
    convert_elements({static_cast<const std::byte*>(matrix.data()), stored.size() * size_of(matrix.type())},
                     matrix.type(), std::as_writable_bytes(std::span(stored)), element_type::f32);
  }
  if (!is_linear || matrix.layout() == matrix_layout::row_major) return stored;
  std::vector<float> values(stored.size());
  for (std::size_t r = 0; r < rows; ++r)
    for (std::size_t c = 0; c < cols; ++c) values[r * cols + c] = stored[c * rows + r];
  return values;
}

/// The parameter called so; empty where there is none.
template <class Model>
std::vector<float> parameter_values(const Model& model, std::string_view wanted) {
  std::vector<float> values;
  transept::for_each_parameter(
      [&](std::string_view name, const auto& leaf) {
        if (name != wanted) return;
        if constexpr (std::remove_cvref_t<decltype(leaf)>::rank == 1)
          values.assign(leaf.data(), leaf.data() + leaf.size());
        else
          values = matrix_values(leaf, leaf.use == transept::matrix_use::linear);
      },
      model);
  return values;
}

/// A tensor of a Hugging Face folder, and what it is called in a GGUF file.
struct named_tensor : transept::file_tensor {
  std::string gguf;
};

/// The one tensor that is called so in either kind of file.
template <class Model>
named_tensor tensor_called(const Model& model, std::string_view name) {
  const auto tensors = transept::all_tensors_of(model, transept::file_naming::huggingface);
  const auto in_gguf = transept::all_tensors_of(model, transept::file_naming::gguf);
  for (std::size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].name == name || in_gguf[i].name == name) return {tensors[i], in_gguf[i].name};
  return {};
}

template <class Model>
std::vector<std::string> parameter_names(const Model& model) {
  std::vector<std::string> names;
  transept::for_each_parameter([&](std::string_view name, const auto&) { names.emplace_back(name); }, model);
  return names;
}

} // namespace support

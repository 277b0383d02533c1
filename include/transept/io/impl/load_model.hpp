// How a model's matrices and vectors get their elements (io/load_model.hpp).
#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <transept/core/blocks.hpp>
#include <transept/core/element_type.hpp>
#include <transept/io/find_parameter.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/tensor_rows.hpp>
#include <transept/kernels/panels.hpp>
#include <transept/models/convert.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// The tensor's elements at an address that suits T: in place, or in a copy that `memory` keeps.
template <class T>
const T* aligned_elements(const stored_tensor& tensor, weight_owner& memory) {
  if (reinterpret_cast<std::uintptr_t>(tensor.bytes.data()) % alignof(T) == 0)
    return reinterpret_cast<const T*>(tensor.bytes.data());
  auto copy = std::make_shared<buffer<T>>(tensor.bytes.size() / sizeof(T));
  std::memcpy(copy->data(), tensor.bytes.data(), tensor.bytes.size());
  memory.keep(copy);
  return copy->data();
}

inline const void* aligned_elements(const stored_tensor& tensor, element_type type, weight_owner& memory) {
  return with_element_type(type,
                           [&]<class T>(T) -> const void* { return aligned_elements<T>(tensor, memory); });
}

/// The tensor's elements as f32: in place, or widened into a copy that `memory` keeps.
inline const float* float_elements(const stored_tensor& tensor, element_type type, weight_owner& memory) {
  if (type == element_type::f32) return aligned_elements<float>(tensor, memory);
  return with_element_type(type, [&]<class T>(T) -> const float* {
    const std::size_t count = tensor.bytes.size() / sizeof(T);
    auto widened = std::make_shared<buffer<float>>(count);
    for (std::size_t i = 0; i < count; ++i) {
      T element;
      std::memcpy(&element, tensor.bytes.data() + i * sizeof(T), sizeof(T));
      widened->data()[i] = to_float(element);
    }
    memory.keep(widened);
    return widened->data();
  });
}

/// The tensor's blocks, which lie by outputs, as the kernels' panels. `memory` keeps them.
inline const void* packed_elements(const stored_tensor& tensor, element_type type, thread_pool& threads,
                                   weight_owner& memory) {
  const auto outputs = static_cast<std::size_t>(tensor.shape[0]);
  const auto inputs = static_cast<std::size_t>(tensor.shape[1]);
  std::byte* const packed = allocate_weights<std::byte>(memory, kernels::panel_bytes(type, inputs, outputs));
  kernels::pack_panels(threads, type, tensor.bytes.data(), inputs, outputs, packed);
  return packed;
}

/// The tensor's blocks as f32, for a table that is only looked up. `memory` keeps them.
inline const float* unpacked_elements(const stored_tensor& tensor, element_type type, weight_owner& memory) {
  const auto count = static_cast<std::size_t>(*element_count(tensor.shape));
  float* const values = allocate_weights<float>(memory, count);
  read_elements(tensor.bytes.data(), type, count, values);
  return values;
}

/// Copies the outputs of several tensors, as Hugging Face's or GGUF's files keep them (rows of a matrix that
/// lies as [out, in], or numbers of a vector), into one tensor with the numbers and in the order that they
/// have here. It has the type of all of them, or is f32. `memory` keeps it; the pages of the files are let
/// go.
inline stored_tensor joined(const std::vector<file_tensor>& parts,
                            const std::vector<const stored_tensor*>& tensors, weight_owner& memory) {
  stored_tensor whole = *tensors.front();
  const bool is_matrix = !parts.front().is_vector;
  const auto inputs = is_matrix ? static_cast<std::size_t>(whole.shape[1]) : 1;
  std::size_t outputs = 0;
  bool one_type = true;
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    outputs += static_cast<std::size_t>(parts[i].outputs());
    one_type = one_type && tensors[i]->dtype == whole.dtype && parts[i].offset == 0.0f;
  }
  const element_type type = one_type ? *element_type_of(whole.dtype) : element_type::f32;
  const std::size_t row_bytes = bytes_of(type, inputs);
  std::byte* const data = allocate_weights<std::byte>(memory, outputs * row_bytes);
  std::size_t first = 0; // output
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const element_type its_type = *element_type_of(tensors[i]->dtype);
    const std::size_t its_row_bytes = bytes_of(its_type, inputs);
    const auto count = static_cast<std::size_t>(parts[i].outputs());
    for (std::size_t r = 0; r < count; ++r) {
      const std::byte* const row = tensors[i]->bytes.data() + parts[i].stored_output(r) * its_row_bytes;
      std::byte* const to = data + (first + r) * row_bytes;
      if (one_type) {
        std::memcpy(to, row, row_bytes);
      } else {
        float* const values = reinterpret_cast<float*>(to);
        read_elements(row, its_type, inputs, values);
        for (std::size_t k = 0; k < inputs; ++k) values[k] -= parts[i].offset;
      }
    }
    first += count;
    release_pages(tensors[i]->bytes);
  }
  whole.dtype = name_of(type);
  whole.shape = is_matrix ? std::vector<std::uint64_t>{outputs, inputs} : std::vector<std::uint64_t>{outputs};
  whole.bytes = {data, outputs * row_bytes};
  return whole;
}

TRANSEPT_FUNCTION found_elements find_elements(const checkpoint& weights, const model_names& names,
                                               std::string_view here, const leaf_description& leaf,
                                               const decoder_shape& shape) {
  const std::vector<file_tensor> parts = tensors_of(names, weights.naming(), here, leaf, shape);
  std::vector<const stored_tensor*> tensors;
  for (const file_tensor& part : parts) tensors.push_back(&required_tensor(weights, names, part));
  if (tensors.size() == 1 && parts.front().is_as_here()) return {*tensors.front(), true};
  found_elements found{{}, false};
  found.tensor = joined(parts, tensors, found.assembled);
  return found;
}

TRANSEPT_FUNCTION const float* parameter_loader::vector(std::string_view here, const leaf_description& leaf,
                                                        const decoder_shape& shape) {
  found_elements found = find_elements(weights_, names_, here, leaf, shape);
  const float* const values = float_elements(found.tensor, *element_type_of(found.tensor.dtype), memory_);
  if (!found.is_mapped) memory_.keep(std::make_shared<weight_owner>(std::move(found.assembled)));
  return values;
}

TRANSEPT_FUNCTION kernels::stored_matrix parameter_loader::matrix(std::string_view here,
                                                                  const leaf_description& leaf,
                                                                  matrix_use use,
                                                                  const decoder_shape& shape) {
  found_elements found = find_elements(weights_, names_, here, leaf, shape);
  const auto rows = static_cast<std::size_t>(leaf.shape[0]), cols = static_cast<std::size_t>(leaf.shape[1]);
  const stored_tensor& tensor = found.tensor;
  weight_owner& passing = found.assembled; // of a copy that is converted or packed at once
  const element_type type = *element_type_of(tensor.dtype);
  const bool is_kept = (!options_.type || *options_.type == type) &&
                       !(options_.packed && use == matrix_use::linear && !is_block_type(type));
  if ((is_block_type(type) || !is_kept) && !threads_) threads_.emplace(options_.threads);
  const kernels::stored_matrix stored =
      as_stored(tensor, type, rows, cols, use, is_kept && found.is_mapped ? memory_ : passing);
  const auto release = [&](std::span<const std::byte> bytes) {
    if (found.is_mapped) release_pages(bytes);
  };
  if (is_block_type(type)) release(tensor.bytes);
  if (is_kept) {
    if (!found.is_mapped) memory_.keep(std::make_shared<weight_owner>(std::move(passing)));
    return stored;
  }
  const element_type wanted = options_.type.value_or(type);
  const bool is_packed = options_.packed && use == matrix_use::linear && !is_block_type(wanted);
  if (is_packed) {
    const auto made = packed(in_scratch(stored, use, wanted), use, *threads_, memory_);
    release(tensor.bytes);
    return made;
  }
  const std::size_t row_bytes = tensor.bytes.size() / static_cast<std::size_t>(tensor.shape[0]);
  const auto made =
      converted(stored, use, wanted, *threads_, memory_, [&](std::size_t begin, std::size_t end) {
        release(tensor.bytes.subspan(begin * row_bytes, (end - begin) * row_bytes));
      });
  if (made.data == stored.data)
    memory_.keep(std::make_shared<weight_owner>(std::move(passing)));
  else
    release(tensor.bytes);
  return made;
}

TRANSEPT_FUNCTION kernels::stored_matrix parameter_loader::as_stored(const stored_tensor& tensor,
                                                                     element_type type, std::size_t rows,
                                                                     std::size_t cols, matrix_use use,
                                                                     weight_owner& owner) {
  if (!is_block_type(type))
    return {aligned_elements(tensor, type, owner), type, rows, cols,
            use == matrix_use::linear && stores_outputs_first(weights_, names_) ? matrix_layout::transposed
                                                                                : matrix_layout::row_major};
  if (use == matrix_use::lookup)
    return {unpacked_elements(tensor, type, owner), element_type::f32, rows, cols};
  return {packed_elements(tensor, type, *threads_, owner), type, rows, cols, matrix_layout::panels};
}

TRANSEPT_FUNCTION kernels::stored_matrix parameter_loader::in_scratch(const kernels::stored_matrix& stored,
                                                                      matrix_use use, element_type type) {
  if (stored.type == type) return stored;
  const std::size_t bytes = stored.rows * stored.cols * size_of(type);
  if (scratch_.size() < bytes) scratch_ = buffer<std::byte>(); // not both at once
  if (scratch_.size() < bytes) scratch_ = buffer<std::byte>(bytes);
  if (is_block_type(stored.type) || stored.layout != matrix_layout::transposed) {
    copy_elements(stored, use, *threads_, type, scratch_.data());
    return {scratch_.data(), type, stored.rows, stored.cols};
  }
  copy_elements(kernels::transposed(stored), matrix_use::table, *threads_, type, scratch_.data());
  return kernels::transposed({scratch_.data(), type, stored.cols, stored.rows});
}

TRANSEPT_FUNCTION void note_surplus(const std::vector<const stored_tensor*>& surplus,
                                    const std::function<void(const std::string&)>& note) {
  if (surplus.empty()) return;
  note(escaped(surplus.front()->name, 200) +
       (surplus.size() == 1 ? "" : " and " + std::to_string(surplus.size() - 1) + " more tensors") + " of " +
       surplus.front()->source + (surplus.size() == 1 ? " is" : " are") +
       " no part of the model that config.json describes: not used");
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI

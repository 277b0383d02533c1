// How a model's matrices and vectors get their elements (io/load_model.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <transept/core/blocks.hpp>
#include <transept/core/element_type.hpp>
#include <transept/io/find_parameter.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/tensor_rows.hpp>
#include <transept/kernels/panels.hpp>
#include <transept/kernels/quantize.hpp>
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

/// The outputs of a parameter, in the order and with the numbers that they have here, of one tensor of its
/// files or of several: rows of matrices that lie as [out, in], or numbers of vectors.
class parameter_rows {
public:
  /// Throws shape_error for a tensor that is missing or of another shape or type than the model needs.
  parameter_rows(const checkpoint& weights, const model_names& names, std::string_view here,
                 const leaf_description& leaf, const decoder_shape& shape)
      : parts_(tensors_of(names, weights.naming(), here, leaf, shape)) {
    for (const file_tensor& part : parts_) {
      tensors_.push_back(&required_tensor(weights, names, part));
      readers_.emplace_back(tensors_.back()->dtype);
    }
    inputs_ = leaf.shape.size() == 2 ? static_cast<std::size_t>(tensors_.front()->shape[1]) : 1;
  }

  const stored_tensor& first() const { return *tensors_.front(); }
  std::size_t inputs() const { return inputs_; } ///< numbers in a row
  std::size_t outputs() const {
    std::size_t count = 0;
    for (const file_tensor& part : parts_) count += static_cast<std::size_t>(part.outputs());
    return count;
  }
  /// Whether it is one tensor, as it is here.
  bool is_one() const { return parts_.size() == 1 && parts_.front().is_as_here(); }
  /// The element type that all have, if it is one that the outputs can have here.
  std::optional<element_type> type() const {
    for (std::size_t i = 0; i < parts_.size(); ++i)
      if (tensors_[i]->dtype != first().dtype || parts_[i].offset != 0.0f) return std::nullopt;
    return element_type_of(first().dtype);
  }
  /// Whether any is in blocks that are not computed with.
  bool is_only_read() const {
    return std::ranges::any_of(tensors_, [](const auto* each) { return !element_type_of(each->dtype); });
  }

  /// Whether all are Q4_K, which is computed with as it is.
  bool is_q4_k() const {
    return std::ranges::all_of(tensors_,
                               [](const auto* each) { return each->dtype == name_of(element_type::q4_k); });
  }

  /// Calls f(part, index of the part, first byte) for outputs [begin, end).
  template <class F>
  void for_each_output(std::size_t begin, std::size_t end, F&& f) const {
    std::size_t first = 0;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      const auto count = static_cast<std::size_t>(parts_[i].outputs());
      const std::byte* const bytes = tensors_[i]->bytes.data();
      for (std::size_t o = std::max(begin, first); o < std::min(end, first + count); ++o)
        f(parts_[i], i, bytes + readers_[i].bytes(parts_[i].stored_output(o - first) * inputs_));
      first += count;
    }
  }

  /// out [end − begin, inputs] = outputs [begin, end).
  void read(std::size_t begin, std::size_t end, float* out) const {
    for_each_output(begin, end, [&](const file_tensor& part, std::size_t i, const std::byte* from) {
      readers_[i].read(from, inputs_, out);
      if (part.offset != 0.0f)
        for (std::size_t n = 0; n < inputs_; ++n) out[n] -= part.offset;
      out += inputs_;
    });
  }
  /// out [end − begin, inputs / 32] = outputs [begin, end), all of them Q4_K.
  void read(std::size_t begin, std::size_t end, q4_k_block* out) const {
    for_each_output(begin, end, [&](const file_tensor&, std::size_t, const std::byte* from) {
      split_q4_k(from, inputs_, out);
      out += inputs_ / block_length;
    });
  }

  /// Reads all outputs, about a million numbers at a time and whole panels, and calls f(first output, count,
  /// T [count, ..]) for each piece, T being float or q4_k_block. The pages of the files are let go.
  template <class T, class F>
  void for_each_piece(thread_pool& threads, F&& f) const {
    const std::size_t per_output = std::is_same_v<T, float> ? inputs_ : inputs_ / block_length;
    const std::size_t panels = std::max<std::size_t>(1, (1u << 20) / (inputs_ * kernels::panel_outputs));
    const std::size_t all = outputs(), piece = std::min(panels * kernels::panel_outputs, all);
    buffer<T> values(piece * per_output);
    for (std::size_t begin = 0; begin < all; begin += piece) {
      const std::size_t count = std::min(piece, all - begin);
      parallel_for(threads, count, 1, [&](std::size_t first, std::size_t last, int) {
        read(begin + first, begin + last, values.data() + first * per_output);
      });
      f(begin, count, static_cast<const T*>(values.data()));
    }
    release();
  }

  /// Lets the pages of the files go.
  void release() const {
    for (const stored_tensor* const tensor : tensors_) tensor->release();
  }

private:
  std::vector<file_tensor> parts_;
  std::vector<const stored_tensor*> tensors_;
  std::vector<element_reader> readers_; // of each tensor's dtype
  std::size_t inputs_ = 1;
};

/// The outputs as one tensor that `memory` keeps, of the type that all parts have, or f32; the pages of the
/// files are let go.
inline stored_tensor joined(const parameter_rows& rows, bool is_matrix, weight_owner& memory) {
  stored_tensor whole = rows.first();
  const std::size_t outputs = rows.outputs(), inputs = rows.inputs();
  const auto type = rows.type();
  const std::size_t row_bytes = bytes_of(type.value_or(element_type::f32), inputs);
  std::byte* const data = allocate_weights<std::byte>(memory, outputs * row_bytes);
  if (type) {
    std::byte* to = data;
    rows.for_each_output(0, outputs, [&](const file_tensor&, std::size_t, const std::byte* from) {
      std::memcpy(to, from, row_bytes);
      to += row_bytes;
    });
  } else {
    rows.read(0, outputs, reinterpret_cast<float*>(data));
  }
  rows.release();
  whole.dtype = name_of(type.value_or(element_type::f32));
  whole.shape = is_matrix ? std::vector<std::uint64_t>{outputs, inputs} : std::vector<std::uint64_t>{outputs};
  whole.bytes = {data, outputs * row_bytes};
  whole.is_mapped = false;
  return whole;
}

/// The parameter of these outputs.
inline found_elements elements_of(const parameter_rows& rows, bool is_matrix) {
  if (rows.is_one()) return {rows.first(), true};
  found_elements found{{}, false};
  found.tensor = joined(rows, is_matrix, found.assembled);
  return found;
}

TRANSEPT_FUNCTION found_elements find_elements(const checkpoint& weights, const model_names& names,
                                               std::string_view here, const leaf_description& leaf,
                                               const decoder_shape& shape) {
  return elements_of(parameter_rows(weights, names, here, leaf, shape), leaf.shape.size() == 2);
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
  const parameter_rows source(weights_, names_, here, leaf, shape);
  const auto rows = static_cast<std::size_t>(leaf.shape[0]), cols = static_cast<std::size_t>(leaf.shape[1]);
  const bool is_kept_q4_k = source.is_q4_k() && use != matrix_use::lookup &&
                            options_.type.value_or(element_type::q4_k) == element_type::q4_k;
  const kernels::stored_matrix made = is_kept_q4_k            ? q4_k_in_pieces(source, rows, cols)
                                      : source.is_only_read() ? in_pieces(source, use, rows, cols)
                                                              : at_once(source, use, rows, cols);
  if (source.type() != made.type) note_overflows(here, made);
  return made;
}

TRANSEPT_FUNCTION kernels::stored_matrix parameter_loader::at_once(const parameter_rows& source,
                                                                   matrix_use use, std::size_t rows,
                                                                   std::size_t cols) {
  found_elements found = elements_of(source, true);
  const stored_tensor& tensor = found.tensor;
  weight_owner& passing = found.assembled; // of a copy that is converted or packed at once
  const element_type type = *element_type_of(tensor.dtype);
  const bool is_kept = (!options_.type || *options_.type == type) &&
                       !(options_.packed && use == matrix_use::linear && !is_block_type(type));
  if ((is_block_type(type) || !is_kept) && !threads_) threads_.emplace(options_.threads);
  const kernels::stored_matrix stored =
      as_stored(tensor, type, rows, cols, use, is_kept && found.is_mapped ? memory_ : passing);
  const auto release = [&](std::span<const std::byte> bytes) {
    if (found.is_mapped) tensor.release(bytes);
  };
  if (is_block_type(type)) release(tensor.bytes);
  if (is_kept) {
    if (!found.is_mapped) memory_.keep(std::make_shared<weight_owner>(std::move(passing)));
    return stored;
  }
  const element_type wanted = options_.type.value_or(type);
  if (options_.packed && use == matrix_use::linear && !is_block_type(wanted)) {
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

TRANSEPT_FUNCTION void parameter_loader::note_overflows(std::string_view here,
                                                        const kernels::stored_matrix& made) const {
  if (!options_.note || made.type != element_type::f16) return;
  const std::size_t count = made.layout == matrix_layout::panels
                                ? kernels::panel_bytes(made.type, made.rows, made.cols) / sizeof(f16)
                                : made.rows * made.cols;
  const std::span values(static_cast<const f16*>(made.data), count);
  const auto infinite = std::ranges::count_if(values, is_infinite);
  if (infinite != 0) options_.note(overflow_note(here, static_cast<std::uint64_t>(infinite)));
}

TRANSEPT_FUNCTION kernels::stored_matrix parameter_loader::in_pieces(const parameter_rows& source,
                                                                     matrix_use use, std::size_t rows,
                                                                     std::size_t cols) {
  if (!threads_) threads_.emplace(options_.threads);
  const std::size_t inputs = source.inputs(), outputs = source.outputs();
  element_type type = options_.type.value_or(element_type::q8_0);
  if (use == matrix_use::lookup && is_block_type(type)) type = element_type::f32;
  if (is_block_type(type)) {
    std::byte* const panels =
        allocate_weights<std::byte>(memory_, kernels::panel_bytes(type, inputs, outputs));
    source.for_each_piece<float>(*threads_, [&](std::size_t begin, std::size_t count, const float* values) {
      kernels::quantize_panels(*threads_, {values, element_type::f32, count, inputs}, true, type,
                               panels + kernels::panel_bytes(type, inputs, begin));
    });
    return {panels, type, rows, cols, matrix_layout::panels};
  }
  const bool is_linear = use == matrix_use::linear, is_packed = is_linear && options_.packed;
  weight_owner passing; // of what is packed at once
  std::byte* const data =
      allocate_weights<std::byte>(is_packed ? passing : memory_, outputs * inputs * size_of(type));
  source.for_each_piece<float>(*threads_, [&](std::size_t begin, std::size_t count, const float* values) {
    copy_elements({values, element_type::f32, count, inputs}, matrix_use::table, *threads_, type,
                  data + begin * inputs * size_of(type));
  });
  const kernels::stored_matrix made{data, type, rows, cols,
                                    is_linear ? matrix_layout::transposed : matrix_layout::row_major};
  return is_packed ? packed(made, use, *threads_, memory_) : made;
}

TRANSEPT_FUNCTION kernels::stored_matrix parameter_loader::q4_k_in_pieces(const parameter_rows& source,
                                                                          std::size_t rows,
                                                                          std::size_t cols) {
  if (!threads_) threads_.emplace(options_.threads);
  constexpr element_type type = element_type::q4_k;
  const std::size_t inputs = source.inputs();
  std::byte* const panels =
      allocate_weights<std::byte>(memory_, kernels::panel_bytes(type, inputs, source.outputs()));
  source.for_each_piece<q4_k_block>(
      *threads_, [&](std::size_t begin, std::size_t count, const q4_k_block* blocks) {
        kernels::pack_panels(*threads_, type, blocks, inputs, count,
                             panels + kernels::panel_bytes(type, inputs, begin));
      });
  return {panels, type, rows, cols, matrix_layout::panels};
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

TRANSEPT_FUNCTION std::string overflow_note(std::string_view name, std::uint64_t count) {
  return escaped(name, 200) + ": " + std::to_string(count) + (count == 1 ? " number is" : " numbers are") +
         " beyond what F16 holds (65504), and infinite there";
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

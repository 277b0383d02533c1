// From files to a model: a Hugging Face folder as it was downloaded (config.json, and model.safetensors or
// shards), or a GGUF file as llama.cpp writes them.
//
//   auto model = load<gpt2<gpt2_small>>("path/to/gpt2");
//   auto small = load<gpt2<gpt2_small>>("path/to/gpt2", {.type = element_type::q8_0});    // int8
//   auto other = load<gpt2<gpt2_small>>("gpt2-Q8_0.gguf");
//
// Weights stay in the mapped file wherever their address suits their element type (f32, f16 or bf16); biases
// and norm weights that are not f32 are widened once; Q8_0 and Q4_0 are packed once into panels, number for
// number, and their pages of the file let go. The model shares ownership of the mapping.
// A file that another process truncates while it is mapped is out of scope: reading it then ends the process.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/blocks.hpp>
#include <transept/core/error.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/file_tensors.hpp>
#include <transept/io/find_parameter.hpp>
#include <transept/io/model_files.hpp>
#include <transept/io/tensor_rows.hpp>
#include <transept/kernels/panels.hpp>
#include <transept/models/convert.hpp>
#include <transept/models/decoder.hpp>
#include <transept/runtime/thread_pool.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/tensor/parameters.hpp>

namespace transept::inline TRANSEPT_ABI {

static_assert(std::endian::native == std::endian::little,
              "transept reads files in place: little-endian only");

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
/// lies as [out, in], or numbers of a vector), into one tensor in the order that they have here. It has the
/// type of all of them, or is f32. `memory` keeps it; the pages of the files are let go.
inline stored_tensor joined(const std::vector<file_tensor>& parts,
                            const std::vector<const stored_tensor*>& tensors, bool keeps_order,
                            weight_owner& memory) {
  stored_tensor whole = *tensors.front();
  const bool is_matrix = whole.shape.size() == 2;
  const auto inputs = is_matrix ? static_cast<std::size_t>(whole.shape[1]) : 1;
  std::size_t outputs = 0;
  bool one_type = true;
  for (const stored_tensor* const each : tensors) {
    outputs += static_cast<std::size_t>(each->shape[0]);
    one_type = one_type && each->dtype == whole.dtype;
  }
  const element_type type = one_type ? *element_type_of(whole.dtype) : element_type::f32;
  const std::size_t row_bytes = bytes_of(type, inputs);
  std::byte* const data = allocate_weights<std::byte>(memory, outputs * row_bytes);
  std::size_t first = 0; // output
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const element_type its_type = *element_type_of(tensors[i]->dtype);
    const std::size_t its_row_bytes = bytes_of(its_type, inputs);
    const auto count = static_cast<std::size_t>(tensors[i]->shape[0]);
    for (std::size_t r = 0; r < count; ++r) {
      const std::size_t from = keeps_order ? r : parts[i].stored_output(r);
      const std::byte* const row = tensors[i]->bytes.data() + from * its_row_bytes;
      std::byte* const to = data + (first + r) * row_bytes;
      if (its_type == type)
        std::memcpy(to, row, row_bytes);
      else
        read_elements(row, its_type, inputs, reinterpret_cast<float*>(to));
    }
    first += count;
    release_pages(tensors[i]->bytes);
  }
  whole.dtype = name_of(type);
  whole.shape[0] = outputs;
  whole.bytes = {data, outputs * row_bytes};
  return whole;
}

} // namespace detail

struct load_options {
  /// What matrices are converted to; none: they stay as the file has them, mapped. In a block type, tables
  /// that are only looked up (positions) keep theirs.
  std::optional<element_type> type = std::nullopt;
  /// Whether linear layers are laid out for the kernels (pack_weights) instead of staying mapped: the logits
  /// keep their bits (nearly, where files have linear layers as [out, in]) and come faster, by a fifth or
  /// more where memory is the limit; the whole file is read now, and its memory is not shared with other
  /// processes.
  bool packed = false;
  /// Threads to convert with; 0: one per processor.
  int threads = 0;
};

namespace detail {

/// A parameter's elements in its files: a mapped tensor, or one that was put together, which `assembled`
/// owns.
struct found_elements {
  stored_tensor tensor;
  bool is_mapped;
  weight_owner assembled = {};
};

/// Throws shape_error for a tensor that is missing or of another shape or type than the model needs.
inline found_elements find_elements(const checkpoint& weights, const model_names& names,
                                    std::string_view here, const leaf_description& leaf,
                                    const decoder_shape& shape) {
  const std::vector<file_tensor> parts = tensors_of(names, here, leaf, shape);
  std::vector<const stored_tensor*> tensors;
  for (const file_tensor& part : parts) tensors.push_back(&required_tensor(weights, names, part));
  // A GGUF file has the outputs in the order that they have here.
  const bool keeps_order = weights.is_gguf() || parts.front().order == output_order::as_here;
  if (tensors.size() == 1 && keeps_order) return {*tensors.front(), true};
  found_elements found{{}, false};
  found.tensor = joined(parts, tensors, keeps_order, found.assembled);
  return found;
}

/// Gives the matrices and vectors of one model their elements. Whatever a program's shapes are, they are
/// loaded by their run-time views: this is compiled once.
class parameter_loader {
public:
  /// `outputs_first`: linear layers lie as [out, in].
  parameter_loader(weight_owner& memory, bool outputs_first, const load_options& options)
      : memory_(memory), outputs_first_(outputs_first), options_(options) {}

  /// The numbers of a vector.
  const float* vector(found_elements found) {
    const float* const values = float_elements(found.tensor, *element_type_of(found.tensor.dtype), memory_);
    if (!found.is_mapped) memory_.keep(std::make_shared<weight_owner>(std::move(found.assembled)));
    return values;
  }

  /// A matrix that is called [rows, cols].
  kernels::stored_matrix matrix(found_elements found, std::size_t rows, std::size_t cols, matrix_use use) {
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

private:
  /// As the file has it, but for blocks, which kernels read in panels.
  kernels::stored_matrix as_stored(const stored_tensor& tensor, element_type type, std::size_t rows,
                                   std::size_t cols, matrix_use use, weight_owner& owner) {
    if (!is_block_type(type))
      return {aligned_elements(tensor, type, owner), type, rows, cols,
              use == matrix_use::linear && outputs_first_ ? matrix_layout::transposed
                                                          : matrix_layout::row_major};
    if (use == matrix_use::lookup)
      return {unpacked_elements(tensor, type, owner), element_type::f32, rows, cols};
    return {packed_elements(tensor, type, *threads_, owner), type, rows, cols, matrix_layout::panels};
  }

  /// With elements of `type`, which stand alone, until the next call.
  kernels::stored_matrix in_scratch(const kernels::stored_matrix& stored, matrix_use use, element_type type) {
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

  weight_owner& memory_;
  bool outputs_first_;
  const load_options& options_;
  buffer<std::byte> scratch_;          ///< one for all matrices: many large blocks of passing use leave holes
  std::optional<thread_pool> threads_; ///< started where something is to be converted or packed
};

} // namespace detail

/// Fills every parameter of `model` (shaped, without data) from the tensors that hold it.
/// Throws shape_error for a tensor that is missing or of another shape or type than the model needs.
template <class Model>
void load_parameters(Model& model, weight_owner& memory, const checkpoint& weights,
                     const load_options& options = {}) {
  static constexpr model_names names = detail::names_of<Model>();
  detail::parameter_loader loader(memory, stores_outputs_first(weights, names), options);
  const decoder_shape shape = model.shape();
  for_each_parameter_here(
      [&](std::string_view here, auto& leaf) {
        auto found = detail::find_elements(weights, names, here, leaf_description::of(leaf), shape);
        if constexpr (std::remove_cvref_t<decltype(leaf)>::rank == 1)
          leaf = {loader.vector(std::move(found)), leaf.size()};
        else
          leaf = detail::like(leaf, loader.matrix(std::move(found), static_cast<std::size_t>(leaf.rows()),
                                                  static_cast<std::size_t>(leaf.cols()), leaf.use));
      },
      model);
  memory.keep(weights.owner());
}

/// The model of type `Model` in files that were opened before; see below.
template <class Model>
Model load(const model_files& files, const load_options& options = {}) {
  using family = typename Model::family;
  auto config = files.template config<family>();
  if (const std::string difference = detail::shape_difference(config.shape, Model::static_config);
      !difference.empty())
    throw shape_error(files.path().string() + ": the model in this " + (files.gguf() ? "file" : "folder") +
                      " is not of the compiled type: " + difference + "\n  Its own declaration is\n    " +
                      to_declaration<family>(config.shape, "my_model"));
  Model model = shaped_model<Model>(config.shape, std::move(config.settings));
  load_parameters(model, model.memory, files.weights(), options);
  return model;
}

/// The model of type `Model` in the folder or GGUF file `path`. Throws file_error, format_error,
/// config_error; shape_error where it holds another shape than the type, or tensors that contradict its
/// configuration.
template <class Model>
Model load(const std::filesystem::path& path, const load_options& options = {}) {
  return load<Model>(model_files::open(path), options);
}

} // namespace transept::inline TRANSEPT_ABI

// From a model to a Hugging Face folder: config.json and model.safetensors, as `load` and Hugging Face read
// them.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/io/file_tensors.hpp>
#include <transept/io/model_config.hpp>
#include <transept/io/safetensors_writer.hpp>
#include <transept/io/write_config.hpp>
#include <transept/models/convert.hpp>
#include <transept/tensor/parameters.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What config.json says of a model.
template <class Model>
model_config<typename Model::family> config_of(const Model& model) {
  return {model.config, model.settings};
}

namespace detail {

/// The type in which a matrix can be written without loss: its own, or f32 for blocks, which safetensors
/// does not have.
constexpr element_type writable_type(element_type type) {
  return is_block_type(type) ? element_type::f32 : type;
}

/// The elements of `leaf` as a file has them, of type `type`: of a linear layer by outputs where the model's
/// files have them so.
template <class Leaf>
std::vector<std::byte> file_elements(const Leaf& leaf, element_type type, bool outputs_first,
                                     thread_pool& threads) {
  const auto count = static_cast<std::size_t>(leaf.size());
  std::vector<std::byte> bytes(count * size_of(type));
  if constexpr (std::remove_cvref_t<Leaf>::rank == 1) {
    convert_elements(std::as_bytes(std::span(leaf.data(), count)), element_type::f32, bytes, type);
  } else {
    with_element_type(type, [&]<class T>(T) {
      T* const out = reinterpret_cast<T*>(bytes.data());
      if (!outputs_first || leaf.use != matrix_use::linear) return copy_elements(leaf, threads, out);
      const auto rows = static_cast<std::size_t>(leaf.rows()), cols = static_cast<std::size_t>(leaf.cols());
      if (leaf.layout() == matrix_layout::transposed && leaf.type() == type) {
        std::memcpy(out, leaf.data(), bytes.size());
        return;
      }
      std::vector<T> across(count); // [in, out]
      copy_elements(leaf, threads, across.data());
      parallel_for(threads, cols, 16, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t c = begin; c < end; ++c)
          for (std::size_t r = 0; r < rows; ++r) out[c * rows + r] = across[r * cols + c];
      });
    });
  }
  return bytes;
}

/// Throws argument_error where f16 does not reach the numbers of `leaf`, which `bytes` holds.
template <class Leaf>
void check_range(const Leaf& leaf, std::string_view here, std::span<const std::byte> bytes,
                 thread_pool& threads) {
  const std::size_t count = bytes.size() / sizeof(f16);
  const std::span written(reinterpret_cast<const f16*>(bytes.data()), count);
  const auto after = std::ranges::count_if(written, is_infinite);
  if (after == 0) return;
  std::vector<float> values(count);
  if constexpr (std::remove_cvref_t<Leaf>::rank == 1)
    std::copy_n(leaf.data(), count, values.data());
  else
    copy_elements(leaf, threads, values.data());
  const auto before = std::ranges::count_if(values, [](float x) { return std::isinf(x); });
  if (after > before)
    throw argument_error(std::string(here) + ": " + std::to_string(after - before) +
                         " numbers are beyond what F16 holds (65504): save as f32 or bf16");
}

} // namespace detail

/// Writes every parameter of `model` to a safetensors file, as `stored_as`, or losslessly as the model holds
/// it (biases, norm weights and what is quantized in blocks are f32 then). One parameter at a time is copied.
/// The file appears whole or not at all. Throws file_error; argument_error for a block type, which the format
/// does not have, and for numbers that f16 does not reach.
template <class Model>
void save_parameters(const Model& model, const std::filesystem::path& path,
                     std::optional<element_type> stored_as = std::nullopt) {
  if (stored_as && is_block_type(*stored_as))
    throw argument_error("safetensors files hold no " + std::string(name_of(*stored_as)) +
                         ": save as f32, f16 or bf16");
  const model_names names = names_of(model);
  const decoder_shape shape = model.shape();
  constexpr auto naming = file_naming::huggingface;
  const auto type_in_file = [&](const auto& leaf) {
    return stored_as.value_or(detail::writable_type(leaf.type()));
  };
  std::vector<tensor_entry> entries;
  for_each_parameter_here(
      [&](std::string_view here, const auto& leaf) {
        for (file_tensor& tensor : tensors_of(names, naming, here, leaf_description::of(leaf), shape)) {
          if (tensor.is_linear && !names.inputs_first) std::ranges::reverse(tensor.shape);
          entries.push_back({std::move(tensor.name), std::move(tensor.shape), type_in_file(leaf)});
        }
      },
      model);
  thread_pool threads;
  safetensors_stream file(path, entries);
  for_each_parameter_here(
      [&](std::string_view here, const auto& leaf) {
        const element_type type = type_in_file(leaf);
        const auto bytes = detail::file_elements(leaf, type, !names.inputs_first, threads);
        if (type == element_type::f16 && leaf.type() != type) detail::check_range(leaf, here, bytes, threads);
        const auto parts = tensors_of(names, naming, here, leaf_description::of(leaf), shape);
        if (parts.front().order == output_order::as_here) // parts lie one behind another
          return file.write(std::span<const std::byte>(bytes));
        const auto outputs = static_cast<std::size_t>(parts.front().shape.back());
        const std::size_t row = bytes.size() / outputs;
        std::vector<std::byte> ordered(bytes.size());
        for (std::size_t output = 0; output < outputs; ++output)
          std::memcpy(ordered.data() + parts.front().stored_output(output) * row, bytes.data() + output * row,
                      row);
        file.write(std::span<const std::byte>(ordered));
      },
      model);
  file.commit();
}

/// Writes config.json and model.safetensors, with Hugging Face's names, into `folder`, which is made if it is
/// not there. The vocabulary's files are the caller's. Throws file_error where they cannot be written.
template <class Model>
void save(const Model& model, const std::filesystem::path& folder,
          std::optional<element_type> stored_as = std::nullopt) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) throw file_error(folder.string() + ": cannot make the folder: " + failure.message());
  save_parameters(model, folder / "model.safetensors", stored_as);
  write_config(folder / "config.json", config_of(model),
               stored_as.value_or(detail::writable_type(model.tokens.weight.type())));
}

} // namespace transept::inline TRANSEPT_ABI

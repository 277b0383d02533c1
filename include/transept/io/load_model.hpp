// From a Hugging Face folder to a model, as it was downloaded: config.json, and model.safetensors or shards.
//
//   auto model = load<gpt2<gpt2_small>>("path/to/gpt2");
//   auto small = load<gpt2<gpt2_small>>("path/to/gpt2", {.type = element_type::q8_0});    // int8
//
// Weights stay in the mapped file wherever their address suits their element type (f32, f16 or bf16); biases
// and norm weights that are not f32 are widened once. The model shares ownership of the mapping.
// A file that another process truncates while it is mapped is out of scope: reading it then ends the process.
#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/huggingface_config.hpp>
#include <transept/models/convert.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/tensor/parameters.hpp>

namespace transept::inline TRANSEPT_ABI {

static_assert(std::endian::native == std::endian::little,
              "transept reads files in place: little-endian only");

namespace detail {

/// What differs between a folder's shape and a compiled one, "n_embd 768 (compiled: 256), …"; empty: nothing.
inline std::string shape_difference(const huggingface_config& folder, const gpt2_config& compiled) {
  std::string text;
  const auto compare = [&](std::string_view name, std::int64_t found, std::int64_t expected) {
    if (expected == dyn || found == expected) return;
    if (!text.empty()) text += ", ";
    text += std::string(name) + " is " + std::to_string(found) + ", not " + std::to_string(expected);
  };
  compare("n_embd", folder.n_embd, compiled.n_embd);
  compare("n_layer", folder.n_layer, compiled.n_layer);
  compare("n_head", folder.n_head, compiled.n_head);
  compare("head width", folder.head_width, compiled.head_width);
  compare("n_inner", folder.n_inner, compiled.n_inner);
  compare("vocab_size", folder.vocab_size, compiled.vocab_size);
  compare("n_positions", folder.n_positions, compiled.n_positions);
  if (folder.tie_word_embeddings != compiled.tie_word_embeddings) {
    if (!text.empty()) text += ", ";
    text += folder.tie_word_embeddings ? "tie_word_embeddings is true, not false"
                                       : "tie_word_embeddings is false, not true";
  }
  return text;
}

inline gpt2_settings settings_of(const huggingface_config& config) {
  return {.layer_norm_epsilon = config.layer_norm_epsilon,
          .activation = config.activation_function,
          .scale_attn_weights = config.scale_attn_weights,
          .scale_attn_by_inverse_layer_idx = config.scale_attn_by_inverse_layer_idx,
          .bos_token_id = config.bos_token_id,
          .eos_token_ids = config.eos_token_ids};
}

/// `name`, or the same under the prefix that a whole language model's file may carry.
inline const stored_tensor* find_parameter(const checkpoint& weights, std::string_view name) {
  if (const auto* tensor = weights.find(name)) return tensor;
  return weights.find("transformer." + std::string(name));
}

/// The tensor of parameter `name`, which must have this shape and a type that weights may have.
inline const stored_tensor& required_tensor(const checkpoint& weights, std::string_view name,
                                            std::span<const std::uint64_t> shape) {
  const auto* tensor = find_parameter(weights, name);
  if (tensor == nullptr)
    throw shape_error(weights.folder().string() + ": tensor " + std::string(name) + ": expected " +
                      shape_text(shape) + ", found no tensor of that name\n  (nor transformer." +
                      std::string(name) + ", among " + std::to_string(weights.tensors().size()) + ")");
  const std::string where = tensor->source + ": tensor " + tensor->name + ": ";
  if (!std::ranges::equal(tensor->shape, shape)) {
    const bool transposed = shape.size() == 2 && tensor->shape.size() == 2 && shape[0] == tensor->shape[1] &&
                            shape[1] == tensor->shape[0];
    throw shape_error(
        where + "expected shape " + shape_text(shape) + ", found " + shape_text(tensor->shape) +
        (transposed ? "\n  It looks transposed: GPT-2 keeps linear weights as [in, out]." : ""));
  }
  if (!element_type_of(tensor->dtype))
    throw shape_error(where + "expected F32, F16 or BF16, found " + tensor->dtype);
  return *tensor;
}

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

} // namespace detail

struct load_options {
  /// What matrices are converted to; none: they stay as the file has them, mapped. In a block type, tables
  /// that are only looked up (positions) keep theirs.
  std::optional<element_type> type = std::nullopt;
  /// Threads to convert with; 0: one per processor.
  int threads = 0;
};

/// Fills every parameter of `model` (shaped, without data) from the tensors of the same names.
/// Throws shape_error for a tensor that is missing or of another shape or type than the model needs.
template <class Model>
void load_parameters(Model& model, weight_owner& memory, const checkpoint& weights,
                     const load_options& options = {}) {
  std::optional<thread_pool> threads;
  if (options.type) threads.emplace(options.threads);
  for_each_parameter(
      [&](std::string_view name, auto& leaf) {
        constexpr std::size_t rank = std::remove_cvref_t<decltype(leaf)>::rank;
        std::array<std::uint64_t, rank> shape;
        const auto extents = leaf.shape();
        for (std::size_t i = 0; i < extents.size(); ++i) shape[i] = static_cast<std::uint64_t>(extents[i]);
        const stored_tensor& tensor = detail::required_tensor(weights, name, shape);
        const element_type type = *element_type_of(tensor.dtype);
        if constexpr (rank == 1) {
          leaf = {detail::float_elements(tensor, type, memory), leaf.size()};
        } else {
          weight_owner passing; // of an aligned copy that is converted at once
          const bool is_kept = !options.type || *options.type == type;
          with_element_type(type, [&]<class T>(T) {
            leaf = {detail::aligned_elements<T>(tensor, is_kept ? memory : passing), type, leaf.rows(),
                    leaf.cols()};
          });
          if (!is_kept) {
            const auto converted = convert(leaf, *options.type, *threads, memory);
            if (converted.data() == leaf.data())
              memory.keep(std::make_shared<weight_owner>(std::move(passing)));
            else
              release_pages(tensor.bytes);
            leaf = converted;
          }
        }
      },
      model);
  memory.keep(weights.owner());
}

/// The model of type `Model` in `folder`. Throws file_error, format_error, config_error; shape_error where
/// the folder holds another shape than the type, or tensors that contradict its config.json.
template <class Model>
Model load(const std::filesystem::path& folder, const load_options& options = {}) {
  const huggingface_config config = read_config(folder / "config.json");
  if (const std::string difference = detail::shape_difference(config, Model::config); !difference.empty())
    throw shape_error(folder.string() + ": the model in this folder is not of the compiled type: " +
                      difference + "\n  Its own declaration is\n    " + to_declaration(config, "my_model"));
  Model model = Model::shaped(config.vocab_size, config.n_positions);
  model.settings = detail::settings_of(config);
  load_parameters(model, model.memory, checkpoint::open(folder), options);
  return model;
}

} // namespace transept::inline TRANSEPT_ABI

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
#include <string>
#include <string_view>

#include <transept/core/blocks.hpp>
#include <transept/core/error.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/find_parameter.hpp>
#include <transept/io/huggingface_config.hpp>
#include <transept/io/model_files.hpp>
#include <transept/io/tensor_rows.hpp>
#include <transept/kernels/panels.hpp>
#include <transept/models/convert.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/runtime/thread_pool.hpp>
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

/// The tensor's blocks, which lie by outputs, as the kernels' panels. `memory` keeps them; the pages of the
/// file are let go.
inline const void* packed_elements(const stored_tensor& tensor, element_type type, thread_pool& threads,
                                   weight_owner& memory) {
  const auto outputs = static_cast<std::size_t>(tensor.shape[0]);
  const auto inputs = static_cast<std::size_t>(tensor.shape[1]);
  std::byte* const packed = allocate_weights<std::byte>(memory, kernels::panel_bytes(type, inputs, outputs));
  kernels::with_group_type(type, [&]<class Group>(std::type_identity<Group>) {
    kernels::pack_panels(threads, inputs, outputs, reinterpret_cast<Group*>(packed),
                         [&](std::size_t output, std::size_t index) {
                           typename Group::block block;
                           const std::size_t place = output * (inputs / block_length) + index;
                           std::memcpy(&block, tensor.bytes.data() + place * sizeof block, sizeof block);
                           return block;
                         });
  });
  release_pages(tensor.bytes);
  return packed;
}

/// The tensor's blocks as f32, for a table that is only looked up. `memory` keeps them.
inline const float* unpacked_elements(const stored_tensor& tensor, element_type type, weight_owner& memory) {
  const auto count = static_cast<std::size_t>(*element_count(tensor.shape));
  float* const values = allocate_weights<float>(memory, count);
  read_elements(tensor.bytes.data(), type, count, values);
  release_pages(tensor.bytes);
  return values;
}

} // namespace detail

struct load_options {
  /// What matrices are converted to; none: they stay as the file has them, mapped. In a block type, tables
  /// that are only looked up (positions) keep theirs.
  std::optional<element_type> type = std::nullopt;
  /// Whether linear layers are laid out for the kernels (pack_weights) instead of staying mapped: the logits
  /// keep their bits and come faster, by a fifth or more where memory is the limit; the whole file is read
  /// now, and its memory is not shared with other processes.
  bool packed = false;
  /// Threads to convert with; 0: one per processor.
  int threads = 0;
};

/// Fills every parameter of `model` (shaped, without data) from the tensors of the same names.
/// Throws shape_error for a tensor that is missing or of another shape or type than the model needs.
template <class Model>
void load_parameters(Model& model, weight_owner& memory, const checkpoint& weights,
                     const load_options& options = {}) {
  std::optional<thread_pool> threads; // started where something is to be converted or packed
  for_each_parameter(
      [&](std::string_view name, auto& leaf) {
        constexpr std::size_t rank = std::remove_cvref_t<decltype(leaf)>::rank;
        std::array<std::uint64_t, rank> shape;
        const auto extents = leaf.shape();
        for (std::size_t i = 0; i < extents.size(); ++i) shape[i] = static_cast<std::uint64_t>(extents[i]);
        const stored_tensor& tensor = required_tensor(weights, name, shape);
        const element_type type = *element_type_of(tensor.dtype);
        if constexpr (rank == 1) {
          leaf = {detail::float_elements(tensor, type, memory), leaf.size()};
        } else {
          weight_owner passing; // of a copy that is converted or packed at once
          constexpr bool is_linear = std::remove_cvref_t<decltype(leaf)>::use == matrix_use::linear;
          const bool is_kept = (!options.type || *options.type == type) &&
                               !(options.packed && is_linear && !is_block_type(type));
          if ((is_block_type(type) || !is_kept) && !threads) threads.emplace(options.threads);
          weight_owner& owner = is_kept ? memory : passing;
          if (is_block_type(type)) {
            if constexpr (std::remove_cvref_t<decltype(leaf)>::use == matrix_use::lookup)
              leaf = {detail::unpacked_elements(tensor, type, owner), element_type::f32, leaf.rows(),
                      leaf.cols()};
            else
              leaf = {detail::packed_elements(tensor, type, *threads, owner), type, leaf.rows(), leaf.cols(),
                      matrix_layout::panels};
          } else {
            with_element_type(type, [&]<class T>(T) {
              leaf = {detail::aligned_elements<T>(tensor, owner), type, leaf.rows(), leaf.cols(),
                      tensor.layout};
            });
          }
          if (!is_kept) {
            const element_type wanted = options.type.value_or(type);
            const bool is_packed = options.packed && is_linear && !is_block_type(wanted);
            weight_owner between; // of a converted copy that is packed at once
            const std::size_t row_bytes = tensor.bytes.size() / static_cast<std::size_t>(shape[0]);
            auto converted =
                convert(leaf, wanted, *threads, is_packed ? between : memory,
                        [&](std::size_t begin, std::size_t end) {
                          release_pages(tensor.bytes.subspan(begin * row_bytes, (end - begin) * row_bytes));
                        });
            if (is_packed) converted = pack(converted, *threads, memory);
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

/// The model of type `Model` in files that were opened before; see below.
template <class Model>
Model load(const model_files& files, const load_options& options = {}) {
  const huggingface_config& config = files.config();
  if (const std::string difference = detail::shape_difference(config, Model::config); !difference.empty())
    throw shape_error(files.path().string() + ": the model in this " + (files.gguf() ? "file" : "folder") +
                      " is not of the compiled type: " + difference + "\n  Its own declaration is\n    " +
                      to_declaration(config, "my_model"));
  Model model = Model::shaped(config.vocab_size, config.n_positions);
  model.settings = detail::settings_of(config);
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

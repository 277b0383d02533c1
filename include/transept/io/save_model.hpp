// From a model to a Hugging Face folder: config.json and model.safetensors, as `load` and Hugging Face read
// them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/io/huggingface_config.hpp>
#include <transept/io/safetensors_writer.hpp>
#include <transept/models/convert.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/tensor/parameters.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What config.json says of a model.
template <gpt2_config Config>
huggingface_config config_of(const gpt2<Config>& model) {
  return {.n_embd = Config.n_embd,
          .n_layer = Config.n_layer,
          .n_head = Config.n_head,
          .head_width = Config.head_width,
          .vocab_size = model.vocab_size(),
          .n_positions = model.n_positions(),
          .n_inner = Config.n_inner,
          .tie_word_embeddings = Config.tie_word_embeddings,
          .layer_norm_epsilon = model.settings.layer_norm_epsilon,
          .activation_function = model.settings.activation,
          .scale_attn_weights = model.settings.scale_attn_weights,
          .scale_attn_by_inverse_layer_idx = model.settings.scale_attn_by_inverse_layer_idx,
          .bos_token_id = model.settings.bos_token_id,
          .eos_token_ids = model.settings.eos_token_ids};
}

namespace detail {

/// The type in which a matrix can be written without loss: its own, or f32 for blocks, which safetensors
/// does not have.
constexpr element_type writable_type(element_type type) {
  return is_block_type(type) ? element_type::f32 : type;
}

/// A matrix whose elements lie by rows: as it is, or a copy that `memory` keeps.
template <extent Rows, extent Cols, matrix_use Use>
weight_matrix<Rows, Cols, Use> lying_by_rows(const weight_matrix<Rows, Cols, Use>& w, thread_pool& threads,
                                             weight_owner& memory) {
  if (w.layout() == matrix_layout::row_major) return w;
  const element_type type = writable_type(w.type());
  return with_element_type(type, [&]<class T>(T) -> weight_matrix<Rows, Cols, Use> {
    T* const data = allocate_weights<T>(memory, static_cast<std::size_t>(w.size()));
    copy_elements(w, threads, data);
    return {data, type, w.rows(), w.cols()};
  });
}

} // namespace detail

/// Writes every parameter of `model` to a safetensors file, as `stored_as`, or losslessly as the model holds
/// it (biases, norm weights and what is quantized in blocks are f32 then). The file appears whole or not at
/// all. Throws file_error; argument_error for a block type, which the format does not have.
template <class Model>
void save_parameters(const Model& model, const std::filesystem::path& path,
                     std::optional<element_type> stored_as = std::nullopt) {
  if (stored_as && is_block_type(*stored_as))
    throw argument_error("safetensors files hold no " + std::string(name_of(*stored_as)) +
                         ": save as f32, f16 or bf16");
  std::vector<outgoing_tensor> tensors;
  thread_pool threads;
  weight_owner passing; // of copies, until they are written
  for_each_parameter(
      [&](std::string_view name, const auto& stored) {
        const auto leaf = [&] {
          if constexpr (std::remove_cvref_t<decltype(stored)>::rank == 2)
            return detail::lying_by_rows(stored, threads, passing);
          else
            return stored;
        }();
        const auto extents = leaf.shape();
        const std::size_t bytes = static_cast<std::size_t>(leaf.size()) * size_of(leaf.type());
        tensors.push_back({.name = std::string(name),
                           .shape = {extents.begin(), extents.end()},
                           .bytes = {reinterpret_cast<const std::byte*>(leaf.data()), bytes},
                           .type = leaf.type(),
                           .stored_as = stored_as.value_or(leaf.type())});
      },
      model);
  write_safetensors(path, tensors);
}

/// Writes config.json and model.safetensors into `folder`, which is made if it is not there; an untied output
/// is called lm_head.weight, all other names have no prefix. The vocabulary's files are the caller's.
/// Throws file_error where they cannot be written.
template <gpt2_config Config>
void save(const gpt2<Config>& model, const std::filesystem::path& folder,
          std::optional<element_type> stored_as = std::nullopt) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) throw file_error(folder.string() + ": cannot make the folder: " + failure.message());
  save_parameters(model, folder / "model.safetensors", stored_as);
  write_config(folder / "config.json", config_of(model),
               stored_as.value_or(detail::writable_type(model.wte.weight.type())));
}

} // namespace transept::inline TRANSEPT_ABI

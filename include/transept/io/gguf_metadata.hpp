// The header of a model's GGUF file: as llama.cpp's converter writes it, or with our own config.json as a key
// (gguf_config.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/element_type.hpp>
#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/io/file_tensors.hpp>
#include <transept/io/gguf_config.hpp>
#include <transept/io/gguf_values.hpp>
#include <transept/io/gguf_writer.hpp>
#include <transept/io/model_files.hpp>
#include <transept/io/write_config.hpp>
#include <transept/layers/positions/rotary_frequencies.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A vector of F32 in a file.
struct named_vector {
  std::string name;          ///< the tensor's
  std::vector<float> values; ///< its elements
};

/// What the GGUF file of a model begins with.
struct gguf_header {
  gguf_keys keys = {};                        ///< its metadata
  file_naming naming = file_naming::own_gguf; ///< of the model's tensors
  std::vector<named_vector> vectors = {};     ///< tensors beside the model's: rotary factors

  /// The values of the vector of this name; nothing where there is none.
  std::vector<float> vector(std::string_view name) const {
    for (const named_vector& each : vectors)
      if (each.name == name) return each.values;
    return {};
  }
};

namespace detail {

/// general.file_type: what most of the file is.
constexpr std::uint32_t gguf_file_type(element_type type) {
  switch (type) {
  case element_type::f32:
    return 0;
  case element_type::f16:
    return 1;
  case element_type::q4_0:
    return 2;
  case element_type::q8_0:
    return 7;
  case element_type::bf16:
    return 32;
  case element_type::q4_k: // which is not written
    break;
  }
  return 0;
}

/// The keys of another file that do not depend on the type of the matrices, but for those that are there.
TRANSEPT_FUNCTION void add_other_keys(gguf_keys& keys, const gguf_metadata& from);

/// A model's numbers for an architecture's keys.
struct gguf_numbers {
  int n_embd, n_layer, n_head, n_key_value_head, head_width, n_positions, n_inner;
};

/// Adds an architecture's keys of a model that its config.json describes: `rotary` its positions, where they
/// are rotated. Of scaled frequencies that no key says, the factors are `vectors`. Throws config_error, in
/// words for the note, for a scaling that no GGUF file has.
TRANSEPT_FUNCTION void add_model_keys(gguf_keys& keys, std::vector<named_vector>& vectors,
                                      const gguf_architecture& architecture, const gguf_numbers& numbers,
                                      std::string_view config, const rotary_settings* rotary);

/// Reads keys that are to be written; `keys` must outlive it.
TRANSEPT_FUNCTION gguf_metadata metadata_of(const gguf_keys& keys);

/// Whether positions are turned by the same angles, as nearly as f32 has them, and scaled alike.
TRANSEPT_FUNCTION bool turn_alike(const rotary_settings& a, const rotary_settings& b);

/// In which member two config.json differ, in words: "hidden_act: expected "silu", found "relu"".
TRANSEPT_FUNCTION std::string first_difference(std::string_view expected, std::string_view found);

/// The vectors beside a model's parameters in a file.
TRANSEPT_FUNCTION std::vector<named_vector> rotary_vectors(const gguf_file& file);

/// The lists of the folder's vocabulary, if it has one: ids that it leaves unused become [PAD…] up to the
/// model's size, as with llama.cpp.
TRANSEPT_FUNCTION void add_vocabulary(gguf_keys& keys, const std::filesystem::path& folder, int vocab_size,
                                      const std::string& source);

/// What the model's settings say, but for what a vocabulary's template said before.
template <class Settings>
void add_special_tokens(gguf_keys& keys, const Settings& settings) {
  const auto add = [&](const char* key, token_id token) {
    if (!keys.contains(key)) keys.add(key, static_cast<std::uint32_t>(token));
  };
  const auto& ends = settings.eos_token_ids;
  if (settings.bos_token_id) add("tokenizer.ggml.bos_token_id", *settings.bos_token_id);
  if (!ends.empty()) add("tokenizer.ggml.eos_token_id", ends[0]);
  if (ends.size() > 1) add("tokenizer.ggml.eot_token_id", ends[1]);
}

/// The architecture of a model of this kind, or nullptr.
template <class Family, class Settings>
const gguf_architecture* architecture_of(const Settings& settings) {
  if constexpr (gguf_family<Family>) {
    std::string_view type = Family::model_types.front();
    if constexpr (requires { settings.model_type; }) type = settings.model_type;
    for (const gguf_architecture& each : Family::gguf)
      if (type == each.model_type || type == each.model_type_with_window) return &each;
  }
  return nullptr;
}

/// Adds the architecture's keys to `header`. Returns why they do not say what the configuration says, which
/// is found by reading them; nothing where they do.
template <gguf_family Family>
std::string express(gguf_header& header, const gguf_architecture& architecture,
                    const model_config<Family>& config) {
  const auto& shape = config.shape;
  const attention_extents attention = shape.attention();
  const rotary_settings* rotary = nullptr;
  if constexpr (requires { config.settings.rotary; }) rotary = &config.settings.rotary;
  std::set<std::string, std::less<>> tensors;
  const auto model = shaped_model<any_shape<Family>>(shape, config.settings);
  for (const file_tensor& tensor : all_tensors_of(model, file_naming::gguf)) tensors.insert(tensor.name);
  try {
    add_model_keys(header.keys, header.vectors, architecture,
                   {shape.n_embd, shape.n_layer, shape.n_head, static_cast<int>(attention.key_value_heads),
                    shape.head_width, shape.n_positions, shape.n_inner},
                   to_json(config), rotary);
    const gguf_metadata metadata = metadata_of(header.keys);
    auto back = read_config<Family>({.metadata = &metadata,
                                     .name = "GGUF",
                                     .vocab_size = shape.vocab_size,
                                     .is_tied = bool(shape.tie_word_embeddings),
                                     .vector = [&](std::string_view name) { return header.vector(name); },
                                     .has = [&](std::string_view name) { return tensors.contains(name); }},
                                    architecture);
    // What other keys say, and what is said in other words.
    back.settings.bos_token_id = config.settings.bos_token_id;
    back.settings.eos_token_ids = config.settings.eos_token_ids;
    if constexpr (requires { config.settings.model_type; })
      back.settings.model_type = config.settings.model_type;
    if constexpr (requires { config.settings.rotary; })
      if (turn_alike(back.settings.rotary, *rotary)) back.settings.rotary = *rotary;
    return back == config ? "" : first_difference(to_json(back), to_json(config));
  } catch (const config_error& error) {
    return error.what();
  }
}

} // namespace detail

/// What the GGUF file of the model in `files` begins with, for matrices of type `type`. A GGUF file's own
/// header is taken over, but for what depends on the type. `note` hears of a model that its architecture in
/// llama.cpp cannot express, which only this library reads then. Throws config_error for a vocabulary that is
/// larger than the model's, and what reading the vocabulary does.
template <model_family Family>
gguf_header gguf_header_of(const model_files& files, element_type type,
                           const std::function<void(const std::string&)>& note = {}) {
  gguf_header header;
  const auto begin = [&](std::string_view architecture) {
    header.keys.add("general.architecture", architecture);
    header.keys.add("general.file_type", detail::gguf_file_type(type));
    if (is_block_type(type)) header.keys.add("general.quantization_version", std::uint32_t{2});
  };
  if (files.gguf()) {
    const gguf_file& file = *files.gguf();
    header.naming = file.naming();
    header.vectors = detail::rotary_vectors(file);
    begin(file.metadata().text("general.architecture").value_or(own_architecture));
    detail::add_other_keys(header.keys, file.metadata());
    return header;
  }
  const model_config<Family> config = files.config<Family>();
  gguf_header model;
  const gguf_architecture* const architecture = detail::architecture_of<Family>(config.settings);
  if constexpr (gguf_family<Family>)
    if (architecture != nullptr) {
      const std::string problem = detail::express<Family>(model, *architecture, config);
      if (problem.empty()) model.naming = file_naming::gguf;
      if (!problem.empty() && note)
        note("GGUF's " + std::string(architecture->name) + " has no key for " + problem +
             "; only Transept will read the file");
    }
  if (model.naming != file_naming::gguf) {
    model = {.naming = file_naming::own_gguf};
    model.keys.add(own_config_key, to_json(config));
  }
  header.naming = model.naming;
  header.vectors = std::move(model.vectors);
  begin(model.naming == file_naming::gguf ? architecture->name : own_architecture);
  header.keys.add("general.type", "model");
  header.keys.add("general.name",
                  std::filesystem::absolute(files.path() / "config.json").parent_path().filename().string());
  header.keys.append(model.keys);
  detail::add_vocabulary(header.keys, files.path(), config.shape.vocab_size, files.path().string());
  detail::add_special_tokens(header.keys, config.settings);
  return header;
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/gguf_metadata.hpp>
#endif

// The metadata of a model's GGUF file: as llama.cpp's converter writes it, or with our own config.json as a
// key (gguf_config.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include <transept/core/element_type.hpp>
#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/io/gguf_values.hpp>
#include <transept/io/gguf_writer.hpp>
#include <transept/io/model_files.hpp>
#include <transept/io/write_config.hpp>

namespace transept::inline TRANSEPT_ABI {

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
  }
  return 0;
}

/// The keys of another file that do not depend on the type of the matrices, but for those that are there.
TRANSEPT_FUNCTION void add_other_keys(gguf_keys& keys, const gguf_metadata& from);

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

} // namespace detail

/// The metadata of the model in `files` with matrices of type `type`. A GGUF file's keys are taken over, but
/// for what depends on the type. `note` hears of a model that its architecture in llama.cpp cannot express,
/// which only this library reads then. Throws config_error for a vocabulary that is larger than the model's,
/// and what reading the vocabulary does.
template <model_family Family>
gguf_keys gguf_metadata_of(const model_files& files, element_type type,
                           const std::function<void(const std::string&)>& note = {}) {
  const std::string source = files.path().string();
  model_config<Family> config = files.config<Family>();
  gguf_keys keys, shape;
  bool is_expressed = false;
  if constexpr (gguf_family<Family>) {
    std::string problem;
    Family::write_gguf(shape, config.shape, config.settings,
                       [&](const std::string& what) { problem = what; });
    is_expressed = problem.empty();
    if (!is_expressed && note)
      note("GGUF's " + std::string(Family::gguf_architecture) + " has no key for " + problem +
           "; only Transept will read the file");
    if (is_expressed)
      keys.add("general.architecture", Family::gguf_architecture);
    else
      shape = {};
  }
  if (!is_expressed) {
    keys.add("general.architecture", own_architecture);
    shape.add(own_config_key, to_json(config));
  }
  keys.add("general.file_type", detail::gguf_file_type(type));
  if (is_block_type(type)) keys.add("general.quantization_version", std::uint32_t{2});
  if (files.gguf()) {
    detail::add_other_keys(keys, files.gguf()->metadata());
    return keys;
  }
  keys.add("general.type", "model");
  keys.add("general.name",
           std::filesystem::absolute(files.path() / "config.json").parent_path().filename().string());
  keys.append(shape);
  detail::add_vocabulary(keys, files.path(), config.shape.vocab_size, source);
  detail::add_special_tokens(keys, config.settings);
  return keys;
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/gguf_metadata.hpp>
#endif

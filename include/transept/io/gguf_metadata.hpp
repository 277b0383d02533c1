// The metadata of a model's GGUF file: as llama.cpp's converter writes it, or with our own config.json as a
// key (gguf_config.hpp).
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/element_type.hpp>
#include <transept/core/error.hpp>
#include <transept/io/gguf_writer.hpp>
#include <transept/io/model_files.hpp>
#include <transept/io/write_config.hpp>
#include <transept/text/byte_alphabet.hpp>
#include <transept/text/token_lists.hpp>
#include <transept/text/tokenizer_folder.hpp>

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

/// The vocabulary's lists: ids that it leaves unused become [PAD…] up to the model's size, as with llama.cpp.
inline void add_vocabulary(gguf_keys& keys, const vocabulary& from, int vocab_size,
                           const std::string& source) {
  const auto size = static_cast<std::size_t>(vocab_size);
  if (from.tokens.size() > size)
    throw config_error(source + ": vocab_size: expected at least the vocabulary's " +
                       std::to_string(from.tokens.size()) + " tokens, found " + std::to_string(size));
  std::vector<std::string> symbols;
  std::vector<std::int32_t> kinds(size, static_cast<std::int32_t>(token_kind::normal));
  for (const std::string& token : from.tokens) symbols.push_back(to_byte_alphabet(token));
  for (const added_token& added : from.added) {
    const auto id = static_cast<std::size_t>(added.id);
    symbols[id] = from.tokens[id];
    kinds[id] = static_cast<std::int32_t>(added.special ? token_kind::control : token_kind::user_defined);
  }
  for (std::size_t id = symbols.size(); id < size; ++id) {
    symbols.push_back("[PAD" + std::to_string(id) + "]");
    kinds[id] = static_cast<std::int32_t>(token_kind::unused);
  }
  std::vector<std::string> merges;
  for (const token_merge& merge : from.merges)
    merges.push_back(to_byte_alphabet(from.tokens[static_cast<std::size_t>(merge.left)]) + " " +
                     to_byte_alphabet(from.tokens[static_cast<std::size_t>(merge.right)]));
  keys.add("tokenizer.ggml.model", "gpt2");
  keys.add("tokenizer.ggml.pre", "gpt-2");
  keys.add("tokenizer.ggml.tokens", std::span<const std::string>(symbols));
  keys.add("tokenizer.ggml.token_type", std::span<const std::int32_t>(kinds));
  keys.add("tokenizer.ggml.merges", std::span<const std::string>(merges));
}

template <class Settings>
void add_special_tokens(gguf_keys& keys, const Settings& settings) {
  const auto id = [](token_id token) { return static_cast<std::uint32_t>(token); };
  const auto& ends = settings.eos_token_ids;
  if (settings.bos_token_id) keys.add("tokenizer.ggml.bos_token_id", id(*settings.bos_token_id));
  if (!ends.empty()) keys.add("tokenizer.ggml.eos_token_id", id(ends[0]));
  if (ends.size() > 1) keys.add("tokenizer.ggml.eot_token_id", id(ends[1]));
}

} // namespace detail

/// The metadata of the model in `files` with matrices of type `type`. A GGUF file's keys are taken over, but
/// for what depends on the type. Throws config_error for a model that its architecture in llama.cpp cannot
/// express or a vocabulary that is larger than the model's, and what reading the vocabulary does.
template <model_family Family>
gguf_keys gguf_metadata_of(const model_files& files, element_type type) {
  const std::string source = files.path().string();
  model_config<Family> config = files.config<Family>();
  gguf_keys keys, shape;
  if constexpr (gguf_family<Family>) {
    keys.add("general.architecture", Family::gguf_architecture);
    Family::write_gguf(shape, config.shape, config.settings, [&](const std::string& what) {
      throw config_error(source + ": " + what + "\n  GGUF's " + std::string(Family::gguf_architecture) +
                         " has no key for it.");
    });
  } else {
    keys.add("general.architecture", own_architecture);
    shape.add(own_config_key, to_json(config));
  }
  keys.add("general.file_type", detail::gguf_file_type(type));
  if (is_block_type(type)) keys.add("general.quantization_version", std::uint32_t{2});
  if (files.gguf()) {
    for (const auto& [key, value] : files.gguf()->metadata().values()) {
      const bool depends = key == "general.alignment" || key == "general.quantization_version";
      if (!depends && !keys.contains(key)) keys.add(key, value);
    }
    return keys;
  }
  keys.add("general.type", "model");
  keys.add("general.name",
           std::filesystem::absolute(files.path() / "config.json").parent_path().filename().string());
  keys.append(shape);
  if (has_vocabulary(files.path()))
    detail::add_vocabulary(keys, read_vocabulary_folder(files.path()), config.shape.vocab_size, source);
  detail::add_special_tokens(keys, config.settings);
  return keys;
}

} // namespace transept::inline TRANSEPT_ABI

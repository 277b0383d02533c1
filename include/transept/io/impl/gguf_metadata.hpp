// A vocabulary as a GGUF file's metadata, and keys of another file (io/gguf_metadata.hpp).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/io/gguf_metadata.hpp>
#include <transept/text/byte_alphabet.hpp>
#include <transept/text/token_lists.hpp>
#include <transept/text/tokenizer_folder.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION void add_other_keys(gguf_keys& keys, const gguf_metadata& from) {
  for (const auto& [key, value] : from.values()) {
    const bool depends = key == "general.alignment" || key == "general.quantization_version";
    if (!depends && !keys.contains(key)) keys.add(key, value);
  }
}

TRANSEPT_FUNCTION void add_vocabulary(gguf_keys& keys, const std::filesystem::path& folder, int vocab_size,
                                      const std::string& source) {
  if (!has_vocabulary(folder)) return;
  const vocabulary from = read_vocabulary_folder(folder);
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

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI

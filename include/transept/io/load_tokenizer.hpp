// From a Hugging Face folder or a GGUF file to a tokenizer.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/io/gguf.hpp>
#include <transept/text/token_lists.hpp>
#include <transept/text/tokenizer.hpp>
#include <transept/text/tokenizer_folder.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The vocabulary in a GGUF file's metadata (tokenizer.ggml.*). Throws file_error where there is none,
/// format_error for a key of the wrong type and a token that is no UTF-8, tokenizer_error for a vocabulary
/// that contradicts itself or that is not GPT-2's kind.
inline vocabulary read_vocabulary(const gguf_file& file) {
  const std::string source = file.path().string();
  const gguf_metadata& metadata = file.metadata();
  const auto tokens = metadata.texts("tokenizer.ggml.tokens");
  const auto merges = metadata.texts("tokenizer.ggml.merges");
  if (!tokens || !merges)
    throw file_error(source + ": no tokenizer here: no key tokenizer.ggml." + (tokens ? "merges" : "tokens"));
  const auto expect = [&](std::string_view key, std::string_view expected) {
    const auto found = metadata.text(key);
    if (found && *found != expected)
      throw tokenizer_error(source + ": key " + quoted(key) + ": expected " + quoted(expected) + ", found " +
                            quoted(*found) + "\n  (only the byte-level BPE of GPT-2 is supported)");
  };
  // GPT-2's alphabet writes every byte as a character, so that a token of any bytes is valid UTF-8.
  for (std::size_t id = 0; id < tokens->size(); ++id)
    if (!is_utf8((*tokens)[id]))
      throw format_error(source + ": key \"tokenizer.ggml.tokens\": token " + std::to_string(id) +
                         ": expected UTF-8, found " + quoted((*tokens)[id]));
  expect("tokenizer.ggml.model", "gpt2");
  if (metadata.text("tokenizer.ggml.pre") != "default") expect("tokenizer.ggml.pre", "gpt-2");
  const auto kinds = metadata.integers("tokenizer.ggml.token_type").value_or(std::vector<std::int64_t>());
  return read_token_lists({source, *tokens, kinds, *merges});
}

/// The tokenizer of a Hugging Face folder (text/tokenizer_folder.hpp says which files) or of a GGUF file.
/// Throws file_error where there is none, format_error for broken files, tokenizer_error for a vocabulary
/// that contradicts itself or that is not GPT-2's kind.
inline tokenizer load_tokenizer(const std::filesystem::path& path) {
  return is_gguf(path) ? tokenizer(read_vocabulary(gguf_file::open(path))) : load_tokenizer_folder(path);
}

} // namespace transept::inline TRANSEPT_ABI

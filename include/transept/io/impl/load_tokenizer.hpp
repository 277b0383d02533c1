// How a vocabulary is found in a folder or a GGUF file (io/load_tokenizer.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/text/token_lists.hpp>
#include <transept/text/tokenizer_folder.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION vocabulary read_vocabulary(const gguf_file& file) {
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

TRANSEPT_FUNCTION tokenizer load_tokenizer(const std::filesystem::path& path) {
  return is_gguf(path) ? tokenizer(read_vocabulary(gguf_file::open(path))) : load_tokenizer_folder(path);
}

} // namespace transept::inline TRANSEPT_ABI

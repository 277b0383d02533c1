// How the files of a folder become a tokenizer (text/tokenizer_folder.hpp).
#pragma once

#include <fstream>
#include <optional>
#include <string>
#include <system_error>

#include <transept/core/error.hpp>
#include <transept/text/tokenizer_folder.hpp>
#include <transept/text/vocabulary_files.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// The whole of a file. Throws file_error where it is no regular file or cannot be read.
inline source_text read_source(const std::filesystem::path& path) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(path, none)) throw file_error(path.string() + ": not a regular file");
  std::ifstream file(path, std::ios::binary);
  if (!file) throw file_error(path.string() + ": cannot be opened");
  source_text source{path.string(), {}};
  std::string chunk(1u << 16, '\0');
  while (file.read(chunk.data(), static_cast<std::streamsize>(chunk.size())) || file.gcount() > 0) {
    source.text.append(chunk, 0, static_cast<std::size_t>(file.gcount()));
  }
  if (file.bad()) throw file_error(path.string() + ": cannot be read");
  return source;
}

} // namespace detail

TRANSEPT_FUNCTION bool has_vocabulary(const std::filesystem::path& folder) {
  std::error_code none;
  const auto has = [&](const char* name) { return std::filesystem::exists(folder / name, none); };
  return (has("vocab.json") && has("merges.txt")) || has("tokenizer.json");
}

TRANSEPT_FUNCTION vocabulary read_vocabulary_folder(const std::filesystem::path& folder) {
  std::error_code none;
  if (!std::filesystem::is_directory(folder, none)) throw file_error(folder.string() + ": not a folder");
  const auto has = [&](const char* name) { return std::filesystem::exists(folder / name, none); };
  if (has("tokenizer.json")) { // as transformers: newer versions write new tokens nowhere else
    const source_text file = detail::read_source(folder / "tokenizer.json");
    return has("vocab.json") ? read_tokenizer_json(file, detail::read_source(folder / "vocab.json"))
                             : read_tokenizer_json(file);
  }
  if (has("vocab.json") && has("merges.txt")) {
    std::optional<source_text> added;
    if (has("added_tokens.json")) added = detail::read_source(folder / "added_tokens.json");
    return read_vocabulary(detail::read_source(folder / "vocab.json"),
                           detail::read_source(folder / "merges.txt"), added);
  }
  const char* missing = has("vocab.json") ? "merges.txt" : has("merges.txt") ? "vocab.json" : nullptr;
  throw file_error(folder.string() + ": no tokenizer here" + (missing ? std::string(": no ") + missing : "") +
                   "\n  needed: tokenizer.json, or vocab.json and merges.txt");
}

TRANSEPT_FUNCTION tokenizer load_tokenizer_folder(const std::filesystem::path& folder) {
  return tokenizer(read_vocabulary_folder(folder));
}

} // namespace transept::inline TRANSEPT_ABI

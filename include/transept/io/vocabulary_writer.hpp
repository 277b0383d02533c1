// The vocabulary's files of a Hugging Face folder: copied from another folder, or written from a GGUF file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/model_files.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

inline void write_text(const std::filesystem::path& path, std::string_view text) {
  atomic_file file(path);
  file.write(text);
  file.commit();
}

inline std::string json_table(const std::vector<std::pair<std::string_view, std::size_t>>& ids) {
  std::string text = "{";
  for (const auto& [token, id] : ids)
    text += (text.size() == 1 ? "" : ", ") + json_literal(token) + ": " + std::to_string(id);
  return text + "}\n";
}

/// vocab.json and merges.txt; and added_tokens.json with the tokens that GGUF calls control or user-defined
/// (in a folder they are all special). The lists were checked when the tokenizer was made.
inline void write_vocabulary_lists(const gguf_file& file, const std::filesystem::path& folder) {
  (void)tokenizer(read_vocabulary(file)); // refuses what contradicts itself
  const auto tokens = *file.metadata().texts("tokenizer.ggml.tokens");
  const auto merges = *file.metadata().texts("tokenizer.ggml.merges");
  const auto kinds =
      file.metadata().integers("tokenizer.ggml.token_type").value_or(std::vector<std::int64_t>());
  std::vector<std::pair<std::string_view, std::size_t>> all, added;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    all.emplace_back(tokens[id], id);
    if (!kinds.empty() && (kinds[id] == static_cast<std::int64_t>(token_kind::control) ||
                           kinds[id] == static_cast<std::int64_t>(token_kind::user_defined)))
      added.emplace_back(tokens[id], id);
  }
  std::string lines = "#version: 0.2\n";
  for (const std::string_view merge : merges) lines += std::string(merge) + "\n";
  write_text(folder / "vocab.json", json_table(all));
  write_text(folder / "merges.txt", lines);
  if (!added.empty()) write_text(folder / "added_tokens.json", json_table(added));
}

} // namespace detail

/// Writes what `load_tokenizer` and Hugging Face read into `folder`; nothing where the model has no
/// vocabulary. Throws what reading the vocabulary does, and file_error where the files cannot be written.
inline void write_vocabulary_files(const model_files& files, const std::filesystem::path& folder) {
  if (files.gguf()) {
    if (files.gguf()->metadata().find("tokenizer.ggml.tokens") != nullptr)
      detail::write_vocabulary_lists(*files.gguf(), folder);
    return;
  }
  for (const char* name : {"vocab.json", "merges.txt", "added_tokens.json", "tokenizer.json",
                           "tokenizer_config.json", "special_tokens_map.json", "generation_config.json"}) {
    std::error_code ignored;
    if (!std::filesystem::exists(files.path() / name, ignored)) continue;
    detail::write_text(folder / name, mapped_file(files.path() / name).text());
  }
}

} // namespace transept::inline TRANSEPT_ABI

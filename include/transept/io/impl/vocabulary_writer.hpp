// How the files of a vocabulary are written (io/vocabulary_writer.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/json_fwd.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/model_files.hpp>
#include <transept/io/vocabulary_writer.hpp>
#include <transept/text/byte_alphabet.hpp>
#include <transept/text/token_lists.hpp>
#include <transept/text/tokenizer_json_writer.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

template <class Text>
std::string json_table(const std::vector<std::pair<Text, std::size_t>>& ids) {
  std::string text = "{";
  for (const auto& [token, id] : ids)
    text += (text.size() == 1 ? "" : ", ") + json_literal(token) + ": " + std::to_string(id);
  return text + "}\n";
}

/// The tokenizer_config.json that transformers needs beside a tokenizer.json: which tokens are the special
/// ones.
inline std::string tokenizer_config_of(const gguf_metadata& metadata,
                                       const std::vector<std::string_view>& tokens) {
  std::string text =
      "{\"tokenizer_class\": \"PreTrainedTokenizerFast\", \"clean_up_tokenization_spaces\": false";
  for (const char* const name : {"bos", "eos", "unknown", "padding"}) {
    const auto id = metadata.count("tokenizer.ggml." + std::string(name) + "_token_id");
    if (!id || *id >= tokens.size()) continue;
    const std::string_view kind = std::string_view(name) == "unknown"   ? "unk"
                                  : std::string_view(name) == "padding" ? "pad"
                                                                        : name;
    text += ", \"" + std::string(kind) + "_token\": " + json_literal(tokens[*id]);
  }
  return text + "}\n";
}

/// Of GPT-2's kind vocab.json and merges.txt, and added_tokens.json with the tokens that GGUF calls control
/// or user-defined (in a folder they are all special); of other kinds a tokenizer.json.
inline void write_vocabulary_lists(const gguf_file& file, const std::filesystem::path& folder) {
  const vocabulary from = read_vocabulary(file);
  (void)tokenizer(from); // refuses what contradicts itself
  const auto tokens = *file.metadata().texts("tokenizer.ggml.tokens");
  if (from.rules != text_rules{}) {
    try {
      write_text(folder / "tokenizer.json", tokenizer_json_of(from));
    } catch (const error& problem) {
      throw tokenizer_error(file.path().string() + ": " + problem.what());
    }
    return write_text(folder / "tokenizer_config.json", tokenizer_config_of(file.metadata(), tokens));
  }
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

TRANSEPT_FUNCTION void write_vocabulary_files(const vocabulary& vocabulary,
                                              const std::filesystem::path& folder) {
  (void)tokenizer(vocabulary); // refuses what contradicts itself
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw file_error(folder.string() + ": cannot make the folder: " + error.message());
  const auto remove = [&](const char* name) { // of a vocabulary that was there before
    std::filesystem::remove(folder / name, error);
  };
  if (vocabulary.rules != text_rules{}) {
    write_text(folder / "tokenizer.json", tokenizer_json_of(vocabulary));
    for (const char* const name : {"vocab.json", "merges.txt", "added_tokens.json"}) remove(name);
    return;
  }
  std::vector<std::pair<std::string, std::size_t>> all, added;
  for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id)
    all.emplace_back(to_byte_alphabet(vocabulary.tokens[id]), id);
  for (const added_token& token : vocabulary.added) {
    const auto id = static_cast<std::size_t>(token.id);
    all[id].first = vocabulary.tokens[id]; // plain text
    if (all[id].first != tokenizer::end_of_text_text) added.push_back(all[id]);
  }
  std::string lines = "#version: 0.2\n";
  for (const token_merge& merge : vocabulary.merges)
    lines += all[static_cast<std::size_t>(merge.left)].first + " " +
             all[static_cast<std::size_t>(merge.right)].first + "\n";
  write_text(folder / "vocab.json", detail::json_table(all));
  write_text(folder / "merges.txt", lines);
  if (added.empty())
    remove("added_tokens.json");
  else
    write_text(folder / "added_tokens.json", detail::json_table(added));
  remove("tokenizer.json"); // which would be read first
}

TRANSEPT_FUNCTION void copy_vocabulary_files(const std::filesystem::path& from,
                                             const std::filesystem::path& to) {
  for (const char* name : vocabulary_file_names) {
    std::error_code ignored;
    if (!std::filesystem::exists(from / name, ignored)) continue;
    write_text(to / name, mapped_file(from / name).text());
  }
}

TRANSEPT_FUNCTION void write_vocabulary_files(const model_files& files, const std::filesystem::path& folder) {
  if (files.gguf()) {
    if (files.gguf()->metadata().find("tokenizer.ggml.tokens") != nullptr)
      detail::write_vocabulary_lists(*files.gguf(), folder);
    return;
  }
  copy_vocabulary_files(files.path(), folder);
}

} // namespace transept::inline TRANSEPT_ABI

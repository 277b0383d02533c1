// How the files of a folder become a tokenizer (text/tokenizer_folder.hpp).
#pragma once

#include <fstream>
#include <optional>
#include <string>
#include <system_error>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/text/impl/tokenizer_config.hpp>
#include <transept/text/sentencepiece_model.hpp>
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

namespace detail {

/// What SentencePiece's model is called in a folder; the first that is there, or nullptr.
inline const char* sentencepiece_name(const std::filesystem::path& folder) {
  std::error_code none;
  for (const char* name : {"tokenizer.model", "spiece.model", "spm.model"})
    if (std::filesystem::exists(folder / name, none)) return name;
  return nullptr;
}

} // namespace detail

TRANSEPT_FUNCTION bool has_vocabulary(const std::filesystem::path& folder) {
  std::error_code none;
  const auto has = [&](const char* name) { return std::filesystem::exists(folder / name, none); };
  return (has("vocab.json") && has("merges.txt")) || has("tokenizer.json") || has("vocab.txt") ||
         detail::sentencepiece_name(folder) != nullptr;
}

namespace detail {

/// The folder's table of tokens: what tokenizer.json or the files of older versions say.
inline vocabulary read_folder_tables(const std::filesystem::path& folder, const config_source& config,
                                     const config_source& map) {
  std::error_code none;
  const auto has = [&](const char* name) { return std::filesystem::exists(folder / name, none); };
  const auto read = [&](const char* name) { return read_source(folder / name); };
  if (has("tokenizer.json")) { // as transformers: newer versions write new tokens nowhere else
    const source_text file = read("tokenizer.json");
    return has("vocab.json") ? read_tokenizer_json(file, read("vocab.json")) : read_tokenizer_json(file);
  }
  if (has("vocab.json") && has("merges.txt")) {
    std::optional<source_text> added;
    if (has("added_tokens.json")) added = read("added_tokens.json");
    return read_vocabulary(read("vocab.json"), read("merges.txt"), added);
  }
  if (const char* const name = sentencepiece_name(folder)) {
    // These give pieces other ids than SentencePiece does.
    for (const char* other : {"Pegasus", "XLMRoberta", "Camembert", "MBart", "MBart50", "Nllb", "PLBart",
                              "XGLM", "Barthez", "M2M100", "Marian"})
      if (config.class_name() == std::string(other) + "Tokenizer")
        throw tokenizer_error(folder.string() + ": tokenizer_config.json: tokenizer_class is " +
                              quoted(config.class_name()) + ", whose ids are not those of " + name +
                              "\n  needed: tokenizer.json");
    return read_sentencepiece_model(read(name));
  }
  if (has("vocab.txt")) return read_vocabulary_lines(read("vocab.txt"), bert_settings_of(config, map));
  const char* missing = has("vocab.json") ? "merges.txt" : has("merges.txt") ? "vocab.json" : nullptr;
  throw file_error(
      folder.string() + ": no tokenizer here" + (missing ? std::string(": no ") + missing : "") +
      "\n  needed: tokenizer.json, or vocab.json and merges.txt, or tokenizer.model, or vocab.txt");
}

} // namespace detail

TRANSEPT_FUNCTION vocabulary read_vocabulary_folder(const std::filesystem::path& folder) {
  std::error_code none;
  if (!std::filesystem::is_directory(folder, none)) throw file_error(folder.string() + ": not a folder");
  const auto read = [&](const char* name) {
    return std::filesystem::exists(folder / name, none)
               ? detail::config_source(detail::read_source(folder / name))
               : detail::config_source();
  };
  const detail::config_source config = read("tokenizer_config.json"), map = read("special_tokens_map.json"),
                              added = read("added_tokens.json");
  vocabulary made = detail::read_folder_tables(folder, config, map);
  detail::tokenizer_config_reader(made, config, map)
      .read(!std::filesystem::exists(folder / "tokenizer.json", none), added);
  return made;
}

TRANSEPT_FUNCTION tokenizer load_tokenizer_folder(const std::filesystem::path& folder) {
  return tokenizer(read_vocabulary_folder(folder));
}

} // namespace transept::inline TRANSEPT_ABI

// tokenizer_config.json and special_tokens_map.json, and what is asked of them before a vocabulary is read.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include <transept/core/json.hpp>
#include <transept/text/impl/tokenizer_json_source.hpp>
#include <transept/text/vocabulary_files.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// One of the two files, or neither.
struct config_source {
  tokenizer_json_source file{""};
  json root = json::object();

  config_source() = default;
  explicit config_source(const source_text& source)
      : file(source.name), root(parse_json(source.text, source.name)) {
    if (!root.is_object()) file.refuse("the file", root, "an object");
  }

  /// A member; null where there is none.
  const json& at(const char* key) const { return file.member(root, key); }

  /// true or false, where the key is there.
  std::optional<bool> flag(const char* key) const {
    return at(key).is_null() ? std::nullopt : std::optional(file.flag("", root, key));
  }

  /// The text of a special token: a string, or an object with its content.
  std::optional<std::string> token(const char* key) const {
    const json& found = at(key);
    if (found.is_null() || found == "") return std::nullopt;
    return found.is_string() ? found.get<std::string>() : file.text(std::string(key) + ".", found, "content");
  }

  /// The class of the tokenizer, without "Fast" behind it.
  std::string class_name() const {
    std::string name = at("tokenizer_class").is_string() ? at("tokenizer_class").get<std::string>() : "";
    if (name.ends_with("Fast")) name.resize(name.size() - 4);
    return name;
  }
};

/// What the settings of a BERT are, for its vocab.txt.
inline bert_tokenizer_settings bert_settings_of(const config_source& config, const config_source& map) {
  bert_tokenizer_settings settings;
  settings.lower_case = config.flag("do_lower_case").value_or(true);
  settings.ideographs_apart = config.flag("tokenize_chinese_chars").value_or(true);
  settings.strips_accents = config.flag("strip_accents");
  const auto named = [&](const char* key, std::string& place) {
    if (const auto token = map.token(key)) place = *token;
    if (const auto token = config.token(key)) place = *token;
  };
  named("unk_token", settings.unknown);
  named("cls_token", settings.begin);
  named("sep_token", settings.end);
  named("pad_token", settings.others[0]);
  named("mask_token", settings.others[1]);
  return settings;
}

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI

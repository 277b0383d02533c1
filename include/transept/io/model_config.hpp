// A model's configuration: read from a config.json, and turned into a C++ declaration, for any family.
#pragma once

#include <algorithm>
#include <cctype>
#include <concepts>
#include <filesystem>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>

#include <transept/core/display.hpp>
#include <transept/core/element_type.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/config_reader.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/model_folder.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What a model's files say of it, the weights aside: its shape, every number of it known, and its settings.
/// The defaults are Hugging Face's.
template <model_family Family>
struct model_config {
  typename Family::config shape = Family::huggingface_defaults();
  typename Family::settings settings = {};

  bool operator==(const model_config&) const = default;
};

namespace detail {

template <model_family Family>
bool is_of_family(std::string_view model_type) {
  return std::ranges::find(Family::model_types, model_type) != Family::model_types.end();
}

/// The model type that a config.json names; the family's first where it names none.
template <model_family Family>
std::string model_type_of(const config_reader& reader) {
  const json* const type = reader.find("model_type");
  if (type == nullptr) return std::string(Family::model_types.front());
  if (!is_of_family<Family>(reader.text_of(*type))) {
    std::string known;
    for (const std::string_view each : Family::model_types)
      known += (known.empty() ? "\"" : ", \"") + std::string(each) + "\"";
    reader.fail("model_type", (Family::model_types.size() == 1 ? "" : "one of ") + known, *type);
  }
  return std::string(reader.text_of(*type));
}

} // namespace detail

/// Reads a config.json that was parsed before; `source` names it in errors. Throws config_error for values
/// that no model can have or that Transept does not support. (A template, for a string is no JSON though it
/// converts.)
template <model_family Family, std::same_as<json> Json>
model_config<Family> parse_config(const Json& root, std::string_view source) {
  const std::string type = detail::model_type_of<Family>(config_reader(root, source));
  model_config<Family> config;
  if constexpr (requires { config.settings.model_type; }) config.settings.model_type = type;
  config_reader reader(root, source, type);
  Family::describe(reader, config.shape, config.settings);
  return config;
}

/// The same from the file's text. Throws format_error too, for what is no JSON.
template <model_family Family>
model_config<Family> parse_config(std::string_view text, std::string_view source) {
  return parse_config<Family>(parse_json(text, source), source);
}

/// The JSON of `path`: a config.json, or a folder that holds one. Throws file_error where there is none, and
/// format_error.
inline json read_config_json(const std::filesystem::path& path) {
  std::error_code error;
  const bool is_folder = std::filesystem::is_directory(path, error);
  const auto file_path = is_folder ? path / "config.json" : path;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file_path, error)))
    throw file_error(file_path.string() + ": no such file" + detail::download_help());
  const mapped_file file(file_path);
  return parse_json(file.text(), file_path.string());
}

/// Reads `path`: a config.json, or a folder that holds one. Throws as read_config_json and parse_config do.
template <model_family Family>
model_config<Family> read_config(const std::filesystem::path& path) {
  std::error_code error;
  const bool is_folder = std::filesystem::is_directory(path, error);
  return parse_config<Family>(read_config_json(path), (is_folder ? path / "config.json" : path).string());
}

namespace detail {

inline std::string in_words(int value) { return std::to_string(value); }
inline std::string in_words(bool value) { return value ? "true" : "false"; }
inline std::string in_words(choice value) { return in_words(bool(value)); }

/// What differs between a folder's shape and a compiled one, "n_embd is 768, not 256, …"; empty: nothing.
template <class Config>
std::string shape_difference(const Config& folder, const Config& compiled) {
  std::string text;
  for_each_member<Config>([&](std::string_view name, auto pointer) {
    const auto &found = folder.*pointer, &expected = compiled.*pointer;
    if (compatible(found, expected)) return;
    if (!text.empty()) text += ", ";
    text += std::string(name) + " is " + in_words(found) + ", not " + in_words(expected);
  });
  return text;
}

} // namespace detail

/// The initialiser of the config for this shape: `{.n_embd = 256, .n_layer = 4, .n_head = 4}`. Members that
/// have the value which follows from the others are left out.
template <model_family Family>
std::string to_initializer(const typename Family::config& shape) {
  using config = typename Family::config;
  const config defaults{.n_embd = shape.n_embd, .n_layer = shape.n_layer, .n_head = shape.n_head};
  std::string text = "{";
  std::size_t index = 0;
  for_each_member<config>([&](std::string_view name, auto pointer) {
    if (index++ < 3 || shape.*pointer != defaults.*pointer)
      text += (text.size() == 1 ? "." : ", .") + std::string(name) + " = " + detail::in_words(shape.*pointer);
  });
  return text + "}";
}

/// The C++ line that declares this shape: `inline constexpr transept::gpt2_config name{.n_embd = …};`.
/// Throws argument_error where `name` is no identifier.
template <model_family Family>
std::string to_declaration(const typename Family::config& shape, std::string_view name) {
  const auto is_word = [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0 ||
      !std::ranges::all_of(name, is_word)) {
    throw argument_error("to_declaration: expected a C++ identifier, found " + quoted(name));
  }
  return "inline constexpr transept::" + std::string(Family::config_name) + " " + std::string(name) +
         to_initializer<Family>(shape) + ";";
}

} // namespace transept::inline TRANSEPT_ABI

// A model's configuration: read from a config.json, and turned into a C++ declaration, for any family.
#pragma once

#include <algorithm>
#include <concepts>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include <transept/core/error.hpp>
#include <transept/core/json_fwd.hpp>
#include <transept/io/config_reader.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What a model's files say of it, the weights aside: its shape, every number of it known, and its settings.
/// The defaults are Hugging Face's.
template <model_family Family>
struct model_config {
  typename Family::config shape = Family::huggingface_defaults(); ///< what a model type has as its argument
  typename Family::settings settings = {};                        ///< what changes no type

  bool operator==(const model_config&) const = default; ///< of shape and settings
};

namespace detail {

template <model_family Family>
bool is_of_family(std::string_view model_type) {
  return std::ranges::find(Family::model_types, model_type) != Family::model_types.end();
}

/// The model type that a config.json names, one of `known`; the first of them where it names none.
TRANSEPT_FUNCTION std::string model_type_of(const config_reader& reader,
                                            std::span<const std::string_view> known);

} // namespace detail

/// Reads a config.json that was parsed before; `source` names it in errors. Throws config_error for values
/// that no model can have or that Transept does not support. (A template, for a string is no JSON though it
/// converts.)
template <model_family Family, std::same_as<json> Json>
model_config<Family> parse_config(const Json& root, std::string_view source) {
  const std::string type = detail::model_type_of(config_reader(root, source), Family::model_types);
  model_config<Family> config;
  if constexpr (requires { config.settings.model_type; }) config.settings.model_type = type;
  config_reader reader(root, source, type);
  Family::describe(reader, config.shape, config.settings);
  return config;
}

/// The same from the file's text. Throws format_error too, for what is no JSON.
template <model_family Family>
model_config<Family> parse_config(std::string_view text, std::string_view source) {
  return parse_config<Family>(*parse_json_document(text, source), source);
}

/// The config.json at `path`: the file, or that of a folder.
TRANSEPT_FUNCTION std::filesystem::path config_file_of(const std::filesystem::path& path);

/// Its JSON. Throws file_error where there is none, and format_error.
TRANSEPT_FUNCTION json read_config_json(const std::filesystem::path& path);
/// The same, for those who pass it on.
TRANSEPT_FUNCTION std::shared_ptr<const json> read_config_document(const std::filesystem::path& path);

/// Reads `path`: a config.json, or a folder that holds one. Throws as read_config_json and parse_config do.
template <model_family Family>
model_config<Family> read_config(const std::filesystem::path& path) {
  return parse_config<Family>(*read_config_document(path), config_file_of(path).string());
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

namespace detail {

/// Throws argument_error where `name` is no identifier.
TRANSEPT_FUNCTION std::string declaration(std::string_view config_name, std::string_view name,
                                          std::string_view initializer);

} // namespace detail

/// The C++ line that declares this shape: `inline constexpr transept::gpt2_config name{.n_embd = …};`.
/// Throws argument_error where `name` is no identifier.
template <model_family Family>
std::string to_declaration(const typename Family::config& shape, std::string_view name) {
  return detail::declaration(Family::config_name, name, to_initializer<Family>(shape));
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/model_config.hpp>
#endif

// Writes the fields of a config.json, as a family describes them, so that Hugging Face and config_reader read
// them back.
#pragma once

#include <algorithm>
#include <array>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/activation.hpp>
#include <transept/core/types.hpp>
#include <transept/models/family.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// The shortest decimal that reads back as `value`.
inline std::string shortest(float value) {
  std::array<char, 32> text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), result.ptr);
}

} // namespace detail

class config_writer {
public:
  static constexpr bool reading = false;

  explicit config_writer(std::string_view model_type) : model_type_(model_type) {}

  std::string_view model_type() const { return model_type_; }
  /// The object's text.
  std::string text() const { return text_ + "\n}\n"; }

  void architecture(std::string_view name) {
    text_ = "{\n  \"architectures\": [\n    \"" + std::string(name) + "\"\n  ],\n  \"model_type\": \"" +
            model_type_ + "\"";
  }
  void add(std::string_view key, const std::string& value) {
    text_ += ",\n  \"" + std::string(key) + "\": " + value;
  }

  void copy(std::string_view key, int value) { add(key, std::to_string(value)); }
  void count(std::initializer_list<std::string_view> keys, int value, int) {
    add(*keys.begin(), std::to_string(value));
  }
  void count_or_null(std::string_view key, int value, int otherwise, int) {
    add(key, value == otherwise ? "null" : std::to_string(value));
  }
  void head_width(std::string_view, int width, std::string_view, int heads, int value,
                  std::optional<int> otherwise = std::nullopt) {
    if (otherwise || width % heads != 0 || width / heads != value) add("head_dim", std::to_string(value));
  }
  void shared_heads(std::string_view key, std::string_view, int, int value,
                    std::optional<int> = std::nullopt) {
    add(key, std::to_string(value));
  }
  void boolean(std::string_view key, bool value) { add(key, value ? "true" : "false"); }
  void choice(std::string_view key, transept::choice value) { boolean(key, bool(value)); }
  void ignored_boolean(std::string_view) {}
  void must_be(std::string_view, bool, const std::string&) {}
  void epsilon(std::string_view key, float value) { add(key, detail::shortest(value)); }
  void positive(std::string_view key, float value, std::optional<float> null_is = std::nullopt) {
    add(key, null_is == value ? "null" : detail::shortest(value));
  }
  void activation(std::string_view key, activation_type value, bool = false,
                  std::initializer_list<named_activation> own = {}) {
    std::string_view name = name_of(value);
    for (const named_activation& each : own)
      if (each.type == value) name = each.name;
    add(key, "\"" + std::string(name) + "\"");
  }
  void token(std::string_view key, std::optional<token_id> value, std::optional<token_id>, int) {
    add(key, value ? std::to_string(*value) : "null");
  }
  void tokens(std::string_view key, const std::vector<token_id>& ids, std::vector<token_id>, int) {
    if (ids.empty()) return add(key, "null");
    if (ids.size() == 1) return add(key, std::to_string(ids.front()));
    std::string list;
    for (const token_id id : ids) list += (list.empty() ? "[" : ", ") + std::to_string(id);
    add(key, list + "]");
  }
  void windows(const layer_windows& value, int, bool of_all = false) {
    if (value.window == 0) return of_all ? add("sliding_window", "null") : void();
    add("sliding_window", std::to_string(value.window));
    std::string list;
    for (const bool slides : value.slides)
      list += (list.empty() ? "[\n    " : ",\n    ") +
              std::string(slides ? "\"sliding_attention\"" : "\"full_attention\"");
    if (!of_all || std::ranges::find(value.slides, false) != value.slides.end())
      add("layer_types", list + "\n  ]");
  }
  void rotating_layers(std::string_view key, const std::vector<bool>& value, int) {
    std::string list;
    for (const bool rotates : value) list += (list.empty() ? "[" : ", ") + std::string(rotates ? "1" : "0");
    add(key, value.empty() ? "null" : list + "]");
  }
  template <class Rotary, class... Keys>
  void rotary(const Rotary& value, int head_width, int, const Keys&... keys) {
    write_rotary(*this, value, head_width, keys...);
  }

private:
  std::string model_type_, text_;
};

} // namespace transept::inline TRANSEPT_ABI

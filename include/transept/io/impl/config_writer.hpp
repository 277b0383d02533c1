// How the fields of a config.json are written (io/config_writer.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

#include <transept/core/display.hpp>
#include <transept/io/config_writer.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION void config_writer::architecture(std::string_view name) {
  text_ = "{\n  \"architectures\": [\n    \"" + std::string(name) + "\"\n  ],\n  \"model_type\": \"" +
          model_type_ + "\"";
}

TRANSEPT_FUNCTION void config_writer::add(std::string_view key, const std::string& value) {
  text_ += ",\n  \"" + std::string(key) + "\": " + value;
}

TRANSEPT_FUNCTION void config_writer::copy(std::string_view key, int value) {
  add(key, std::to_string(value));
}

TRANSEPT_FUNCTION void config_writer::count(std::initializer_list<std::string_view> keys, int value, int) {
  add(*keys.begin(), std::to_string(value));
}

TRANSEPT_FUNCTION void config_writer::count_or_null(std::string_view key, int value, int otherwise, int) {
  add(key, value == otherwise ? "null" : std::to_string(value));
}

TRANSEPT_FUNCTION void config_writer::head_width(std::string_view, int width, std::string_view, int heads,
                                                 int value, std::optional<int> otherwise) {
  if (otherwise || width % heads != 0 || width / heads != value) add("head_dim", std::to_string(value));
}

TRANSEPT_FUNCTION void config_writer::shared_heads(std::string_view key, std::string_view, int, int value,
                                                   std::optional<int>) {
  add(key, std::to_string(value));
}

TRANSEPT_FUNCTION void config_writer::boolean(std::string_view key, bool value) {
  add(key, value ? "true" : "false");
}

TRANSEPT_FUNCTION void config_writer::choice(std::string_view key, transept::choice value) {
  boolean(key, bool(value));
}

TRANSEPT_FUNCTION void config_writer::epsilon(std::string_view key, float value) {
  add(key, detail::shortest(value));
}

TRANSEPT_FUNCTION void config_writer::positive(std::string_view key, float value,
                                               std::optional<float> null_is) {
  add(key, null_is == value ? "null" : detail::shortest(value));
}

TRANSEPT_FUNCTION void config_writer::activation(std::string_view key, activation_type value, bool,
                                                 std::initializer_list<named_activation> own) {
  std::string_view name = name_of(value);
  for (const named_activation& each : own)
    if (each.type == value) name = each.name;
  add(key, "\"" + std::string(name) + "\"");
}

TRANSEPT_FUNCTION void config_writer::token(std::string_view key, std::optional<token_id> value,
                                            std::optional<token_id>, int) {
  add(key, value ? std::to_string(*value) : "null");
}

TRANSEPT_FUNCTION void config_writer::tokens(std::string_view key, const std::vector<token_id>& ids,
                                             std::vector<token_id>, int) {
  if (ids.empty()) return add(key, "null");
  if (ids.size() == 1) return add(key, std::to_string(ids.front()));
  std::string list;
  for (const token_id id : ids) list += (list.empty() ? "[" : ", ") + std::to_string(id);
  add(key, list + "]");
}

TRANSEPT_FUNCTION void config_writer::windows(const layer_windows& value, int, bool of_all) {
  if (value.window == 0) return of_all ? add("sliding_window", "null") : void();
  add("sliding_window", std::to_string(value.window));
  std::string list;
  for (const bool slides : value.slides)
    list += (list.empty() ? "[\n    " : ",\n    ") +
            std::string(slides ? "\"sliding_attention\"" : "\"full_attention\"");
  if (!of_all || std::ranges::find(value.slides, false) != value.slides.end())
    add("layer_types", list + "\n  ]");
}

TRANSEPT_FUNCTION void config_writer::local_layers(const layer_windows& value, int n_layer) {
  std::string list;
  for (std::size_t i = 0; i < static_cast<std::size_t>(n_layer); ++i)
    list += (list.empty() ? "" : ", ") +
            std::string(i < value.slides.size() && value.slides[i] ? "\"local\"" : "\"global\"");
  add("attention_types", "[[[" + list + "], 1]]");
  add("attention_layers", "[" + list + "]");
  add("window_size", std::to_string(value.window == 0 ? 256 : value.window));
}

TRANSEPT_FUNCTION void config_writer::add_object(std::string_view key, const config_writer& inner) {
  std::string members;
  for (const char c : inner.text_) members += c == '\n' ? std::string("\n  ") : std::string(1, c);
  if (!members.empty()) members.erase(0, 1); // the comma
  add(key, "{" + members + "\n  }");
}

TRANSEPT_FUNCTION void config_writer::rotating_layers(std::string_view key, const std::vector<bool>& value,
                                                      int) {
  std::string list;
  for (const bool rotates : value) list += (list.empty() ? "[" : ", ") + std::string(rotates ? "1" : "0");
  add(key, value.empty() ? "null" : list + "]");
}

} // namespace transept::inline TRANSEPT_ABI

// Rotary positions in a config.json: transformers' rope_parameters, and rope_theta with rope_scaling, as it
// was before version 5 (io/config_reader.hpp, io/config_writer.hpp).
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/config_reader.hpp>
#include <transept/io/config_writer.hpp>
#include <transept/layers/positions/rotary_frequencies.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// The members of the object that describes the scaling, each with the place where it is kept.
template <class Settings, class F>
void for_each_rotary_number(Settings& s, F&& f) {
  f("beta_fast", s.beta_fast);
  f("beta_slow", s.beta_slow);
  f("high_freq_factor", s.high_freq_factor);
  f("low_freq_factor", s.low_freq_factor);
  f("mscale", s.mscale);
  f("mscale_all_dim", s.mscale_all_dim);
}

/// The numbers that a kind of scaling has in a file.
constexpr bool rotary_has(rotary_scaling scaling, std::string_view key) {
  if (scaling == rotary_scaling::llama3) return key.ends_with("_freq_factor");
  return scaling == rotary_scaling::yarn && !key.ends_with("_freq_factor");
}

} // namespace detail

TRANSEPT_FUNCTION void config_reader::rotary(rotary_settings& s, int head_width, int n_positions,
                                             const rotary_keys& keys) const {
  std::string_view name = "rope_scaling"; // which transformers prefers where a file has both
  const json* scaling = find(name, true);
  if (scaling == nullptr || (scaling->is_object() && scaling->empty())) {
    name = "rope_parameters";
    scaling = find(name, true);
  }
  if (scaling != nullptr && !scaling->is_object()) fail(name, "an object or null", *scaling);
  if (scaling != nullptr)
    for (const json& value : *scaling)
      if (value.is_object()) fail(name, "numbers and names, the same for all layers", value);
  const auto member = [&](std::string_view key) -> const json* {
    if (scaling == nullptr) return nullptr;
    const auto place = scaling->find(key);
    return place == scaling->end() || place->is_null() ? nullptr : &*place;
  };
  const auto number_of = [&](std::string_view key, const json* value) -> std::optional<double> {
    if (value == nullptr) return std::nullopt;
    if (!value->is_number()) fail(key, "a number", *value);
    return value->get<double>();
  };
  const auto number = [&](std::string_view key) { return number_of(key, member(key)); };
  /// Of the object, or else of the file itself, under another name there.
  const auto number_here_or_there = [&](std::string_view here, std::string_view there, double usual) {
    if (const auto value = number(here)) return *value;
    return there.empty() ? usual : number_of(there, find(there, true)).value_or(usual);
  };
  if (const json* type = member("rope_type"); type != nullptr || (type = member("type")) != nullptr) {
    using enum rotary_scaling;
    bool known = false;
    for (const rotary_scaling each : {none, linear, dynamic, yarn, longrope, llama3})
      if (text_of(*type) == name_of(each)) {
        s.scaling = each;
        known = true;
      }
    if (text_of(*type) == "su") {
      s.scaling = longrope;
      known = true;
    }
    if (!known) fail("rope_type", "one of default, linear, dynamic, yarn, longrope, llama3", *type);
  }
  s.base = number_here_or_there("rope_theta", keys.base, s.base);
  s.factor = number("factor");
  if (s.factor && *s.factor != 1 && member("rope_type") == nullptr && member("type") == nullptr)
    fail(std::string(name) + ": expected a rope_type beside the factor, found none");
  s.attention_factor = number("attention_factor");
  detail::for_each_rotary_number(s, [&](std::string_view key, double& value) {
    const auto found = number(key);
    if (found && *found != 0) value = *found; // 0 is the usual number, too
    if (!found && s.scaling == rotary_scaling::llama3 && key.ends_with("_freq_factor"))
      fail(std::string(name) + ": rope_type llama3 expects " + std::string(key) + ", found none");
  });
  if (const json* const truncate = member("truncate")) {
    if (!truncate->is_boolean()) fail("truncate", "true or false", *truncate);
    s.truncate = truncate->get<bool>();
  }
  const auto list = [&](std::string_view key, std::vector<float>& values) {
    const json* const found = member(key);
    if (found == nullptr) return;
    if (!found->is_array()) fail(key, "an array of numbers", *found);
    values.clear();
    for (const json& each : *found) {
      if (!each.is_number() || !(each.get<double>() > 0)) fail(key, "numbers above 0", each);
      values.push_back(each.get<float>());
    }
  };
  list("short_factor", s.short_factor);
  list("long_factor", s.long_factor);
  s.max_position_embeddings = static_cast<std::size_t>(n_positions);
  constexpr std::string_view original_key = "original_max_position_embeddings";
  const json* original = member(original_key);
  if (original == nullptr) original = find(original_key, true);
  if (original != nullptr) {
    if (!original->is_number_unsigned() || original->get<std::uint64_t>() == 0)
      fail(original_key, "a whole number from 1", *original);
    s.original_max_position_embeddings = static_cast<std::size_t>(original->get<std::uint64_t>());
  }
  const double part =
      keys.part.empty() ? 1.0 : number_here_or_there("partial_rotary_factor", keys.part, keys.usual_part);
  if (!(part > 0 && part <= 1))
    fail(std::string(keys.part) + ": expected a number above 0 and at most 1, found " +
         detail::shortest(part));
  if (keys.part.empty() && head_width % 2 != 0)
    fail("head_dim: expected an even number, for positions turn pairs, found " + std::to_string(head_width));
  s.wave_width = static_cast<std::size_t>(static_cast<double>(head_width) * part);
  s.width = (s.wave_width + 1) / 2 * 2;
  if (s.width == s.wave_width) s.wave_width = 0;
  try {
    detail::check(s);
  } catch (const config_error& error) {
    fail(error.what());
  }
}

// Both forms are written, which say the same.
TRANSEPT_FUNCTION void config_writer::rotary(const rotary_settings& s, int head_width, int,
                                             const rotary_keys& keys) {
  std::string text;
  const auto add_member = [&](std::string_view key, const std::string& value) {
    text += (text.empty() ? "\n    \"" : ",\n    \"") + std::string(key) + "\": " + value;
  };
  const auto list = [](const std::vector<float>& values) {
    std::string numbers;
    for (const float value : values)
      numbers += (numbers.empty() ? "[" : ", ") + detail::shortest(static_cast<double>(value));
    return numbers + "]";
  };
  add_member("rope_theta", detail::shortest(s.base));
  add_member("rope_type", "\"" + std::string(name_of(s.scaling)) + "\"");
  double part = static_cast<double>(s.exponents()) / head_width;
  if (static_cast<std::size_t>(head_width * part) < s.exponents()) part = std::nextafter(part, 1.0);
  if (!keys.part.empty()) add_member("partial_rotary_factor", detail::shortest(part));
  const bool is_scaled = s.scaling != rotary_scaling::none;
  if (is_scaled) {
    if (s.factor) add_member("factor", detail::shortest(*s.factor));
    if (s.attention_factor) add_member("attention_factor", detail::shortest(*s.attention_factor));
    detail::for_each_rotary_number(s, [&](std::string_view key, double value) {
      const bool is_given = !key.starts_with("mscale") || value != 0;
      if (detail::rotary_has(s.scaling, key) && is_given) add_member(key, detail::shortest(value));
    });
    if (s.scaling == rotary_scaling::yarn && !s.truncate) add_member("truncate", "false");
    if (!s.short_factor.empty()) add_member("short_factor", list(s.short_factor));
    if (!s.long_factor.empty()) add_member("long_factor", list(s.long_factor));
    if (s.original_max_position_embeddings != 0)
      add_member("original_max_position_embeddings", std::to_string(s.original_max_position_embeddings));
  }
  add("rope_parameters", "{" + text + "\n  }");
  if (keys.base == "rope_theta") add("rope_theta", detail::shortest(s.base));
  add("rope_scaling", is_scaled ? "{" + text + "\n  }" : "null");
  if (keys.part.empty()) return;
  add(keys.part, detail::shortest(part));
  if (keys.base != "rope_theta") add(keys.base, detail::shortest(s.base));
}

TRANSEPT_FUNCTION void config_reader::rotary_width(std::string_view key, rotary_settings& s, int usual,
                                                   int head_width) const {
  int width = usual;
  count({key}, width, config_limits::width);
  if (width % 2 != 0 || width > head_width)
    fail(std::string(key) + ": expected an even number up to the width of a head (" +
         std::to_string(head_width) + "), found " + std::to_string(width));
  s.width = static_cast<std::size_t>(width);
}

TRANSEPT_FUNCTION void config_writer::rotary_width(std::string_view key, const rotary_settings& s, int, int) {
  add(key, std::to_string(s.width));
}

} // namespace transept::inline TRANSEPT_ABI

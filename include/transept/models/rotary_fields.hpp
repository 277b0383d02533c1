// Rotary positions in a config.json: transformers' rope_parameters, and rope_theta with rope_scaling, as it
// was before version 5.
#pragma once

#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/layers/positions/rotary_frequencies.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What a family calls the base and the turned part of a head outside of rope_parameters.
struct rotary_keys {
  std::string_view base = "rope_theta";
  std::string_view part = {}; ///< none: whole heads are turned
  double usual_part = 1.0;
};

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

inline std::string shortest(double value) {
  std::array<char, 32> text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), result.ptr);
}

} // namespace detail

template <class Reader>
void read_rotary(const Reader& reader, rotary_settings& s, int head_width, int n_positions,
                 const rotary_keys& keys = {}) {
  std::string_view name = "rope_scaling"; // which transformers prefers where a file has both
  const json* scaling = reader.find(name, true);
  if (scaling == nullptr || (scaling->is_object() && scaling->empty())) {
    name = "rope_parameters";
    scaling = reader.find(name, true);
  }
  if (scaling != nullptr && !scaling->is_object()) reader.fail(name, "an object or null", *scaling);
  if (scaling != nullptr)
    for (const json& value : *scaling)
      if (value.is_object()) reader.fail(name, "numbers and names, the same for all layers", value);
  const auto find = [&](std::string_view key) -> const json* {
    if (scaling == nullptr) return nullptr;
    const auto place = scaling->find(key);
    return place == scaling->end() || place->is_null() ? nullptr : &*place;
  };
  const auto number_of = [&](std::string_view key, const json* value) -> std::optional<double> {
    if (value == nullptr) return std::nullopt;
    if (!value->is_number()) reader.fail(key, "a number", *value);
    return value->template get<double>();
  };
  const auto number = [&](std::string_view key) { return number_of(key, find(key)); };
  /// Of the object, or else of the file itself, under another name there.
  const auto number_here_or_there = [&](std::string_view here, std::string_view there, double usual) {
    if (const auto value = number(here)) return *value;
    return there.empty() ? usual : number_of(there, reader.find(there, true)).value_or(usual);
  };
  if (const json* type = find("rope_type"); type != nullptr || (type = find("type")) != nullptr) {
    using enum rotary_scaling;
    bool known = false;
    for (const rotary_scaling each : {none, linear, dynamic, yarn, longrope, llama3})
      if (reader.text_of(*type) == name_of(each)) {
        s.scaling = each;
        known = true;
      }
    if (reader.text_of(*type) == "su") {
      s.scaling = longrope;
      known = true;
    }
    if (!known) reader.fail("rope_type", "one of default, linear, dynamic, yarn, longrope, llama3", *type);
  }
  s.base = number_here_or_there("rope_theta", keys.base, s.base);
  s.factor = number("factor");
  s.attention_factor = number("attention_factor");
  detail::for_each_rotary_number(s, [&](std::string_view key, double& value) {
    const auto found = number(key);
    if (found && *found != 0) value = *found; // 0 is the usual number, too
    if (!found && s.scaling == rotary_scaling::llama3 && key.ends_with("_freq_factor"))
      reader.fail(std::string(name) + ": rope_type llama3 expects " + std::string(key) + ", found none");
  });
  if (const json* const truncate = find("truncate")) {
    if (!truncate->is_boolean()) reader.fail("truncate", "true or false", *truncate);
    s.truncate = truncate->template get<bool>();
  }
  const auto list = [&](std::string_view key, std::vector<float>& values) {
    const json* const found = find(key);
    if (found == nullptr) return;
    if (!found->is_array()) reader.fail(key, "an array of numbers", *found);
    values.clear();
    for (const json& each : *found) {
      if (!each.is_number() || !(each.get<double>() > 0)) reader.fail(key, "numbers above 0", each);
      values.push_back(each.get<float>());
    }
  };
  list("short_factor", s.short_factor);
  list("long_factor", s.long_factor);
  s.max_position_embeddings = static_cast<std::size_t>(n_positions);
  constexpr std::string_view original_key = "original_max_position_embeddings";
  const json* original = find(original_key);
  if (original == nullptr) original = reader.find(original_key, true);
  if (original != nullptr) {
    if (!original->is_number_unsigned() || original->template get<std::uint64_t>() == 0)
      reader.fail(original_key, "a whole number from 1", *original);
    s.original_max_position_embeddings = static_cast<std::size_t>(original->template get<std::uint64_t>());
  }
  const double part =
      keys.part.empty() ? 1.0 : number_here_or_there("partial_rotary_factor", keys.part, keys.usual_part);
  if (!(part > 0 && part <= 1))
    reader.fail(std::string(keys.part) + ": expected a number above 0 and at most 1, found " +
                detail::shortest(part));
  if (keys.part.empty() && head_width % 2 != 0)
    reader.fail("head_dim: expected an even number, for positions turn pairs, found " +
                std::to_string(head_width));
  s.wave_width = static_cast<std::size_t>(static_cast<double>(head_width) * part);
  s.width = (s.wave_width + 1) / 2 * 2;
  if (s.width == s.wave_width) s.wave_width = 0;
  try {
    detail::check(s);
  } catch (const config_error& error) {
    reader.fail(error.what());
  }
}

/// Both forms, which say the same.
template <class Writer>
void write_rotary(Writer& writer, const rotary_settings& s, int head_width, const rotary_keys& keys = {}) {
  std::string text;
  const auto add = [&](std::string_view key, const std::string& value) {
    text += (text.empty() ? "\n    \"" : ",\n    \"") + std::string(key) + "\": " + value;
  };
  const auto list = [](const std::vector<float>& values) {
    std::string numbers;
    for (const float value : values)
      numbers += (numbers.empty() ? "[" : ", ") + detail::shortest(static_cast<double>(value));
    return numbers + "]";
  };
  add("rope_theta", detail::shortest(s.base));
  add("rope_type", "\"" + std::string(name_of(s.scaling)) + "\"");
  double part = static_cast<double>(s.exponents()) / head_width;
  if (static_cast<std::size_t>(head_width * part) < s.exponents()) part = std::nextafter(part, 1.0);
  if (!keys.part.empty()) add("partial_rotary_factor", detail::shortest(part));
  const bool is_scaled = s.scaling != rotary_scaling::none;
  if (is_scaled) {
    if (s.factor) add("factor", detail::shortest(*s.factor));
    if (s.attention_factor) add("attention_factor", detail::shortest(*s.attention_factor));
    detail::for_each_rotary_number(s, [&](std::string_view key, double value) {
      const bool is_given = !key.starts_with("mscale") || value != 0;
      if (detail::rotary_has(s.scaling, key) && is_given) add(key, detail::shortest(value));
    });
    if (s.scaling == rotary_scaling::yarn && !s.truncate) add("truncate", "false");
    if (!s.short_factor.empty()) add("short_factor", list(s.short_factor));
    if (!s.long_factor.empty()) add("long_factor", list(s.long_factor));
    if (s.original_max_position_embeddings != 0)
      add("original_max_position_embeddings", std::to_string(s.original_max_position_embeddings));
  }
  writer.add("rope_parameters", "{" + text + "\n  }");
  if (keys.base == "rope_theta") writer.add("rope_theta", detail::shortest(s.base));
  writer.add("rope_scaling", is_scaled ? "{" + text + "\n  }" : "null");
  if (keys.part.empty()) return;
  writer.add(keys.part, detail::shortest(part));
  writer.add(keys.base, detail::shortest(s.base));
}

} // namespace transept::inline TRANSEPT_ABI

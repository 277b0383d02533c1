// How the fields of a config.json are read and checked (io/config_reader.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <utility>

#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/config_reader.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION config_reader::config_reader(const json& root, std::string_view source,
                                               std::string_view model_type)
    : root_(root), source_(source), model_type_(model_type) {
  if (!root.is_object()) throw config_error(source_ + ": expected a JSON object, found " + described(root));
}

TRANSEPT_FUNCTION void config_reader::fail(std::string_view key, const std::string& expected,
                                           const json& found) const {
  throw config_error(source_ + ": " + std::string(key) + ": expected " + expected + ", found " +
                     described(found));
}

TRANSEPT_FUNCTION void config_reader::fail(const std::string& what) const {
  throw config_error(source_ + ": " + what);
}

TRANSEPT_FUNCTION std::string_view config_reader::text_of(const json& value) {
  return value.is_string() ? std::string_view(value.get_ref<const std::string&>()) : std::string_view();
}

TRANSEPT_FUNCTION const json* config_reader::find(std::string_view key, bool null_is_absent) const {
  const auto place = root_.find(key);
  if (place == root_.end() || (null_is_absent && place->is_null())) return nullptr;
  return &*place;
}

TRANSEPT_FUNCTION void config_reader::count(std::initializer_list<std::string_view> keys, int& value,
                                            int limit) const {
  if (const auto found = find_count(keys, limit)) value = *found;
}

TRANSEPT_FUNCTION void config_reader::older_count(std::string_view key, int& value, int limit) const {
  value = find_count({key}, limit, true).value_or(value);
}

TRANSEPT_FUNCTION void config_reader::count_or_null(std::string_view key, int& value, int otherwise,
                                                    int limit) const {
  value = find_count({key}, limit, true).value_or(otherwise);
}

TRANSEPT_FUNCTION void config_reader::head_width(std::string_view width_key, int width,
                                                 std::string_view heads_key, int heads, int& value,
                                                 std::optional<int> otherwise) const {
  const std::string width_name(width_key), heads_name(heads_key);
  if (const auto head_dim = find_count({"head_dim"}, config_limits::width, true)) {
    value = *head_dim;
  } else if (otherwise) {
    value = *otherwise;
  } else if (width % heads == 0) {
    value = width / heads;
  } else {
    fail(width_name + ": expected a multiple of " + heads_name + " (" + std::to_string(heads) +
         ") unless head_dim is given, found " + std::to_string(width));
  }
  if (std::int64_t{heads} * value > config_limits::width)
    fail(heads_name + ": expected " + heads_name + " * head_dim at most " +
         std::to_string(config_limits::width) + ", found " + std::to_string(heads) + " * " +
         std::to_string(value));
}

TRANSEPT_FUNCTION void config_reader::shared_heads(std::string_view key, std::string_view heads_key,
                                                   int heads, int& value,
                                                   std::optional<int> otherwise) const {
  const int absent = find(key) == nullptr ? otherwise.value_or(heads) : heads;
  value = find_count({key}, config_limits::width, true).value_or(absent);
  if (heads % value != 0)
    fail(std::string(key) + ": expected a divisor of " + std::string(heads_key) + " (" +
         std::to_string(heads) + "), found " + std::to_string(value));
}

TRANSEPT_FUNCTION void config_reader::boolean(std::string_view key, bool& value) const {
  const json* const found = find(key);
  if (found == nullptr) return;
  if (!found->is_boolean()) fail(key, "true or false", *found);
  value = found->get<bool>();
}

TRANSEPT_FUNCTION void config_reader::choice(std::string_view key, transept::choice& value) const {
  bool yes(value);
  boolean(key, yes);
  value = yes;
}

TRANSEPT_FUNCTION void config_reader::ignored_boolean(std::string_view key) const {
  bool ignored = false;
  boolean(key, ignored);
}

TRANSEPT_FUNCTION void config_reader::must_be(std::string_view key, bool value,
                                              const std::string& why_not) const {
  bool found = value;
  if (find(key, true) != nullptr) boolean(key, found);
  const auto name = [](bool yes) { return std::string(yes ? "true" : "false"); };
  if (found != value)
    fail(std::string(key) + ": expected " + name(value) + " (" + why_not + "), found " + name(found));
}

TRANSEPT_FUNCTION void config_reader::epsilon(std::string_view key, float& value) const {
  const json* const found = find(key);
  if (found == nullptr) return;
  const double number = found->is_number() ? found->get<double>() : 0;
  if (!(number >= double{std::numeric_limits<float>::min()} && number <= 1))
    fail(key, "a number above 0 and at most 1", *found);
  value = static_cast<float>(number);
}

TRANSEPT_FUNCTION void config_reader::positive(std::string_view key, float& value,
                                               std::optional<float> null_is) const {
  const json* const found = find(key);
  if (found == nullptr) return;
  if (found->is_null() && null_is) {
    value = *null_is;
    return;
  }
  const double number = found->is_number() ? found->get<double>() : 0;
  if (!(number > 0 && number <= double{std::numeric_limits<float>::max()}))
    fail(key, "a number above 0", *found);
  value = static_cast<float>(number);
}

TRANSEPT_FUNCTION void config_reader::activation(std::string_view key, activation_type& value,
                                                 bool null_is_absent,
                                                 std::initializer_list<named_activation> own) const {
  const json* const found = find(key, null_is_absent);
  if (found == nullptr) return;
  for (const named_activation& each : own)
    if (text_of(*found) == each.name) return void(value = each.type);
  const auto type = activation_of(text_of(*found));
  if (!type) fail(key, "one of " + activation_list(), *found);
  value = *type;
}

TRANSEPT_FUNCTION void config_reader::token(std::string_view key, std::optional<token_id>& value,
                                            std::optional<token_id> otherwise, int vocab_size) const {
  std::vector<token_id> usual;
  if (otherwise) usual.push_back(*otherwise);
  const auto ids = token_ids(key, std::move(usual), vocab_size);
  value = ids.empty() ? std::nullopt : std::optional(ids.front());
}

TRANSEPT_FUNCTION void config_reader::tokens(std::string_view key, std::vector<token_id>& value,
                                             std::vector<token_id> otherwise, int vocab_size) const {
  value = token_ids(key, std::move(otherwise), vocab_size);
}

TRANSEPT_FUNCTION void config_reader::whole_number(std::string_view key, int& value, int limit) const {
  const json* const found = find(key);
  if (found == nullptr) return;
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() > static_cast<std::uint64_t>(limit))
    fail(key, "a whole number from 0 to " + std::to_string(limit), *found);
  value = static_cast<int>(found->get<std::uint64_t>());
}

TRANSEPT_FUNCTION void config_reader::windows(layer_windows& value, int n_layer, bool) const {
  std::vector<bool> usual = std::exchange(value.slides, {});
  const auto layers = static_cast<std::size_t>(n_layer);
  const json* const given = find("sliding_window");
  value.window =
      given ? find_count({"sliding_window"}, config_limits::n_positions, true).value_or(0) : value.window;
  if (const json* const types = find("layer_types", true)) {
    if (!types->is_array() || types->size() != layers)
      fail("layer_types", "an array of " + std::to_string(n_layer) + " names, one for each layer", *types);
    for (const json& type : *types) {
      const std::string_view kind = text_of(type);
      if (kind != "full_attention" && kind != "sliding_attention")
        fail("layer_types", "\"full_attention\" or \"sliding_attention\"", type);
      value.slides.push_back(kind == "sliding_attention");
      if (value.slides.back() && value.window == 0)
        fail("sliding_window: expected a whole number, since layer_types has \"sliding_attention\"");
    }
  } else if (value.window > 0) {
    value.slides = std::move(usual);
  }
  if (!value.any_slides()) value = {};
}

TRANSEPT_FUNCTION void config_reader::no_windows(std::string_view key) const {
  const json* const types = find("layer_types", true);
  if (types == nullptr || !types->is_array()) return;
  for (const json& type : *types)
    if (text_of(type) == "sliding_attention")
      fail("layer_types", "\"full_attention\" alone, since " + std::string(key) + " is false", type);
}

TRANSEPT_FUNCTION void config_reader::rotating_layers(std::string_view key, std::vector<bool>& value,
                                                      int n_layer) const {
  value.clear();
  const int interval = find_count({"no_rope_layer_interval"}, config_limits::n_layer).value_or(4);
  const json* const flags = find(key, true);
  if (flags != nullptr && (!flags->is_array() || flags->size() < static_cast<std::size_t>(n_layer)))
    fail(key, "an array of " + std::to_string(n_layer) + " times 0 or 1", *flags);
  for (int i = 0; i < n_layer; ++i) {
    if (flags == nullptr) {
      value.push_back((i + 1) % interval != 0);
      continue;
    }
    const json& flag = (*flags)[static_cast<std::size_t>(i)];
    if (!flag.is_number_unsigned() || flag.get<std::uint64_t>() > 1) fail(key, "0 or 1", flag);
    value.push_back(flag.get<std::uint64_t>() == 1);
  }
}

TRANSEPT_FUNCTION void config_reader::local_layers(layer_windows& value, int n_layer) const {
  count({"window_size"}, value.window, config_limits::n_positions);
  const json* const types = find("attention_types", true);
  if (types != nullptr) {
    const std::string expected =
        R"(pairs of kinds and how often they come, [[["global", "local"], 12]], for )" +
        std::to_string(n_layer) + " layers";
    value.slides.clear();
    if (!types->is_array()) fail("attention_types", expected, *types);
    for (const json& pair : *types) {
      const bool is_pair =
          pair.is_array() && pair.size() == 2 && pair[0].is_array() && pair[1].is_number_unsigned();
      if (!is_pair || pair[1].get<std::uint64_t>() > static_cast<std::uint64_t>(n_layer))
        fail("attention_types", expected, pair);
      for (std::uint64_t times = pair[1].get<std::uint64_t>(); times > 0; --times)
        for (const json& kind : pair[0]) {
          if (text_of(kind) != "global" && text_of(kind) != "local")
            fail("attention_types", "\"global\" or \"local\"", kind);
          value.slides.push_back(text_of(kind) == "local");
          if (value.slides.size() > static_cast<std::size_t>(n_layer))
            fail("attention_types", expected, *types);
        }
    }
    if (value.slides.size() != static_cast<std::size_t>(n_layer)) fail("attention_types", expected, *types);
  }
  if (!value.any_slides()) value = {};
}

TRANSEPT_FUNCTION config_reader config_reader::inside(std::string_view key) const {
  static const json nothing = json::object();
  const json* const found = find(key, true);
  if (found != nullptr && !found->is_object()) fail(key, "an object or null", *found);
  return {found != nullptr ? *found : nothing, source_ + ": " + std::string(key), model_type_};
}

TRANSEPT_FUNCTION std::optional<int> config_reader::find_count(std::initializer_list<std::string_view> keys,
                                                               int limit, bool null_is_absent) const {
  for (const std::string_view key : keys) {
    const json* const value = find(key, null_is_absent);
    if (value == nullptr) continue;
    if (!value->is_number_unsigned() || value->get<std::uint64_t>() == 0 ||
        value->get<std::uint64_t>() > static_cast<std::uint64_t>(limit)) {
      fail(key, "a whole number from 1 to " + std::to_string(limit), *value);
    }
    return static_cast<int>(value->get<std::uint64_t>());
  }
  return std::nullopt;
}

TRANSEPT_FUNCTION std::vector<token_id> config_reader::token_ids(std::string_view key,
                                                                 std::vector<token_id> otherwise,
                                                                 int vocab_size) const {
  std::vector<token_id> ids;
  const auto add = [&](const json& value) {
    if (!value.is_number_integer()) fail(key, "a token id, a list of token ids or null", value);
    const bool is_negative = !value.is_number_unsigned() && value.get<std::int64_t>() < 0;
    if (!is_negative && value.get<std::uint64_t>() < static_cast<std::uint64_t>(vocab_size)) {
      ids.push_back(static_cast<token_id>(value.get<std::uint64_t>()));
    }
  };
  const json* const value = find(key);
  if (value == nullptr) {
    std::erase_if(otherwise, [&](token_id id) { return id >= vocab_size; });
    return otherwise;
  }
  if (value->is_array()) {
    for (const json& element : *value) add(element);
  } else if (!value->is_null()) {
    add(*value);
  }
  return ids;
}

} // namespace transept::inline TRANSEPT_ABI

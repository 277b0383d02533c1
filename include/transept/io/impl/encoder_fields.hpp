// How an encoder's head and labels stand in a config.json, both ways (io/config_reader.hpp,
// io/config_writer.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/config_reader.hpp>
#include <transept/io/config_writer.hpp>
#include <transept/models/encoder_head.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION void config_reader::must_be_text(std::string_view key, std::string_view value,
                                                   const std::string& why_not) const {
  const json* const found = find(key, true);
  if (found != nullptr && text_of(*found) != value)
    fail(key, "\"" + std::string(value) + "\" (" + why_not + ")", *found);
}

TRANSEPT_FUNCTION void config_reader::text(std::string_view key, std::string& value) const {
  const json* const found = find(key, true);
  if (found == nullptr) return;
  if (!found->is_string()) fail(key, "a text", *found);
  value = found->get<std::string>();
}

TRANSEPT_FUNCTION void config_reader::encoder_head(std::string_view model,
                                                   transept::encoder_head& head) const {
  const json* const all = find("architectures", true);
  if (all == nullptr || (all->is_array() && all->empty())) return;
  if (!all->is_array()) fail("architectures", "an array of names", *all);
  const std::string_view name = text_of(all->front());
  std::string known;
  for (const named_encoder_head& each : encoder_head_names) {
    const std::string full = std::string(model) + std::string(each.suffix);
    if (name == full) return void(head = each.head);
    known += (known.empty() ? "" : ", ") + full;
  }
  fail("architectures", "one of " + known, all->front());
}

TRANSEPT_FUNCTION void config_reader::labels(std::vector<std::string>& value, int) const {
  value.clear();
  const json* const names = find("id2label", true);
  if (names == nullptr) {
    const int count = find_count({"num_labels"}, config_limits::n_labels, true).value_or(2);
    for (int i = 0; i < count; ++i) value.push_back("LABEL_" + std::to_string(i));
    return;
  }
  const std::string expected = "an object with a name for each of \"0\", \"1\", …";
  if (!names->is_object() || names->empty() || names->size() > config_limits::n_labels)
    fail("id2label", expected, *names);
  for (std::size_t i = 0; i < names->size(); ++i) {
    const auto name = names->find(std::to_string(i));
    if (name == names->end() || !name->is_string()) fail("id2label", expected, *names);
    value.push_back(name->get<std::string>());
  }
}

TRANSEPT_FUNCTION void config_writer::text(std::string_view key, const std::string& value) {
  if (!value.empty()) add(key, json(value).dump());
}

TRANSEPT_FUNCTION void config_writer::encoder_head(std::string_view model, transept::encoder_head head) {
  if (head == transept::encoder_head::replaced_tokens) head = transept::encoder_head::pretraining;
  for (const named_encoder_head& each : encoder_head_names)
    if (each.head == head) architecture(std::string(model) + std::string(each.suffix));
}

TRANSEPT_FUNCTION void config_writer::labels(std::vector<std::string> value, int count) {
  for (std::size_t i = value.size(); i < static_cast<std::size_t>(count); ++i)
    value.push_back("LABEL_" + std::to_string(i));
  if (value.empty()) return;
  const auto quoted_name = [](const std::string& name) {
    return json(name).dump(-1, ' ', false, json::error_handler_t::replace);
  };
  std::string by_id, by_name;
  for (std::size_t i = 0; i < value.size(); ++i) {
    const std::string id = std::to_string(i), name = quoted_name(value[i]);
    by_id += (i == 0 ? "" : ",") + std::string("\n    \"") + id + "\": " + name;
    if (std::find(value.begin(), value.begin() + static_cast<std::ptrdiff_t>(i), value[i]) ==
        value.begin() + static_cast<std::ptrdiff_t>(i)) // a name stands once
      by_name += (i == 0 ? "" : ",") + std::string("\n    ") + name + ": " + id;
  }
  add("id2label", "{" + by_id + "\n  }");
  add("label2id", "{" + by_name + "\n  }");
}

} // namespace transept::inline TRANSEPT_ABI

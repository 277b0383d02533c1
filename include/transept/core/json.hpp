// Strict reading of JSON that someone else wrote, and safe display of what was in it.
//
// nlohmann-json's own parser keeps the last of two equal keys and nests without bound; a hostile header uses
// both. So documents are built here, through its SAX interface. This is the one header that includes
// nlohmann-json.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include <transept/core/error.hpp>

namespace transept::inline TRANSEPT_ABI {

using json = nlohmann::json;

namespace detail {

/// Bytes of the well-formed UTF-8 sequence that `text` begins with, 0 if it begins with none. `code_point` is
/// set where the answer is not 0.
inline std::size_t utf8_sequence(std::string_view text, std::uint32_t& code_point) {
  const auto byte = [&](std::size_t i) {
    return static_cast<std::uint32_t>(static_cast<unsigned char>(text[i]));
  };
  if (text.empty()) return 0;
  const std::uint32_t first = byte(0);
  if (first < 0x80) return code_point = first, 1;
  const std::size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length) return 0;
  code_point = first & (0xffu >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xc0u) != 0x80u) return 0;
    code_point = (code_point << 6) | (byte(i) & 0x3fu);
  }
  const bool overlong = (length == 3 && code_point < 0x800) || (length == 4 && code_point < 0x10000);
  const bool surrogate = code_point >= 0xd800 && code_point <= 0xdfff;
  return overlong || surrogate || code_point > 0x10ffff ? 0 : length;
}

/// Whether a terminal may be shown this character: no control, no line separator, no change of direction.
inline bool is_displayable(std::uint32_t code_point) {
  if (code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0)) return false;
  if (code_point >= 0x200b && code_point <= 0x200f) return false;
  if (code_point >= 0x2028 && code_point <= 0x202e) return false;
  if (code_point >= 0x2060 && code_point <= 0x206f) return false;
  return code_point != 0xfeff;
}

/// `text` with everything that is not displayable as \n, \t, \xNN …, cut after `max_bytes` of it.
inline std::string escaped(std::string_view text, std::size_t max_bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  std::size_t i = 0;
  while (i < text.size() && i < max_bytes) {
    std::uint32_t code_point = 0;
    const std::size_t length = utf8_sequence(text.substr(i), code_point);
    if (length != 0 && is_displayable(code_point)) {
      if (code_point == '"' || code_point == '\\') out += '\\';
      out += text.substr(i, length);
      i += length;
      continue;
    }
    const auto byte = static_cast<unsigned char>(text[i++]);
    if (byte == '\n')
      out += "\\n";
    else if (byte == '\t')
      out += "\\t";
    else if (byte == '\r')
      out += "\\r";
    else
      out += {'\\', 'x', digits[byte >> 4], digits[byte & 15u]};
  }
  if (i < text.size()) out += "...";
  return out;
}

} // namespace detail

/// Text from a file, fit for a message: in double quotes, with control bytes, invalid UTF-8 and characters
/// that would rearrange a terminal's line escaped; cut after 80 bytes. A function object, because a function
/// of this name would compete with std::quoted whenever its argument is a std::string.
struct quoted_function {
  std::string operator()(std::string_view text) const {
    std::string out = "\"" + detail::escaped(text, 80) + "\"";
    if (text.size() > 80) out += " (" + std::to_string(text.size()) + " bytes)";
    return out;
  }
};
inline constexpr quoted_function quoted{};

/// A JSON value, fit for a message: `null`, `-3`, `"relu"`, `an array of 4 values`, …
inline std::string described(const json& value) {
  const auto counted = [&](const char* what) {
    const std::size_t count = value.size();
    return std::string(what) + " of " + std::to_string(count) + (count == 1 ? " value" : " values");
  };
  switch (value.type()) {
  case json::value_t::null:
    return "null";
  case json::value_t::boolean:
    return value.get<bool>() ? "true" : "false";
  case json::value_t::number_integer:
    return std::to_string(value.get<std::int64_t>());
  case json::value_t::number_unsigned:
    return std::to_string(value.get<std::uint64_t>());
  case json::value_t::number_float: {
    char text[32];
    std::snprintf(text, sizeof text, "%g", value.get<double>());
    return text;
  }
  case json::value_t::string:
    return quoted(value.get_ref<const std::string&>());
  case json::value_t::array:
    return counted("an array");
  case json::value_t::object:
    return counted("an object");
  default:
    return "no JSON value";
  }
}

/// `text` as a JSON string literal, quotes included, for writing. Bytes that are no UTF-8 become U+FFFD.
inline std::string json_literal(std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out = "\"";
  while (!text.empty()) {
    std::uint32_t code_point = 0;
    const std::size_t length = detail::utf8_sequence(text, code_point);
    if (length == 0)
      out += "\xef\xbf\xbd";
    else if (code_point == '"' || code_point == '\\')
      out += {'\\', text[0]};
    else if (code_point < 0x20)
      out += {'\\', 'u', '0', '0', digits[code_point >> 4], digits[code_point & 15u]};
    else
      out += text.substr(0, length);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out + '"';
}

namespace detail {

/// Builds a document from nlohmann-json's SAX events, refusing duplicate keys and deep nesting.
class json_builder {
public:
  json_builder(std::string_view source, int max_depth) : source_(source), max_depth_(max_depth) {}

  json take() { return std::move(root_); }

  bool null() { return add(nullptr), true; }
  bool boolean(bool value) { return add(value), true; }
  bool number_integer(json::number_integer_t value) { return add(value), true; }
  bool number_unsigned(json::number_unsigned_t value) { return add(value), true; }
  bool number_float(json::number_float_t value, const std::string&) { return add(value), true; }
  bool string(std::string& value) { return add(std::move(value)), true; }
  bool binary(json::binary_t&) { return false; }
  bool start_object(std::size_t) { return open(json::value_t::object), true; }
  bool start_array(std::size_t) { return open(json::value_t::array), true; }
  bool end_object() { return open_.pop_back(), true; }
  bool end_array() { return open_.pop_back(), true; }

  bool key(std::string& name) {
    const auto [place, is_new] = open_.back()->get_ref<json::object_t&>().try_emplace(std::move(name));
    if (!is_new) fail("duplicate key " + quoted(place->first));
    member_ = &place->second;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& reason) {
    // "[json.exception.parse_error.101] parse error at line 1, column 2: syntax error …; last read: '…'; …".
    // What was read last may be the whole file: left out.
    std::string_view why = reason.what();
    if (const std::size_t code = why.find("] "); why.starts_with("[json.") && code != why.npos)
      why.remove_prefix(code + 2);
    if (const std::size_t colon = why.find(": "); colon != why.npos) why.remove_prefix(colon + 2);
    why = why.substr(0, why.find("; last read"));
    fail("not valid JSON at byte " + std::to_string(position) + ": " + escaped(why, 160));
  }

  [[noreturn]] void fail(const std::string& what) const {
    throw format_error(std::string(source_) + ": " + what);
  }

private:
  template <class Value>
  json* add(Value&& value) {
    if (open_.empty()) return root_ = std::forward<Value>(value), &root_;
    if (open_.back()->is_object()) return *member_ = std::forward<Value>(value), member_;
    auto& array = open_.back()->get_ref<json::array_t&>();
    array.emplace_back(std::forward<Value>(value));
    return &array.back();
  }

  void open(json::value_t type) {
    if (open_.size() >= static_cast<std::size_t>(max_depth_)) {
      fail("JSON nested deeper than " + std::to_string(max_depth_) + " levels");
    }
    open_.push_back(add(json(type)));
  }

  std::string_view source_;
  int max_depth_;
  json root_;
  std::vector<json*> open_; // the arrays and objects not closed yet; each is the last child of the one before
  json* member_ = nullptr;  // where the value of the key just read goes
};

} // namespace detail

/// Reads one JSON document: RFC 8259, valid UTF-8 (a byte-order mark is skipped), nothing but white space
/// after it, no key twice in one object, at most `max_depth` arrays and objects around any value.
/// Throws format_error whose message begins with `source`, the name of the file.
inline json parse_json(std::string_view text, std::string_view source, int max_depth = 64) {
  detail::json_builder builder(source, max_depth);
  // nlohmann-json takes a zero byte for the end of its input and would not see what follows.
  if (const std::size_t zero = text.find('\0'); zero != text.npos) {
    builder.fail("not valid JSON at byte " + std::to_string(zero + 1) + ": zero byte");
  }
  json::sax_parse(text.data(), text.data() + text.size(), &builder);
  return builder.take();
}

} // namespace transept::inline TRANSEPT_ABI

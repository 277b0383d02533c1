// How JSON is read (core/json.hpp).
//
// nlohmann-json's own parser keeps the last of two equal keys and nests without bound; a hostile header uses
// both. So documents are built here, through its SAX interface.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION std::string described(const json& value) {
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

TRANSEPT_FUNCTION std::string json_literal(std::string_view text) {
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
  json_builder(std::string_view text, std::string_view source, int max_depth)
      : source_(source), hint_(download_hint(text)), max_depth_(max_depth) {}

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
    fail("not valid JSON at byte " + std::to_string(position) + ": " + escaped(why, 160) + hint_);
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
  std::string hint_; // of a text that is something else
  int max_depth_;
  json root_;
  std::vector<json*> open_; // the arrays and objects not closed yet; each is the last child of the one before
  json* member_ = nullptr;  // where the value of the key just read goes
};

/// json::sax_parse, without its readers of CBOR, BSON and others, which cost 10 MB and more to compile.
inline void sax_parse(std::string_view text, json_builder& builder) {
  const char *const begin = text.data(), *const end = begin + text.size();
#if NLOHMANN_JSON_VERSION_MAJOR == 3 && NLOHMANN_JSON_VERSION_MINOR >= 8
  auto input = nlohmann::detail::input_adapter(begin, end);
  nlohmann::detail::parser<json, decltype(input)>(std::move(input)).sax_parse(&builder, true);
#else
  json::sax_parse(begin, end, &builder);
#endif
}

} // namespace detail

TRANSEPT_FUNCTION json parse_json(std::string_view text, std::string_view source, int max_depth) {
  detail::json_builder builder(text, source, max_depth);
  // nlohmann-json takes a zero byte for the end of its input and would not see what follows.
  if (const std::size_t zero = text.find('\0'); zero != text.npos) {
    builder.fail("not valid JSON at byte " + std::to_string(zero + 1) + ": zero byte");
  }
  detail::sax_parse(text, builder);
  return builder.take();
}

TRANSEPT_FUNCTION std::shared_ptr<const json> parse_json_document(std::string_view text,
                                                                  std::string_view source) {
  return std::make_shared<const json>(parse_json(text, source));
}

} // namespace transept::inline TRANSEPT_ABI

// How a GGUF file's metadata is read (io/gguf_values.hpp).
#pragma once

#include <cstring>
#include <utility>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/io/gguf_values.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// Reads a GGUF file from its beginning on. Every complaint begins with the file and `where()`.
class gguf_cursor {
public:
  gguf_cursor(std::string_view bytes, std::string source) : bytes_(bytes), source_(std::move(source)) {}

  std::size_t position() const { return position_; }
  std::size_t left() const { return bytes_.size() - position_; }
  const std::string& source() const { return source_; }

  /// What is being read, for messages: "key \"gpt2.block_count\"".
  void set_where(std::string where) { where_ = std::move(where); }

  [[noreturn]] void fail(const std::string& what) const {
    throw format_error(source_ + ": " + (where_.empty() ? "" : where_ + ": ") + what);
  }

  std::string_view take(std::size_t count, std::string_view what) {
    if (count > left()) {
      fail(std::string(what) + ": expected " + std::to_string(count) +
           " bytes, found the end of the file after " + std::to_string(left()));
    }
    position_ += count;
    return bytes_.substr(position_ - count, count);
  }

  template <class T>
  T number(std::string_view what) {
    T value;
    std::memcpy(&value, take(sizeof value, what).data(), sizeof value);
    return value;
  }

  std::string_view string(std::string_view what, std::uint64_t longest) {
    const auto length = number<std::uint64_t>(what);
    if (length > longest)
      fail(std::string(what) + ": expected a length of at most " + std::to_string(longest) + ", found " +
           std::to_string(length));
    if (length > left())
      fail(std::string(what) + ": expected a length of at most the " + std::to_string(left()) +
           " bytes that are left, found " + std::to_string(length));
    return take(static_cast<std::size_t>(length), what);
  }

  gguf_type value_type(std::string_view what) {
    const auto id = number<std::uint32_t>(what);
    if (id >= gguf_type_count)
      fail(std::string(what) + ": expected a number from 0 to " + std::to_string(gguf_type_count - 1) +
           ", found " + std::to_string(id));
    return static_cast<gguf_type>(id);
  }

  /// The bytes of a value, all of it looked at.
  std::string_view value(gguf_type type) {
    const std::size_t begin = position_;
    skip(type, 0);
    return bytes_.substr(begin, position_ - begin);
  }

private:
  static constexpr int max_depth = 4;
  static constexpr std::uint64_t any_length = static_cast<std::uint64_t>(-1);

  void skip(gguf_type type, int depth) {
    if (type == gguf_type::string)
      string("string", any_length);
    else if (type == gguf_type::array)
      skip_array(depth);
    else if (type == gguf_type::boolean)
      check_booleans(take(1, "boolean"));
    else
      take(size_of(type), name_of(type));
  }

  void skip_array(int depth) {
    if (depth == max_depth) fail("arrays nested deeper than " + std::to_string(max_depth) + " levels");
    const gguf_type type = value_type("array element type");
    const auto count = number<std::uint64_t>("array length");
    const std::size_t least = type == gguf_type::string ? 8 : type == gguf_type::array ? 12 : size_of(type);
    if (count > left() / least)
      fail("array length: expected at most " + std::to_string(left() / least) + " elements of type " +
           std::string(name_of(type)) + " in the " + std::to_string(left()) + " bytes that are left, found " +
           std::to_string(count));
    if (type == gguf_type::string || type == gguf_type::array) {
      for (std::uint64_t i = 0; i < count; ++i) skip(type, depth + 1);
    } else {
      const std::string_view elements = take(static_cast<std::size_t>(count) * least, "array");
      if (type == gguf_type::boolean) check_booleans(elements);
    }
  }

  void check_booleans(std::string_view values) const {
    for (const char value : values)
      if (value != 0 && value != 1)
        fail("boolean: expected 0 or 1, found " + std::to_string(static_cast<unsigned char>(value)));
  }

  std::string_view bytes_;
  std::string source_;
  std::string where_;
  std::size_t position_ = 0;
};

} // namespace detail

TRANSEPT_FUNCTION gguf_metadata::gguf_metadata(detail::gguf_cursor& cursor, std::uint64_t count)
    : source_(cursor.source()) {
  for (std::uint64_t i = 0; i < count; ++i) {
    cursor.set_where("metadata entry " + std::to_string(i));
    const std::string_view key = cursor.string("key", longest_key);
    if (key.empty()) cursor.fail("key: expected a name, found none");
    cursor.set_where("key " + quoted(key));
    const gguf_type type = cursor.value_type("value type");
    if (!values_.emplace(key, gguf_value{type, cursor.value(type)}).second)
      cursor.fail("expected once, found twice");
  }
  cursor.set_where({});
}

template <class T>
T gguf_metadata::number_at(const char* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

TRANSEPT_FUNCTION std::optional<std::int64_t> gguf_metadata::integer(gguf_type type, const char* bytes) {
  switch (type) {
  case gguf_type::uint8:
    return number_at<std::uint8_t>(bytes);
  case gguf_type::int8:
    return number_at<std::int8_t>(bytes);
  case gguf_type::uint16:
    return number_at<std::uint16_t>(bytes);
  case gguf_type::int16:
    return number_at<std::int16_t>(bytes);
  case gguf_type::uint32:
    return number_at<std::uint32_t>(bytes);
  case gguf_type::int32:
    return number_at<std::int32_t>(bytes);
  case gguf_type::uint64:
  case gguf_type::int64:
    return number_at<std::int64_t>(bytes);
  default:
    return std::nullopt;
  }
}

TRANSEPT_FUNCTION gguf_metadata::array_value gguf_metadata::array_of(const gguf_value& value) {
  return {static_cast<gguf_type>(number_at<std::uint32_t>(value.bytes.data())),
          static_cast<std::size_t>(number_at<std::uint64_t>(value.bytes.data() + 4)), value.bytes.substr(12)};
}

TRANSEPT_FUNCTION std::optional<gguf_metadata::array_value> gguf_metadata::array(
    std::string_view key, const std::string& expected, bool (*accepted)(gguf_type)) const {
  const gguf_value* const value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->type != gguf_type::array) fail(key, expected, *value);
  const array_value found = array_of(*value);
  if (!accepted(found.type)) fail(key, expected, *value);
  return found;
}

TRANSEPT_FUNCTION void gguf_metadata::fail(std::string_view key, const std::string& expected,
                                           const gguf_value& found) const {
  std::string what(name_of(found.type));
  if (found.type == gguf_type::array) what = "an array of " + std::string(name_of(array_of(found).type));
  throw format_error(source_ + ": key " + quoted(key) + ": expected " + expected + ", found " + what);
}

TRANSEPT_FUNCTION const gguf_value* gguf_metadata::find(std::string_view key) const {
  const auto place = values_.find(key);
  return place == values_.end() ? nullptr : &place->second;
}

TRANSEPT_FUNCTION std::optional<std::string_view> gguf_metadata::text(std::string_view key) const {
  const gguf_value* const value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->type != gguf_type::string) fail(key, "a string", *value);
  return value->bytes.substr(8);
}

TRANSEPT_FUNCTION std::optional<std::uint64_t> gguf_metadata::count(std::string_view key) const {
  const gguf_value* const value = find(key);
  if (value == nullptr) return std::nullopt;
  const auto number = integer(value->type, value->bytes.data());
  if (!number) fail(key, "a whole number", *value);
  if (*number < 0 && value->type != gguf_type::uint64)
    throw format_error(source_ + ": key " + quoted(key) + ": expected a whole number from 0, found " +
                       std::to_string(*number));
  return static_cast<std::uint64_t>(*number);
}

TRANSEPT_FUNCTION std::optional<double> gguf_metadata::number(std::string_view key) const {
  const gguf_value* const value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->type == gguf_type::float32) return double{number_at<float>(value->bytes.data())};
  if (value->type == gguf_type::float64) return number_at<double>(value->bytes.data());
  fail(key, "a number with a fraction", *value);
}

TRANSEPT_FUNCTION std::optional<bool> gguf_metadata::boolean(std::string_view key) const {
  const gguf_value* const value = find(key);
  if (value == nullptr) return std::nullopt;
  if (value->type != gguf_type::boolean) fail(key, "true or false", *value);
  return value->bytes[0] != 0;
}

TRANSEPT_FUNCTION std::optional<std::vector<std::string_view>> gguf_metadata::texts(
    std::string_view key) const {
  const auto found =
      array(key, "an array of strings", [](gguf_type type) { return type == gguf_type::string; });
  if (!found) return std::nullopt;
  std::vector<std::string_view> texts;
  texts.reserve(found->count); // each of them has at least eight bytes in the file
  std::string_view rest = found->elements;
  for (std::size_t i = 0; i < found->count; ++i) {
    const auto length = static_cast<std::size_t>(number_at<std::uint64_t>(rest.data()));
    texts.push_back(rest.substr(8, length));
    rest.remove_prefix(8 + length);
  }
  return texts;
}

TRANSEPT_FUNCTION std::optional<std::vector<std::int64_t>> gguf_metadata::integers(
    std::string_view key) const {
  const auto found = array(key, "an array of whole numbers", is_integer);
  if (!found) return std::nullopt;
  std::vector<std::int64_t> numbers;
  numbers.reserve(found->count);
  for (std::size_t i = 0; i < found->count; ++i)
    numbers.push_back(*integer(found->type, found->elements.data() + i * size_of(found->type)));
  return numbers;
}

TRANSEPT_FUNCTION std::optional<std::vector<float>> gguf_metadata::numbers(std::string_view key) const {
  const auto found =
      array(key, "an array of float32", [](gguf_type type) { return type == gguf_type::float32; });
  if (!found) return std::nullopt;
  std::vector<float> numbers(found->count);
  if (!numbers.empty()) std::memcpy(numbers.data(), found->elements.data(), found->count * sizeof(float));
  return numbers;
}

} // namespace transept::inline TRANSEPT_ABI

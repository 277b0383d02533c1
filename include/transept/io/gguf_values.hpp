// The metadata of a GGUF file: keys and typed values, read in place.
//
//   key      string
//   value    uint32 type, then: a number; a boolean (one byte, 0 or 1); a string (uint64 length, bytes);
//            or an array (uint32 element type, uint64 count, elements without their type; arrays may nest)
//
// All numbers are little-endian. Every value is walked once when the file is opened; what a length or count
// claims is compared with the bytes that are left before anything is done about it, so no claim allocates.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/io/gguf_types.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {
class gguf_cursor;
}

/// A value where it stands in the file.
struct gguf_value {
  gguf_type type;         ///< of an array: `array`, its elements' stands in the bytes
  std::string_view bytes; ///< without the type
};

/// The keys of a GGUF file and their values, which belong to the file's mapping. The typed look-ups give
/// nothing where the key is not there, and throw format_error where its value has another type.
class gguf_metadata {
public:
  static constexpr std::uint64_t longest_key = 65535; ///< bytes; the format's limit

  gguf_metadata() = default;

  /// Reads `count` keys and values at the cursor.
  gguf_metadata(detail::gguf_cursor& cursor, std::uint64_t count);

  /// All of them, by name.
  const std::map<std::string_view, gguf_value>& values() const { return values_; }

  /// The value of whatever type, or nullptr. The pointer lives as long as this object.
  const gguf_value* find(std::string_view key) const;

  /// A string.
  std::optional<std::string_view> text(std::string_view key) const;

  /// A whole number of any integer type, not negative.
  std::optional<std::uint64_t> count(std::string_view key) const;

  /// A float32 or float64.
  std::optional<double> number(std::string_view key) const;

  /// true or false.
  std::optional<bool> boolean(std::string_view key) const;

  /// An array of strings.
  std::optional<std::vector<std::string_view>> texts(std::string_view key) const;

  /// An array of whole numbers of any integer type (those of uint64 above 2⁶³ − 1 come out negative).
  std::optional<std::vector<std::int64_t>> integers(std::string_view key) const;

  /// An array of float32.
  std::optional<std::vector<float>> numbers(std::string_view key) const;

private:
  template <class T>
  static T number_at(const char* bytes);

  static bool is_integer(gguf_type type) {
    return type <= gguf_type::int32 || type == gguf_type::uint64 || type == gguf_type::int64;
  }

  static std::optional<std::int64_t> integer(gguf_type type, const char* bytes);

  /// An array whose elements were all walked.
  struct array_value {
    gguf_type type;            // of the elements
    std::size_t count;         // of elements
    std::string_view elements; // their bytes
  };
  static array_value array_of(const gguf_value& value);

  /// The array of a key, if it is there. Throws format_error for any other value, and for elements of a type
  /// that is not `accepted`.
  std::optional<array_value> array(std::string_view key, const std::string& expected,
                                   bool (*accepted)(gguf_type)) const;

  [[noreturn]] void fail(std::string_view key, const std::string& expected, const gguf_value& found) const;

  std::string source_;
  std::map<std::string_view, gguf_value> values_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/gguf_values.hpp>
#endif

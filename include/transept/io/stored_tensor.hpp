// A tensor as a file holds it: a name, a type, a shape, and where its bytes are.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/element_type.hpp>
#include <transept/io/mapped_file.hpp>

namespace transept::inline TRANSEPT_ABI {

/// One tensor of a file. The bytes belong to the file's mapping, row-major and little-endian (of a block
/// type: rows of blocks); their address need not suit the element type.
struct stored_tensor {
  std::string name;                 ///< as the file has it
  std::string dtype;                ///< as the file names it: "F32", "BF16", "I64", "Q8_0", …
  std::vector<std::uint64_t> shape; ///< outermost first; empty: one number
  std::span<const std::byte> bytes; ///< shape × dtype
  std::string source;               ///< the file's path, for messages
  bool is_mapped = false;           ///< the bytes are pages of a file, which can leave memory and come back

  /// Lets these of its bytes leave memory (all of them, if none are given), where they can come back.
  void release(std::span<const std::byte> some) const {
    if (is_mapped) release_pages(some);
  }
  void release() const { release(bytes); } ///< all of them
};

/// One tensor that a file is to hold.
struct tensor_entry {
  std::string name;                 ///< in the file
  std::vector<std::uint64_t> shape; ///< outermost first, in GGUF too
  element_type type;                ///< of the bytes that are written
};

namespace detail {

struct stored_type {
  std::string_view name;
  std::uint64_t bits;
};

/// Every type of the safetensors format, 0.7.
inline constexpr std::array<stored_type, 22> stored_types{{
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6}, {"F6_E3M2", 6},     {"U8", 8},          {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E8M0", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E5M2FNUZ", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},   {"I32", 32},        {"U32", 32},        {"F32", 32},
    {"F64", 64},    {"I64", 64},    {"U64", 64},    {"C64", 64},
}};

/// Bits of one element of a type that the format knows.
constexpr std::optional<std::uint64_t> bits_of_stored(std::string_view dtype) {
  for (const stored_type& known : stored_types) {
    if (known.name == dtype) return known.bits;
  }
  return std::nullopt;
}

/// A tensor whose bytes are not checked against the file yet.
struct placed_tensor;

} // namespace detail

/// The element type of a dtype that weights may have (F32, F16, BF16; in GGUF also Q8_0, Q4_0); nothing for
/// any other.
constexpr std::optional<element_type> element_type_of(std::string_view dtype) {
  for (const element_type type :
       {element_type::f32, element_type::f16, element_type::bf16, element_type::q8_0, element_type::q4_0}) {
    if (name_of(type) == dtype) return type;
  }
  return std::nullopt;
}

/// Elements of a shape; nothing where the product of its extents (those that are not zero) overflows.
constexpr std::optional<std::uint64_t> element_count(std::span<const std::uint64_t> shape) {
  std::uint64_t product = 1;
  bool is_empty = false;
  for (const std::uint64_t dimension : shape) {
    if (dimension == 0) {
      is_empty = true;
    } else if (product > std::numeric_limits<std::uint64_t>::max() / dimension) {
      return std::nullopt;
    } else {
      product *= dimension;
    }
  }
  return is_empty ? 0 : product;
}

/// Whether two tensors of mapped files have the same type, shape and bytes, which are compared up to the
/// first difference; both are in the page cache then, and leave this process's memory again.
TRANSEPT_FUNCTION bool have_same_elements(const stored_tensor& a, const stored_tensor& b);

/// A shape, for messages and tables: "[768, 2304]".
TRANSEPT_FUNCTION std::string shape_text(std::span<const std::uint64_t> shape);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/stored_tensor.hpp>
#endif

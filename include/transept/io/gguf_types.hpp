// The types of GGUF files: GGML's tensor types, of which this library computes with five, and the types of
// metadata values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <transept/core/element_type.hpp>
#include <transept/core/error.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A tensor type: its number in files, its name, and its blocks (one element each, for plain numbers).
struct ggml_type {
  std::uint32_t id;             ///< the number in files
  std::string_view name;        ///< in capitals: "Q8_0"
  std::uint64_t block_elements; ///< 1 for plain numbers
  std::uint64_t block_bytes;    ///< of so many elements, scales and all
};

/// Every tensor type that GGUF files have today. Those that were withdrawn are not among them.
inline constexpr std::array<ggml_type, 32> ggml_types{{
    {0, "F32", 1, 4},         {1, "F16", 1, 2},         {2, "Q4_0", 32, 18},      {3, "Q4_1", 32, 20},
    {6, "Q5_0", 32, 22},      {7, "Q5_1", 32, 24},      {8, "Q8_0", 32, 34},      {9, "Q8_1", 32, 36},
    {10, "Q2_K", 256, 84},    {11, "Q3_K", 256, 110},   {12, "Q4_K", 256, 144},   {13, "Q5_K", 256, 176},
    {14, "Q6_K", 256, 210},   {15, "Q8_K", 256, 292},   {16, "IQ2_XXS", 256, 66}, {17, "IQ2_XS", 256, 74},
    {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50},   {20, "IQ4_NL", 32, 18},   {21, "IQ3_S", 256, 110},
    {22, "IQ2_S", 256, 82},   {23, "IQ4_XS", 256, 136}, {24, "I8", 1, 1},         {25, "I16", 1, 2},
    {26, "I32", 1, 4},        {27, "I64", 1, 8},        {28, "F64", 1, 8},        {29, "IQ1_M", 256, 56},
    {30, "BF16", 1, 2},       {34, "TQ1_0", 256, 54},   {35, "TQ2_0", 256, 66},   {39, "MXFP4", 32, 17},
}};

/// The type of this number, or nullptr.
constexpr const ggml_type* find_ggml_type(std::uint32_t id) {
  for (const ggml_type& type : ggml_types)
    if (type.id == id) return &type;
  return nullptr;
}

/// GGML's description of an element type of this library.
constexpr const ggml_type& ggml_type_of(element_type type) {
  for (const ggml_type& each : ggml_types)
    if (each.name == name_of(type)) return each;
  throw argument_error("an element type that GGML does not have");
}

/// The types of metadata values; the numbers are those in files.
enum class gguf_type : std::uint32_t {
  uint8 = 0,
  int8 = 1,
  uint16 = 2,
  int16 = 3,
  uint32 = 4,
  int32 = 5,
  float32 = 6,
  boolean = 7,
  string = 8,
  array = 9,
  uint64 = 10,
  int64 = 11,
  float64 = 12
};

inline constexpr std::uint32_t gguf_type_count = 13; ///< numbers from here on are no type

/// The name of a value's type, for messages: "uint8", "array".
constexpr std::string_view name_of(gguf_type type) {
  constexpr std::array<std::string_view, gguf_type_count> names{
      "uint8",   "int8",   "uint16", "int16",  "uint32", "int32",  "float32",
      "boolean", "string", "array",  "uint64", "int64",  "float64"};
  return names[static_cast<std::size_t>(type)];
}

/// Bytes of a value of fixed size; 0 for a string or an array.
constexpr std::size_t size_of(gguf_type type) {
  constexpr std::array<std::size_t, gguf_type_count> sizes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return sizes[static_cast<std::size_t>(type)];
}

} // namespace transept::inline TRANSEPT_ABI

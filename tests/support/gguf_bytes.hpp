// GGUF files made by hand, independent of the library's writer: damaged ones too.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

template <class T>
std::string number_bytes(T value) {
  std::string bytes(sizeof value, '\0');
  std::memcpy(bytes.data(), &value, sizeof value);
  return bytes;
}

inline std::string gguf_string(std::string_view text) {
  return number_bytes(std::uint64_t{text.size()}) + std::string(text);
}

/// A metadata entry: the number of the value's type, and the value's bytes.
inline std::string gguf_key(std::string_view key, std::uint32_t type, std::string_view value) {
  return gguf_string(key) + number_bytes(type) + std::string(value);
}

inline std::string gguf_key(std::string_view key, std::uint32_t value) {
  return gguf_key(key, 4, number_bytes(value));
}

inline std::string gguf_key(std::string_view key, float value) {
  return gguf_key(key, 6, number_bytes(value));
}

inline std::string gguf_key(std::string_view key, const char* value) {
  return gguf_key(key, 8, gguf_string(value));
}

/// An array's value: element type, length, elements.
inline std::string gguf_array(std::uint32_t type, std::uint64_t count, std::string_view elements) {
  return number_bytes(type) + number_bytes(count) + std::string(elements);
}

inline std::string gguf_strings(const std::vector<std::string>& texts) {
  std::string elements;
  for (const auto& text : texts) elements += gguf_string(text);
  return gguf_array(8, texts.size(), elements);
}

/// An entry of the tensor table; `dimensions` innermost first, as the file has them.
inline std::string gguf_tensor(std::string_view name, const std::vector<std::uint64_t>& dimensions,
                               std::uint32_t type, std::uint64_t offset) {
  std::string bytes = gguf_string(name) + number_bytes(static_cast<std::uint32_t>(dimensions.size()));
  for (const std::uint64_t n : dimensions) bytes += number_bytes(n);
  return bytes + number_bytes(type) + number_bytes(offset);
}

/// What a file consists of.
struct gguf_parts {
  std::vector<std::string> keys = {};
  std::vector<std::string> tensors = {};
  std::string data = {};
  std::uint32_t version = 3;
  std::size_t alignment = 32;
};

inline std::string gguf_bytes(const gguf_parts& parts) {
  std::string bytes = "GGUF" + number_bytes(parts.version) +
                      number_bytes(std::uint64_t{parts.tensors.size()}) +
                      number_bytes(std::uint64_t{parts.keys.size()});
  for (const auto& key : parts.keys) bytes += key;
  for (const auto& tensor : parts.tensors) bytes += tensor;
  if (!parts.tensors.empty())
    bytes.resize((bytes.size() + parts.alignment - 1) / parts.alignment * parts.alignment);
  return bytes + parts.data;
}

} // namespace support

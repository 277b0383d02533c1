// Safetensors files made by hand, independent of the library's writer: damaged ones too.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace support {

/// A number as eight little-endian bytes.
inline std::string eight_bytes(std::uint64_t value) {
  std::string bytes;
  for (unsigned shift = 0; shift < 64; shift += 8) bytes += static_cast<char>((value >> shift) & 0xffu);
  return bytes;
}

/// A file of this header and this data, whatever they say.
inline std::string safetensors_bytes(std::string_view header, std::string_view data) {
  return eight_bytes(header.size()) + std::string(header) + std::string(data);
}

} // namespace support

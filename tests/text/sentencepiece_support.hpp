// Builds what SentencePiece writes: its models, and the tables of characters in them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace support {

inline std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 128; value >>= 7) bytes += static_cast<char>((value & 127u) | 128u);
  return bytes + static_cast<char>(value);
}

inline std::string number_field(unsigned field, std::uint64_t value) {
  return varint(std::uint64_t{field} << 3) + varint(value);
}

inline std::string bytes_field(unsigned field, std::string_view bytes) {
  return varint(std::uint64_t{field} << 3 | 2u) + varint(bytes.size()) + std::string(bytes);
}

inline std::string little_endian(std::uint32_t value) {
  std::string bytes;
  for (int i = 0; i < 4; ++i) bytes += static_cast<char>(value >> (8 * i) & 255u);
  return bytes;
}

inline std::string real_field(unsigned field, float value) {
  return varint(std::uint64_t{field} << 3 | 5u) + little_endian(std::bit_cast<std::uint32_t>(value));
}

/// A piece of a model; `type` as SentencePiece numbers them.
inline std::string model_piece(std::string_view text, float score, unsigned type = 1) {
  return bytes_field(1, bytes_field(1, text) + real_field(2, score) + number_field(3, type));
}

/// A precompiled_charsmap that replaces keys by values: a double array in which every node has a block of its
/// own, so that it is easy to see that it is one.
inline std::string character_map_of(const std::map<std::string, std::string>& pairs) {
  std::map<std::string, std::uint32_t> blocks{{"", 0}}; // of prefixes, by number
  std::string values;
  std::map<std::string, std::uint32_t> places;
  for (const auto& [key, value] : pairs) {
    for (std::size_t n = 1; n <= key.size(); ++n)
      blocks.emplace(key.substr(0, n), static_cast<std::uint32_t>(blocks.size()));
    places[key] = static_cast<std::uint32_t>(values.size());
    values += value + '\0';
  }
  // Block b begins at 256 * (b + 1). The children of a prefix lie in its block, each at its byte XOR the
  // prefix's last one, so that offsets are multiples of 256.
  const auto base = [&](const std::string& prefix) {
    const std::uint32_t last = prefix.empty() ? 0u : static_cast<unsigned char>(prefix.back());
    return 256 * (blocks.at(prefix) + 1) ^ last;
  };
  const auto offset_bits = [](std::uint32_t offset) {
    return offset < 1u << 21 ? offset << 10 : offset >> 8 << 10 | 0x200u;
  };
  std::vector<std::uint32_t> units(256 * (blocks.size() + 1), 0x80000000u);
  units[0] = offset_bits(base(""));
  for (const auto& [prefix, block] : blocks) {
    if (prefix.empty()) continue;
    const auto label = static_cast<unsigned char>(prefix.back());
    const std::uint32_t at = base(prefix.substr(0, prefix.size() - 1)) ^ label;
    units[at] = offset_bits(at ^ base(prefix)) | label | (places.contains(prefix) ? 0x100u : 0u);
    if (places.contains(prefix)) units[base(prefix)] = 0x80000000u | places.at(prefix);
  }
  // A leaf lies where the byte 0 would lead: no key has that.
  std::string bytes = little_endian(static_cast<std::uint32_t>(4 * units.size()));
  for (const std::uint32_t unit : units) bytes += little_endian(unit);
  return bytes + values;
}

} // namespace support

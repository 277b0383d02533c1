// Damaging files as a bad disk, a cut connection or an attacker would: deterministic, from a seed.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <string>
#include <string_view>

namespace support {

/// The same sequence of damages for the same seed, on every machine (std::mt19937_64's numbers are fixed by
/// the standard; its distributions are not, so none is used).
class damage {
public:
  explicit damage(std::uint64_t seed) : random_(seed) {}

  /// 0 … count - 1.
  std::size_t below(std::size_t count) {
    return static_cast<std::size_t>(random_() % std::max<std::size_t>(count, 1));
  }

  /// `bytes` with one to four of: a bit flipped, a byte set, a piece cut out, doubled or overwritten from
  /// elsewhere, the end cut off, a number or word put in that loaders dislike. Three in four hit the first
  /// `interesting` bytes, where the structure is.
  std::string apply(std::string bytes, std::size_t interesting) {
    for (std::size_t count = 1 + below(4); count > 0; --count) apply_one(bytes, interesting);
    return bytes;
  }

private:
  void apply_one(std::string& bytes, std::size_t interesting) {
    if (bytes.empty()) {
      bytes += static_cast<char>(below(256));
      return;
    }
    const std::size_t range = below(4) == 0 ? bytes.size() : std::min(interesting, bytes.size());
    const std::size_t place = below(range);
    const std::size_t length = std::min(1 + below(16), bytes.size() - place);
    switch (below(8)) {
    case 0:
      bytes[place] = static_cast<char>(static_cast<unsigned char>(bytes[place]) ^ (1u << below(8)));
      break;
    case 1:
      bytes[place] = static_cast<char>(below(256));
      break;
    case 2:
      bytes.erase(place, length);
      break;
    case 3:
      bytes.insert(place, std::string(bytes, place, length));
      break;
    case 4:
      bytes.replace(place, length, std::string(bytes, below(bytes.size()), length));
      break;
    case 5:
      bytes.resize(place);
      break;
    default:
      put_word(bytes, place);
      break;
    }
  }

  /// Over what stands at `place`: a whole number if a number stands there, so that JSON stays JSON.
  void put_word(std::string& bytes, std::size_t place) {
    constexpr std::array<std::string_view, 26> words{"0",
                                                     "-1",
                                                     "1",
                                                     "2147483647",
                                                     "2147483648",
                                                     "4294967296",
                                                     "9223372036854775807",
                                                     "18446744073709551614",
                                                     "18446744073709551616",
                                                     "1e400",
                                                     "1.5",
                                                     "null",
                                                     "true",
                                                     "false",
                                                     "[]",
                                                     "{}",
                                                     "\"\"",
                                                     "[[[[[[[[[[",
                                                     "\"F16\"",
                                                     "\"F64\"",
                                                     "\"../x\"",
                                                     "\"\\u0000\"",
                                                     "\xff\xfe",
                                                     "\xef\xbb\xbf",
                                                     "NaN",
                                                     ","};
    const std::string_view word = words[below(words.size())];
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    std::size_t begin = place;
    std::size_t end = place;
    while (begin < bytes.size() && !is_digit(bytes[begin]) && begin - place < 64) ++begin;
    if (begin == bytes.size() || !is_digit(bytes[begin]))
      begin = end = place;
    else
      end = begin;
    while (end < bytes.size() && is_digit(bytes[end])) ++end;
    bytes.replace(begin, end - begin, word);
  }

  std::mt19937_64 random_;
};

} // namespace support

// How strings become a trie (text/piece_trie.hpp).
#pragma once

#include <algorithm>
#include <cstring>
#include <numeric>

#include <transept/core/error.hpp>
#include <transept/text/piece_trie.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION piece_trie::piece_trie(const std::vector<std::string_view>& strings) {
  std::size_t bytes = 0;
  for (const std::string_view each : strings) bytes += each.size();
  if (bytes >= none - 1) throw argument_error("strings to look for are too long");
  std::vector<std::uint32_t> sorted(strings.size());
  std::iota(sorted.begin(), sorted.end(), 0u);
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](std::uint32_t a, std::uint32_t b) { return strings[a] < strings[b]; });
  // A node is the sorted strings from `begin` to `end`, which agree in their first `depth` bytes.
  struct range {
    std::size_t begin, end, depth;
  };
  std::vector<range> ranges{{0, sorted.size(), 0}};
  nodes_.push_back({0, none});
  bytes_.push_back(0);
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    auto [begin, end, depth] = ranges[i];
    if (depth != 0 && begin != end && strings[sorted[begin]].size() == depth)
      nodes_[i].string = sorted[begin];
    while (begin != end && strings[sorted[begin]].size() == depth) ++begin;
    nodes_[i].children = static_cast<std::uint32_t>(ranges.size());
    while (begin != end) {
      const char byte = strings[sorted[begin]][depth];
      const std::size_t first = begin;
      while (begin != end && strings[sorted[begin]][depth] == byte) ++begin;
      ranges.push_back({first, begin, depth + 1});
      nodes_.push_back({0, none});
      bytes_.push_back(byte);
    }
  }
  nodes_.push_back({static_cast<std::uint32_t>(ranges.size()), none});
  first_.fill(none);
  for (std::uint32_t at = nodes_[root].children; at < nodes_[root + 1].children; ++at)
    first_[static_cast<unsigned char>(bytes_[at])] = at;
}

TRANSEPT_FUNCTION std::uint32_t piece_trie::step_far(std::uint32_t begin, std::uint32_t end,
                                                     char byte) const {
  const char* const first = bytes_.data() + begin;
  const void* const at = std::memchr(first, static_cast<unsigned char>(byte), end - begin);
  return at ? begin + static_cast<std::uint32_t>(static_cast<const char*>(at) - first) : none;
}

TRANSEPT_FUNCTION piece_trie::found piece_trie::longest(std::string_view text) const {
  found best{none, 0};
  std::uint32_t node = root;
  for (std::size_t at = 0; at < text.size(); ++at) {
    node = step(node, text[at]);
    if (node == none) break;
    if (const std::uint32_t string = string_at(node); string != none) best = {string, at + 1};
  }
  return best;
}

} // namespace transept::inline TRANSEPT_ABI

// Learning byte pairs as the paper prints it: count all pairs, merge the most frequent everywhere, again.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

#include <transept/core/types.hpp>

namespace reference {

using token_pair = std::pair<transept::token_id, transept::token_id>;

/// `words` as tokens, each counted `counts[i]` times. New tokens are next_token, next_token + 1, …. Of equals
/// the smallest pair comes first.
inline std::vector<token_pair> learn_merges(std::vector<std::vector<transept::token_id>> words,
                                            const std::vector<std::uint64_t>& counts,
                                            transept::token_id next_token, std::size_t most,
                                            std::uint64_t min_frequency) {
  std::vector<token_pair> merges;
  while (merges.size() < most) {
    std::map<token_pair, std::uint64_t> pairs;
    for (std::size_t w = 0; w < words.size(); ++w)
      for (std::size_t i = 0; i + 1 < words[w].size(); ++i)
        pairs[{words[w][i], words[w][i + 1]}] += counts[w];
    token_pair best;
    std::uint64_t frequency = 0;
    for (const auto& [pair, count] : pairs)
      if (count > frequency) best = pair, frequency = count;
    if (frequency < min_frequency || frequency == 0) break;
    for (auto& word : words)
      for (std::size_t i = 0; i + 1 < word.size(); ++i)
        if (token_pair(word[i], word[i + 1]) == best) {
          word[i] = next_token;
          word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
        }
    merges.push_back(best);
    ++next_token;
  }
  return merges;
}

} // namespace reference

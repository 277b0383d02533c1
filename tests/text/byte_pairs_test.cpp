#include <support/catch.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/text/byte_pairs.hpp>

#include "text_support.hpp"

using namespace transept;

namespace {

using tokens = std::vector<token_id>;

std::array<token_id, 256> identity() {
  std::array<token_id, 256> ids{};
  for (std::size_t i = 0; i < 256; ++i) ids[i] = static_cast<token_id>(i);
  return ids;
}

tokens encode(const byte_pairs& pairs, std::string_view piece) {
  tokens out;
  pairs.encode(piece, out);
  return out;
}

/// The definition: the pair learned first, the leftmost of equals, until there is none; or, as GPT-2's
/// encoder has it, all the equal pairs from left to right before looking again.
tokens by_definition(const std::vector<token_merge>& merges, std::string_view piece, bool all_at_once) {
  std::map<std::pair<token_id, token_id>, std::size_t> ranks;
  for (std::size_t i = 0; i < merges.size(); ++i) ranks[{merges[i].left, merges[i].right}] = i;
  tokens word;
  for (const char c : piece) word.push_back(static_cast<unsigned char>(c));
  for (;;) {
    std::size_t best = merges.size();
    for (std::size_t i = 0; i + 1 < word.size(); ++i) {
      const auto known = ranks.find({word[i], word[i + 1]});
      if (known != ranks.end()) best = std::min(best, known->second);
    }
    if (best == merges.size()) return word;
    for (std::size_t i = 0; i + 1 < word.size(); ++i) {
      if (word[i] != merges[best].left || word[i + 1] != merges[best].right) continue;
      word[i] = merges[best].merged;
      word.erase(word.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      if (!all_at_once) break;
    }
  }
}

/// Merges over the letters a, b, c, as training could have made them: parts first, every token by one merge.
std::vector<token_merge> random_merges(support::random_text& random, std::size_t count) {
  std::vector<std::pair<token_id, std::string>> known = {{'a', "a"}, {'b', "b"}, {'c', "c"}};
  std::set<std::string> texts = {"a", "b", "c"};
  std::vector<token_merge> merges;
  while (merges.size() < count) {
    const auto left = known[random.below(known.size())], right = known[random.below(known.size())];
    if (!texts.insert(left.second + right.second).second) continue;
    const auto id = static_cast<token_id>(256 + merges.size());
    merges.push_back({left.first, right.first, id});
    known.emplace_back(id, left.second + right.second);
  }
  return merges;
}

/// Of letters that stand alone, or in runs of up to `longest`.
std::string random_piece(support::random_text& random, std::size_t longest = 1) {
  std::string piece;
  const std::size_t length = random.below(4) ? random.below(40) : random.below(400);
  const std::size_t letters = 1 + random.below(3);
  while (piece.size() < length)
    piece.append(1 + random.below(longest), static_cast<char>('a' + random.below(letters)));
  return piece;
}

/// The same definition where merges may be as early as others, which their ranks say: the leftmost pair of
/// the lowest rank.
tokens by_ranks(const std::vector<token_merge>& merges, std::string_view piece) {
  std::map<std::pair<token_id, token_id>, const token_merge*> known;
  for (const token_merge& merge : merges) known[{merge.left, merge.right}] = &merge;
  tokens word;
  for (const char c : piece) word.push_back(static_cast<unsigned char>(c));
  for (;;) {
    const token_merge* best = nullptr;
    std::size_t at = 0;
    for (std::size_t i = 0; i + 1 < word.size(); ++i) {
      const auto found = known.find({word[i], word[i + 1]});
      if (found == known.end() || (best != nullptr && found->second->rank >= best->rank)) continue;
      best = found->second;
      at = i;
    }
    if (best == nullptr) return word;
    word[at] = best->merged;
    word.erase(word.begin() + static_cast<std::ptrdiff_t>(at) + 1);
  }
}

} // namespace

TEST_CASE("pairs merge in the order they were learned, the leftmost first") {
  const std::vector<token_merge> merges = {
      {'b', 'c', 256}, {'a', 'b', 257}, {'a', 256, 258}, {'x', 'x', 259}};
  const byte_pairs pairs(identity(), merges);
  CHECK(encode(pairs, "") == tokens{});
  CHECK(encode(pairs, "abc") == tokens{258});
  CHECK(encode(pairs, "ab") == tokens{257});
  CHECK(encode(pairs, "xxx") == tokens{259, 'x'});
  CHECK(encode(pairs, "\xff\x01") == tokens{0xff, 0x01});
  CHECK(encode(byte_pairs(identity(), {}), "abc") == tokens{'a', 'b', 'c'});
}

TEST_CASE("short and long pieces get the tokens that the definition gives") {
  support::random_text random(3);
  std::size_t different = 0;
  for (int i = 0; i < 300; ++i) {
    const auto merges = random_merges(random, 1 + random.below(60));
    const byte_pairs pairs(identity(), merges);
    for (int j = 0; j < 12; ++j) {
      const std::string piece = random_piece(random);
      const tokens found = encode(pairs, piece);
      different += found != by_definition(merges, piece, true);
      different += found != by_definition(merges, piece, false);
    }
  }
  CHECK(different == 0);
}

TEST_CASE("merges in an order no training gives still merge the pair learned first") {
  support::random_text random(4);
  std::size_t different = 0;
  for (int i = 0; i < 200; ++i) {
    auto merges = random_merges(random, 1 + random.below(30));
    for (std::size_t j = merges.size(); j > 1; --j) std::swap(merges[j - 1], merges[random.below(j)]);
    const byte_pairs pairs(identity(), merges);
    for (int j = 0; j < 8; ++j) {
      const std::string piece = random_piece(random);
      different += encode(pairs, piece) != by_definition(merges, piece, false);
    }
  }
  CHECK(different == 0);
}

TEST_CASE("merges that are as early as others take the leftmost pair, in runs of letters too") {
  support::random_text random(5);
  std::size_t different = 0;
  for (int i = 0; i < 300; ++i) {
    auto merges = random_merges(random, 1 + random.below(40));
    // All at once, a few at a time, in their order, or in any.
    const std::size_t together = 1 + random.below(3) * random.below(20), kind = random.below(3);
    for (std::size_t j = 0; j < merges.size(); ++j)
      merges[j].rank = static_cast<std::int32_t>(kind == 0   ? 0
                                                 : kind == 1 ? j / together
                                                             : random.below(merges.size()));
    const byte_pairs pairs(identity(), merges);
    for (int j = 0; j < 12; ++j) {
      const std::string piece = random_piece(random, j % 2 == 0 ? 1 : 60);
      different += encode(pairs, piece) != by_ranks(merges, piece);
    }
  }
  CHECK(different == 0);
}

TEST_CASE("a pair with two merges is refused") {
  const std::vector<token_merge> merges = {{'a', 'b', 256}, {'a', 'b', 256}};
  CHECK_THROWS_AS(byte_pairs(identity(), merges), tokenizer_error);
}

// Were any of these quadratic, the test would not end in time.
TEST_CASE("a piece of a megabyte is merged") {
  const std::vector<token_merge> merges = {{'a', 'a', 256}, {256, 256, 257}, {257, 257, 258}, {'a', 'b', 259},
                                           {259, 259, 260}, {'b', 'a', 261}, {258, 258, 262}};
  const byte_pairs pairs(identity(), merges);
  constexpr std::size_t size = 1u << 20;
  CHECK(encode(pairs, support::repeated("a", size)) == tokens(size / 16, 262));
  CHECK(encode(pairs, support::repeated("ab", size)) == tokens(size / 4, 260));
  CHECK(encode(pairs, support::repeated("x", size)).size() == size);
  CHECK(encode(pairs, support::repeated("aab", size)).size() > size / 3);
}

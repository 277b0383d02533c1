// How the bytes of a piece are merged to tokens (text/byte_pairs.hpp).
#pragma once

#include <algorithm>
#include <bit>
#include <functional>
#include <queue>
#include <string>
#include <utility>

#include <transept/core/error.hpp>
#include <transept/text/byte_pairs.hpp>

namespace transept::inline TRANSEPT_ABI {

inline std::size_t byte_pairs::find(std::uint64_t key) const {
  std::uint64_t hash = key * 0x9e3779b97f4a7c15u;
  hash ^= hash >> 32;
  std::size_t at = static_cast<std::size_t>(hash) & mask_;
  while (slots_[at].key != key && slots_[at].key != no_key) at = (at + 1) & mask_;
  return at;
}

TRANSEPT_FUNCTION byte_pairs::byte_pairs(const std::array<token_id, 256>& byte_tokens,
                                         std::span<const token_merge> merges)
    : byte_tokens_(byte_tokens), slots_(std::bit_ceil(2 * merges.size() + 2)), mask_(slots_.size() - 1) {
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const token_merge& merge = merges[rank];
    slot& free = slots_[find(key_of(merge.left, merge.right))];
    if (free.key != no_key) throw tokenizer_error("a merge is given twice: number " + std::to_string(rank));
    free = {key_of(merge.left, merge.right),
            merge.rank < 0 ? static_cast<std::uint32_t>(rank) : static_cast<std::uint32_t>(merge.rank),
            merge.merged};
  }
}

TRANSEPT_FUNCTION void byte_pairs::encode(std::string_view piece, std::vector<token_id>& out) const {
  if (piece.size() > short_piece)
    return merge_long(
        piece.size(), [&](std::size_t i) { return token_of(piece[i]); }, out);
  token_id tokens[short_piece];
  for (std::size_t i = 0; i < piece.size(); ++i) tokens[i] = token_of(piece[i]);
  merge_short(tokens, piece.size(), out);
}

TRANSEPT_FUNCTION void byte_pairs::merge(std::span<const token_id> symbols,
                                         std::vector<token_id>& out) const {
  if (symbols.size() > short_piece)
    return merge_long(
        symbols.size(), [&](std::size_t i) { return symbols[i]; }, out);
  token_id tokens[short_piece];
  std::copy(symbols.begin(), symbols.end(), tokens);
  merge_short(tokens, symbols.size(), out);
}

inline void byte_pairs::merge_short(token_id* tokens, std::size_t count, std::vector<token_id>& out) const {
  const slot* pairs[short_piece]; // pairs[i] is that of tokens[i] and tokens[i + 1]
  for (std::size_t i = 0; i + 1 < count; ++i) pairs[i] = &pair(tokens[i], tokens[i + 1]);
  while (count > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i + 1 < count; ++i) {
      if (pairs[i]->rank < pairs[best]->rank) best = i;
    }
    if (pairs[best]->rank == no_rank) break;
    tokens[best] = pairs[best]->merged;
    --count;
    for (std::size_t i = best + 1; i < count; ++i) {
      tokens[i] = tokens[i + 1];
      pairs[i - 1] = pairs[i];
    }
    if (best + 1 < count) pairs[best] = &pair(tokens[best], tokens[best + 1]);
    if (best > 0) pairs[best - 1] = &pair(tokens[best - 1], tokens[best]);
  }
  out.insert(out.end(), tokens, tokens + count);
}

template <class Symbol>
void byte_pairs::merge_long(std::size_t size, Symbol symbol, std::vector<token_id>& out) const {
  if (size >= no_rank) throw argument_error("a word of more than 4 GiB cannot be tokenized");
  struct link {
    token_id token;
    std::uint32_t previous;
    std::uint32_t next;
    std::uint32_t rank; // of the pair with the next; a heap entry that says otherwise is out of date
  };
  const auto count = static_cast<std::uint32_t>(size);
  const std::uint32_t end = count;
  std::vector<link> links(count);
  std::vector<std::uint64_t> candidates; // rank, then position: the leftmost of equal pairs comes first
  for (std::uint32_t i = 0; i < count; ++i) {
    const token_id token = symbol(i);
    const bool last = i + 1 == count;
    const std::uint32_t rank = last ? no_rank : pair(token, symbol(i + 1)).rank;
    links[i] = {token, i == 0 ? end : i - 1, i + 1, rank};
    if (rank != no_rank) candidates.push_back(std::uint64_t{rank} << 32 | i);
  }
  std::priority_queue heap(std::greater<std::uint64_t>{}, std::move(candidates));

  const auto renew = [&](std::uint32_t at) {
    link& left = links[at];
    left.rank = left.next == end ? no_rank : pair(left.token, links[left.next].token).rank;
    if (left.rank != no_rank) heap.push(std::uint64_t{left.rank} << 32 | at);
  };
  while (!heap.empty()) {
    const auto at = static_cast<std::uint32_t>(heap.top());
    const auto rank = static_cast<std::uint32_t>(heap.top() >> 32);
    heap.pop();
    link& left = links[at];
    if (left.rank != rank) continue;
    link& right = links[left.next];
    left.token = pair(left.token, right.token).merged;
    left.next = right.next;
    right.rank = no_rank; // gone
    if (left.next != end) links[left.next].previous = at;
    renew(at);
    if (left.previous != end) renew(left.previous);
  }
  for (std::uint32_t at = 0; at != end; at = links[at].next) out.push_back(links[at].token);
}

} // namespace transept::inline TRANSEPT_ABI

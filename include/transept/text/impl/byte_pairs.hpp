// How the bytes of a piece are merged to tokens (text/byte_pairs.hpp).
#pragma once

#include <algorithm>
#include <bit>
#include <string>

#include <transept/core/error.hpp>
#include <transept/text/byte_pairs.hpp>
#include <transept/text/impl/merge_queue.hpp>

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
  if (piece.size() > short_piece) {
    std::vector<token_id> symbols(piece.size());
    std::transform(piece.begin(), piece.end(), symbols.begin(), [&](char byte) { return token_of(byte); });
    return merge_long(symbols, out);
  }
  token_id tokens[short_piece];
  for (std::size_t i = 0; i < piece.size(); ++i) tokens[i] = token_of(piece[i]);
  merge_short(tokens, piece.size(), out);
}

TRANSEPT_FUNCTION void byte_pairs::merge(std::span<const token_id> symbols,
                                         std::vector<token_id>& out) const {
  if (symbols.size() > short_piece) return merge_long(symbols, out);
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

inline bool byte_pairs::merge_runs(std::span<const token_id> symbols, std::vector<token_id>& out) const {
  struct run {
    token_id token;
    std::size_t count;
  };
  constexpr std::size_t few = 16;
  std::vector<run> runs, next;
  const auto append = [](std::vector<run>& to, token_id token, std::size_t count) {
    if (count == 0) return;
    if (!to.empty() && to.back().token == token)
      to.back().count += count;
    else
      to.push_back({token, count});
  };
  for (const token_id symbol : symbols) {
    append(runs, symbol, 1);
    if (runs.size() > few) return false;
  }
  for (;;) {
    const slot* best = nullptr;
    bool is_alone = true; // of its rank
    const auto look_at = [&](token_id left, token_id right) {
      const slot& found = pair(left, right);
      if (found.rank == no_rank || &found == best) return;
      if (best == nullptr || found.rank <= best->rank) {
        is_alone = best == nullptr || found.rank < best->rank;
        best = &found;
      }
    };
    for (std::size_t i = 0; i < runs.size(); ++i) {
      if (runs[i].count > 1) look_at(runs[i].token, runs[i].token);
      if (i + 1 < runs.size()) look_at(runs[i].token, runs[i + 1].token);
    }
    if (best == nullptr) break;
    // It is merged wherever it is, unless what comes out is to be merged sooner.
    const auto comes_later = [&](token_id first, token_id second) {
      return pair(first, second).rank > best->rank;
    };
    const token_id merged = best->merged;
    if (!is_alone || !comes_later(merged, merged)) return false;
    for (const run& each : runs)
      if (!comes_later(merged, each.token) || !comes_later(each.token, merged)) return false;
    const auto left = static_cast<token_id>(best->key >> 32), right = static_cast<token_id>(best->key);
    next.clear();
    for (std::size_t i = 0; i < runs.size(); ++i) {
      run& at = runs[i];
      if (at.token == left && left == right) {
        append(next, merged, at.count / 2);
        append(next, left, at.count % 2);
      } else if (at.token == left && i + 1 < runs.size() && runs[i + 1].token == right) {
        append(next, left, at.count - 1);
        append(next, merged, 1);
        --runs[i + 1].count;
      } else {
        append(next, at.token, at.count);
      }
    }
    runs.swap(next);
  }
  for (const run& each : runs) out.insert(out.end(), each.count, each.token);
  return true;
}

inline void byte_pairs::merge_long(std::span<const token_id> symbols, std::vector<token_id>& out) const {
  if (merge_runs(symbols, out)) return;
  if (symbols.size() >= no_rank / 3) // a queue has places for as many candidates
    throw argument_error("a word of more than 1.3 GiB cannot be tokenized");
  struct link {
    token_id token;
    std::uint32_t previous;
    std::uint32_t next;
    std::uint32_t pair; // with the next one: a place in slots_, free where they stay two
  };
  const auto count = static_cast<std::uint32_t>(symbols.size());
  const std::uint32_t end = count;
  const auto place = [&](token_id left, token_id right) {
    return static_cast<std::uint32_t>(find(key_of(left, right)));
  };
  const auto free = static_cast<std::uint32_t>(find(no_key));
  std::vector<link> links(count);
  detail::merge_queue candidates(count);
  const auto rank_of = [&](std::uint32_t at) { return slots_[links[at].pair].rank; };
  const auto push = [&](std::uint32_t at) {
    if (rank_of(at) != no_rank) candidates.push({rank_of(at), at});
  };
  for (std::uint32_t i = 0; i < count; ++i) {
    links[i] = {symbols[i], i == 0 ? end : i - 1, i + 1,
                i + 1 == count ? free : place(symbols[i], symbols[i + 1])};
    push(i);
  }
  while (const auto best = candidates.pop()) {
    const std::uint32_t at = best->at;
    link& left = links[at];
    std::uint32_t rank = best->rank;
    if (rank_of(at) != rank) continue; // something else became of it
    for (bool is_next = true; is_next;) {
      link& right = links[left.next];
      left.token = slots_[left.pair].merged;
      left.next = right.next;
      right.pair = free; // gone
      left.pair = left.next == end ? free : place(left.token, links[left.next].token);
      if (left.next != end) links[left.next].previous = at;
      is_next = rank_of(at) <= rank; // than which nothing comes sooner
      if (left.previous != end) {
        links[left.previous].pair = place(links[left.previous].token, left.token);
        is_next = is_next && rank_of(left.previous) > rank_of(at);
        push(left.previous);
      }
      rank = rank_of(at);
    }
    push(at);
  }
  for (std::uint32_t at = 0; at != end; at = links[at].next) out.push_back(links[at].token);
}

} // namespace transept::inline TRANSEPT_ABI

// The pairs of a long piece that can be merged, in the order in which they are (text/byte_pairs.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <vector>

namespace transept::inline TRANSEPT_ABI::detail {

/// Where in a piece a pair begins, and how early its merge was learned.
struct merge_candidate {
  std::uint32_t rank;
  std::uint32_t at;
};

/// A priority queue: the lowest rank comes first, of equal ones the leftmost. Pairs of one rank are mostly
/// found from left to right, as are all of a run of spaces: they wait in a line, and only lines are kept in
/// a heap. Who is left of the last of its line
/// goes into a heap of its own.
class merge_queue {
public:
  /// For a piece of `size` symbols.
  explicit merge_queue(std::uint32_t size) : places_(size < few ? 0 : 256, nothing) {
    waiting_.reserve(size);
  }

  void push(merge_candidate added) {
    if (places_.empty()) return late_.push(key_of(added));
    line& of = line_of(added.rank);
    const bool is_empty = of.first == nothing;
    if (!is_empty && added.at < waiting_[of.last].at) return late_.push(key_of(added));
    const auto place = static_cast<std::uint32_t>(waiting_.size());
    waiting_.push_back({added.at, nothing});
    (is_empty ? of.first : waiting_[of.last].next) = place;
    of.last = place;
    if (is_empty)
      open_.push(std::uint64_t{added.rank} << 32 | static_cast<std::uint32_t>(&of - lines_.data()));
  }

  /// The next one, which leaves the queue.
  std::optional<merge_candidate> pop() {
    if (open_.empty() && late_.empty()) return std::nullopt;
    if (!open_.empty()) {
      line& of = lines_[static_cast<std::uint32_t>(open_.top())];
      const merge_candidate next{of.rank, waiting_[of.first].at};
      if (late_.empty() || key_of(next) < late_.top()) {
        of.first = waiting_[of.first].next;
        if (of.first == nothing) open_.pop();
        return next;
      }
    }
    const std::uint64_t key = late_.top();
    late_.pop();
    return merge_candidate{static_cast<std::uint32_t>(key >> 32), static_cast<std::uint32_t>(key)};
  }

private:
  static constexpr std::uint32_t nothing = 0xffffffffu;
  static constexpr std::uint32_t few = 256; // symbols, that one heap is quickest for

  struct line {
    std::uint32_t rank, first = nothing, last = nothing; // places in waiting_
  };
  struct waiting {
    std::uint32_t at, next;
  };
  using heap = std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>>;

  static std::uint64_t key_of(merge_candidate of) { return std::uint64_t{of.rank} << 32 | of.at; }

  std::size_t place_of(std::uint32_t rank) const {
    std::size_t at = (rank * 0x9e3779b1u >> 7) & (places_.size() - 1);
    while (places_[at] != nothing && lines_[places_[at]].rank != rank) at = (at + 1) & (places_.size() - 1);
    return at;
  }
  line& line_of(std::uint32_t rank) {
    std::uint32_t& place = places_[place_of(rank)];
    if (place != nothing) return lines_[place];
    place = static_cast<std::uint32_t>(lines_.size());
    lines_.push_back({rank});
    if (2 * lines_.size() > places_.size()) {
      places_.assign(2 * places_.size(), nothing);
      for (std::size_t i = 0; i < lines_.size(); ++i)
        places_[place_of(lines_[i].rank)] = static_cast<std::uint32_t>(i);
    }
    return lines_.back();
  }

  std::vector<line> lines_;
  std::vector<std::uint32_t> places_; // of lines, by their ranks: open addressing, at most half full
  std::vector<waiting> waiting_;
  heap open_; // rank and number of each line that somebody waits in
  heap late_;
};

} // namespace transept::inline TRANSEPT_ABI::detail

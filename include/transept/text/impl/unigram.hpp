// How the best way through a text is found (text/unigram.hpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/text/unicode.hpp>
#include <transept/text/unigram.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION unigram::unigram(std::span<const scored_piece> pieces, double unknown_score,
                                   bool single_precision)
    : unknown_score_(unknown_score), single_precision_(single_precision) {
  std::vector<std::string_view> texts;
  for (const scored_piece& each : pieces) {
    texts.push_back(each.text);
    entries_.push_back({each.score, each.token});
  }
  trie_ = piece_trie(texts);
}

namespace detail {

/// The best ways to the places of a text behind one that every way leads through: a few on the stack, as many
/// as there must be elsewhere.
class ways_through {
public:
  /// A place: the sum of the best way to it, and the last piece of that.
  struct place {
    double sum;
    std::uint32_t begin; ///< of the piece; `unreached`
    std::uint32_t piece; ///< or piece_trie::none: an unknown character
  };
  static constexpr std::uint32_t unreached = std::numeric_limits<std::uint32_t>::max();

  ways_through() = default;
  ways_through(const ways_through&) = delete; // it points into itself
  ways_through& operator=(const ways_through&) = delete;

  place& operator[](std::size_t at) { return places_[at]; }
  std::size_t size() const { return size_; }

  /// Goes on to one place alone, the first.
  void restart(double sum) {
    size_ = 1;
    places_[0] = {sum, unreached, 0};
  }

  void grow(std::size_t size) {
    if (size > room_) {
      std::vector<place> more(2 * size);
      std::copy(places_, places_ + size_, more.begin());
      elsewhere_ = std::move(more);
      places_ = elsewhere_.data();
      room_ = elsewhere_.size();
    }
    for (; size_ < size; ++size_) places_[size_].begin = unreached;
  }

private:
  static constexpr std::size_t few = 128;
  place here_[few];
  std::vector<place> elsewhere_;
  place* places_ = here_;
  std::size_t room_ = few, size_ = 0;
};

} // namespace detail

TRANSEPT_FUNCTION void unigram::encode(std::string_view text, function_ref<void(std::string_view)> unknown,
                                       std::vector<token_id>& out) const {
  constexpr std::uint32_t is_unknown = piece_trie::none;
  if (text.size() >= detail::ways_through::unreached)
    throw argument_error("a text of more than 4 GiB cannot be tokenized at once");
  detail::ways_through places; // from `origin` on
  places.restart(0);
  std::size_t origin = 0;
  std::size_t unknown_begin = text.npos; // a run that may go on
  const auto rounded = [&](double sum) {
    return single_precision_ ? static_cast<double>(static_cast<float>(sum)) : sum;
  };
  const auto reach = [&](std::size_t from, std::size_t to, double sum, std::uint32_t piece) {
    if (to - origin >= places.size()) places.grow(to - origin + 1);
    auto& there = places[to - origin];
    if (there.begin != detail::ways_through::unreached && !(sum > there.sum)) return;
    there = {rounded(sum), static_cast<std::uint32_t>(from - origin), piece};
  };
  // Writes the way from `origin` to `end`, which every way leads through, and begins anew there.
  const auto write = [&](std::size_t end) {
    const auto last = static_cast<std::uint32_t>(end - origin);
    std::uint32_t behind = last; // of each place on the way, from the last to the first, the one behind it
    for (std::uint32_t at = last; at != 0;) {
      const std::uint32_t before = places[at].begin;
      places[at].begin = behind;
      behind = std::exchange(at, before);
    }
    for (std::uint32_t begin = 0, at = behind; begin != last;) {
      const std::uint32_t piece = places[at].piece;
      if (piece == is_unknown) {
        if (unknown_begin == text.npos) unknown_begin = origin + begin;
      } else {
        if (unknown_begin != text.npos) unknown(text.substr(unknown_begin, origin + begin - unknown_begin));
        unknown_begin = text.npos;
        out.push_back(entries_[piece].token);
      }
      begin = std::exchange(at, places[at].begin);
    }
    // A long text's sum in single precision would no longer tell its pieces apart.
    constexpr double most = 16384;
    const double sum = places[last].sum;
    places.restart(single_precision_ && (sum > most || sum < -most) ? 0 : sum);
    origin = end;
  };
  for (std::size_t at = 0; at < text.size();) {
    if (at != origin && at - origin + 1 == places.size()) write(at); // nothing goes across
    const double sum = places[at - origin].sum;
    const std::size_t behind = at + first_character(text.substr(at)).length;
    bool is_alone = false; // whether the character is a piece
    std::uint32_t node = piece_trie::root;
    for (std::size_t end = at; end < text.size();) {
      node = trie_.step(node, text[end++]);
      if (node == piece_trie::none) break;
      const std::uint32_t piece = trie_.string_at(node);
      if (piece == piece_trie::none) continue;
      reach(at, end, entries_[piece].score + sum, piece);
      is_alone = is_alone || end == behind;
    }
    if (!is_alone) reach(at, behind, rounded(unknown_score_ + sum), is_unknown);
    at = behind;
  }
  if (!text.empty()) write(text.size());
  if (unknown_begin != text.npos) unknown(text.substr(unknown_begin));
}

} // namespace transept::inline TRANSEPT_ABI

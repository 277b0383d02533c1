// SentencePiece's precompiled_charsmap: a table of strings and what they are replaced by, which NFKC and the
// rules beside it were compiled to. The table is a double array (Aoe, "An efficient digital search algorithm
// by using a double-array structure", 1989; its units as darts-clone packs them), then all replacements, each
// with a NUL behind it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Immutable once made; any number of threads may use it.
class character_map {
public:
  character_map() = default; ///< replaces nothing

  /// Reads a table's bytes; empty: replaces nothing. Throws format_error, beginning with `source`, for bytes
  /// that are no such table, or one with strings without end.
  character_map(std::string_view bytes, const std::string& source);

  /// Whether it replaces nothing.
  bool empty() const { return units_.empty(); }

  /// What the beginning of a text is replaced by, and how many bytes that takes.
  struct replacement {
    std::string_view text; ///< valid as long as the map
    std::size_t length;    ///< of what is replaced
  };

  /// The longest string of the table that `text` begins with (SentencePiece).
  std::optional<replacement> longest(std::string_view text) const;

  /// The shortest one (Hugging Face's Precompiled).
  std::optional<replacement> shortest(std::string_view text) const;

  /// Whether a visible character of ASCII stays what it is where another one, or nothing, is behind it.
  bool is_plain(unsigned char c) const { return units_.empty() ? c >= 0x20 && c < 0x7f : is_plain_[c]; }

  /// The text, replaced as Hugging Face's Precompiled does it: a grapheme cluster of less than 6 bytes goes
  /// as a whole where the table knows what it begins with; else each character goes alone.
  std::string apply_to_clusters(std::string_view text) const;

private:
  /// Whether strings begin so.
  bool goes_on(std::string_view beginning) const;
  std::optional<replacement> find(std::string_view text, bool shortest) const;
  std::string_view value(std::uint32_t unit) const;
  std::size_t longest_key(const std::string& source) const;

  std::vector<std::uint32_t> units_;
  std::string values_;
  std::array<bool, 256> is_plain_{};
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/character_map.hpp>
#endif

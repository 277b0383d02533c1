// What is done to a text before it is cut (text_rules::normalizers), and the space before it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/text/character_map.hpp>
#include <transept/text/piece_trie.hpp>
#include <transept/text/vocabulary.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Immutable once made; any number of threads may use it.
class text_normalizer {
public:
  text_normalizer() = default; ///< changes nothing

  /// Throws format_error for a table of characters that is none.
  explicit text_normalizer(const text_rules& rules);

  /// The text, normalized; with its ▁ as spaces and the space of space_prefix::always or behind_text.
  std::string operator()(std::string_view text) const;

  /// What becomes of part of a text: no space is put beside it.
  std::string of_part(std::string_view text) const;

  /// Whether a text may become another one in parts larger than a character.
  bool has_replacements() const { return !replacements_.empty() || keeps_texts_ || !map_.empty(); }

  /// Whether a text gets a space before it.
  bool puts_space_before() const { return puts_space_before_; }

private:
  /// The text after one step; `replacement`: which is the next.
  std::string after(normalizer step, std::string_view text, std::size_t& replacement) const;

  /// What the beginning of `text` becomes, and how many bytes that takes.
  std::pair<std::string_view, std::size_t> next(std::string_view text) const;

  std::string as_sentence_piece(std::string_view text) const;

  std::vector<normalizer> steps_;
  std::vector<text_replacement> replacements_;
  character_map map_;
  piece_trie kept_;
  bool keeps_texts_ = false, removes_extra_spaces_ = false, marks_spaces_ = false;
  bool puts_space_before_ = false, puts_space_behind_ = false;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/text_normalizer.hpp>
#endif

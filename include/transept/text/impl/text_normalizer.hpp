// What normalizers do to a text (text/text_normalizer.hpp).
#pragma once

#include <algorithm>
#include <cstdint>

#include <transept/text/impl/space_mark.hpp>
#include <transept/text/normalization.hpp>
#include <transept/text/text_normalizer.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// What becomes of a character.
enum class edit { keep, drop, space, set_apart };

/// The text with each character done to as f(code point) says.
template <class F>
std::string edited(std::string_view text, F&& f) {
  std::string out;
  out.reserve(text.size() + text.size() / 8);
  std::size_t kept = 0; // from there on
  for (std::size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const character next = lead < 0x80 ? character{lead, 1} : first_character(text.substr(at));
    const edit what = f(next.code_point);
    const std::size_t behind = at + next.length;
    if (what != edit::keep) {
      out.append(text, kept, at - kept);
      if (what == edit::space) out += ' ';
      if (what == edit::set_apart) (out += ' ').append(text, at, next.length) += ' ';
      kept = behind;
    }
    at = behind;
  }
  return out.append(text, kept);
}

/// Control, format and private characters: categories Cc, Cf and Co. (Characters that are none yet stay.)
inline bool is_control_or_format(std::uint32_t c) {
  const auto in = [&](std::uint32_t first, std::uint32_t last) { return first <= c && c <= last; };
  if (c < 0x600) return c < 0x20 || in(0x7f, 0x9f) || c == 0xad;
  if (c < 0x2000)
    return in(0x600, 0x605) || c == 0x61c || c == 0x6dd || c == 0x70f || c == 0x8e2 || c == 0x180e;
  if (c < 0x10000)
    return in(0x200b, 0x200f) || in(0x202a, 0x202e) || in(0x2060, 0x2064) || in(0x2066, 0x206f) ||
           in(0xe000, 0xf8ff) || c == 0xfeff || in(0xfff9, 0xfffb);
  return c == 0x110bd || c == 0x110cd || in(0x13430, 0x1343f) || in(0x1bca0, 0x1bca3) ||
         in(0x1d173, 0x1d17a) || c == 0xe0001 || in(0xe0020, 0xe007f) || in(0xf0000, 0xffffd) ||
         in(0x100000, 0x10fffd);
}

/// BERT's first step: control characters, NUL and U+FFFD go, white space becomes spaces.
inline std::string bert_cleaned(std::string_view text) {
  return edited(text, [](std::uint32_t c) {
    if (c - 0x20 < 0x7f - 0x20) return edit::keep;
    const bool is_space = class_of(c) == character_class::space;
    const bool is_control = is_space ? c == '\v' || c == '\f' || c == 0x85 : is_control_or_format(c);
    if (is_control || c == 0xfffd) return edit::drop;
    return is_space ? edit::space : edit::keep;
  });
}

/// Its second: spaces around ideographs (as Hugging Face has them, which leaves some of extension E out).
inline std::string with_ideographs_apart(std::string_view text) {
  return edited(text, [](std::uint32_t c) {
    const auto in = [&](std::uint32_t first, std::uint32_t last) { return first <= c && c <= last; };
    const bool is_ideograph =
        c >= 0x3400 &&
        (in(0x4e00, 0x9fff) || in(0x3400, 0x4dbf) || in(0x20000, 0x2a6df) || in(0x2a700, 0x2b81f) ||
         in(0x2b920, 0x2ceaf) || in(0xf900, 0xfaff) || in(0x2f800, 0x2fa1f));
    return is_ideograph ? edit::set_apart : edit::keep;
  });
}

/// As SentencePiece's rules begin: control characters go, and what is like a space becomes one.
inline std::string nmt_normalized(std::string_view text) {
  return edited(text, [](std::uint32_t c) {
    const auto in = [&](std::uint32_t first, std::uint32_t last) { return first <= c && c <= last; };
    if (in(0x1, 0x8) || c == 0xb || in(0xe, 0x1f) || c == 0x7f || c == 0x8f || c == 0x9f) return edit::drop;
    const bool is_space = c == 0x9 || c == 0xa || c == 0xc || c == 0xd || c == 0x1680 || in(0x200b, 0x200f) ||
                          in(0x2028, 0x2029) || c == 0x2581 || c == 0xfeff || c == 0xfffd;
    return is_space ? edit::space : edit::keep;
  });
}

inline bool is_white_space(std::string_view text) {
  return !text.empty() && classify(text).kind == character_class::space;
}

/// Where the run of what a replacement looks for ends that begins at `at`; `at` where none does.
inline std::size_t end_of_replaced(const text_replacement& what, std::string_view text, std::size_t at) {
  std::size_t end = at;
  switch (what.kind) {
  case text_replacement::pattern_kind::text:
    return at + (text.substr(at).starts_with(what.text) ? what.text.size() : 0);
  case text_replacement::pattern_kind::two_or_more_spaces:
    end = std::min(text.find_first_not_of(' ', at), text.size());
    return end - at < 2 ? at : end;
  case text_replacement::pattern_kind::one_white_space:
    return at + (is_white_space(text.substr(at)) ? classify(text.substr(at)).length : 0);
  case text_replacement::pattern_kind::white_space:
    while (is_white_space(text.substr(end))) end += classify(text.substr(end)).length;
  }
  return end;
}

inline std::string replaced(const text_replacement& what, std::string_view text) {
  std::string out;
  out.reserve(text.size());
  std::size_t kept = 0; // from there on
  const std::string_view beginning =
      what.kind == text_replacement::pattern_kind::text                 ? std::string_view(what.text)
      : what.kind == text_replacement::pattern_kind::two_or_more_spaces ? std::string_view("  ")
                                                                        : std::string_view();
  for (std::size_t at = 0; at < text.size();) {
    if (!beginning.empty()) at = std::min(text.find(beginning, at), text.size());
    if (at == text.size()) break;
    const std::size_t end = end_of_replaced(what, text, at);
    if (end == at) { // no part of a character is looked for
      ++at;
      continue;
    }
    out.append(text, kept, at - kept) += what.content;
    kept = at = end;
  }
  return out.append(text, kept);
}

inline std::string stripped(std::string_view text, bool left) {
  if (left) {
    while (is_white_space(text)) text.remove_prefix(classify(text).length);
  } else {
    while (!text.empty() && is_white_space(text.substr(start_of_last_character(text))))
      text = text.substr(0, start_of_last_character(text));
  }
  return std::string(text);
}

} // namespace detail

TRANSEPT_FUNCTION text_normalizer::text_normalizer(const text_rules& rules)
    : steps_(rules.normalizers),
      replacements_(rules.replacements),
      map_(rules.character_map, "normalizer"),
      kept_(std::vector<std::string_view>(rules.kept_texts.begin(), rules.kept_texts.end())),
      keeps_texts_(!rules.kept_texts.empty()),
      removes_extra_spaces_(rules.removes_extra_spaces),
      marks_spaces_(rules.marks_spaces && !rules.prefixes_words),
      puts_space_before_(rules.prefix == space_prefix::always),
      puts_space_behind_(rules.prefix == space_prefix::behind_text) {}

inline std::pair<std::string_view, std::size_t> text_normalizer::next(std::string_view text) const {
  if (keeps_texts_) {
    const std::size_t kept = kept_.longest(text).length;
    if (kept != 0) return {text.substr(0, kept), kept};
  }
  if (const auto found = map_.longest(text)) return {found->text, found->length};
  const std::size_t length = first_character(text).length;
  return {text.substr(0, length), length};
}

inline std::string text_normalizer::as_sentence_piece(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  bool behind_space = removes_extra_spaces_;
  const auto is_plain = [&](std::size_t at) {
    const auto own = static_cast<unsigned char>(text[at]);
    return own != ' ' && map_.is_plain(own) &&
           (at + 1 == text.size() || static_cast<unsigned char>(text[at + 1]) < 0x80);
  };
  while (!text.empty()) {
    if (!keeps_texts_) {
      std::size_t plain = 0;
      while (plain < text.size() && is_plain(plain)) ++plain;
      if (plain != 0) {
        out.append(text, 0, plain);
        text.remove_prefix(plain);
        behind_space = false;
        continue;
      }
    }
    auto [piece, length] = next(text);
    text.remove_prefix(length);
    while (behind_space && piece.starts_with(' ')) piece.remove_prefix(1);
    out += piece;
    if (!piece.empty()) behind_space = removes_extra_spaces_ && piece.ends_with(' ');
  }
  while (removes_extra_spaces_ && out.ends_with(' ')) out.pop_back();
  return out;
}

namespace detail {

/// Whether a step does the same to a text and to its parts, where these are cut between two characters of
/// ASCII.
constexpr bool is_local(normalizer step) {
  switch (step) {
  case normalizer::strip_left:
  case normalizer::strip_right:
  case normalizer::replace:
  case normalizer::sentence_piece:
    return false;
  default:
    return true;
  }
}

/// The end of a part at the beginning of `text` that local steps may be given alone: some kilobytes.
inline std::size_t end_of_local_part(std::string_view text) {
  constexpr std::size_t some = 8192;
  const auto is_letter = [&](std::size_t at) { return text[at] >= ' ' && text[at] < 0x7f; };
  for (std::size_t at = some; at < text.size(); ++at)
    if (is_letter(at - 1) && is_letter(at)) return at;
  return text.size();
}

} // namespace detail

inline std::string text_normalizer::after(normalizer step, std::string_view text,
                                          std::size_t& replacement) const {
  switch (step) {
  case normalizer::nfc:
    return nfc(text);
  case normalizer::nfkc:
    return nfkc(text);
  case normalizer::nfd:
    return nfd(text);
  case normalizer::nfkd:
    return nfkd(text);
  case normalizer::lower_case:
    return lower_case(text);
  case normalizer::clean:
    return detail::bert_cleaned(text);
  case normalizer::ideographs:
    return detail::with_ideographs_apart(text);
  case normalizer::accents:
    return without_marks(nfd(text));
  case normalizer::marks:
    return without_all_marks(text);
  case normalizer::nmt:
    return detail::nmt_normalized(text);
  case normalizer::strip_left:
  case normalizer::strip_right:
    return detail::stripped(text, step == normalizer::strip_left);
  case normalizer::replace:
    if (replacement == replacements_.size()) break;
    return detail::replaced(replacements_[replacement++], text);
  case normalizer::precompiled:
    return map_.apply_to_clusters(text);
  case normalizer::sentence_piece:
    return as_sentence_piece(text);
  }
  return std::string(text);
}

TRANSEPT_FUNCTION std::string text_normalizer::operator()(std::string_view text) const {
  std::string out = of_part(text);
  if (puts_space_before_ && !out.empty()) out.insert(0, 1, ' ');
  if (puts_space_behind_ && !out.empty()) out += ' ';
  return out;
}

TRANSEPT_FUNCTION std::string text_normalizer::of_part(std::string_view text) const {
  std::string out;
  std::size_t replacement = 0;
  auto step = steps_.begin();
  if (step != steps_.end() && !detail::is_local(*step)) {
    out = after(*step++, text, replacement);
  } else { // all that is local goes part by part, which stay in the cache
    const auto behind =
        std::find_if(step, steps_.end(), [](normalizer each) { return !detail::is_local(each); });
    out.reserve(text.size() + text.size() / 8);
    while (!text.empty()) {
      const std::string_view part =
          text.substr(0, step == behind ? text.npos : detail::end_of_local_part(text));
      text.remove_prefix(part.size());
      if (step == behind) {
        out += part;
        continue;
      }
      std::string changed = after(*step, part, replacement);
      for (auto next = step + 1; next != behind; ++next) changed = after(*next, changed, replacement);
      out += changed;
    }
    step = behind;
  }
  for (; step != steps_.end(); ++step) out = after(*step, out, replacement);
  if (marks_spaces_ && out.find(detail::space_mark) != out.npos) out = detail::with_spaces(out);
  return out;
}

} // namespace transept::inline TRANSEPT_ABI

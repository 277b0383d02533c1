// Text that someone else wrote, fit for a message or a terminal; numbers as text.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// Bytes of the well-formed UTF-8 sequence that `text` begins with, 0 if it begins with none. `code_point` is
/// set where the answer is not 0.
TRANSEPT_FUNCTION std::size_t utf8_sequence(std::string_view text, std::uint32_t& code_point);

/// Whether a terminal may be shown this character: no control, no line separator, no change of direction.
TRANSEPT_FUNCTION bool is_displayable(std::uint32_t code_point);

/// `text` with everything that is not displayable as \n, \t, \xNN …, cut after `max_bytes` of it.
TRANSEPT_FUNCTION std::string escaped(std::string_view text, std::size_t max_bytes);

/// The shortest decimal that reads back as `value`.
TRANSEPT_FUNCTION std::string shortest(float value);
TRANSEPT_FUNCTION std::string shortest(double value);

} // namespace detail

/// Text from a file, fit for a message: in double quotes, with control bytes, invalid UTF-8 and characters
/// that would rearrange a terminal's line escaped; cut after 80 bytes. A function object, because a function
/// of this name would compete with std::quoted whenever its argument is a std::string.
struct quoted_function {
  /// Where `text` was cut, the answer ends with its whole length: `"…" (1000 bytes)`.
  std::string operator()(std::string_view text) const;
};
inline constexpr quoted_function quoted{}; ///< called as a function: quoted(text)

/// What to say of a file that is not what it is called, since it was not downloaded whole: a web page, or a
/// Git LFS pointer. Of any other text nothing.
TRANSEPT_FUNCTION std::string download_hint(std::string_view text);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/core/impl/display.hpp>
#endif

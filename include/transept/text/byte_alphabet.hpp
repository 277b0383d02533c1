// The alphabet in which vocab.json and merges.txt write bytes.
//
// GPT-2's files are text, so each of the 256 bytes is written as a visible character: the printable bytes of
// Latin-1 ('!' to '~', 0xA1 to 0xAC, 0xAE to 0xFF) as themselves, the other 68, in order, as U+0100 and
// on. A space is "Ġ", a line feed "Ċ".
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// `bytes` as the files write them, in UTF-8.
TRANSEPT_FUNCTION std::string to_byte_alphabet(std::string_view bytes);

/// The bytes that `symbols` (UTF-8) stand for; nothing where a character is not of the alphabet.
TRANSEPT_FUNCTION std::optional<std::string> from_byte_alphabet(std::string_view symbols);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/byte_alphabet.hpp>
#endif

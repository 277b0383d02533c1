// Strict reading of JSON that someone else wrote, and nlohmann-json to look into it. This is the one header
// that includes it.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include <transept/core/error.hpp>
#include <transept/core/json_fwd.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Reads one JSON document: RFC 8259, valid UTF-8 (a byte-order mark is skipped), nothing but white space
/// after it, no key twice in one object, at most `max_depth` arrays and objects around any value.
/// Throws format_error whose message begins with `source`, the name of the file.
TRANSEPT_FUNCTION json parse_json(std::string_view text, std::string_view source, int max_depth = 64);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/core/impl/json.hpp>
#endif

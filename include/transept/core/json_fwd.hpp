// The type of JSON values, for those who pass them on without a look inside (core/json.hpp): nlohmann-json is
// only named, not included, where the library is compiled.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

using json = nlohmann::json; ///< a JSON value; an object's keys are sorted

/// A JSON value, fit for a message: `null`, `-3`, `"relu"`, `an array of 4 values`, …
TRANSEPT_FUNCTION std::string described(const json& value);

/// `text` as a JSON string literal, quotes included, for writing. Bytes that are no UTF-8 become U+FFFD.
TRANSEPT_FUNCTION std::string json_literal(std::string_view text);

/// What parse_json reads, for those who pass it on.
TRANSEPT_FUNCTION std::shared_ptr<const json> parse_json_document(std::string_view text,
                                                                  std::string_view source);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/core/json.hpp>
#endif

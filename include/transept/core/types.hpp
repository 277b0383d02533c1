// The few plain types every folder shares.
#pragma once

#include <cstddef>
#include <cstdint>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Index of a token in the vocabulary. Signed, so that a damaged id is seen as negative, not as huge.
using token_id = std::int32_t;

/// An extent of a shape: a compile-time number, or `dyn` where it is known only at run time.
using extent = std::ptrdiff_t;
inline constexpr extent dyn = -1;

/// width / parts where that is a whole positive number, else 0: the default of a head width that must
/// otherwise be given.
constexpr extent even_share(extent width, extent parts) {
  return parts > 0 && width % parts == 0 ? width / parts : 0;
}

} // namespace transept::inline TRANSEPT_ABI

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
inline constexpr extent dyn = -1; ///< told at run time

/// Yes, no, or `dyn`: told at run time. Converts from bool, so that a config says `.gated = true`.
struct choice {
  signed char value = 1; ///< 0, 1, or -1: dyn

  constexpr choice() = default;
  constexpr choice(bool yes) : value(yes ? 1 : 0) {}                  ///< known
  constexpr choice([[maybe_unused]] extent told_later) : value(-1) {} ///< of `dyn`, the one extent to give
  friend constexpr bool operator==(choice, choice) = default;
  /// Of a value, which is never `dyn`.
  constexpr explicit operator bool() const { return value == 1; }
};

/// Whether both are: no where one is not, `dyn` where that is told at run time.
constexpr choice both(choice a, choice b) {
  return a == choice(false) || b == choice(false) ? choice(false) : a == choice(true) ? b : a;
}

/// Two extents (or choices) can name the same: equal, or one of them known only at run time.
constexpr bool compatible(extent a, extent b) { return a == b || a == dyn || b == dyn; }
/// The same of choices.
constexpr bool compatible(choice a, choice b) { return a == b || a.value < 0 || b.value < 0; }

/// `n` where something is there, 0 where it is not, `dyn` where that, or n, is told at run time.
constexpr extent extent_if(choice there, extent n) {
  return there == choice(false) ? 0 : there == choice(true) ? n : dyn;
}

/// Arithmetic of extents: `dyn` where any of them is.
constexpr extent product_of(extent a, extent b) { return a == dyn || b == dyn ? dyn : a * b; }
/// The same of sums.
constexpr extent sum_of(extent a, extent b) { return a == dyn || b == dyn ? dyn : a + b; }

/// How many numbers [rows, cols] are, as far as a type knows: 0 where an extent is `dyn`.
constexpr std::size_t static_count(extent rows, extent cols = 1) {
  return rows == dyn || cols == dyn ? 0 : static_cast<std::size_t>(rows * cols);
}

/// width / parts where that is a whole positive number, else 0: the default of a head width that must
/// otherwise be given; `dyn` where one of them is.
constexpr extent even_share(extent width, extent parts) {
  if (width == dyn || parts == dyn) return dyn;
  return parts > 0 && width % parts == 0 ? width / parts : 0;
}

} // namespace transept::inline TRANSEPT_ABI

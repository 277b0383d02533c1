// Where parameters lie (train/parameters.hpp).
#pragma once

#include <algorithm>

#include <transept/train/parameters.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION std::size_t parameter_layout::place(iterator first, iterator last, std::size_t offset) {
  constexpr std::size_t line = buffer_alignment / sizeof(float);
  for (; first != last; ++first) {
    first->offset = offset;
    offset = (offset + first->size + line - 1) / line * line;
  }
  return offset;
}

TRANSEPT_FUNCTION buffer<float> zeros(std::size_t count) {
  buffer<float> values(count);
  std::fill_n(values.data(), values.size(), 0.0f);
  return values;
}

} // namespace transept::inline TRANSEPT_ABI

// How stored elements become numbers, and numbers elements (io/tensor_rows.hpp).
#pragma once

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include <transept/core/blocks.hpp>
#include <transept/io/safetensors_writer.hpp>
#include <transept/io/tensor_rows.hpp>
#include <transept/kernels/quantize.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

template <class Block>
void dequantize_blocks(const std::byte* from, std::size_t blocks, float* out) {
  for (std::size_t i = 0; i < blocks; ++i) {
    Block block;
    std::memcpy(&block, from + i * sizeof block, sizeof block);
    dequantize(block, out + i * block_length);
  }
}

} // namespace detail

TRANSEPT_FUNCTION void read_elements(const std::byte* from, element_type type, std::size_t count,
                                     float* out) {
  if (type == element_type::q8_0)
    return detail::dequantize_blocks<q8_0_block>(from, count / block_length, out);
  if (type == element_type::q4_0)
    return detail::dequantize_blocks<q4_0_block>(from, count / block_length, out);
  if (type == element_type::q4_k)
    return detail::dequantize_blocks<q4_k_block>(from, count / block_length, out);
  convert_elements({from, count * size_of(type)}, type, std::as_writable_bytes(std::span(out, count)),
                   element_type::f32);
}

TRANSEPT_FUNCTION void write_elements(const float* x, std::size_t count, element_type type, std::byte* out) {
  if (!is_block_type(type))
    return convert_elements(std::as_bytes(std::span(x, count)), element_type::f32,
                            {out, count * size_of(type)}, type);
  kernels::quantize_blocks(type, x, count / block_length, out);
}

TRANSEPT_FUNCTION tensor_rows::tensor_rows(const stored_tensor& tensor, bool transposed)
    : data_(tensor.bytes.data()),
      elements_(tensor.dtype),
      transposed_(transposed),
      stored_rows_(tensor.shape.size() == 2 ? static_cast<std::size_t>(tensor.shape[0]) : 1),
      stored_cols_(tensor.shape.empty() ? 1 : static_cast<std::size_t>(tensor.shape.back())) {}

TRANSEPT_FUNCTION void tensor_rows::read(std::size_t first, std::size_t count, float* out) const {
  if (!transposed_)
    return elements_.read(data_ + elements_.bytes(first * stored_cols_), count * stored_cols_, out);
  const std::size_t block = std::max(elements_.block(), block_length);
  std::vector<float> part(block);
  for (std::size_t r = 0; r < stored_rows_; ++r) {
    const std::byte* const row = data_ + elements_.bytes(r * stored_cols_);
    for (std::size_t c = first; c < first + count;) { // of the row, to the end of a block
      const std::size_t begin = elements_.block() == 1 ? c : c / block * block;
      const std::size_t end = std::min(begin + block, stored_cols_);
      elements_.read(row + elements_.bytes(begin), end - begin, part.data());
      for (; c < std::min(end, first + count); ++c) out[(c - first) * stored_rows_ + r] = part[c - begin];
    }
  }
}

} // namespace transept::inline TRANSEPT_ABI

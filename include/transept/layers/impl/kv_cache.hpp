// How keys and values are laid out, stored and copied (layers/kv_cache.hpp).
#pragma once

#include <algorithm>
#include <cassert>
#include <string>

#include <transept/core/error.hpp>
#include <transept/kernels/cache_store.hpp>
#include <transept/layers/kv_cache.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION kv_cache::kv_cache(std::size_t n_layer, std::size_t n_head, std::size_t head_width,
                                     std::size_t capacity, cache_type type)
    : type_(type),
      n_layer_(n_layer),
      n_head_(n_head),
      head_width_(head_width),
      capacity_(capacity),
      tiled_capacity_((capacity + kernels::key_tile - 1) / kernels::key_tile * kernels::key_tile),
      keys_(n_layer * n_head * tiled_capacity_ * head_width * size_of(type)),
      values_(keys_.size()),
      key_scales_(type == cache_type::int8 ? n_layer * n_head * tiled_capacity_ : 0),
      value_scales_(key_scales_.size()) {}

TRANSEPT_FUNCTION kernels::keys_and_values kv_cache::layer(std::size_t layer) const {
  const std::size_t head = layer * n_head_;
  const std::size_t offset = head * head_stride() * size_of(type_);
  return {.type = type_,
          .keys = keys_.data() + offset,
          .values = values_.data() + offset,
          .head_stride = head_stride(),
          .key_scales = key_scales_.data() + (key_scales_.size() > 0 ? head * tiled_capacity_ : 0),
          .value_scales = value_scales_.data() + (value_scales_.size() > 0 ? head * tiled_capacity_ : 0),
          .scale_stride = tiled_capacity_};
}

TRANSEPT_FUNCTION void append(compute_context& context, kv_cache& cache, std::size_t layer, const float* keys,
                              const float* values, std::size_t rows, std::size_t row_stride) {
  assert(cache.length_ + rows <= cache.capacity_);
  const std::size_t width = cache.head_width_;
  // A few positions are sooner written than handed to other threads.
  const std::size_t heads_a_part = rows < kernels::key_tile ? cache.n_head_ : 1;
  const std::size_t head_bytes = cache.head_stride() * size_of(cache.type_);
  parallel_for(context.threads, cache.n_head_, heads_a_part, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t h = begin; h < end; ++h) {
      const std::size_t head = layer * cache.n_head_ + h;
      const std::size_t scales = cache.type_ == cache_type::int8 ? head * cache.tiled_capacity_ : 0;
      kernels::store_positions({.type = cache.type_,
                                .keys = cache.keys_.data() + head * head_bytes,
                                .values = cache.values_.data() + head * head_bytes,
                                .key_scales = cache.key_scales_.data() + scales,
                                .value_scales = cache.value_scales_.data() + scales},
                               cache.length_, keys + h * width, values + h * width, rows, row_stride, width);
    }
  });
}

TRANSEPT_FUNCTION void advance(kv_cache& cache, std::size_t rows) {
  assert(cache.length_ + rows <= cache.capacity_);
  cache.length_ += rows;
}

TRANSEPT_FUNCTION void truncate(kv_cache& cache, std::size_t length) {
  if (length > cache.length_)
    throw argument_error("cannot truncate a cache of " + std::to_string(cache.length_) + " positions to " +
                         std::to_string(length));
  cache.length_ = length;
}

TRANSEPT_FUNCTION void copy_positions(const kv_cache& from, kv_cache& to) {
  assert(from.n_layer_ == to.n_layer_ && from.n_head_ == to.n_head_ && from.head_width_ == to.head_width_);
  assert(from.type_ == to.type_ && from.length_ <= to.capacity_);
  constexpr std::size_t tile = kernels::key_tile;
  const std::size_t positions = (from.length_ + tile - 1) / tile * tile; // whole tiles
  const std::size_t number = size_of(from.type_);
  for (std::size_t head = 0; head < from.n_layer_ * from.n_head_; ++head) {
    const auto copy = [&](const auto& source, auto& target, std::size_t per_position) {
      std::copy_n(source.data() + head * from.tiled_capacity_ * per_position, positions * per_position,
                  target.data() + head * to.tiled_capacity_ * per_position);
    };
    copy(from.keys_, to.keys_, from.head_width_ * number);
    copy(from.values_, to.values_, from.head_width_ * number);
    if (from.type_ != cache_type::int8) continue;
    copy(from.key_scales_, to.key_scales_, 1);
    copy(from.value_scales_, to.value_scales_, 1);
  }
  to.length_ = from.length_;
}

} // namespace transept::inline TRANSEPT_ABI

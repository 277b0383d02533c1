// The key/value cache: what attention needs of the positions already computed, for every layer.
//
// Layout (kernels/attention.hpp): keys transposed in tiles, values as rows, head by head, in f32. The memory
// is 2 · n_layer · n_head · head_width · capacity floats, touched as positions are appended.
#pragma once

#include <algorithm>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <string>

#include <transept/core/error.hpp>
#include <transept/kernels/attention.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/tensor/buffer.hpp>

namespace transept::inline TRANSEPT_ABI {

class kv_cache {
public:
  /// Room for `capacity` positions (≥ 1).
  kv_cache(std::size_t n_layer, std::size_t n_head, std::size_t head_width, std::size_t capacity)
      : n_layer_(n_layer),
        n_head_(n_head),
        head_width_(head_width),
        capacity_(capacity),
        head_stride_((capacity + kernels::key_tile - 1) / kernels::key_tile * kernels::key_tile * head_width),
        keys_(n_layer * n_head * head_stride_),
        values_(n_layer * n_head * head_stride_) {}

  std::size_t n_layer() const { return n_layer_; }
  std::size_t n_head() const { return n_head_; }
  std::size_t head_width() const { return head_width_; }
  std::size_t capacity() const { return capacity_; }
  /// Positions held; the next one appended gets this index.
  std::size_t length() const { return length_; }
  std::size_t bytes() const { return (keys_.size() + values_.size()) * sizeof(float); }

  /// Layer `layer`, as the attention kernel reads it.
  kernels::keys_and_values layer(std::size_t layer) const {
    const std::size_t begin = layer * n_head_ * head_stride_;
    return {keys_.data() + begin, values_.data() + begin, head_stride_};
  }

private:
  friend void append(kv_cache&, std::size_t, const float*, const float*, std::size_t, std::size_t);
  friend void advance(kv_cache&, std::size_t);
  friend void truncate(kv_cache&, std::size_t);
  friend void copy_positions(const kv_cache&, kv_cache&);

  std::size_t n_layer_, n_head_, head_width_, capacity_, head_stride_;
  std::size_t length_ = 0;
  buffer<float> keys_, values_;
};

/// Writes `rows` positions of one layer behind those the cache holds: keys and values row r begin at
/// keys + r · row_stride (values likewise), n_head · head_width floats each. Every layer is written so, then
/// `advance` makes the positions count. They must fit (the session checks).
inline void append(kv_cache& cache, std::size_t layer, const float* keys, const float* values,
                   std::size_t rows, std::size_t row_stride) {
  assert(cache.length_ + rows <= cache.capacity_);
  constexpr std::size_t tile = kernels::key_tile;
  for (std::size_t h = 0; h < cache.n_head_; ++h) {
    const std::size_t begin = (layer * cache.n_head_ + h) * cache.head_stride_;
    for (std::size_t r = 0; r < rows; ++r) {
      const std::size_t position = cache.length_ + r;
      float* to_keys =
          cache.keys_.data() + begin + position / tile * tile * cache.head_width_ + position % tile;
      if (position % tile == 0) std::fill_n(to_keys, tile * cache.head_width_, 0.0f); // a new tile
      const float* from_keys = keys + r * row_stride + h * cache.head_width_;
      for (std::size_t d = 0; d < cache.head_width_; ++d) to_keys[d * tile] = from_keys[d];
      const float* from_values = values + r * row_stride + h * cache.head_width_;
      std::copy_n(from_values, cache.head_width_,
                  cache.values_.data() + begin + position * cache.head_width_);
    }
  }
}

/// The position of row `row` of what is appended next.
inline std::size_t position(const kv_cache& cache, std::size_t row) { return cache.length() + row; }

/// out [rows, heads · head_width]: attention of the rows just appended to `layer`, over what it holds.
inline void attend(compute_context& context, const kernels::attention_problem& problem, const kv_cache& cache,
                   std::size_t layer, float* out) {
  kernels::attend(context, problem, cache.layer(layer), out);
}

/// The `rows` positions appended to every layer now count.
inline void advance(kv_cache& cache, std::size_t rows) {
  assert(cache.length_ + rows <= cache.capacity_);
  cache.length_ += rows;
}

/// Forgets the positions from `length` on. Throws argument_error if there are fewer.
inline void truncate(kv_cache& cache, std::size_t length) {
  if (length > cache.length_)
    throw argument_error("cannot truncate a cache of " + std::to_string(cache.length_) + " positions to " +
                         std::to_string(length));
  cache.length_ = length;
}

/// `to` forgets what it holds and takes a copy of what `from` holds, which must fit; both are of one model.
inline void copy_positions(const kv_cache& from, kv_cache& to) {
  assert(from.n_layer_ == to.n_layer_ && from.n_head_ == to.n_head_ && from.head_width_ == to.head_width_);
  assert(from.length_ <= to.capacity_);
  constexpr std::size_t tile = kernels::key_tile;
  const std::size_t in_whole_tiles = (from.length_ + tile - 1) / tile * tile;
  for (std::size_t head = 0; head < from.n_layer_ * from.n_head_; ++head) {
    std::copy_n(from.keys_.data() + head * from.head_stride_, in_whole_tiles * from.head_width_,
                to.keys_.data() + head * to.head_stride_);
    std::copy_n(from.values_.data() + head * from.head_stride_, from.length_ * from.head_width_,
                to.values_.data() + head * to.head_stride_);
  }
  to.length_ = from.length_;
}

/// Where a forward pass keeps the keys and values of its rows: a kv_cache, whose next positions the rows are,
/// or a kv_cache_batch, of whose sequences each row is the next position. A forward that is a template on it
/// serves both; whoever writes one reads positions by `position(cache, row)` and ends with `advance`.
template <class Cache>
concept key_value_cache = requires(Cache& cache, compute_context& context, std::size_t index,
                                   const kernels::attention_problem& problem, const float* in, float* out) {
  { position(cache, index) } -> std::convertible_to<std::size_t>;
  append(cache, index, in, in, index, index);
  attend(context, problem, cache, index, out);
  advance(cache, index);
};

} // namespace transept::inline TRANSEPT_ABI

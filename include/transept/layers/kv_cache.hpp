// The key/value cache: what attention needs of the positions already computed, for every layer.
//
// Layout (kernels/cache_layout.hpp): keys transposed in tiles, values as rows, head by head. The memory is
// 2 · n_layer · n_head · head_width · capacity numbers of the cache's type (in int8, and a float for every
// head_width of them), touched as positions are appended.
#pragma once

#include <algorithm>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <string>

#include <transept/core/error.hpp>
#include <transept/kernels/attention.hpp>
#include <transept/kernels/cache_store.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/tensor/buffer.hpp>

namespace transept::inline TRANSEPT_ABI {

class kv_cache {
public:
  /// Room for `capacity` positions (≥ 1).
  kv_cache(std::size_t n_layer, std::size_t n_head, std::size_t head_width, std::size_t capacity,
           cache_type type = cache_type::f32)
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

  cache_type type() const { return type_; }
  std::size_t n_layer() const { return n_layer_; }
  std::size_t n_head() const { return n_head_; }
  std::size_t head_width() const { return head_width_; }
  std::size_t capacity() const { return capacity_; }
  /// Positions held; the next one appended gets this index.
  std::size_t length() const { return length_; }
  std::size_t bytes() const {
    return keys_.size() + values_.size() + (key_scales_.size() + value_scales_.size()) * sizeof(float);
  }

  /// Layer `layer`, as the attention kernel reads it.
  kernels::keys_and_values layer(std::size_t layer) const {
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

private:
  friend void append(compute_context&, kv_cache&, std::size_t, const float*, const float*, std::size_t,
                     std::size_t);
  friend void advance(kv_cache&, std::size_t);
  friend void truncate(kv_cache&, std::size_t);
  friend void copy_positions(const kv_cache&, kv_cache&);

  /// Numbers from one head to the next.
  std::size_t head_stride() const { return tiled_capacity_ * head_width_; }

  cache_type type_;
  std::size_t n_layer_, n_head_, head_width_, capacity_, tiled_capacity_;
  std::size_t length_ = 0;
  buffer<std::byte> keys_, values_;
  buffer<float> key_scales_, value_scales_;
};

/// Writes `rows` positions of one layer behind those the cache holds: keys and values row r begin at
/// keys + r · row_stride (values likewise), n_head · head_width floats each. Every layer is written so, then
/// `advance` makes the positions count. They must fit (the session checks).
inline void append(compute_context& context, kv_cache& cache, std::size_t layer, const float* keys,
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

/// The position of row `row` of what is appended next.
inline std::size_t position(const kv_cache& cache, std::size_t row) { return cache.length() + row; }

/// The length of the text with `rows` more positions, and the longest that it can have here: what is a
/// function of the text's length (scaled rotary positions) goes by that, so that it stays the same while the
/// text grows.
inline std::size_t text_length(const kv_cache& cache, std::size_t rows) { return cache.length() + rows; }
inline std::size_t longest_text(const kv_cache& cache) { return cache.capacity(); }

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

/// Where a forward pass keeps the keys and values of its rows: a kv_cache, whose next positions the rows are,
/// or a kv_cache_batch, of whose sequences each row is the next position. A forward that is a template on it
/// serves both; whoever writes one reads positions by `position(cache, row)` and ends with `advance`.
template <class Cache>
concept key_value_cache = requires(Cache& cache, compute_context& context, std::size_t index,
                                   const kernels::attention_problem& problem, const float* in, float* out) {
  { position(cache, index) } -> std::convertible_to<std::size_t>;
  { text_length(cache, index) } -> std::convertible_to<std::size_t>;
  { longest_text(cache) } -> std::convertible_to<std::size_t>;
  append(context, cache, index, in, in, index, index);
  attend(context, problem, cache, index, out);
  advance(cache, index);
};

} // namespace transept::inline TRANSEPT_ABI

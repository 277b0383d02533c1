// The key/value cache: what attention needs of the positions already computed, for every layer.
//
// Layout (kernels/cache_layout.hpp): keys transposed in tiles, values as rows, head by head. The memory is
// 2 · n_layer · n_head · head_width · capacity numbers of the cache's type (in int8, and a float for every
// head_width of them), touched as positions are appended.
#pragma once

#include <concepts>
#include <cstddef>

#include <transept/core/error.hpp>
#include <transept/kernels/attention.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/tensor/buffer.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Keys and values of the positions of one text, for every layer.
class kv_cache {
public:
  /// Room for `capacity` positions (≥ 1); `n_head` heads of keys and values. Throws std::bad_alloc.
  kv_cache(std::size_t n_layer, std::size_t n_head, std::size_t head_width, std::size_t capacity,
           cache_type type = cache_type::f32);

  cache_type type() const { return type_; }              ///< what the numbers are stored as
  std::size_t n_layer() const { return n_layer_; }       ///< layers
  std::size_t n_head() const { return n_head_; }         ///< heads of keys and values, of each layer
  std::size_t head_width() const { return head_width_; } ///< numbers of a head's key, or value
  std::size_t capacity() const { return capacity_; }     ///< positions there is room for
  /// Positions held; the next one appended gets this index.
  std::size_t length() const { return length_; }
  /// Bytes of its memory, whether positions are in it or not.
  std::size_t bytes() const {
    return keys_.size() + values_.size() + (key_scales_.size() + value_scales_.size()) * sizeof(float);
  }

  /// Layer `layer`, as the attention kernel reads it.
  kernels::keys_and_values layer(std::size_t layer) const;

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
TRANSEPT_FUNCTION void append(compute_context& context, kv_cache& cache, std::size_t layer, const float* keys,
                              const float* values, std::size_t rows, std::size_t row_stride);

/// The position of row `row` of what is appended next.
inline std::size_t position(const kv_cache& cache, std::size_t row) { return cache.length() + row; }

/// The length of the text with `rows` more positions.
inline std::size_t text_length(const kv_cache& cache, std::size_t rows) { return cache.length() + rows; }

/// The longest that the text can have here: what is a function of the text's length (scaled rotary positions)
/// goes by that, so that it stays the same while the text grows.
inline std::size_t longest_text(const kv_cache& cache) { return cache.capacity(); }

/// out [rows, heads · head_width]: attention of the rows just appended to `layer`, over what it holds.
inline void attend(compute_context& context, const kernels::attention_problem& problem, const kv_cache& cache,
                   std::size_t layer, float* out) {
  kernels::attend(context, problem, cache.layer(layer), out);
}

/// The `rows` positions appended to every layer now count.
TRANSEPT_FUNCTION void advance(kv_cache& cache, std::size_t rows);

/// Forgets the positions from `length` on. Throws argument_error if there are fewer.
TRANSEPT_FUNCTION void truncate(kv_cache& cache, std::size_t length);

/// `to` forgets what it holds and takes a copy of what `from` holds, which must fit; both are of one model.
TRANSEPT_FUNCTION void copy_positions(const kv_cache& from, kv_cache& to);

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

#if !TRANSEPT_IS_COMPILED
#include <transept/layers/impl/kv_cache.hpp>
#endif

// The "cache" of training, which caches nothing: the rows of a forward pass are whole sequences, one after
// another, so that all keys and values are among them.
#pragma once

#include <cstddef>

#include <transept/layers/kv_cache.hpp>
#include <transept/layers/tape.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Row r of a forward pass is position r mod length of sequence r / length.
class whole_sequences {
public:
  /// With a tape, attention keeps there what its backward pass needs.
  explicit whole_sequences(std::size_t length, tape* kept = nullptr) : length_(length), tape_(kept) {}

  std::size_t length() const { return length_; } ///< rows of each sequence

private:
  friend void append(compute_context&, whole_sequences&, std::size_t, const float*, const float*, std::size_t,
                     std::size_t);
  friend void attend(compute_context&, const kernels::attention_problem&, const whole_sequences&, std::size_t,
                     float*);

  std::size_t length_;
  tape* tape_;
  const float* keys_ = nullptr; // of the layer that is computed now
  const float* values_ = nullptr;
};

/// The rows that attend() finds its keys and values in; they must stay until then.
TRANSEPT_FUNCTION void append(compute_context& context, whole_sequences& sequences, std::size_t layer,
                              const float* keys, const float* values, std::size_t rows,
                              std::size_t row_stride);

/// The position of row `row` in its own sequence.
inline std::size_t position(const whole_sequences& sequences, std::size_t row) {
  return row % sequences.length();
}

/// The length of every sequence.
inline std::size_t text_length(const whole_sequences& sequences, std::size_t) { return sequences.length(); }

/// The same: sequences do not grow.
inline std::size_t longest_text(const whole_sequences& sequences) { return sequences.length(); }

/// Nothing: no positions are held.
inline void advance(whole_sequences&, std::size_t) {}

/// out [rows, heads · head_width]: each row attends to its own sequence.
TRANSEPT_FUNCTION void attend(compute_context& context, const kernels::attention_problem& problem,
                              const whole_sequences& sequences, std::size_t layer, float* out);

static_assert(key_value_cache<whole_sequences>);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/layers/impl/whole_sequences.hpp>
#endif

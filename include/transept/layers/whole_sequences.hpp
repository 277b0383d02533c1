// The "cache" of training and of encoders, which caches nothing: the rows of a forward pass are whole
// sequences, one after another, so that all keys and values are among them.
#pragma once

#include <cstddef>
#include <span>

#include <transept/layers/kv_cache.hpp>
#include <transept/layers/tape.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The rows of a forward pass are positions of sequences: row r is position r mod length of sequence
/// r / length, or, where sequences have lengths of their own, row offsets[s] + t is position t of sequence s.
class whole_sequences {
public:
  /// Sequences of one length. With a tape, attention keeps there what its backward pass needs.
  explicit whole_sequences(std::size_t length, tape* kept = nullptr) : length_(length), tape_(kept) {}

  /// Sequence s is rows [offsets[s], offsets[s + 1]); the offsets begin with 0 and end with the number of
  /// rows, ascend, and must outlive it.
  explicit whole_sequences(std::span<const std::size_t> offsets, tape* kept = nullptr);

  std::size_t length() const { return length_; } ///< rows of each sequence, or of the longest
  /// Where sequences begin that have lengths of their own, and where the last ends; else empty.
  std::span<const std::size_t> offsets() const { return offsets_; }
  /// The sequences of a pass of so many rows.
  std::size_t count(std::size_t rows) const {
    return offsets_.empty() ? rows / length_ : offsets_.size() - 1;
  }

  /// The same sequences, of which another tape, or none, keeps what is needed.
  whole_sequences kept_by(tape* other) const {
    whole_sequences same = *this;
    same.tape_ = other;
    return same;
  }

private:
  friend void append(compute_context&, whole_sequences&, std::size_t, const float*, const float*, std::size_t,
                     std::size_t);
  friend void attend(compute_context&, const kernels::attention_problem&, const whole_sequences&, std::size_t,
                     float*);

  std::size_t length_;
  std::span<const std::size_t> offsets_ = {};
  tape* tape_;
  const float* keys_ = nullptr; // of the layer that is computed now
  const float* values_ = nullptr;
};

/// The rows that attend() finds its keys and values in; they must stay until then.
TRANSEPT_FUNCTION void append(compute_context& context, whole_sequences& sequences, std::size_t layer,
                              const float* keys, const float* values, std::size_t rows,
                              std::size_t row_stride);

/// The position of row `row` in its own sequence.
TRANSEPT_FUNCTION std::size_t position(const whole_sequences& sequences, std::size_t row);

/// The length of every sequence, or of the longest.
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

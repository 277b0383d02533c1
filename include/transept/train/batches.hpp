// Batches for training and for scoring, out of a token file.
//
//   const token_file file("shakespeare.tokens");
//   const auto [training, validation] = split_tokens(file.size(), 0.1);
//   const random_windows windows(file, training, 64, seed);
//   windows.fill(step, inputs, targets);             // [sequences, 64] each
//
// The target of a token is the one after it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/train/token_file.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Tokens begin, …, end - 1 of a file.
struct token_range {
  std::size_t begin = 0, end = 0;                  ///< begin ≤ end; equal: none
  std::size_t size() const { return end - begin; } ///< tokens
};

/// What of a file is trained on, and what is kept for scoring.
struct token_split {
  token_range training, validation; ///< validation begins where training ends
};

/// The last `validation` of the tokens, a fraction, for validation; the others, ⌊count · (1 − validation)⌋ as
/// in nanoGPT, for training. Throws argument_error for a fraction that is not from 0 to 1.
TRANSEPT_FUNCTION token_split split_tokens(std::size_t count, double validation);

/// Windows at random places, each place as likely. Immutable; any number of threads may use it.
class random_windows {
public:
  /// Windows of `length` tokens and their targets, all of `range`. Throws argument_error where the range has
  /// fewer than length + 1 tokens or is not in the file.
  random_windows(token_file file, token_range range, std::size_t length, std::uint64_t seed);

  /// Where row `row` of batch `batch` begins, if batches have `rows`: a pure function of these numbers, the
  /// seed and the range, so that a resumed run goes on with the batches it would have had.
  std::size_t place(std::uint64_t batch, std::size_t row, std::size_t rows) const;

  /// Batch `batch`: tokens and targets [rows, length], as many rows as fit. Throws argument_error where they
  /// are not whole rows, format_error for an id that is not in the vocabulary. Allocates nothing.
  void fill(std::uint64_t batch, std::span<token_id> tokens, std::span<token_id> targets) const;

private:
  static constexpr std::uint64_t stream = 0x62617463686573; // "batches": apart from other uses of a seed

  token_file file_;
  token_range range_;
  std::size_t length_;
  std::uint64_t seed_;
};

/// Windows one after the other, for scoring a whole range: every token but the first is a target once.
/// Immutable; any number of threads may use it.
class successive_windows {
public:
  /// Windows of `length` tokens; the last may have fewer. Throws argument_error where the range has fewer
  /// than 2 tokens or is not in the file.
  successive_windows(token_file file, token_range range, std::size_t length);

  /// How many windows there are.
  std::size_t size() const { return (targets() + length_ - 1) / length_; }
  /// How many targets they have together.
  std::size_t targets() const { return range_.size() - 1; }

  /// Windows first, first + 1, … as tokens and targets [rows, length]. What is beyond the range's end is
  /// token 0 with the target no_target. Returns how many targets count. Throws as random_windows::fill.
  std::size_t fill(std::size_t first, std::span<token_id> tokens, std::span<token_id> targets) const;

private:
  token_file file_;
  token_range range_;
  std::size_t length_;
};

/// Examples in random order: each comes once before any comes again. A pure function of count, seed and
/// place, so that a resumed run goes on with those it would have had. One thread at a time may use it.
class shuffled_examples {
public:
  /// Throws argument_error for no examples.
  shuffled_examples(std::size_t count, std::uint64_t seed);

  /// The example at a place of the endless sequence: [0, count) is the first order, [count, 2 · count) the
  /// second.
  std::size_t operator[](std::uint64_t place);

private:
  std::uint64_t seed_, round_ = 0;
  std::vector<std::size_t> order_; // of that round
  void shuffle();
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/train/impl/batches.hpp>
#endif

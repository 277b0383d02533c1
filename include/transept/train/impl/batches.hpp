// Where windows lie, and how they are read (train/batches.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <utility>

#include <transept/core/error.hpp>
#include <transept/core/random.hpp>
#include <transept/train/batches.hpp>
#include <transept/train/loss.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION token_split split_tokens(std::size_t count, double validation) {
  if (!(validation >= 0 && validation <= 1))
    throw argument_error("the validation fraction must be from 0 to 1; got " + std::to_string(validation));
  const double share = std::floor(static_cast<double>(count) * (1 - validation));
  const auto training = std::min(count, static_cast<std::size_t>(share));
  return {{0, training}, {training, count}};
}

namespace detail {

/// Throws argument_error unless `range` lies in the file and has room for a window of `length` targets.
inline void check_windows(const token_file& file, token_range range, std::size_t length,
                          std::size_t least_tokens) {
  const auto in = file.path().string() + ": ";
  if (length == 0) throw argument_error("windows need at least one token");
  if (range.begin > range.end || range.end > file.size())
    throw argument_error(in + "tokens " + std::to_string(range.begin) + " to " + std::to_string(range.end) +
                         " were asked for, but there are " + std::to_string(file.size()));
  if (range.size() < least_tokens)
    throw argument_error(in + "expected at least " + std::to_string(least_tokens) +
                         " tokens to take windows from, found " + std::to_string(range.size()));
}

/// How many rows of `length` the two spans are. Throws argument_error unless they are whole rows.
inline std::size_t rows_of(std::span<const token_id> tokens, std::span<const token_id> targets,
                           std::size_t length) {
  if (tokens.size() != targets.size() || tokens.size() % length != 0)
    throw argument_error("tokens and targets must be as many rows of " + std::to_string(length) + "; got " +
                         std::to_string(tokens.size()) + " and " + std::to_string(targets.size()));
  return tokens.size() / length;
}

} // namespace detail

TRANSEPT_FUNCTION random_windows::random_windows(token_file file, token_range range, std::size_t length,
                                                 std::uint64_t seed)
    : file_(std::move(file)), range_(range), length_(length), seed_(seed) {
  detail::check_windows(file_, range, length, length + 1);
}

TRANSEPT_FUNCTION std::size_t random_windows::place(std::uint64_t batch, std::size_t row,
                                                    std::size_t rows) const {
  const std::uint64_t draw = batch * rows + row;
  const std::uint64_t bits = random_block(seed_, stream, draw / 2)[draw % 2];
  return range_.begin + static_cast<std::size_t>(bits % (range_.size() - length_));
}

TRANSEPT_FUNCTION void random_windows::fill(std::uint64_t batch, std::span<token_id> tokens,
                                            std::span<token_id> targets) const {
  const std::size_t rows = detail::rows_of(tokens, targets, length_);
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t begin = place(batch, row, rows);
    file_.read(begin, tokens.subspan(row * length_, length_));
    file_.read(begin + 1, targets.subspan(row * length_, length_));
  }
}

TRANSEPT_FUNCTION successive_windows::successive_windows(token_file file, token_range range,
                                                         std::size_t length)
    : file_(std::move(file)), range_(range), length_(length) {
  detail::check_windows(file_, range, length, 2);
}

TRANSEPT_FUNCTION std::size_t successive_windows::fill(std::size_t first, std::span<token_id> tokens,
                                                       std::span<token_id> targets) const {
  const std::size_t rows = detail::rows_of(tokens, targets, length_);
  std::size_t counted = 0;
  for (std::size_t row = 0; row < rows; ++row) {
    const std::size_t window = first + row;
    const std::size_t count =
        window < size() ? std::min(length_, this->targets() - window * length_) : std::size_t{0};
    const auto inputs = tokens.subspan(row * length_, length_);
    const auto wanted = targets.subspan(row * length_, length_);
    if (count != 0) {
      file_.read(range_.begin + window * length_, inputs.first(count));
      file_.read(range_.begin + window * length_ + 1, wanted.first(count));
    }
    std::ranges::fill(inputs.subspan(count), token_id{0});
    std::ranges::fill(wanted.subspan(count), no_target);
    counted += count;
  }
  return counted;
}

TRANSEPT_FUNCTION shuffled_examples::shuffled_examples(std::size_t count, std::uint64_t seed)
    : seed_(seed), order_(count) {
  if (count == 0) throw argument_error("there are no examples to shuffle");
  shuffle();
}

TRANSEPT_FUNCTION void shuffled_examples::shuffle() {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  random_stream random(seed_ ^ 0x73687566666c65, round_); // "shuffle": apart from other uses of a seed
  for (std::size_t i = order_.size() - 1; i > 0; --i)
    std::swap(order_[i], order_[static_cast<std::size_t>(random.next() % (i + 1))]);
}

TRANSEPT_FUNCTION std::size_t shuffled_examples::operator[](std::uint64_t place) {
  if (const std::uint64_t round = place / order_.size(); round != round_) {
    round_ = round;
    shuffle();
  }
  return order_[static_cast<std::size_t>(place % order_.size())];
}

} // namespace transept::inline TRANSEPT_ABI

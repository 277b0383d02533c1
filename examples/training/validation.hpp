// The loss on the text that is kept for checking.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>

#include <training/data.hpp>
#include <training/decoder_trainer.hpp>
#include <training/settings.hpp>

namespace examples {

class validation {
public:
  /// All three must outlive it.
  validation(decoder_trainer& trainer, const text_data& data, const training_settings& settings)
      : trainer_(trainer), data_(data), s_(settings), batch_(s_.batch, s_.context) {}

  /// Whether there is a text.
  bool is_possible() const { return data_.validation.size() >= 2; }
  /// Whether an evaluation is on all of it.
  bool is_whole() const { return s_.evaluate_batches == 0 || data_.validation.size() <= s_.context; }

  /// Nats per token, over the batches of an evaluation. Nothing where there is no text.
  std::optional<double> loss();

  /// The same over all of the text, every token but the first as a target once. Nothing where `goes_on`,
  /// asked before each batch, says no.
  std::optional<double> whole_loss(const std::function<bool()>& goes_on);

private:
  decoder_trainer& trainer_;
  const text_data& data_;
  const training_settings& s_;
  token_batch batch_;
};

} // namespace examples

// When a run has diverged.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <optional>
#include <string>

namespace examples {

/// The course of the training loss. A run has diverged where a loss is no number, or where `patience` losses
/// in a row are more than `most_rise` above the lowest that their running mean has been. One odd batch does
/// not count.
struct loss_course {
  static constexpr double most_rise = 2; // nats per token
  static constexpr std::size_t patience = 20;

  double smoothed = 0, lowest = std::numeric_limits<double>::infinity();
  std::size_t high = 0; ///< how many losses in a row, up to the last

  bool is_high(double loss) const { return loss > lowest + most_rise; }

  /// Takes a step's loss. Returns what is wrong then, if anything is.
  std::optional<std::string> add(double loss) {
    if (!std::isfinite(loss)) return problem(loss);
    smoothed = std::isinf(lowest) ? loss : 0.9 * smoothed + 0.1 * loss;
    high = is_high(loss) ? high + 1 : 0;
    lowest = std::min(lowest, smoothed);
    if (high >= patience) return problem(loss);
    return std::nullopt;
  }

  /// A loss with which a run ends, in words.
  std::string problem(double loss) const {
    if (std::isnan(loss)) return "the loss is not a number";
    if (std::isinf(loss)) return "the loss is infinite";
    char text[160];
    std::snprintf(text, sizeof text,
                  "the loss is %.4g nats per token; %zu batches in a row are more than %g above %.4g, where "
                  "it was",
                  loss, patience, most_rise, lowest);
    return text;
  }
};

} // namespace examples

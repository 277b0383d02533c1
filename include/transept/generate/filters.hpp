// Logit filters: each changes the candidates' logits, or drops candidates, and leaves the choice to what
// follows. Meanings are Hugging Face's; each keeps at least one token. Neutral values (penalty 1,
// temperature 1, top_k >= vocabulary, top_p 1, min_p 0) change nothing, so a program may build one chain and
// set it by its options.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include <transept/core/error.hpp>
#include <transept/generate/candidates.hpp>
#include <transept/generate/probabilities.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Divides positive logits, and multiplies negative ones, of every token in the history (the prompt too),
/// once however often it occurred. Above 1 discourages repetition, below 1 encourages it.
class repetition_penalty {
public:
  /// penalty > 0, finite; else argument_error.
  explicit repetition_penalty(double penalty) : penalty_(static_cast<float>(penalty)) {
    if (!(penalty_ > 0) || std::isinf(penalty_))
      throw argument_error("repetition_penalty must be above 0 and finite, but is " +
                           std::to_string(penalty) + "; 1 changes nothing");
  }

  void operator()(candidates& list) const {
    if (penalty_ == 1.0f || list.history().empty()) return;
    for (candidate& each : list)
      if (list.in_history(each.id))
        each.logit = each.logit < 0 ? each.logit * penalty_ : each.logit / penalty_;
  }

private:
  float penalty_;
};

/// Divides every logit: below 1 sharpens the distribution, above 1 flattens it.
class temperature {
public:
  /// degrees > 0, finite; else argument_error. For "temperature 0" use greedy().
  explicit temperature(double degrees) : degrees_(static_cast<float>(degrees)) {
    if (!(degrees_ > 0) || std::isinf(degrees_))
      throw argument_error("temperature must be above 0 and finite, but is " + std::to_string(degrees) +
                           "; to always take the likeliest token use greedy() instead");
  }

  void operator()(candidates& list) const {
    if (degrees_ == 1.0f) return;
    const float greatest = list.greatest_logit();
    // Where the division would overflow, the same distribution is had by making the greatest logit 0 first.
    const float origin = std::isfinite(greatest / degrees_) ? 0.0f : greatest;
    for (candidate& each : list) each.logit = (each.logit - origin) / degrees_;
  }

private:
  float degrees_;
};

/// Keeps the k greatest logits, and all that equal the k-th.
class top_k {
public:
  /// k >= 1; else argument_error. More than the vocabulary keeps all.
  explicit top_k(std::int64_t k) : k_(k < 1 ? 0 : static_cast<std::size_t>(k)) {
    if (k < 1)
      throw argument_error("top_k must be at least 1, but is " + std::to_string(k) +
                           "; leave the filter out to keep every token");
  }

  void operator()(candidates& list) const {
    if (k_ >= list.size()) return;
    const auto work = list.weights().first(list.size());
    std::ranges::transform(list, work.begin(), &candidate::logit);
    const auto kth = work.begin() + static_cast<std::ptrdiff_t>(k_ - 1);
    // A heap of k beats partitioning while k is small.
    if (k_ <= 256)
      std::partial_sort(work.begin(), kth + 1, work.end(), std::greater<>{});
    else
      std::nth_element(work.begin(), kth, work.end(), std::greater<>{});
    list.keep_if([least = *kth](const candidate& each) { return each.logit >= least; });
  }

private:
  std::size_t k_;
};

/// Keeps the likeliest tokens, down to and with the one at which their probabilities together reach p. Of
/// equal logits the lower id counts as likelier.
class top_p {
public:
  /// 0 < p <= 1; else argument_error.
  explicit top_p(double p) : p_(p) {
    if (!(p > 0 && p <= 1))
      throw argument_error("top_p must be above 0 and at most 1, but is " + std::to_string(p) +
                           "; 1 keeps every token");
  }

  // No sort of the vocabulary: the probability mass is gathered in bands of logits, and only the band in
  // which p is reached is sorted.
  void operator()(candidates& list) const {
    if (p_ == 1.0 || list.size() < 2) return;
    const float greatest = list.greatest_logit();
    const double needed = p_ * softmax_weights(list, greatest, list.weights());

    std::array<double, bands> mass{};
    for (std::size_t i = 0; i < list.size(); ++i)
      mass[band_of(list[i].logit, greatest)] += static_cast<double>(list.weights()[i]);
    std::size_t band = 0;
    double before = 0; // the mass of all bands above
    while (band + 1 < bands && before + mass[band] < needed) before += mass[band++];

    // {id: index in the list, logit} of the band's candidates, likeliest first.
    std::size_t count = 0;
    for (std::size_t i = 0; i < list.size(); ++i)
      if (band_of(list[i].logit, greatest) == band)
        list.spare()[count++] = {static_cast<token_id>(i), list[i].logit};
    if (count == 0) return;
    const auto members = list.spare().first(count);
    std::ranges::sort(members, [](const candidate& a, const candidate& b) {
      return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
    });
    std::size_t last = 0;
    for (; last + 1 < count; ++last) {
      before += static_cast<double>(list.weights()[static_cast<std::size_t>(members[last].id)]);
      if (before >= needed) break;
    }
    const candidate crossing = members[last];
    list.keep_if([crossing, first = list.begin()](const candidate& each) {
      // keep_if hands over the candidates in place, so an address tells the index
      return each.logit > crossing.logit || (each.logit == crossing.logit && &each - first <= crossing.id);
    });
  }

private:
  static constexpr std::size_t bands = 256;

  /// Bands of 1/8 nat from the greatest logit down; the last one holds all that is more than 31.9 below.
  static std::size_t band_of(float logit, float greatest) {
    return static_cast<std::size_t>(std::min((greatest - logit) * 8.0f, static_cast<float>(bands - 1)));
  }

  double p_;
};

/// Keeps tokens at least p times as likely as the likeliest.
class min_p {
public:
  /// 0 <= p <= 1; else argument_error.
  explicit min_p(double p) : log_p_(std::log(static_cast<float>(p))) {
    if (!(p >= 0 && p <= 1))
      throw argument_error("min_p must be between 0 and 1, but is " + std::to_string(p) +
                           "; 0 keeps every token");
  }

  void operator()(candidates& list) const {
    if (std::isinf(log_p_)) return;
    const float greatest = list.greatest_logit();
    list.keep_if([this, greatest](const candidate& each) { return each.logit - greatest >= log_p_; });
  }

private:
  float log_p_;
};

} // namespace transept::inline TRANSEPT_ABI

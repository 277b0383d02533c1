// What each logit filter does (generate/filters.hpp).
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string>

#include <transept/core/error.hpp>
#include <transept/generate/filters.hpp>
#include <transept/generate/probabilities.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION repetition_penalty::repetition_penalty(double penalty)
    : penalty_(static_cast<float>(penalty)) {
  if (!(penalty_ > 0) || std::isinf(penalty_))
    throw argument_error("repetition_penalty must be above 0 and finite, but is " + std::to_string(penalty) +
                         "; 1 changes nothing");
}

TRANSEPT_FUNCTION void repetition_penalty::operator()(candidates& list) const {
  if (penalty_ == 1.0f || list.history().empty()) return;
  for (candidate& each : list)
    if (list.in_history(each.id)) each.logit = each.logit < 0 ? each.logit * penalty_ : each.logit / penalty_;
}

TRANSEPT_FUNCTION temperature::temperature(double degrees) : degrees_(static_cast<float>(degrees)) {
  if (!(degrees_ > 0) || std::isinf(degrees_))
    throw argument_error("temperature must be above 0 and finite, but is " + std::to_string(degrees) +
                         "; to always take the likeliest token use greedy() instead");
}

TRANSEPT_FUNCTION void temperature::operator()(candidates& list) const {
  if (degrees_ == 1.0f) return;
  const float greatest = list.greatest_logit();
  // Where the division would overflow, the same distribution is had by making the greatest logit 0 first.
  const float origin = std::isfinite(greatest / degrees_) ? 0.0f : greatest;
  for (candidate& each : list) each.logit = (each.logit - origin) / degrees_;
}

TRANSEPT_FUNCTION top_k::top_k(std::int64_t k) : k_(k < 1 ? 0 : static_cast<std::size_t>(k)) {
  if (k < 1)
    throw argument_error("top_k must be at least 1, but is " + std::to_string(k) +
                         "; leave the filter out to keep every token");
}

TRANSEPT_FUNCTION void top_k::operator()(candidates& list) const {
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

TRANSEPT_FUNCTION void known_tokens::operator()(candidates& list) const {
  if (count_ >= list.vocab_size()) return;
  list.keep_if([this](const candidate& each) { return static_cast<std::size_t>(each.id) < count_; });
}

TRANSEPT_FUNCTION top_p::top_p(double p) : p_(p) {
  if (!(p > 0 && p <= 1))
    throw argument_error("top_p must be above 0 and at most 1, but is " + std::to_string(p) +
                         "; 1 keeps every token");
}

namespace detail {

inline constexpr std::size_t bands = 256;

/// Bands of 1/8 nat from the greatest logit down; the last one holds all that is more than 31.9 below.
inline std::size_t band_of(float logit, float greatest) {
  return static_cast<std::size_t>(std::min((greatest - logit) * 8.0f, static_cast<float>(bands - 1)));
}

} // namespace detail

// No sort of the vocabulary: the probability mass is gathered in bands of logits, and only the band in
// which p is reached is sorted.
TRANSEPT_FUNCTION void top_p::operator()(candidates& list) const {
  if (p_ == 1.0 || list.size() < 2) return;
  const float greatest = list.greatest_logit();
  const double needed = p_ * softmax_weights(list, greatest, list.weights());

  std::array<double, detail::bands> mass{};
  for (std::size_t i = 0; i < list.size(); ++i)
    mass[detail::band_of(list[i].logit, greatest)] += static_cast<double>(list.weights()[i]);
  std::size_t band = 0;
  double before = 0; // the mass of all bands above
  while (band + 1 < detail::bands && before + mass[band] < needed) before += mass[band++];

  // {id: index in the list, logit} of the band's candidates, likeliest first.
  std::size_t count = 0;
  for (std::size_t i = 0; i < list.size(); ++i)
    if (detail::band_of(list[i].logit, greatest) == band)
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

TRANSEPT_FUNCTION min_p::min_p(double p) : log_p_(std::log(static_cast<float>(p))) {
  if (!(p >= 0 && p <= 1))
    throw argument_error("min_p must be between 0 and 1, but is " + std::to_string(p) +
                         "; 0 keeps every token");
}

TRANSEPT_FUNCTION void min_p::operator()(candidates& list) const {
  if (std::isinf(log_p_)) return;
  const float greatest = list.greatest_logit();
  list.keep_if([this, greatest](const candidate& each) { return each.logit - greatest >= log_p_; });
}

} // namespace transept::inline TRANSEPT_ABI

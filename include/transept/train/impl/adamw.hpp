// The norm of gradients (train/adamw.hpp).
#pragma once

#include <algorithm>
#include <cmath>

#include <transept/kernels/adamw.hpp>
#include <transept/train/adamw.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION double gradient_norm(thread_pool& threads, const buffer<float>& gradients,
                                       std::vector<double>& sums) {
  constexpr std::size_t piece = 4096;
  const std::size_t count = gradients.size();
  sums.resize((count + piece - 1) / piece);
  parallel_for(threads, sums.size(), 1, [&](std::size_t begin, std::size_t end, int) {
    for (std::size_t p = begin; p < end; ++p) {
      sums[p] = kernels::sum_of_squares(gradients.data() + p * piece, std::min(piece, count - p * piece));
    }
  });
  double total = 0;
  for (const double sum : sums) total += sum;
  return std::sqrt(total);
}

} // namespace transept::inline TRANSEPT_ABI

#include <training/validation.hpp>

#include <common/progress.hpp>

namespace examples {

std::optional<double> validation::loss() {
  if (!is_possible()) return std::nullopt;
  if (is_whole()) return whole_loss([] { return true; });
  const transept::random_windows some(data_.validation, data_.all_validation(), s_.context, s_.seed);
  double total = 0;
  for (std::size_t i = 0; i < s_.evaluate_batches; ++i) {
    some.fill(i, batch_.tokens(), batch_.targets());
    total += trainer_.evaluate(batch_.token_rows(), batch_.target_rows());
  }
  return total / static_cast<double>(s_.evaluate_batches);
}

std::optional<double> validation::whole_loss(const std::function<bool()>& goes_on) {
  const transept::successive_windows all(data_.validation, data_.all_validation(), s_.context);
  progress_bar bar("Scoring the validation text");
  double total = 0;
  for (std::size_t first = 0; first < all.size(); first += s_.batch) {
    if (!goes_on()) return std::nullopt;
    const auto counted = static_cast<double>(all.fill(first, batch_.tokens(), batch_.targets()));
    total += counted * trainer_.evaluate(batch_.token_rows(), batch_.target_rows());
    bar.show(first, all.size());
  }
  return total / static_cast<double>(all.targets());
}

} // namespace examples

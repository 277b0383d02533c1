// Prompts whose f32 products are split over AMX: how far the logits move, and that nothing moves elsewhere.
#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include <support/paths.hpp>

#include <transept/generate/session.hpp>
#include <transept/io/load_model.hpp>
#include <transept/kernels/bf16_products.hpp>
#include <transept/models/gpt2.hpp>

using namespace transept;

namespace {

using shipped_type =
    gpt2<gpt2_config{.n_embd = 256, .n_layer = 4, .n_head = 4, .vocab_size = 1024, .n_positions = 256}>;

/// Logits [count, vocab_size] of `count` tokens fed at once.
std::vector<float> logits_of(const shipped_type& model, std::size_t count, f32_precision precision) {
  session session(model, {.threads = 2, .f32_precision = precision});
  std::vector<token_id> tokens(count);
  for (std::size_t i = 0; i < count; ++i) tokens[i] = static_cast<token_id>(i * 7919 % 1000);
  std::vector<float> logits(count * 1024);
  forward(model, session, tokens,
          matrix_view<float, dyn, dyn>(logits.data(), static_cast<extent>(count), 1024));
  return logits;
}

} // namespace

TEST_CASE("splitting f32 products over AMX moves the logits by less than 1e-4 of their scale") {
  const auto model = load<shipped_type>(support::shipped_model(), {.type = element_type::f32});
  const auto exact = logits_of(model, 48, f32_precision::full);
  const auto split = logits_of(model, 48, f32_precision::bf16x3);
  if (!kernels::runs_in_tiles(element_type::f32, 48, f32_precision::bf16x3)) {
    CHECK(split == exact);
    return;
  }
  double worst = 0, squares = 0;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    worst = std::max(worst, std::fabs(static_cast<double>(split[i]) - static_cast<double>(exact[i])));
    squares += std::pow(static_cast<double>(exact[i]), 2);
  }
  const double scale = std::sqrt(squares / static_cast<double>(exact.size()));
  INFO("worst difference " << worst << ", root of the mean square " << scale);
  CHECK(worst > 0);
  CHECK(worst < 1e-4 * scale);
}

TEST_CASE("fewer rows than a tile are computed in full precision, whatever is asked for") {
  const auto model = load<shipped_type>(support::shipped_model(), {.type = element_type::f32});
  CHECK(logits_of(model, 15, f32_precision::bf16x3) == logits_of(model, 15, f32_precision::full));
}

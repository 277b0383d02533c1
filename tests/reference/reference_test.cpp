// The readable twins against PyTorch (tests/fixtures/kernels, by scripts/make_fixtures.py). Expected values
// are float64 results rounded to float32, so the twins, which compute in double, agree to half a unit.
#include <reference/activation.hpp>
#include <reference/attention.hpp>
#include <reference/embedding.hpp>
#include <reference/layer_norm.hpp>
#include <reference/linear.hpp>
#include <reference/softmax.hpp>

#include <support/compare.hpp>
#include <support/npy.hpp>
#include <support/paths.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace {

constexpr double tolerance = 1e-7;

template <std::size_t Rank>
transept::array<Rank, double> load(const std::string& name) {
  const auto file = support::read_npy<float>(support::fixture("kernels/" + name + ".npy"));
  transept::array_shape<Rank> shape{};
  REQUIRE(file.shape.size() == Rank);
  std::ranges::copy(file.shape, shape.begin());
  return reference::array_of<Rank>(file.values, shape);
}

template <class Array>
std::vector<double> values(const Array& array) {
  return {array.data(), array.data() + array.size()};
}

/// Like support::compare, but each row is judged by its own scale.
double worst_row(const reference::matrix& actual, const reference::matrix& expected) {
  REQUIRE(actual.shape() == expected.shape());
  double worst = 0;
  for (std::size_t t = 0; t < expected.shape(0); ++t) {
    const reference::vector row = xt::view(actual, t);
    const reference::vector expected_row = xt::view(expected, t);
    worst = std::fmax(worst, support::max_relative_difference(values(row), values(expected_row)));
  }
  return worst;
}

} // namespace

TEST_CASE("the linear twins agree with PyTorch in both weight layouts") {
  const auto x = load<2>("linear.x");
  const auto bias = load<1>("linear.bias");
  CHECK(worst_row(reference::linear(x, load<2>("linear.weight_in_out"), bias), load<2>("linear.y_in_out")) <=
        tolerance);
  CHECK(worst_row(reference::linear_transposed(x, load<2>("linear.weight_out_in"), bias),
                  load<2>("linear.y_out_in")) <= tolerance);
}

TEST_CASE("the embedding twin agrees with PyTorch") {
  const auto file = support::read_npy<std::int64_t>(support::fixture("kernels/embedding.ids.npy"));
  const std::vector<transept::token_id> ids(file.values.begin(), file.values.end());
  const auto y = reference::embedding(ids, load<2>("embedding.table"));
  CHECK(support::compare(values(y), values(load<2>("embedding.y"))) <= 0);
}

TEST_CASE("the layer norm twin agrees with PyTorch on ordinary, offset, tiny, huge and constant rows") {
  const auto y = reference::layer_norm(load<2>("layer_norm.x"), load<1>("layer_norm.weight"),
                                       load<1>("layer_norm.bias"), 1e-5);
  CHECK(worst_row(y, load<2>("layer_norm.y")) <= tolerance);
}

TEST_CASE("the softmax twin agrees with PyTorch on large, offset, masked and extreme rows") {
  CHECK(worst_row(reference::softmax(load<2>("softmax.x")), load<2>("softmax.y")) <= tolerance);
}

TEST_CASE("the activation twins agree with PyTorch") {
  const auto x = load<1>("activations.x");
  for (const auto type : {transept::activation_type::gelu_tanh, transept::activation_type::gelu_erf,
                          transept::activation_type::relu, transept::activation_type::silu,
                          transept::activation_type::quick_gelu, transept::activation_type::tanh}) {
    const std::string name = type == transept::activation_type::gelu_tanh  ? "gelu_tanh"
                             : type == transept::activation_type::gelu_erf ? "gelu_erf"
                                                                           : std::string(name_of(type));
    INFO(name);
    const auto y = reference::activation<1>(type, x);
    const auto expected = load<1>("activations." + name);
    // Each value by its own size (down to the rounding of 1 + erf or tanh near −1).
    for (std::size_t i = 0; i < x.size(); ++i) {
      INFO("x = " << x(i));
      CHECK(std::fabs(y(i) - expected(i)) <= tolerance * std::fabs(expected(i)) + 1e-14);
    }
  }
}

TEST_CASE("the attention twin agrees with PyTorch with and without cached positions") {
  const auto query = load<3>("attention.query");
  const auto key = load<3>("attention.key");
  const auto value = load<3>("attention.value");
  const double scale = load<1>("attention.scale")(0);

  const auto result = reference::causal_attention(query, key, value, scale);
  CHECK(support::compare(values(result.output), values(load<3>("attention.y"))) <= tolerance);
  CHECK(support::compare(values(result.probabilities), values(load<3>("attention.probabilities"))) <=
        tolerance);

  const reference::cube first_keys = xt::view(key, xt::range(0, 3));
  const reference::cube first_values = xt::view(value, xt::range(0, 3));
  const auto alone = reference::causal_attention(query, first_keys, first_values, scale);
  CHECK(support::compare(values(alone.output), values(load<3>("attention.y_no_cache"))) <= tolerance);
}

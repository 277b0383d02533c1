#include <transept/tensor/xtensor.hpp>

#include <support/catch.hpp>

#include <cstdint>
#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include <transept/tensor/buffer.hpp>

using namespace transept;

TEST_CASE("a buffer that was moved from has no elements") {
  transept::buffer<float> from(3);
  const float* const data = from.data();
  transept::buffer<float> to(std::move(from));
  CHECK((from.size() == 0 && from.data() == nullptr && to.size() == 3 && to.data() == data));
  from = std::move(to);
  CHECK((to.size() == 0 && from.size() == 3 && from.data() == data));
}

TEST_CASE("make_array copies row-major elements") {
  std::vector<float> values{1, 2, 3, 4, 5, 6};
  const array<2> copy = make_array<2>(values.data(), {2, 3});
  values[5] = 0;
  CHECK(copy.shape(0) == 2);
  CHECK(copy.shape(1) == 3);
  CHECK(copy(0, 2) == 3);
  CHECK(copy(1, 2) == 6);
}

TEST_CASE("make_array accepts rank zero and empty extents") {
  const float one = 1;
  CHECK(make_array<0>(&one, {})() == 1);
  CHECK(make_array<2>(&one, {0, 3}).size() == 0);
}

TEST_CASE("make_array refuses a shape whose size overflows") {
  const std::size_t huge = std::numeric_limits<std::size_t>::max() / 2;
  CHECK_THROWS_AS((make_array<2>({huge, 3})), argument_error);
  CHECK(element_count<3>({0, huge, 3}) == 0);
}

TEST_CASE("view_array reads memory in place and cannot write it") {
  std::vector<std::int64_t> values{1, 2, 3, 4};
  const array_view<2, std::int64_t> view = view_array<2>(values.data(), {2, 2});
  values[3] = 40;
  CHECK(view(1, 1) == 40);
  CHECK(view.data() == values.data());
  array_view<2, std::int64_t> mutable_view = view;
  STATIC_REQUIRE(std::is_same_v<decltype(mutable_view(0, 0)), const std::int64_t&>);
}

TEST_CASE("views stay right when moved and copied out of the function that made them") {
  const std::vector<float> values{1, 2, 3, 4, 5, 6};
  const auto make = [&] {
    const float* pointer = values.data();
    return view_array<2>(pointer, {3, 2});
  };
  const std::vector<array_view<2>> views{make(), make()};
  const array<1> sums = xt::sum(views[1], {1});
  CHECK(sums(0) == 3);
  CHECK(sums(2) == 11);
}

// Without the mend in the bridge this does not compile, or throws bad_alloc.
TEST_CASE("xtensor evaluates expressions of run-time rank under C++20") {
  const xt::xarray<float> matrix = {{1, 2, 3}, {4, 5, 6}};
  const xt::xarray<float> doubled = xt::eval(matrix * 2.0f);
  CHECK(doubled(1, 2) == 12);
  const xt::xarray<float> sums = xt::sum(matrix, {1}, xt::evaluation_strategy::immediate);
  CHECK(sums(0) == 6);
  CHECK(sums(1) == 15);
}

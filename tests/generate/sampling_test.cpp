#include <transept/generate/sampling.hpp>

#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <limits>
#include <numeric>
#include <ranges>
#include <string>
#include <vector>

#include <support/catch.hpp>
#include <support/paths.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>

using namespace transept;
using Catch::Matchers::ContainsSubstring;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float not_a_number = std::numeric_limits<float>::quiet_NaN();

candidates list_of(const std::vector<float>& logits, const std::vector<token_id>& history = {}) {
  candidates list(logits.size(), history.size());
  for (const token_id id : history) list.remember(id);
  list.assign(logits);
  return list;
}

std::vector<token_id> ids_of(const candidates& list) {
  std::vector<token_id> ids;
  std::ranges::transform(list, std::back_inserter(ids), &candidate::id);
  return ids;
}

template <class Filter>
std::vector<token_id> kept_by(Filter filter, const std::vector<float>& logits) {
  candidates list = list_of(logits);
  filter(list);
  return ids_of(list);
}

void apply(const std::string& name, double value, candidates& list) {
  if (name == "repetition_penalty") return repetition_penalty(value)(list);
  if (name == "temperature") return temperature(value)(list);
  if (name == "top_k") return top_k(static_cast<std::int64_t>(value))(list);
  if (name == "top_p") return top_p(value)(list);
  if (name == "min_p") return min_p(value)(list);
  FAIL("the fixture names an unknown filter " << name);
}

} // namespace

TEST_CASE("filters keep the tokens and give the logits that Hugging Face's processors do") {
  std::ifstream file(support::fixture("sampling/filters.json"));
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const json fixture = parse_json(text, "filters.json");
  REQUIRE(fixture["cases"].size() > 150);
  for (const json& each : fixture["cases"]) {
    std::vector<float> logits;
    for (const json& logit : fixture["logits"][each["logits"].get<std::string>()])
      logits.push_back(logit.is_null() ? -infinity : logit.get<float>());
    candidates list = list_of(logits, each["history"].get<std::vector<token_id>>());
    for (const json& filter : each["filters"])
      apply(filter[0].get<std::string>(), filter[1].get<double>(), list);
    list.keep_if([](const candidate& one) { return one.logit > -infinity; });
    INFO(each["logits"] << " " << each["filters"]);
    REQUIRE(ids_of(list) == each["kept"].get<std::vector<token_id>>());
    for (std::size_t i = 0; i < each["scores"].size(); ++i)
      REQUIRE(list[i].logit == Approx(each["scores"][i].get<double>()).epsilon(1e-6).margin(1e-6));
  }
}

TEST_CASE("top_k keeps every token that equals the k-th") {
  const std::vector<float> logits = {1, 3, 2, 3, 2, 2, -1};
  CHECK(kept_by(top_k(1), logits) == std::vector<token_id>{1, 3});
  CHECK(kept_by(top_k(2), logits) == std::vector<token_id>{1, 3});
  CHECK(kept_by(top_k(3), logits) == std::vector<token_id>{1, 2, 3, 4, 5});
  CHECK(kept_by(top_k(7), logits).size() == 7);
  CHECK(kept_by(top_k(1'000'000'000'000), logits).size() == 7);
}

TEST_CASE("top_k finds the same tokens with a heap and with partitioning") {
  std::vector<float> logits(5000);
  fill_normal(logits, 3, 0);
  for (const std::int64_t k : {1, 40, 255, 256, 257, 2500, 4999}) {
    std::vector<float> sorted = logits;
    std::ranges::sort(sorted, std::greater<>{});
    std::vector<token_id> expected;
    for (std::size_t i = 0; i < logits.size(); ++i)
      if (logits[i] >= sorted[static_cast<std::size_t>(k - 1)]) expected.push_back(static_cast<token_id>(i));
    REQUIRE(kept_by(top_k(k), logits) == expected);
  }
}

TEST_CASE("top_p keeps the token that crosses p, and of equal ones those of lowest id") {
  const auto of = [](std::initializer_list<double> probabilities) {
    std::vector<float> logits;
    for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)));
    return logits;
  };
  CHECK(kept_by(top_p(0.45), of({0.1, 0.4, 0.2, 0.3})) == std::vector<token_id>{1, 3});
  CHECK(kept_by(top_p(0.39), of({0.1, 0.4, 0.2, 0.3})) == std::vector<token_id>{1});
  CHECK(kept_by(top_p(1e-30), of({0.1, 0.4, 0.2, 0.3})) == std::vector<token_id>{1});
  CHECK(kept_by(top_p(0.91), of({0.1, 0.4, 0.2, 0.3})) == std::vector<token_id>{0, 1, 2, 3});
  CHECK(kept_by(top_p(1), of({0.1, 0.4, 0.2, 0.3})).size() == 4);
  const std::vector<float> flat(10, 1.5f);
  CHECK(kept_by(top_p(0.25), flat) == std::vector<token_id>{0, 1, 2});
  CHECK(kept_by(top_p(0.95), flat).size() == 10);
}

TEST_CASE("top_p agrees with a full sort over many distributions") {
  for (std::uint64_t seed = 0; seed < 60; ++seed) {
    std::vector<float> logits(1000);
    fill_normal(logits, seed, 0);
    for (float& logit : logits)
      logit *= static_cast<float>(seed) * 0.5f + 0.01f; // from flat to one token only
    const double p = random_stream(seed, 1).uniform_double();
    std::vector<token_id> order(logits.size());
    std::iota(order.begin(), order.end(), 0);
    const auto logit_of = [&](token_id id) { return logits[static_cast<std::size_t>(id)]; };
    std::ranges::sort(order, [&](token_id a, token_id b) {
      return logit_of(a) != logit_of(b) ? logit_of(a) > logit_of(b) : a < b;
    });
    double total = 0, before = 0;
    for (const token_id id : order) total += std::exp(static_cast<double>(logit_of(id) - logit_of(order[0])));
    std::vector<token_id> expected;
    for (const token_id id : order) {
      if (before >= p * total) break;
      expected.push_back(id);
      before += std::exp(static_cast<double>(logit_of(id) - logit_of(order[0])));
    }
    std::ranges::sort(expected);
    REQUIRE(kept_by(top_p(p), logits) == expected);
  }
}

TEST_CASE("repetition_penalty counts a token once, however often it occurred") {
  candidates list = list_of({2, -2, 0, 2}, {0, 0, 1, 0, 2});
  repetition_penalty(2)(list);
  CHECK(list[0].logit == 1);
  CHECK(list[1].logit == -4);
  CHECK(list[2].logit == 0);
  CHECK(list[3].logit == 2);
  list.forget_history();
  repetition_penalty(2)(list);
  CHECK(list[0].logit == 1);
}

TEST_CASE("neutral values change nothing") {
  std::vector<float> logits(100);
  fill_normal(logits, 1, 1);
  candidates list = list_of(logits, {3, 4});
  auto neutral = repetition_penalty(1) | temperature(1) | top_k(1'000'000) | top_p(1) | min_p(0);
  neutral(list);
  REQUIRE(list.size() == 100);
  for (std::size_t i = 0; i < 100; ++i) REQUIRE(list[i].logit == logits[i]);
}

TEST_CASE("a temperature too small for f32 still gives the likeliest token") {
  const std::vector<float> logits = {1, 90, 89.5f, -50, -infinity};
  candidates list = list_of(logits);
  auto cold = temperature(1e-38) | draw(1);
  CHECK(cold(list) == 1);
  candidates negative = list_of({-90, -91, -92});
  CHECK(cold(negative) == 0);
}

TEST_CASE("greedy takes the greatest logit, and of equal ones the lowest id") {
  const auto chosen = [](const std::vector<float>& logits) {
    candidates list = list_of(logits);
    return greedy()(list);
  };
  CHECK(chosen({1, 3, 2, 3}) == 1);
  CHECK(chosen({-infinity, -5, -infinity, -5}) == 1);
  CHECK(chosen({0, 0, 0}) == 0);
  CHECK(chosen({0, 0, 0, 0, 0, 0, 1}) == 6);
  CHECK(chosen({-0.0f, 0.0f}) == 0);
}

TEST_CASE("draws follow the softmax of the logits") {
  const std::vector<double> probabilities = {0.05, 0.4, 0.001, 0.249, 0.0, 0.3};
  std::vector<float> logits;
  for (const double p : probabilities) logits.push_back(static_cast<float>(std::log(p)) + 3);
  candidates list(logits.size());
  auto sampler = draw(99);
  const int draws = 100'000;
  std::vector<int> counts(logits.size());
  for (int i = 0; i < draws; ++i) {
    list.assign(logits);
    ++counts[static_cast<std::size_t>(sampler(list))];
  }
  CHECK(counts[4] == 0);
  double chi_squared = 0;
  for (std::size_t i = 0; i < counts.size(); ++i)
    if (probabilities[i] > 0)
      chi_squared += std::pow(counts[i] - draws * probabilities[i], 2) / (draws * probabilities[i]);
  CHECK(chi_squared < 18.5); // 4 degrees of freedom: 1 in 1000
}

TEST_CASE("draws after filters follow what the filters left, and repeat with the seed") {
  const std::vector<float> logits = {0, 1, 2, 3, 4, 5};
  const auto choices = [&](std::uint64_t seed) {
    auto sampler = temperature(2) | top_k(3) | draw(seed);
    candidates list(logits.size());
    std::vector<token_id> ids;
    for (int i = 0; i < 20'000; ++i) {
      list.assign(logits);
      ids.push_back(sampler(list));
    }
    return ids;
  };
  const auto ids = choices(5);
  CHECK(choices(5) == ids);
  CHECK(choices(6) != ids);
  const double total = std::exp(1.5) + std::exp(2.0) + std::exp(2.5);
  for (token_id id = 0; id < 6; ++id) {
    const double expected = id < 3 ? 0 : 20'000 * std::exp(id / 2.0) / total;
    CHECK(static_cast<double>(std::ranges::count(ids, id)) == Approx(expected).margin(5 * 71));
  }
}

TEST_CASE("a user's own filters and choices take part") {
  const std::vector<float> logits = {0, 1, 2, 3};
  const auto no_threes = [](candidates& list) { list.keep_if([](const candidate& c) { return c.id != 3; }); };
  const auto last = [](candidates& list) { return list[list.size() - 1].id; };
  struct boost { // a filter with state
    token_id id;
    void operator()(candidates& list) {
      for (candidate& each : list)
        if (each.id == id) each.logit += 10;
      ++id;
    }
  };
  static_assert(logit_filter<decltype(no_threes)> && !sampler<decltype(no_threes)>);
  static_assert(sampler<decltype(last)> && !logit_filter<decltype(last)>);
  candidates list = list_of(logits);
  auto own = temperature(0.5) | no_threes | last;
  CHECK(own(list) == 2);
  list.assign(logits);
  auto boosted = boost{0} | greedy();
  CHECK(boosted(list) == 0);
  list.assign(logits);
  CHECK(boosted(list) == 1);
}

TEST_CASE("a sampler may be chosen at run time, or kept by reference") {
  candidates list = list_of({0, 1, 2, 3});
  std::function<token_id(candidates&)> chosen = greedy();
  static_assert(sampler<decltype(chosen)>);
  CHECK(chosen(list) == 3);
  chosen = top_k(2) | draw(1);
  CHECK(chosen(list) >= 2);

  const std::vector<float> flat(1000, 0.0f);
  candidates many = list_of(flat);
  draw random(7);
  auto by_reference = top_k(1000) | std::ref(random);
  const token_id first = by_reference(many);
  many.assign(flat);
  CHECK(random(many) != first); // it went on in the stream
  many.assign(flat);
  CHECK(draw(7)(many) == first);
}

TEST_CASE("range adaptors keep their own pipe beside the samplers'") {
  const std::vector<int> numbers = {1, 2, 3, 4};
  const auto adaptor = std::views::drop(1) | std::views::take(2);
  CHECK(std::ranges::equal(numbers | adaptor, std::vector{2, 3}));
  candidates list = list_of({0, 1, 2});
  CHECK(std::ranges::distance(list | std::views::take(2)) == 2);
}

TEST_CASE("parameters out of range are argument errors that say what to do") {
  CHECK_THROWS_AS(temperature(0), argument_error);
  CHECK_THROWS_WITH(temperature(0),
                    ContainsSubstring("temperature must be above 0") && ContainsSubstring("greedy()"));
  CHECK_THROWS_AS(temperature(-1), argument_error);
  CHECK_THROWS_AS(temperature(not_a_number), argument_error);
  CHECK_THROWS_AS(temperature(infinity), argument_error);
  CHECK_THROWS_AS(temperature(1e-60), argument_error); // 0 in f32
  CHECK_THROWS_WITH(top_k(0), ContainsSubstring("top_k must be at least 1, but is 0"));
  CHECK_THROWS_AS(top_k(-5), argument_error);
  CHECK_THROWS_AS(top_p(0), argument_error);
  CHECK_THROWS_WITH(top_p(1.01), ContainsSubstring("top_p must be above 0 and at most 1"));
  CHECK_THROWS_AS(top_p(not_a_number), argument_error);
  CHECK_THROWS_AS(min_p(-0.01), argument_error);
  CHECK_THROWS_WITH(min_p(1.01), ContainsSubstring("min_p must be between 0 and 1"));
  CHECK_THROWS_AS(min_p(not_a_number), argument_error);
  CHECK_THROWS_WITH(repetition_penalty(0), ContainsSubstring("repetition_penalty must be above 0"));
  CHECK_THROWS_AS(repetition_penalty(-1), argument_error);
  CHECK_THROWS_AS(repetition_penalty(not_a_number), argument_error);
  CHECK_THROWS_AS(repetition_penalty(infinity), argument_error);
}

TEST_CASE("logits that no distribution can be made of are numeric errors that name the token") {
  std::vector<float> logits(100, 1.0f);
  candidates list(logits.size());
  logits[37] = not_a_number;
  CHECK_THROWS_AS(list.assign(logits), numeric_error);
  CHECK_THROWS_WITH(list.assign(logits),
                    ContainsSubstring("token 37 is NaN") && ContainsSubstring("weights are damaged"));
  logits[37] = infinity;
  CHECK_THROWS_WITH(list.assign(logits), ContainsSubstring("token 37 is +infinity"));
  logits[37] = -infinity; // a token that cannot come is no error
  CHECK_NOTHROW(list.assign(logits));
  logits.assign(100, -infinity);
  CHECK_THROWS_WITH(list.assign(logits), ContainsSubstring("all 100 logits are -infinity"));
  logits[99] = 0;
  list.assign(logits);
  CHECK(greedy()(list) == 99);
  CHECK(draw(1)(list) == 99);
  CHECK_THROWS_AS(list.assign(std::vector<float>(99)), argument_error);
}

TEST_CASE("filters that leave nothing to choose are numeric errors") {
  const auto choose = [](auto filter, auto last) {
    candidates list = list_of({1, 2, 3});
    return (filter | last)(list);
  };
  const auto drop_all = [](candidates& list) { list.keep_if([](const candidate&) { return false; }); };
  const auto mask_all = [](candidates& list) {
    for (candidate& each : list) each.logit = -infinity;
  };
  const auto damage = [](candidates& list) { list[1].logit = not_a_number; };
  CHECK_THROWS_WITH(choose(drop_all, greedy()), ContainsSubstring("left no token"));
  CHECK_THROWS_WITH(choose(drop_all, draw(1)), ContainsSubstring("left no token"));
  CHECK_THROWS_WITH(choose(mask_all, draw(1)), ContainsSubstring("-infinity"));
  CHECK_THROWS_WITH(choose(damage, draw(1)), ContainsSubstring("token 1 is NaN"));
  CHECK_THROWS_AS(choose(drop_all, top_p(0.5) | draw(1)), numeric_error);
  CHECK_THROWS_AS(choose(drop_all, top_k(2) | min_p(0.5) | temperature(2) | draw(1)), numeric_error);
  CHECK_THROWS_AS(choose(damage, top_p(0.5) | greedy()), numeric_error);
}

TEST_CASE("the history takes only tokens of the vocabulary") {
  candidates list(10);
  CHECK_THROWS_AS(list.remember(10), argument_error);
  CHECK_THROWS_AS(list.remember(-1), argument_error);
  list.remember(9);
  CHECK(list.in_history(9));
  CHECK_FALSE(list.in_history(0));
  CHECK(list.history().size() == 1);
}

TEST_CASE("greedy chooses alike whether or not somebody looked at the candidates") {
  for (unsigned seed = 0; seed < 200; ++seed) {
    std::mt19937 engine(seed);
    std::vector<float> logits(1 + seed);
    for (float& logit : logits) logit = static_cast<float>(engine() % 7) - 8.0f; // many are equal
    if (seed % 3 == 0) logits.insert(logits.begin(), -infinity);
    candidates fresh = list_of(logits), seen = list_of(logits);
    REQUIRE(seen[0].id == 0);
    CHECK(fresh.greatest_logit() == seen.greatest_logit());
    const token_id chosen = greedy()(fresh);
    CHECK(greedy()(seen) == chosen);
    CHECK(std::ranges::find(logits, fresh.greatest_logit()) - logits.begin() == chosen);
    CHECK(ids_of(fresh) == ids_of(seen)); // and can still be looked at
    fresh.assign(std::vector<float>(logits.size(), 1.0f));
    CHECK(greedy()(fresh) == 0);
    CHECK(fresh[logits.size() - 1].logit == 1.0f); // of the new step
  }
}

// Attention by every policy, over a cache of every type, against its twin, and against itself: a query's bits
// are the same whichever queries come with it.
#include "kernel_support.hpp"

#include <reference/attention.hpp>

#include <transept/kernels/attention.hpp>
#include <transept/layers/kv_cache.hpp>

#include <support/compare.hpp>

#include <support/catch.hpp>

#include <algorithm>
#include <cstring>

using namespace kernel_tests;
namespace kernels = transept::kernels;
using transept::cache_type;
using transept::visibility;

namespace {

struct policy {
  const char* name;
  visibility sees;
  float soft_cap = 0;
  bool biased = false;
};

const policy policies[] = {
    {"causal", transept::causal},
    {"everything", transept::everything},
    {"a window of 1", transept::sliding_window(1)},
    {"a window of 5", transept::sliding_window(5)},
    {"a window of 33", transept::sliding_window(33)},
    {"a prefix of 40", transept::prefix_then_causal(40)},
    {"a band of 3 and 9", {.before = 3, .after = 9, .prefix = 0}},
    {"a soft cap", transept::causal, 0.8f},
    {"a bias", transept::causal, 0, true},
    {"all of it", {.before = 40, .after = 2, .prefix = 0}, 1.5f, true},
};
constexpr cache_type types[] = {cache_type::f32, cache_type::bf16, cache_type::int8};

/// Queries of a text, and keys and values that every type of cache holds exactly: whole 32nds, the greatest
/// of each head 127 of them.
struct text {
  std::size_t queries, keys, heads, key_value_heads, head_width;
  placed<float> query, key, value;

  text(std::size_t query_count, std::size_t key_count, std::size_t head_count, std::size_t key_value_count,
       std::size_t width)
      : queries(query_count),
        keys(key_count),
        heads(head_count),
        key_value_heads(key_value_count),
        head_width(width),
        query(random_values(queries * heads * width, 1), 1),
        key(exact(2), 1),
        value(exact(3), 3) {}

  std::vector<float> exact(unsigned seed) const {
    auto numbers = random_values(keys * key_value_heads * head_width, seed);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const float whole = std::clamp(std::nearbyint(numbers[i] * 32), -127.0f, 127.0f);
      numbers[i] = (i % head_width == 0 ? std::copysign(127.0f, numbers[i]) : whole) / 32;
    }
    return numbers;
  }

  transept::kv_cache cache(machine& on, cache_type type, std::size_t held = 0) const {
    transept::kv_cache result(1, key_value_heads, head_width, keys, type);
    fill(on, result, held == 0 ? keys : held);
    return result;
  }
  void fill(machine& on, transept::kv_cache& cache, std::size_t count) const {
    const std::size_t width = key_value_heads * head_width, from = cache.length() * width;
    append(on.context, cache, 0, key.data() + from, value.data() + from, count, width);
    advance(cache, count);
  }

  kernels::attention_problem problem(const policy& by, const kernels::distance_bias& bias, std::size_t first,
                                     std::size_t count, std::size_t length) const {
    return {.queries = query.data() + first * heads * head_width,
            .row_stride = heads * head_width,
            .rows = count,
            .first_position = first,
            .heads = heads,
            .head_width = head_width,
            .scale = 0.4f,
            .key_value_heads = key_value_heads,
            .soft_cap = by.soft_cap,
            .sees = by.sees,
            .bias = bias,
            .length = length};
  }

  reference::attention_rule rule(const policy& by, const kernels::distance_bias& bias) const {
    reference::attention_rule result{
        .scale = static_cast<double>(0.4f), .soft_cap = by.soft_cap, .sees = [=, n = keys](auto t, auto s) {
          const auto seen = by.sees.keys_of(t, n);
          return seen.begin <= s && s < seen.end;
        }};
    if (bias.at_zero)
      result.bias = [=](auto h, auto t, auto s) {
        return static_cast<double>(bias.at_zero[bias.offset(h, t) + static_cast<std::ptrdiff_t>(s)]);
      };
    return result;
  }

  reference::attention_result expected(const policy& by, const kernels::distance_bias& bias) const {
    return reference::attention(reference::array_of<3>(query, {queries, heads, head_width}),
                                reference::array_of<3>(key, {keys, key_value_heads, head_width}),
                                reference::array_of<3>(value, {keys, key_value_heads, head_width}),
                                rule(by, bias));
  }

  placed<float> attend(machine& on, const transept::kv_cache& cache, const policy& by,
                       const kernels::distance_bias& bias, std::size_t first, std::size_t count,
                       std::size_t length) const {
    placed<float> out(count * heads * head_width, 1);
    kernels::attend(on.context, problem(by, bias, first, count, length), cache.layer(0), out.data());
    return out;
  }
};

/// Entries for the distances that are seen, and no others.
struct exact_bias {
  placed<float> entries;
  kernels::distance_bias bias;

  exact_bias(const text& of, const policy& by) : entries(0) {
    if (!by.biased) return;
    std::ptrdiff_t least = 0, most = 0;
    for (std::size_t t = 0; t < of.queries; ++t) {
      const auto seen = by.sees.keys_of(t, of.keys);
      least = std::min(least, static_cast<std::ptrdiff_t>(seen.begin) - static_cast<std::ptrdiff_t>(t));
      most = std::max(most, static_cast<std::ptrdiff_t>(seen.end) - 1 - static_cast<std::ptrdiff_t>(t));
    }
    const auto stride = static_cast<std::size_t>(most - least + 1);
    entries = placed<float>(random_values(of.heads * stride, 9), 1);
    bias = {entries.data() - least, stride};
  }
};

bool same_bits(const placed<float>& a, const float* b) {
  return std::memcmp(a.data(), b, a.size() * sizeof(float)) == 0;
}

} // namespace

TEST_CASE("what a query sees is what the formula says, at the ends of all numbers too") {
  using transept::all_positions;
  for (const std::size_t length : {1u, 2u, 7u})
    for (const std::size_t before : {std::size_t{0}, std::size_t{1}, std::size_t{3}, all_positions})
      for (const std::size_t after : {std::size_t{0}, std::size_t{1}, std::size_t{3}, all_positions})
        for (const std::size_t prefix : {std::size_t{0}, std::size_t{2}, std::size_t{9}})
          for (std::size_t position = 0; position < length; ++position) {
            const auto seen = visibility{before, after, prefix}.keys_of(position, length);
            for (std::size_t key = 0; key < length; ++key) {
              const bool near = key + std::min(before, length) >= position;
              const bool reached = key <= position + std::min(after, length) || key < prefix;
              CAPTURE(length, before, after, prefix, position, key);
              CHECK((seen.begin <= key && key < seen.end) == (near && reached));
            }
          }
  CHECK(transept::everything.keys_of(5, 3) == transept::key_range{0, 3});
  CHECK(transept::sliding_window(4).keys_of(all_positions - 1, all_positions) ==
        transept::key_range{all_positions - 4, all_positions});
  CHECK(transept::sliding_window(1).keys_of(9, 3) == transept::key_range{3, 3});
  STATIC_REQUIRE(transept::causal == visibility{});
}

TEST_CASE("attention by every policy is the twin's, for any head width and cache, and so are its weights") {
  machine on(2);
  const std::size_t head_width = GENERATE(1u, 7u, 33u, 64u, 80u);
  const std::size_t length = 100;
  const text of(length, length, 4, 2, head_width);
  for (const policy& by : policies) {
    const exact_bias bias(of, by);
    const auto expected = of.expected(by, bias.bias);
    for (const cache_type type : types) {
      const auto cache = of.cache(on, type);
      CAPTURE(by.name, head_width, static_cast<int>(type));
      const auto out = of.attend(on, cache, by, bias.bias, 0, length, 0);
      CHECK(support::compare(out, expected.output.storage()) <= 5e-6);
      placed<float> weights(of.heads * length * length, 1);
      kernels::attention_weights(of.problem(by, bias.bias, 0, length, 0), cache.layer(0), weights.data(),
                                 length, length);
      CHECK(support::compare(weights, expected.probabilities.storage()) <= 5e-6);
    }
  }
}

TEST_CASE("by every policy the bits are the same whole, in chunks and token by token, on any threads") {
  struct shape {
    std::size_t heads, key_value_heads, head_width;
  };
  const auto [heads, key_value_heads, head_width] =
      GENERATE(shape{3, 3, 10}, shape{4, 2, 64}, shape{9, 3, 33}, shape{7, 1, 5}, shape{16, 1, 8});
  const std::size_t length = 90, width = heads * head_width;
  const text of(length, length, heads, key_value_heads, head_width);
  machine one;
  for (const policy& by : policies)
    for (const cache_type type : types) {
      const exact_bias bias(of, by);
      const auto full = of.cache(one, type);
      const auto whole = of.attend(one, full, by, bias.bias, 0, length, 0);
      const bool looks_ahead = by.sees.after > 0 || by.sees.prefix > 0;
      for (const std::size_t chunk : {1u, 2u, 7u, 9u, 32u, 89u}) {
        machine on(chunk % 2 == 0 ? 3 : 1);
        transept::kv_cache growing(1, key_value_heads, head_width, length, type);
        for (std::size_t first = 0; first < length; first += chunk) {
          const std::size_t count = std::min(chunk, length - first);
          CAPTURE(by.name, heads, key_value_heads, static_cast<int>(type), chunk, first);
          REQUIRE(same_bits(of.attend(on, full, by, bias.bias, first, count, length),
                            whole.data() + first * width));
          if (looks_ahead) continue;
          of.fill(on, growing, count);
          REQUIRE(same_bits(of.attend(on, growing, by, bias.bias, first, count, 0),
                            whole.data() + first * width));
        }
      }
    }
}

TEST_CASE("heads that share keys and values get what they would get of copies of their own") {
  machine on(2);
  const std::size_t rows = GENERATE(1u, 5u, 40u);
  for (const std::size_t key_value_heads : {1u, 2u, 130u}) {
    const std::size_t heads = key_value_heads == 1 ? 131 : 260 / key_value_heads * key_value_heads;
    const std::size_t width = 6;
    const text of(rows, rows + 3, heads, key_value_heads, width);
    text copies(rows, rows + 3, heads, heads, width);
    for (std::size_t t = 0; t < of.keys; ++t)
      for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t d = 0; d < width; ++d) {
          const std::size_t from = (t * key_value_heads + h / (heads / key_value_heads)) * width + d;
          copies.key[(t * heads + h) * width + d] = of.key[from];
          copies.value[(t * heads + h) * width + d] = of.value[from];
        }
    const policy by{"everything", transept::everything, 0.9f};
    const auto expected = copies.attend(on, copies.cache(on, cache_type::f32), by, {}, 0, rows, of.keys);
    const auto found = of.attend(on, of.cache(on, cache_type::f32), by, {}, 0, rows, of.keys);
    CAPTURE(rows, key_value_heads);
    CHECK(same_bits(found, expected.data()));
  }
}

TEST_CASE("attention over another sequence's keys is the twin's, shorter or longer than the queries") {
  machine on(2);
  const std::size_t keys = GENERATE(1u, 31u, 32u, 33u, 100u), queries = GENERATE(1u, 2u, 45u);
  const text of(queries, keys, 4, 2, 10);
  const policy by{"everything", transept::everything};
  const auto expected = of.expected(by, {});
  for (const cache_type type : types) {
    CAPTURE(keys, queries, static_cast<int>(type));
    const auto cache = of.cache(on, type);
    CHECK(support::compare(of.attend(on, cache, by, {}, 0, queries, keys), expected.output.storage()) <=
          2e-6);
    placed<float> weights(of.heads * queries * keys, 1);
    kernels::attention_weights(of.problem(by, {}, 0, queries, keys), cache.layer(0), weights.data(), queries,
                               keys);
    CHECK(support::compare(weights, expected.probabilities.storage()) <= 5e-6);
  }
}

TEST_CASE("by every policy, rows of different sequences get the bits of each sequence alone") {
  const std::vector<std::size_t> lengths{1, 2, 31, 33, 70, 64};
  const std::size_t heads = 6, key_value_heads = 2, head_width = 20, width = heads * head_width;
  machine one;
  for (const policy& by : policies)
    for (const cache_type type : types) {
      const text longest(70, 70, heads, key_value_heads, head_width);
      const exact_bias bias(longest, by);
      std::vector<transept::kv_cache> caches;
      placed<float> queries(lengths.size() * width, 1), expected(lengths.size() * width, 1);
      for (std::size_t i = 0; i < lengths.size(); ++i) {
        text of(lengths[i], lengths[i], heads, key_value_heads, head_width);
        for (float& value : of.query) value += 0.1f * static_cast<float>(i);
        caches.push_back(of.cache(one, type));
        const auto out = of.attend(one, caches[i], by, bias.bias, lengths[i] - 1, 1, 0);
        std::copy_n(out.data(), width, expected.data() + i * width);
        std::copy_n(of.query.data() + (lengths[i] - 1) * width, width, queries.data() + i * width);
      }
      for (const int threads : {1, 4}) {
        machine on(threads);
        placed<float> out(lengths.size() * width, 1);
        auto problem = longest.problem(by, bias.bias, 0, lengths.size(), 0);
        problem.queries = queries.data();
        for (const bool said : {false, true}) {
          kernels::attend_sequences(
              on.context, problem,
              [&](std::size_t row) {
                return kernels::sequence_row{caches[row].layer(0), lengths[row] - 1, said ? lengths[row] : 0};
              },
              out.data());
          CAPTURE(by.name, static_cast<int>(type), threads, said);
          CHECK(same_bits(out, expected.data()));
        }
      }
    }
}

TEST_CASE("by every policy, NaN in a key or value shows in the queries that see it, and in no other") {
  machine on(2);
  constexpr std::size_t length = 90, at = 45, heads = 4, width = 10;
  for (const bool in_key : {false, true}) {
    text of(length, length, heads, 2, width);
    (in_key ? of.key : of.value)[(at * 2 + 1) * width + 4] = std::numeric_limits<float>::quiet_NaN();
    for (const policy& by : policies) {
      const exact_bias bias(of, by);
      const auto out = of.attend(on, of.cache(on, cache_type::f32), by, bias.bias, 0, length, 0);
      for (std::size_t t = 0; t < length; ++t)
        for (std::size_t i = 0; i < heads * width; ++i) {
          const auto seen = by.sees.keys_of(t, length);
          const bool sees = seen.begin <= at && at < seen.end;
          const bool reads = i / width >= 2 && (in_key || i % width == 4);
          CAPTURE(by.name, in_key, t, i);
          REQUIRE(std::isnan(out[t * heads * width + i]) == (sees && reads));
        }
    }
  }
}

// Attention over the cache against its twin, and against itself: a prompt fed whole, in chunks or token by
// token gives the same bits.
#include "kernel_support.hpp"

#include <reference/attention.hpp>

#include <transept/kernels/attention.hpp>
#include <transept/layers/kv_cache.hpp>

#include <support/compare.hpp>

#include <support/catch.hpp>

#include <cstring>

using namespace kernel_tests;
namespace kernels = transept::kernels;

namespace {

constexpr std::size_t heads = 3;

/// Queries, keys and values side by side in one row per position, as one projection makes them.
struct text {
  std::size_t positions, head_width;
  placed<float> rows; // [positions, 3 · heads · head_width]

  text(std::size_t length, std::size_t width, float deviation = 1.0f)
      : positions(length),
        head_width(width),
        rows(random_values(length * 3 * heads * width, static_cast<unsigned>(width), deviation), 1) {}

  std::size_t stride() const { return 3 * heads * head_width; }

  /// Part 0: queries, 1: keys, 2: values; [count, heads, head_width] from position `first` on.
  reference::cube part(std::size_t index, std::size_t first = 0) const {
    auto result = transept::make_array<3, double>({positions - first, heads, head_width});
    for (std::size_t t = first; t < positions; ++t)
      for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t d = 0; d < head_width; ++d)
          result(t - first, h, d) =
              static_cast<double>(rows[t * stride() + (index * heads + h) * head_width + d]);
    return result;
  }

  transept::kv_cache cache(std::size_t capacity = 0,
                           transept::cache_type type = transept::cache_type::f32) const {
    return {1, heads, head_width, std::max(capacity, positions), type};
  }

  /// Feeds positions [first, first + count), and returns their outputs [count, heads · head_width].
  placed<float> feed(machine& on, transept::kv_cache& cache, std::size_t first, std::size_t count,
                     float scale) const {
    const float* const begin = rows.data() + first * stride();
    append(on.context, cache, 0, begin + heads * head_width, begin + 2 * heads * head_width, count, stride());
    placed<float> out(count * heads * head_width, 1);
    kernels::attend(on.context, problem(first, count, scale), cache.layer(0), out.data());
    advance(cache, count);
    return out;
  }

  kernels::attention_problem problem(std::size_t first, std::size_t count, float scale) const {
    return {.queries = rows.data() + first * stride(),
            .row_stride = stride(),
            .rows = count,
            .first_position = first,
            .heads = heads,
            .head_width = head_width,
            .scale = scale};
  }
};

bool same_bits(const placed<float>& a, const float* b) {
  return std::memcmp(a.data(), b, a.size() * sizeof(float)) == 0;
}

} // namespace

TEST_CASE("attention agrees with its twin for any head width, at positions across tiles") {
  machine on;
  const std::size_t head_width = GENERATE(1u, 2u, 7u, 10u, 33u, 64u, 80u, 128u);
  const text of(70, head_width);
  const float scale = 1 / std::sqrt(static_cast<float>(head_width));
  const auto expected =
      reference::causal_attention(of.part(0), of.part(1), of.part(2), static_cast<double>(scale));
  auto cache = of.cache();
  const auto out = of.feed(on, cache, 0, 70, scale);
  CAPTURE(head_width);
  CHECK(support::compare(out, expected.output.storage()) <= 1e-6);

  placed<float> weights(heads * 70 * 70, 1);
  kernels::attention_weights(of.problem(0, 70, scale), cache.layer(0), weights.data(), 70, 70);
  CHECK(support::compare(weights, expected.probabilities.storage()) <= 1e-6);
}

TEST_CASE("attention of queries behind a cache agrees with its twin") {
  machine on;
  const std::size_t cached = GENERATE(1u, 30u, 31u, 32u, 33u, 64u);
  const text of(70, 10);
  const auto expected = reference::causal_attention(of.part(0, cached), of.part(1), of.part(2), 0.5);
  auto cache = of.cache(100);
  of.feed(on, cache, 0, cached, 0.5f);
  const auto out = of.feed(on, cache, cached, 70 - cached, 0.5f);
  CAPTURE(cached);
  CHECK(support::compare(out, expected.output.storage()) <= 1e-6);

  placed<float> weights(heads * (70 - cached) * 70, 1);
  kernels::attention_weights(of.problem(cached, 70 - cached, 0.5f), cache.layer(0), weights.data(),
                             70 - cached, 70);
  CHECK(support::compare(weights, expected.probabilities.storage()) <= 1e-6);
}

TEST_CASE("attention gives the same bits for a text whole, in chunks and token by token, on any threads") {
  const std::size_t head_width = GENERATE(1u, 10u, 64u, 80u);
  const text of(70, head_width);
  const std::size_t width = heads * head_width;
  machine one;
  auto whole_cache = of.cache();
  const auto whole = of.feed(one, whole_cache, 0, 70, 0.3f);
  for (const int threads : {1, 2, 3}) {
    machine on(threads);
    for (const std::size_t chunk : {1u, 2u, 3u, 5u, 31u, 32u, 33u, 70u}) {
      auto cache = of.cache();
      for (std::size_t first = 0; first < 70; first += chunk) {
        const auto out = of.feed(on, cache, first, std::min(chunk, 70 - first), 0.3f);
        CAPTURE(head_width, threads, chunk, first);
        REQUIRE(same_bits(out, whole.data() + first * width));
      }
    }
  }
}

TEST_CASE("attention of rows of different sequences is that of each sequence alone, on any threads") {
  const std::size_t head_width = GENERATE(1u, 10u, 64u);
  const std::size_t width = heads * head_width;
  const std::vector<std::size_t> lengths{1, 2, 31, 32, 33, 70, 64};
  machine one;
  std::vector<text> texts;
  std::vector<transept::kv_cache> caches;
  placed<float> queries(lengths.size() * width, 1), expected(lengths.size() * width, 1);
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    texts.emplace_back(lengths[i], head_width);
    for (float& value : texts[i].rows) value += 0.1f * static_cast<float>(i);
    caches.push_back(texts[i].cache(100));
    const auto out = texts[i].feed(one, caches[i], 0, lengths[i], 0.3f);
    std::copy_n(out.end() - static_cast<std::ptrdiff_t>(width), width, expected.data() + i * width);
    std::copy_n(texts[i].rows.data() + (lengths[i] - 1) * texts[i].stride(), width,
                queries.data() + i * width);
  }
  for (const int threads : {1, 2, 4}) {
    machine on(threads);
    placed<float> out(lengths.size() * width, 1);
    kernels::attend_sequences(
        on.context,
        {.queries = queries.data(),
         .row_stride = width,
         .rows = lengths.size(),
         .first_position = 0,
         .heads = heads,
         .head_width = head_width,
         .scale = 0.3f},
        [&](std::size_t row) {
          return kernels::sequence_row{caches[row].layer(0), lengths[row] - 1};
        },
        out.data());
    CAPTURE(head_width, threads);
    CHECK(same_bits(out, expected.data()));
  }
}

TEST_CASE("a copy of a cache's positions holds what it holds, in a cache of any capacity") {
  machine on;
  const text of(70, 10);
  const std::size_t cached = GENERATE(1u, 31u, 32u, 33u, 64u);
  auto original = of.cache(100);
  of.feed(on, original, 0, cached, 0.3f);
  auto copy = of.cache(70);
  of.feed(on, copy, 0, 50, 0.3f); // to be forgotten
  copy_positions(original, copy);
  CHECK(copy.length() == cached);
  for (std::size_t first = cached; first < 70; ++first) {
    const auto expected = of.feed(on, original, first, 1, 0.3f);
    CAPTURE(cached, first);
    REQUIRE(same_bits(of.feed(on, copy, first, 1, 0.3f), expected.data()));
  }
}

TEST_CASE("what was in the cache before does not show, whatever it was") {
  machine on;
  const text of(50, 10);
  text garbage(50, 10);
  std::fill(garbage.rows.begin(), garbage.rows.end(), std::numeric_limits<float>::quiet_NaN());
  auto clean = of.cache(50);
  const auto expected = of.feed(on, clean, 0, 50, 0.3f);

  auto cache = of.cache(50);
  garbage.feed(on, cache, 0, 50, 0.3f);
  truncate(cache, 0);
  for (std::size_t first = 0; first < 50; first += 5) {
    CAPTURE(first);
    CHECK(same_bits(of.feed(on, cache, first, 5, 0.3f), expected.data() + first * heads * 10));
  }
  truncate(cache, 37); // in the middle of a tile
  for (std::size_t first = 37; first < 50; ++first) {
    CAPTURE(first);
    CHECK(same_bits(of.feed(on, cache, first, 1, 0.3f), expected.data() + first * heads * 10));
  }
}

TEST_CASE("scores of thousands make attention choose one position, without overflow") {
  machine on;
  const text of(70, 16);
  const float scale = 3000.0f;
  auto cache = of.cache();
  const auto out = of.feed(on, cache, 0, 70, scale);
  const auto expected = reference::causal_attention(of.part(0), of.part(1), of.part(2), 3000.0);
  // Rounding of a score of thousands moves its exponential by some tenths of a per cent.
  CHECK(support::compare(out, expected.output.storage()) <= 1e-2);
}

TEST_CASE("equal keys make attention the mean of the values so far") {
  machine on;
  text of(70, 10);
  for (std::size_t t = 0; t < 70; ++t)
    for (std::size_t i = 0; i < heads * 10; ++i)
      of.rows[t * of.stride() + heads * 10 + i] = of.rows[heads * 10 + i];
  auto cache = of.cache();
  const auto out = of.feed(on, cache, 0, 70, 1.0f);
  const auto values = of.part(2);
  std::vector<double> expected(70 * heads * 10), sum(heads * 10);
  for (std::size_t t = 0; t < 70; ++t)
    for (std::size_t i = 0; i < sum.size(); ++i)
      expected[t * sum.size() + i] = (sum[i] += values(t, i / 10, i % 10)) / static_cast<double>(t + 1);
  CHECK(support::compare(out, expected) <= 1e-6);
}

TEST_CASE("NaN in one query, key or value shows in the positions that see it, and in no other") {
  machine on;
  const std::size_t part = GENERATE(0u, 1u, 2u);
  text of(40, 10);
  constexpr std::size_t position = 20, head = 1;
  of.rows[position * of.stride() + (part * heads + head) * 10 + 4] = std::numeric_limits<float>::quiet_NaN();
  auto cache = of.cache();
  const auto out = of.feed(on, cache, 0, 40, 0.3f);
  for (std::size_t t = 0; t < 40; ++t) {
    for (std::size_t i = 0; i < heads * 10; ++i) {
      const bool sees = part == 0 ? t == position : t >= position;
      const bool reads = part == 2 ? i == head * 10 + 4 : i / 10 == head;
      CAPTURE(part, t, i);
      CHECK(std::isnan(out[t * heads * 10 + i]) == (sees && reads));
    }
  }
}

TEST_CASE("a bf16 or int8 cache errs by no more than rounding its keys and values allows") {
  machine on(2);
  const auto type = GENERATE(transept::cache_type::bf16, transept::cache_type::int8);
  const std::size_t head_width = GENERATE(1u, 7u, 33u, 64u);
  const text of(70, head_width);
  const float scale = 0.3f;
  auto exact = of.cache(), narrow = of.cache(0, type);
  const auto expected = of.feed(on, exact, 0, 70, scale);
  const auto found = of.feed(on, narrow, 0, 70, scale);
  CHECK((head_width < 2 || narrow.bytes() < exact.bytes()));
  // Of |k| ≤ 5: scores move by head_width · |q| · 5 · step / 2, weights by as much relatively; values by a
  // step.
  const double step = type == transept::cache_type::bf16 ? 0x1p-8 : 1.0 / 127;
  const double allowed = 5 * step * (1 + 2 * static_cast<double>(scale) * std::sqrt(head_width) * 5);
  CAPTURE(head_width);
  CHECK(support::compare(found, expected) <= allowed);
  CHECK_FALSE(same_bits(found, expected.data()));
}

TEST_CASE(
    "with a bf16 or int8 cache the bits are the same whole, in chunks, token by token, and after a copy") {
  machine on(3);
  const auto type = GENERATE(transept::cache_type::bf16, transept::cache_type::int8);
  const text of(100, 40);
  auto whole = of.cache(0, type);
  const auto expected = of.feed(on, whole, 0, 100, 0.2f);
  const std::size_t row = heads * 40;
  for (const std::size_t chunk : {1u, 3u, 32u, 64u}) {
    auto cache = of.cache(200, type);
    for (std::size_t at = 0; at < 100; at += chunk) {
      const auto part = of.feed(on, cache, at, std::min<std::size_t>(chunk, 100 - at), 0.2f);
      REQUIRE(same_bits(part, expected.data() + at * row));
    }
  }
  auto half = of.cache(0, type), copy = of.cache(150, type);
  of.feed(on, half, 0, 45, 0.2f);
  copy_positions(half, copy);
  REQUIRE(same_bits(of.feed(on, copy, 45, 55, 0.2f), expected.data() + 45 * row));
}

TEST_CASE("an int8 cache keeps NaN and infinity visible, zeros and all but zeros zero") {
  machine on;
  text of(3, 8);
  of.rows[of.stride() + heads * 8 + 3] = GENERATE(std::nanf(""), INFINITY); // a key of position 1, head 0
  auto cache = of.cache(0, transept::cache_type::int8);
  const auto out = of.feed(on, cache, 0, 3, 1.0f);
  for (std::size_t d = 0; d < 8; ++d) {
    CHECK_FALSE(std::isnan(out[d]));
    CHECK(std::isnan(out[heads * 8 + d]));
    CHECK_FALSE(std::isnan(out[heads * 8 + 8 + d])); // head 1
  }
  std::ranges::fill(of.rows, 0.0f);
  const float tiny = GENERATE(0.0f, 1e-38f);
  for (std::size_t i = 0; i < of.rows.size(); i += 5) of.rows[i] = tiny;
  auto zeros = of.cache(0, transept::cache_type::int8);
  for (const float value : of.feed(on, zeros, 0, 3, 1.0f)) CHECK(value == 0.0f);
}

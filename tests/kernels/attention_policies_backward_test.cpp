// Attention over whole sequences by every policy, and its gradients, against the twin's.
#include "kernel_support.hpp"

#include <reference/attention.hpp>
#include <reference/differences.hpp>

#include <transept/kernels/sequence_attention.hpp>

#include <support/compare.hpp>

#include <support/catch.hpp>

#include <algorithm>

using namespace kernel_tests;
namespace kernels = transept::kernels;
using transept::visibility;

namespace {

struct policy {
  const char* name;
  visibility sees;
  float soft_cap = 0;
  bool biased = false;
  float dropout = 0;
};

const policy policies[] = {
    {"causal", transept::causal},
    {"everything", transept::everything},
    {"a window of 1", transept::sliding_window(1)},
    {"a window of 5", transept::sliding_window(5)},
    {"a window of 37", transept::sliding_window(37)},
    {"a prefix of 40", transept::prefix_then_causal(40)},
    {"a band of 3 and 9", {.before = 3, .after = 9, .prefix = 0}},
    {"a soft cap", transept::causal, 0.8f},
    {"a bias", transept::everything, 0, true},
    {"dropout", transept::sliding_window(30), 0, false, 0.3f},
    {"all of it", {.before = 40, .after = 2, .prefix = 0}, 1.5f, true, 0.2f},
};

/// Sequences of any lengths, one after another, beside each other in rows or with keys of their own.
struct batch {
  std::vector<std::size_t> queries, keys; ///< positions of each sequence
  bool cross;
  std::size_t heads, key_value_heads, width;
};

std::vector<std::size_t> offsets_of(const std::vector<std::size_t>& lengths) {
  std::vector<std::size_t> offsets{0};
  for (const std::size_t length : lengths) offsets.push_back(offsets.back() + length);
  return offsets;
}

struct results {
  std::vector<float> out, dqueries, dkeys, dvalues, dbias;
  friend bool operator==(const results&, const results&) = default;
};

/// A batch's numbers, and what the kernels and the twin make of them.
struct attention_case {
  batch shape;
  policy by;
  std::vector<std::size_t> query_offsets, key_offsets;
  std::size_t inner, key_inner, bias_room, zero;
  placed<float> query, key, value, dout, bias;

  static constexpr std::size_t padding = 3; // behind each row of keys and of values
  static constexpr float scale = 0.4f;

  attention_case(batch its, const policy& policy)
      : shape(std::move(its)),
        by(policy),
        query_offsets(offsets_of(shape.queries)),
        key_offsets(offsets_of(shape.keys)),
        inner(shape.heads * shape.width),
        key_inner(shape.key_value_heads * shape.width),
        query(random_values(query_offsets.back() * inner, 1), 1),
        key(random_values(key_offsets.back() * (key_inner + padding), 2), 1),
        value(random_values(key_offsets.back() * (key_inner + padding), 3), 3),
        dout(random_values(query_offsets.back() * inner, 4), 1),
        bias(0) {
    std::ptrdiff_t least = 0, most = 0; // distances seen: entries for these and no others
    for (std::size_t s = 0; s < shape.queries.size(); ++s)
      for (std::size_t t = 0; t < shape.queries[s]; ++t) {
        const auto seen = by.sees.keys_of(t, shape.keys[s]);
        least = std::min(least, static_cast<std::ptrdiff_t>(seen.begin) - static_cast<std::ptrdiff_t>(t));
        most = std::max(most, static_cast<std::ptrdiff_t>(seen.end) - 1 - static_cast<std::ptrdiff_t>(t));
      }
    bias_room = static_cast<std::size_t>(most - least + 1);
    zero = static_cast<std::size_t>(-least);
    bias = placed<float>(random_values(shape.heads * bias_room, 5), 1);
  }

  kernels::dropout_mask mask() const { return {by.dropout, 3, 1, 2}; }

  kernels::sequence_attention problem(bool uniform) const {
    return {.queries = query.data(),
            .keys = key.data(),
            .values = value.data(),
            .row_stride = inner,
            .sequences = shape.queries.size(),
            .length = uniform ? shape.queries[0] : 0,
            .heads = shape.heads,
            .head_width = shape.width,
            .scale = scale,
            .dropout = mask(),
            .key_value_heads = shape.key_value_heads,
            .soft_cap = by.soft_cap,
            .sees = by.sees,
            .bias =
                by.biased ? kernels::distance_bias{bias.data() + zero, bias_room} : kernels::distance_bias{},
            .offsets = uniform ? nullptr : query_offsets.data(),
            .key_row_stride = key_inner + padding,
            .key_length = uniform && shape.cross ? shape.keys[0] : 0,
            .key_offsets = !uniform && shape.cross ? key_offsets.data() : nullptr};
  }

  results run(int threads, bool uniform) const {
    machine on(threads);
    const auto all = problem(uniform);
    placed<float> out(query.size(), 1), log_sums(query_offsets.back() * shape.heads, 1);
    placed<float> dquery(query.size(), 1), dkey(key.size(), 1), dvalue(value.size(), 1);
    placed<float> dbias(std::vector<float>(bias.size(), 1.0f), 1);
    kernels::attend_whole_sequences(on.context, all, out.data(), log_sums.data());
    kernels::attend_whole_sequences_backward(on.context, all,
                                             {.out = out.data(),
                                              .log_sums = log_sums.data(),
                                              .dout = dout.data(),
                                              .dqueries = dquery.data(),
                                              .dkeys = dkey.data(),
                                              .dvalues = dvalue.data(),
                                              .dbias = dbias.data() + zero,
                                              .dbias_head_stride = bias_room});
    const auto list = [](const placed<float>& values) {
      return std::vector<float>(values.begin(), values.end());
    };
    return {list(out), list(dquery), list(dkey), list(dvalue), list(dbias)};
  }

  /// Of one sequence, from rows `stride` apart.
  reference::cube part(const placed<float>& rows, std::size_t stride, std::size_t first, std::size_t count,
                       std::size_t heads) const {
    auto result = transept::make_array<3, double>({count, heads, shape.width});
    for (std::size_t t = 0; t < count; ++t)
      for (std::size_t i = 0; i < heads * shape.width; ++i)
        result(t, i / shape.width, i % shape.width) = static_cast<double>(rows[(first + t) * stride + i]);
    return result;
  }

  std::size_t distance(std::size_t t, std::size_t s) const { return zero + s - t; }

  void check(const results& found) const {
    const std::size_t stride = key_inner + padding;
    std::vector<double> out, dquery, dkey(key.size()), dvalue(value.size()), dbias(bias.size(), 1.0);
    for (std::size_t n = 0; n < shape.queries.size(); ++n) {
      const std::size_t first = query_offsets[n], count = shape.queries[n];
      const std::size_t first_key = key_offsets[n], key_count = shape.keys[n];
      const auto q = part(query, inner, first, count, shape.heads);
      const auto k = part(key, stride, first_key, key_count, shape.key_value_heads);
      const auto v = part(value, stride, first_key, key_count, shape.key_value_heads);
      reference::attention_rule rule{.scale = static_cast<double>(scale),
                                     .soft_cap = static_cast<double>(by.soft_cap),
                                     .sees = [&](std::size_t t, std::size_t s) {
                                       const auto seen = by.sees.keys_of(t, key_count);
                                       return seen.begin <= s && s < seen.end;
                                     }};
      if (by.biased)
        rule.bias = [&](std::size_t h, std::size_t t, std::size_t s) {
          return static_cast<double>(bias[h * bias_room + distance(t, s)]);
        };
      if (by.dropout > 0)
        rule.factor = [&](std::size_t h, std::size_t t, std::size_t s) {
          float factors[4];
          kernels::dropout_factors(mask(), first * shape.heads + h * count + t, 4, factors, s / 4 * 4);
          return static_cast<double>(factors[s % 4]);
        };
      const auto output = reference::attention(q, k, v, rule).output;
      const auto gradient =
          reference::attention_backward(q, k, v, rule, part(dout, inner, first, count, shape.heads));
      out.insert(out.end(), output.begin(), output.end());
      dquery.insert(dquery.end(), gradient.query.begin(), gradient.query.end());
      for (std::size_t s = 0; s < key_count; ++s)
        for (std::size_t i = 0; i < key_inner; ++i) {
          dkey[(first_key + s) * stride + i] = gradient.key(s, i / shape.width, i % shape.width);
          dvalue[(first_key + s) * stride + i] = gradient.value(s, i / shape.width, i % shape.width);
        }
      for (std::size_t h = 0; h < shape.heads; ++h)
        for (std::size_t t = 0; t < count; ++t)
          for (std::size_t s = 0; s < key_count; ++s)
            if (rule.sees(t, s)) dbias[h * bias_room + distance(t, s)] += gradient.scores(h, t, s);
    }
    CHECK(support::compare(found.out, out) <= 5e-6);
    CHECK(support::compare(found.dqueries, dquery) <= 1e-5);
    CHECK(support::compare(found.dkeys, dkey) <= 1e-5);
    CHECK(support::compare(found.dvalues, dvalue) <= 1e-5);
    CHECK(support::compare(found.dbias, dbias) <= 1e-5);
  }
};

} // namespace

TEST_CASE("the attention twin's gradients are its differences") {
  const std::size_t queries = 5, keys = 7, heads = 4, groups = 2, width = 3;
  auto q = reference::array_of<3>(random_values(queries * heads * width, 1), {queries, heads, width});
  auto k = reference::array_of<3>(random_values(keys * groups * width, 2), {keys, groups, width});
  auto v = reference::array_of<3>(random_values(keys * groups * width, 3), {keys, groups, width});
  auto b = reference::array_of<3>(random_values(heads * queries * keys, 4), {heads, queries, keys});
  const auto dout =
      reference::array_of<3>(random_values(queries * heads * width, 5), {queries, heads, width});
  for (const double cap : {0.0, 0.7}) {
    const reference::attention_rule rule{
        .scale = 0.6,
        .soft_cap = cap,
        .sees = [](std::size_t t, std::size_t s) { return s != t + 1; },
        .bias = [&](std::size_t h, std::size_t t, std::size_t s) { return b(h, t, s); },
        .factor = [](std::size_t h, std::size_t t, std::size_t s) { return (h + t + s) % 3 ? 1.5 : 0.0; }};
    const auto loss = [&] {
      return reference::weighted_sum(dout, reference::attention(q, k, v, rule).output);
    };
    const auto found = reference::attention_backward(q, k, v, rule, dout);
    CHECK(support::compare(found.query.storage(), reference::gradient_of(loss, q)) <= 1e-6);
    CHECK(support::compare(found.key.storage(), reference::gradient_of(loss, k)) <= 1e-6);
    CHECK(support::compare(found.value.storage(), reference::gradient_of(loss, v)) <= 1e-6);
    CHECK(support::compare(found.scores.storage(), reference::gradient_of(loss, b)) <= 1e-6);
  }
}

TEST_CASE("attention over whole sequences by every policy, and its gradients, are the twin's") {
  const auto shape = GENERATE(batch{{1}, {1}, false, 1, 1, 1}, batch{{70, 70}, {70, 70}, false, 4, 2, 8},
                              batch{{40}, {40}, false, 3, 3, 20}, batch{{67}, {67}, false, 5, 1, 3},
                              batch{{50, 1, 33, 64}, {50, 1, 33, 64}, false, 2, 1, 16}, // ragged
                              batch{{20, 70, 1}, {60, 3, 34}, true, 4, 2, 6}); // other sequences' keys
  for (const policy& by : policies) {
    bool all_see = true; // a query of a window may be behind all keys of another sequence
    for (std::size_t n = 0; n < shape.queries.size(); ++n)
      all_see = all_see && by.sees.keys_of(shape.queries[n] - 1, shape.keys[n]).begin < shape.keys[n];
    if (!all_see) continue;
    const attention_case of(shape, by);
    CAPTURE(by.name, shape.queries, shape.heads, shape.width);
    const auto found = of.run(1, false);
    of.check(found);
    CHECK(of.run(3, false) == found);
  }
}

TEST_CASE("sequences of one length may be given by it or by where they begin") {
  for (const bool cross : {false, true})
    for (const policy& by : policies) {
      const std::size_t keys = cross ? 45 : 35;
      const attention_case of({{35, 35, 35}, {keys, keys, keys}, cross, 4, 2, 10}, by);
      CAPTURE(by.name, cross);
      CHECK(of.run(2, true) == of.run(2, false));
    }
}

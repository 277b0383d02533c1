// Positions of every kind against their twins: rotary angles and how they are scaled, sinusoids, linear
// biases, buckets of distances.
#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <vector>

#include <kernels/kernel_support.hpp>
#include <reference/positions.hpp>
#include <reference/rotary.hpp>
#include <support/allocation_count.hpp>
#include <support/compare.hpp>

#include <transept/core/error.hpp>
#include <transept/layers/positions/alibi.hpp>
#include <transept/layers/positions/relative_buckets.hpp>
#include <transept/layers/positions/rotary.hpp>
#include <transept/layers/positions/sinusoids.hpp>

using namespace transept;
using kernel_tests::placed;
using kernel_tests::random_values;

namespace {

/// One of every scaling, large and small.
std::vector<rotary_settings> all_settings() {
  std::vector<rotary_settings> all;
  for (const std::size_t width : {4u, 8u, 20u, 64u, 128u}) {
    std::vector<float> short_factor, long_factor;
    for (std::size_t i = 0; i < width / 2; ++i) {
      short_factor.push_back(1.0f + 0.1f * static_cast<float>(i));
      long_factor.push_back(1.5f + 0.7f * static_cast<float>(i));
    }
    using enum rotary_scaling;
    all.push_back({.width = width});
    all.push_back({.base = 500000.0, .width = width, .max_position_embeddings = 512});
    all.push_back({.width = width, .scaling = linear, .factor = 3.0});
    all.push_back({.width = width, .scaling = dynamic, .factor = 2.0, .max_position_embeddings = 100});
    all.push_back({.base = 100.0,
                   .width = width,
                   .scaling = yarn,
                   .factor = 4.0,
                   .max_position_embeddings = 512,
                   .original_max_position_embeddings = 128});
    all.push_back({.width = width,
                   .scaling = yarn,
                   .max_position_embeddings = 4096,
                   .original_max_position_embeddings = 512,
                   .beta_fast = 16.0,
                   .beta_slow = 2.0,
                   .mscale = 1.3,
                   .mscale_all_dim = 0.7,
                   .truncate = false});
    all.push_back({.width = width,
                   .scaling = yarn,
                   .factor = 4.0,
                   .max_position_embeddings = 8,
                   .mscale = 1.3,
                   .attention_factor = 1.25});
    all.push_back({.width = width,
                   .scaling = longrope,
                   .factor = 4.0,
                   .max_position_embeddings = 400,
                   .original_max_position_embeddings = 100,
                   .short_factor = short_factor,
                   .long_factor = long_factor});
    all.push_back({.width = width,
                   .scaling = longrope,
                   .max_position_embeddings = 100,
                   .attention_factor = 1.5,
                   .short_factor = short_factor,
                   .long_factor = long_factor});
    all.push_back({.base = 500000.0,
                   .width = width,
                   .scaling = llama3,
                   .factor = 8.0,
                   .max_position_embeddings = 4096,
                   .original_max_position_embeddings = 512});
    all.push_back({.base = 100.0,
                   .width = width,
                   .scaling = llama3,
                   .factor = 8.0,
                   .max_position_embeddings = 32,
                   .low_freq_factor = 2.0,
                   .high_freq_factor = 5.0});
  }
  return all;
}

std::vector<float> frequencies_of(const rotary_embedding& rotary, std::size_t run_length) {
  std::vector<float> frequencies(rotary.width() / 2);
  rotary.inverse_frequencies(run_length, 0, frequencies.size(), frequencies.data());
  return frequencies;
}

} // namespace

TEST_CASE("rotary frequencies of every scaling are the twin's, for short runs and long ones") {
  for (const auto& settings : all_settings()) {
    const rotary_embedding rotary(settings);
    for (const std::size_t run_length : {1u, 99u, 100u, 101u, 128u, 1000u}) {
      const auto expected = reference::rotary_frequencies_of(settings, static_cast<double>(run_length));
      const auto frequencies = frequencies_of(rotary, run_length);
      CAPTURE(name_of(settings.scaling), settings.width, run_length);
      CHECK(rotary.attention_factor() == Approx(expected.attention_factor).epsilon(1e-7));
      for (std::size_t i = 0; i < frequencies.size(); ++i) {
        CAPTURE(i);
        CHECK(frequencies[i] == Approx(expected.inverse[i]).epsilon(2e-6));
      }
    }
  }
}

TEST_CASE("the paper's frequencies, of a head of four") {
  CHECK(frequencies_of(rotary_embedding({.width = 4}), 1) == std::vector<float>{1.0f, 0.01f});
}

TEST_CASE("rotary angles are cosines and sines of f32 products, at any positions, and allocate nothing") {
  for (const auto& settings : all_settings()) {
    const rotary_embedding rotary(settings);
    const std::size_t positions[] = {0, 1, 77, 999, 4095}, pairs = settings.width / 2;
    for (const std::size_t run_length : {50u, 4096u}) {
      const auto frequencies = frequencies_of(rotary, run_length);
      placed<float> angles(5 * settings.width, 1);
      const support::allocation_count count;
      rotary_angles(
          rotary, run_length, [&](std::size_t row) { return positions[row]; }, 5, angles.data());
      REQUIRE(count.so_far() == 0);
      std::vector<double> expected;
      for (const std::size_t position : positions)
        for (const bool sine : {false, true})
          for (std::size_t i = 0; i < pairs; ++i) {
            const auto angle = static_cast<double>(static_cast<float>(position) * frequencies[i]);
            expected.push_back((sine ? std::sin(angle) : std::cos(angle)) *
                               static_cast<double>(rotary.attention_factor()));
          }
      CAPTURE(name_of(settings.scaling), settings.width, run_length);
      CHECK(support::compare(angles, expected) <= 2e-7);
    }
  }
}

TEST_CASE("rotary settings that contradict themselves are refused with a sentence") {
  using Catch::Matchers::ContainsSubstring;
  using enum rotary_scaling;
  const auto refusal = [](const rotary_settings& settings) -> std::string {
    try {
      const rotary_embedding made(settings);
    } catch (const config_error& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK_THAT(refusal({.width = 0}),
             ContainsSubstring("(rope_type \"default\"): the turned width of a head must be even"));
  CHECK_THAT(refusal({.width = 7}), ContainsSubstring("even and positive"));
  CHECK_THAT(refusal({.base = 0, .width = 8}), ContainsSubstring("rope_theta must be positive"));
  CHECK_THAT(refusal({.width = 8, .scaling = linear}),
             ContainsSubstring("(rope_type \"linear\"): factor is missing"));
  CHECK_THAT(refusal({.width = 8, .scaling = linear, .factor = -1.0}),
             ContainsSubstring("factor must be positive"));
  CHECK_THAT(refusal({.width = 8, .scaling = dynamic, .factor = 2.0}),
             ContainsSubstring("max_position_embeddings is missing"));
  CHECK_THAT(refusal({.width = 2, .scaling = dynamic, .factor = 2.0, .max_position_embeddings = 8}),
             ContainsSubstring("greater than 2"));
  CHECK_THAT(refusal({.width = 8, .scaling = yarn, .factor = 2.0}),
             ContainsSubstring("original_max_position_embeddings is missing"));
  CHECK_THAT(refusal({.width = 8, .scaling = yarn, .original_max_position_embeddings = 8}),
             ContainsSubstring("factor and max_position_embeddings are missing"));
  CHECK_THAT(refusal({.width = 8,
                      .scaling = llama3,
                      .factor = 8.0,
                      .max_position_embeddings = 8,
                      .low_freq_factor = 4.0,
                      .high_freq_factor = 4.0}),
             ContainsSubstring("high_freq_factor greater"));
  CHECK_THAT(refusal({.width = 8,
                      .scaling = longrope,
                      .max_position_embeddings = 8,
                      .short_factor = {1, 1, 1},
                      .long_factor = {1, 1, 1, 1}}),
             ContainsSubstring("short_factor needs a number for every pair"));
}

TEST_CASE("sinusoids are the twin's, side by side or in halves, for even and odd widths") {
  const std::size_t positions = 50;
  for (const std::size_t width : {1u, 2u, 3u, 6u, 33u, 64u}) {
    const auto expected = reference::sinusoids(positions, width);
    placed<float> interleaved(positions * width, 1), halves(positions * width, 1);
    fill_sinusoids(sinusoid_layout::interleaved, positions, width, interleaved.data());
    fill_sinusoids(sinusoid_layout::halves, positions, width, halves.data());
    CAPTURE(width);
    CHECK(support::compare(interleaved, expected.storage()) <= 6e-8);
    bool same = true;
    const std::size_t sines = (width + 1) / 2;
    for (std::size_t p = 0; p < positions; ++p)
      for (std::size_t i = 0; i < width; ++i)
        same = same && halves[p * width + i % 2 * sines + i / 2] == interleaved[p * width + i];
    CHECK(same);
  }
}

TEST_CASE("fairseq's sinusoids have wavelengths from 2π to 10000 · 2π, sines before cosines") {
  for (const std::size_t width : {2u, 3u, 8u, 33u, 64u}) {
    const std::size_t pairs = width / 2, positions = 40;
    std::vector<double> expected;
    for (std::size_t p = 0; p < positions; ++p) {
      const auto angle = [&](std::size_t i) {
        const double share = pairs > 1 ? static_cast<double>(i) / static_cast<double>(pairs - 1) : 0;
        return static_cast<double>(p) * std::pow(10000.0, -share);
      };
      for (std::size_t i = 0; i < pairs; ++i) expected.push_back(std::sin(angle(i)));
      for (std::size_t i = 0; i < pairs; ++i) expected.push_back(std::cos(angle(i)));
      if (width % 2 == 1) expected.push_back(0);
    }
    placed<float> table(positions * width, 1);
    fill_sinusoids(sinusoid_layout::fairseq, positions, width, table.data());
    CAPTURE(width);
    CHECK(support::compare(table, expected) <= 1e-5);
  }
}

TEST_CASE("slopes of linear biases are the paper's, for any number of heads") {
  for (std::size_t heads = 1; heads <= 40; ++heads) {
    std::vector<float> slopes(heads);
    fill_alibi_slopes(slopes);
    CAPTURE(heads);
    CHECK(support::compare(slopes, reference::alibi_slopes(heads)) <= 6e-8);
  }
  CHECK(alibi_slope(0, 8) == 0.5f);
  CHECK(alibi_slope(7, 8) == 1.0f / 256);
  CHECK(alibi_slope(1, 4, 4.0) == 0.25f);
}

TEST_CASE("linear biases fall with the distance back from the query") {
  const std::vector<float> slopes = random_values(3, 1);
  for (const std::size_t span : {1u, 2u, 9u}) {
    const std::size_t stride = span + 2;
    placed<float> table(std::vector<float>(3 * stride, 7.0f), 0);
    float* const at_zero = table.data() + span - 1;
    fill_alibi(slopes, span, at_zero, stride);
    for (std::size_t h = 0; h < 3; ++h)
      for (std::size_t i = 0; i < stride; ++i) {
        const float distance = static_cast<float>(i) - static_cast<float>(span - 1);
        CHECK(table[h * stride + i] == (i < span ? slopes[h] * distance : 7.0f));
      }
  }
}

TEST_CASE("buckets of distances are T5's") {
  struct sizes {
    std::size_t buckets, max_distance;
  };
  for (const bool bidirectional : {false, true})
    for (const auto& [buckets, max_distance] :
         {sizes{32, 128}, sizes{8, 20}, sizes{64, 256}, sizes{16, 17}, sizes{320, 800}, sizes{4, 100}}) {
      const relative_buckets how{bidirectional, buckets, max_distance};
      for (std::ptrdiff_t d = -1000; d <= 1000; ++d) {
        const auto expected = reference::relative_bucket(d, bidirectional, buckets, max_distance);
        if (how.bucket_of(d) != expected)
          FAIL_CHECK(d << " is in bucket " << how.bucket_of(d) << ", not " << expected << " of " << buckets
                       << " to " << max_distance);
      }
    }
  const relative_buckets encoder;
  CHECK(encoder.bucket_of(0) == 0);
  CHECK(encoder.bucket_of(-7) == 7);
  CHECK(encoder.bucket_of(7) == 23);
  CHECK(encoder.bucket_of(-8) == 8);
  CHECK(encoder.bucket_of(-64) == 14);
  CHECK(encoder.bucket_of(128) == 31);
  const relative_buckets useless{true, 32, 8}, tiny{true, 2, 128}; // no stretch at all: the last bucket
  CHECK(useless.bucket_of(-9) == 15);
  CHECK(useless.bucket_of(8) == 31);
  CHECK(tiny.bucket_of(-5) == 0);
  CHECK(tiny.bucket_of(5) == 1);
}

TEST_CASE("a table of distances is filled from buckets, and its gradient sums into them in order") {
  const relative_buckets how{true, 8, 20};
  const std::size_t heads = 3, stride = 70;
  const std::ptrdiff_t first = -40, last = 25;
  const auto table = random_values(8 * heads, 1), gradient = random_values(heads * stride, 2);
  std::vector<float> filled(heads * stride, 7.0f), dtable = random_values(8 * heads, 3), expected = dtable;
  fill_relative_buckets(how, table.data(), heads, first, last, filled.data() - first, stride);
  relative_buckets_backward(how, gradient.data() - first, heads, first, last, stride, dtable.data());
  for (std::size_t h = 0; h < heads; ++h)
    for (std::size_t i = 0; i < stride; ++i) {
      const std::ptrdiff_t d = first + static_cast<std::ptrdiff_t>(i);
      const std::size_t at = how.bucket_of(d) * heads + h;
      CHECK(filled[h * stride + i] == (d <= last ? table[at] : 7.0f));
      if (d <= last) expected[at] += gradient[h * stride + i];
    }
  CHECK(dtable == expected);
}

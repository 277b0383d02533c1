// Models whose matrices are quantized in blocks, or stored narrow: what they give, and that all guarantees
// hold for them.
#include "logits_of.hpp"

#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <support/allocation_count.hpp>
#include <support/temporary_folder.hpp>

#include <transept/generate/inspection.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/save_model.hpp>
#include <transept/kernels/panels.hpp>
#include <transept/kernels/quantize.hpp>
#include <transept/models/convert.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>

using namespace transept;

namespace {

// Sizes that fill neither blocks of 32 inputs nor panels of 16 outputs.
constexpr gpt2_config odd{.n_embd = 40, .n_layer = 2, .n_head = 4, .vocab_size = 211, .n_positions = 150};
using model_type = gpt2<odd>;

const model_type& original() {
  static const auto model = initialise<model_type>(11, {.standard_deviation = 0.2f});
  return model;
}

/// √(Σ (a − b)² / Σ b²)
double relative_error(std::span<const float> a, std::span<const float> b) {
  double error = 0, size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    error += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    size += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(error / size);
}

const element_type block_types[] = {element_type::q8_0, element_type::q4_0};

} // namespace

TEST_CASE(
    "converting quantizes every matrix that multiplies, positions stay as they are, and errors are small") {
  const auto type = GENERATE(element_type::bf16, element_type::f16, element_type::q8_0, element_type::q4_0);
  const auto converted = convert_weights(original(), type, 2);
  for_each_parameter(
      [&](std::string_view name, const auto& leaf) {
        CAPTURE(name);
        if constexpr (std::remove_cvref_t<decltype(leaf)>::rank == 2)
          CHECK(leaf.type() == (name == "wpe.weight" && is_block_type(type) ? element_type::f32 : type));
      },
      converted);
  const double allowed = type == element_type::bf16   ? 0.0025
                         : type == element_type::f16  ? 0.0004
                         : type == element_type::q8_0 ? 0.007
                                                      : 0.11;
  for (const char* name : {"wte.weight", "h.1.mlp.c_fc.weight", "h.0.attn.c_proj.weight"}) {
    const array<2> exact = parameter<2>(original(), name);
    const array<2> stored = parameter<2>(converted, name);
    const double error = relative_error({stored.data(), stored.size()}, {exact.data(), exact.size()});
    CAPTURE(name, error);
    CHECK(error < allowed);
    CHECK(error > allowed / 20);
  }
}

TEST_CASE("a large table is quantized piece by piece, each told when it was read, to the same blocks") {
  const auto type = GENERATE(from_range(std::begin(block_types), std::end(block_types)));
  constexpr std::size_t rows = 2500, cols = 40;
  std::vector<float> values(rows * cols);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i));
  const weight_matrix<dyn, cols, matrix_use::table> table(values.data(), element_type::f32, rows, cols);
  thread_pool threads(2);
  weight_owner memory;
  std::size_t read = 0;
  const auto converted = convert(table, type, threads, memory, [&](std::size_t begin, std::size_t end) {
    CHECK(begin == read);
    CHECK(end > begin);
    read = end;
    // Whoever hears of them may let them go.
    std::fill(values.begin() + static_cast<std::ptrdiff_t>(begin * cols),
              values.begin() + static_cast<std::ptrdiff_t>(end * cols), NAN);
  });
  CHECK(read == rows);
  for (std::size_t i = 0; i < values.size(); ++i) values[i] = std::sin(static_cast<float>(i));
  const std::size_t bytes = kernels::panel_bytes(type, cols, rows);
  std::byte* const whole = detail::allocate_weights<std::byte>(memory, bytes);
  kernels::quantize_panels(threads, {values.data(), element_type::f32, rows, cols}, true, type, whole);
  CHECK(std::equal(whole, whole + bytes, static_cast<const std::byte*>(converted.data())));
}

TEST_CASE("a quantized model gives nearly the logits of the numbers its blocks decode to") {
  const auto type = GENERATE(from_range(std::begin(block_types), std::end(block_types)));
  const auto quantized = convert_weights(original(), type);
  const auto decoded = convert_weights(quantized, element_type::f32);
  CHECK(decoded.tokens.weight.layout() == matrix_layout::row_major);
  const auto expected = logits_of(decoded);
  const double error = relative_error(logits_of(quantized), expected);
  CAPTURE(error);
  CHECK(error < 0.04); // the activations are rounded to int8, and two layers magnify it
  CHECK(error > 0);
  // Decoding is exact, so quantizing again changes little, and to int8 nothing but roundings of scales.
  const auto again = convert_weights(decoded, type);
  CHECK(relative_error(logits_of(again), logits_of(quantized)) < 0.02);
}

TEST_CASE("with quantized weights the bits depend neither on chunks nor on threads") {
  const auto type = GENERATE(from_range(std::begin(block_types), std::end(block_types)));
  const auto model = convert_weights(original(), type);
  const auto expected = logits_of(model, {.threads = 1});
  CHECK(*std::max_element(expected.begin(), expected.end()) > 0.1f);
  for (const int threads : {1, 2, 3, 4})
    for (const int chunk : {1, 2, 3, 5, 17, 64})
      CHECK(logits_of(model, {.threads = threads, .prompt_chunk = chunk}) == expected);
}

TEST_CASE("with quantized weights a session allocates nothing after it is made") {
  if (!support::counts_allocations) SUCCEED("a sanitizer has its own allocator");
  const auto type = GENERATE(from_range(std::begin(block_types), std::end(block_types)));
  const auto model = convert_weights(original(), type);
  session session(model, {.threads = 2});
  const auto tokens = some_tokens(100);
  const std::vector<token_id> next = {5};
  const support::allocation_count count;
  forward(model, session, tokens);
  for (int i = 0; i < 20; ++i) forward(model, session, next);
  const auto made = count.so_far();
  CHECK(made == 0);
}

TEST_CASE("loading with a type is loading, then converting; saving writes f32 again") {
  const auto type = GENERATE(element_type::bf16, element_type::q8_0, element_type::q4_0);
  const support::temporary_folder folder, other;
  save(original(), folder.path());
  const auto loaded = load<model_type>(folder.path(), {.type = type, .threads = 2});
  CHECK(logits_of(loaded) == logits_of(convert_weights(original(), type)));
  if (!is_block_type(type)) return;

  CHECK_THROWS_AS(save(loaded, other.path(), type), argument_error);
  CHECK_THROWS_WITH(save(loaded, other.path(), type),
                    Catch::ContainsSubstring("safetensors files hold no Q"));
  save(loaded, other.path());
  CHECK(logits_of(load<model_type>(other.path())) == logits_of(convert_weights(loaded, element_type::f32)));
}

TEST_CASE("random weights can be made in blocks at once") {
  const auto type = GENERATE(from_range(std::begin(block_types), std::end(block_types)));
  const auto made = initialise<model_type>(11, {.type = type, .standard_deviation = 0.2f});
  CHECK(logits_of(made) == logits_of(convert_weights(original(), type)));
}

TEST_CASE("a narrow cache changes the logits little, and keeps every guarantee") {
  const auto type = GENERATE(cache_type::bf16, cache_type::int8);
  const auto exact = logits_of(original());
  const auto expected = logits_of(original(), {.threads = 1, .cache_type = type});
  const double error = relative_error(expected, exact);
  CAPTURE(error);
  CHECK(error < (type == cache_type::bf16 ? 0.01 : 0.02));
  CHECK(error > 0);
  for (const int threads : {2, 3})
    for (const int chunk : {1, 5, 64})
      CHECK(logits_of(original(), {.threads = threads, .prompt_chunk = chunk, .cache_type = type}) ==
            expected);

  const session wide(original()), narrow(original(), {.cache_type = type});
  CHECK(narrow.cache().bytes() * 2 <= wide.cache().bytes());
}

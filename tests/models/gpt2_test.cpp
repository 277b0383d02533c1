#include <support/catch.hpp>

#include <cmath>
#include <string>
#include <vector>

#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>

using namespace transept;

TEST_CASE("the published models have their published numbers of parameters") {
  STATIC_REQUIRE(gpt2<gpt2_small>::parameter_count == 124'439'808);
  STATIC_REQUIRE(gpt2<gpt2_medium>::parameter_count == 354'823'168);
  STATIC_REQUIRE(gpt2<gpt2_large>::parameter_count == 774'030'080);
  STATIC_REQUIRE(gpt2<gpt2_xl>::parameter_count == 1'557'611'200);
  STATIC_REQUIRE(gpt2<distilgpt2>::parameter_count == 81'912'576);
}

TEST_CASE(
    "the walk over parameters counts what the type promises, dyn extents and an untied output included") {
  CHECK(count_parameters(gpt2<gpt2_small>::shaped()) == gpt2<gpt2_small>::parameter_count);
  CHECK(count_parameters(gpt2<gpt2_small.any_vocabulary()>::shaped(gpt2_small)) == 124'439'808);
  gpt2_config one_more = gpt2_small;
  one_more.vocab_size = 50258;
  CHECK(count_parameters(gpt2<gpt2_small.any_vocabulary()>::shaped(one_more)) == 124'439'808 + 768);
  CHECK(count_parameters(gpt2<any_gpt2>::shaped(one_more)) == 124'439'808 + 768);

  constexpr gpt2_config untied{.n_embd = 48,
                               .n_layer = 2,
                               .n_head = 3,
                               .vocab_size = 101,
                               .n_positions = 32,
                               .tie_word_embeddings = false};
  constexpr gpt2_config tied{.n_embd = 48, .n_layer = 2, .n_head = 3, .vocab_size = 101, .n_positions = 32};
  CHECK(gpt2<untied>::parameter_count == gpt2<tied>::parameter_count + 101 * 48);
  CHECK(count_parameters(gpt2<untied>::shaped()) == gpt2<untied>::parameter_count);
  CHECK(count_parameters(gpt2<any_gpt2>::shaped(untied)) == gpt2<untied>::parameter_count);
  CHECK(count_parameters(gpt2<any_gpt2>::shaped(tied)) == gpt2<tied>::parameter_count);
}

TEST_CASE("parameters carry Hugging Face's names, in order") {
  std::vector<std::string> names;
  const auto model = gpt2<gpt2_config{.n_embd = 4, .n_layer = 2, .n_head = 2}>::shaped();
  for_each_parameter([&](std::string_view name, const auto&) { names.emplace_back(name); }, model);
  REQUIRE(names.size() == 2 + 2 * 12 + 2);
  CHECK(names[0] == "wte.weight");
  CHECK(names[1] == "wpe.weight");
  CHECK(names[2] == "h.0.ln_1.weight");
  CHECK(names[4] == "h.0.attn.c_attn.weight");
  CHECK(names[14] == "h.1.ln_1.weight");
  CHECK(names.back() == "ln_f.bias");
}

TEST_CASE("defaults of a configuration follow from its other members") {
  constexpr gpt2_config medium{.n_embd = 1024, .n_layer = 24, .n_head = 16};
  STATIC_REQUIRE(medium == gpt2_medium);
  STATIC_REQUIRE(medium.n_inner == 4096);
  STATIC_REQUIRE(medium.head_width == 64);
  // GPT-3 13B: heads × head width is not the width.
  constexpr gpt2_config gpt3_13b{
      .n_embd = 5140, .n_layer = 40, .n_head = 40, .n_positions = 2048, .head_width = 128};
  STATIC_REQUIRE(decltype(gpt2<gpt3_13b>::block::attention)::parameter_count ==
                 std::size_t{5140} * 3 * 5120 + 3 * 5120 + std::size_t{5120} * 5140 + 5140);
}

TEST_CASE("random initialisation follows GPT-2's rule, and is the same for any number of threads") {
  constexpr gpt2_config config{.n_embd = 64, .n_layer = 8, .n_head = 4, .vocab_size = 500, .n_positions = 64};
  const auto model = initialise<gpt2<config>>(7, {.threads = 1});
  const auto again = initialise<gpt2<config>>(7, {.threads = 3});
  const auto other = initialise<gpt2<config>>(8);
  const auto deviation = [](const auto& matrix) {
    const auto* data = static_cast<const float*>(matrix.data());
    double sum = 0, squares = 0;
    for (extent i = 0; i < matrix.size(); ++i) {
      sum += data[i];
      squares += static_cast<double>(data[i]) * data[i];
    }
    const auto n = static_cast<double>(matrix.size());
    CHECK(std::abs(sum / n) < 1e-3);
    return std::sqrt(squares / n);
  };
  CHECK(deviation(model.tokens.weight) == Approx(0.02).epsilon(0.02));
  CHECK(deviation(model.blocks[3].attention.query_key_value.weight) == Approx(0.02).epsilon(0.02));
  CHECK(deviation(model.blocks[3].attention.output.weight) == Approx(0.02 / 4).epsilon(0.03));
  CHECK(deviation(model.blocks[7].network.down.weight) == Approx(0.02 / 4).epsilon(0.03));
  CHECK(model.blocks[0].norm_1.weight.data()[5] == 1.0f);
  CHECK(model.blocks[0].norm_1.bias.data()[5] == 0.0f);
  CHECK(model.blocks[0].network.up.bias.data()[5] == 0.0f);

  bool same = true, differs = false;
  const auto compare = [&](std::string_view, const auto& a, const auto& b, const auto& c) {
    const auto bytes = static_cast<std::size_t>(a.size()) * sizeof(float);
    same = same && std::memcmp(a.data(), b.data(), bytes) == 0;
    differs = differs || std::memcmp(a.data(), c.data(), bytes) != 0;
  };
  for_each_parameter(compare, model, again, other);
  CHECK(same);
  CHECK(differs);
  CHECK_THROWS_AS((initialise<gpt2<config.any_vocabulary()>>(1, {.vocab_size = 0})), argument_error);
}

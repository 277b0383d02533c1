// Sentence embeddings against their formulas, from folders as sentence-transformers writes them.
#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include <support/small_encoder.hpp>

#include <transept/encode/sentence_embedding.hpp>
#include <transept/io/safetensors_writer.hpp>

using namespace transept;

namespace {

using any = bert<any_bert>;
const std::vector<std::string> some_texts{"the cat sat on the mat", "paris is in france.", "a"};

struct named_pooling {
  sentence_pooling pooling;
  std::string key, name;
};
const std::vector<named_pooling> all_poolings{
    {sentence_pooling::first, "pooling_mode_cls_token", "cls"},
    {sentence_pooling::max, "pooling_mode_max_tokens", "max"},
    {sentence_pooling::mean, "pooling_mode_mean_tokens", "mean"},
    {sentence_pooling::mean_sqrt_len, "pooling_mode_mean_sqrt_len_tokens", "mean_sqrt_len_tokens"},
    {sentence_pooling::weighted_mean, "pooling_mode_weightedmean_tokens", "weightedmean"},
    {sentence_pooling::last, "pooling_mode_lasttoken", "lasttoken"}};

/// A module's line in modules.json.
std::string module(int index, const std::string& path, const std::string& type) {
  return "{\"idx\": " + std::to_string(index) + ", \"name\": \"" + std::to_string(index) +
         "\", \"path\": \"" + path + "\", \"type\": \"sentence_transformers.models." + type + "\"}";
}

void write_modules(const support::small_encoder& encoder, const std::string& more = "") {
  support::write_file(encoder / "modules.json", "[" + module(0, "", "Transformer") + ", " +
                                                    module(1, "1_Pooling", "Pooling") + more + "]");
}

void write_pooling(const support::small_encoder& encoder, const std::string& modes) {
  std::filesystem::create_directories(encoder / "1_Pooling");
  support::write_file(encoder / "1_Pooling/config.json", "{\"word_embedding_dimension\": 16, " + modes + "}");
}

/// The hidden states of one text [tokens, 16].
array<2> states_of(const sentence_encoder<any>& encoder, const std::string& text) {
  encoder_session session({.threads = 1});
  text_batch batch;
  const auto input = encode_input(encoder.tokenizer, text);
  batch.add(input.ids, input.token_types);
  return encode(encoder.model, session, batch.input()).hidden_states;
}

double pooled(const array<2>& states, sentence_pooling pooling, std::size_t i) {
  const std::size_t length = states.shape(0);
  double sum = 0, weighted = 0, most = -1e9, weights = 0;
  for (std::size_t t = 0; t < length; ++t) {
    const double x = states(t, i);
    sum += x;
    weighted += x * static_cast<double>(t + 1);
    weights += static_cast<double>(t + 1);
    most = std::max(most, x);
  }
  const auto n = static_cast<double>(length);
  return pooling == sentence_pooling::first           ? states(0, i)
         : pooling == sentence_pooling::last          ? states(length - 1, i)
         : pooling == sentence_pooling::max           ? most
         : pooling == sentence_pooling::mean          ? sum / n
         : pooling == sentence_pooling::mean_sqrt_len ? sum / std::sqrt(n)
                                                      : weighted / weights;
}

} // namespace

TEST_CASE("a folder without modules gives the mean of its hidden states") {
  const support::small_encoder folder(encoder_head::none);
  const auto encoder = load_sentence_encoder<any>(folder.path());
  encoder_session session({.threads = 2, .tokens_at_once = 9});
  const auto vectors = embed(encoder, session, some_texts);
  REQUIRE(vectors.shape(0) == 3);
  REQUIRE(vectors.shape(1) == 16);
  for (std::size_t s = 0; s < 3; ++s) {
    const auto states = states_of(encoder, some_texts[s]);
    for (std::size_t i = 0; i < 16; ++i)
      CHECK(vectors(s, i) == Approx(pooled(states, sentence_pooling::mean, i)).margin(1e-6));
  }
}

TEST_CASE("every pooling is its formula, in the older and the newer words; several stand side by side") {
  const support::small_encoder folder(encoder_head::none);
  write_modules(folder);
  for (const auto& each : all_poolings) {
    for (const bool is_new : {false, true}) {
      write_pooling(folder,
                    is_new ? "\"pooling_mode\": \"" + each.name + "\"" : "\"" + each.key + "\": true");
      const auto encoder = load_sentence_encoder<any>(folder.path());
      encoder_session session({.threads = 1});
      const auto vectors = embed(encoder, session, some_texts);
      for (std::size_t s = 0; s < 3; ++s) {
        const auto states = states_of(encoder, some_texts[s]);
        for (std::size_t i = 0; i < 16; ++i)
          CHECK(vectors(s, i) == Approx(pooled(states, each.pooling, i)).margin(1e-6));
      }
    }
  }
  write_pooling(folder, R"("pooling_mode_mean_tokens": true, "pooling_mode_cls_token": true)");
  const auto encoder = load_sentence_encoder<any>(folder.path());
  encoder_session session({.threads = 1});
  const auto vectors = embed(encoder, session, some_texts);
  REQUIRE(vectors.shape(1) == 32);
  const auto states = states_of(encoder, some_texts[0]);
  CHECK(vectors(0, 3) == Approx(states(0, 3)).margin(1e-6));
  CHECK(vectors(0, 19) == Approx(pooled(states, sentence_pooling::mean, 3)).margin(1e-6));
}

TEST_CASE(
    "dense layers and normalization follow; prompts stand before texts, and may be left out of the mean") {
  const support::small_encoder folder(encoder_head::none);
  write_modules(folder, ", " + module(2, "2_Dense", "Dense") + ", " + module(3, "3_Normalize", "Normalize"));
  write_pooling(folder, R"("pooling_mode_mean_tokens": true, "include_prompt": false)");
  std::filesystem::create_directories(folder / "2_Dense");
  support::write_file(folder / "2_Dense/config.json",
                      R"({"in_features": 16, "out_features": 2, "bias": true,
                          "activation_function": "torch.nn.modules.activation.Tanh"})");
  std::vector<float> weight(32), bias{0.25f, -0.5f};
  for (std::size_t i = 0; i < 32; ++i) weight[i] = 0.1f * static_cast<float>(i % 7) - 0.3f;
  {
    const std::vector<tensor_entry> entries{{"linear.weight", {2, 16}, element_type::f32},
                                            {"linear.bias", {2}, element_type::f32}};
    safetensors_stream file(folder / "2_Dense/model.safetensors", entries);
    file.write(std::as_bytes(std::span(weight)));
    file.write(std::as_bytes(std::span(bias)));
    file.commit();
  }
  support::write_file(folder / "config_sentence_transformers.json",
                      R"({"prompts": {"query": "query : ", "document": ""}, "default_prompt_name": null})");
  const auto encoder = load_sentence_encoder<any>(folder.path());
  encoder_session session({.threads = 1});
  const auto vectors = embed(encoder, session, some_texts);
  REQUIRE(vectors.shape(1) == 2);
  for (std::size_t s = 0; s < 3; ++s) {
    const auto states = states_of(encoder, some_texts[s]);
    double expected[2], squares = 0;
    for (std::size_t o = 0; o < 2; ++o) {
      double sum = double{bias[o]};
      for (std::size_t i = 0; i < 16; ++i)
        sum += double{weight[o * 16 + i]} * pooled(states, sentence_pooling::mean, i);
      expected[o] = std::tanh(sum);
      squares += expected[o] * expected[o];
    }
    for (std::size_t o = 0; o < 2; ++o)
      CHECK(vectors(s, o) == Approx(expected[o] / std::sqrt(squares)).margin(1e-5));
  }
  CHECK((embed(encoder, session, some_texts, "document") == vectors));
  CHECK_THROWS_WITH(embed(encoder, session, some_texts, "passage"), Catch::Contains("document, query"));
  // [CLS] query : are not pooled.
  const auto tokens = sentence_tokens(encoder.tokenizer, encoder.modules, 40, some_texts, "query");
  CHECK(tokens.skipped == std::vector<std::size_t>{3, 3, 3});
  CHECK((embed(encoder, session, some_texts, "query") != vectors));
}

TEST_CASE("texts are cut to what the folder says, and to what the model takes") {
  const support::small_encoder folder(encoder_head::none);
  const auto tokenizer = load_tokenizer(folder.path());
  std::string text;
  for (int i = 0; i < 100; ++i) text += "the ";
  const std::vector<std::string> texts{text};
  CHECK(sentence_tokens(tokenizer, read_sentence_modules(folder.path()), 40, texts).texts.token_count() ==
        40);
  support::write_file(folder / "sentence_bert_config.json",
                      R"({"max_seq_length": 12, "do_lower_case": false})");
  CHECK(sentence_tokens(tokenizer, read_sentence_modules(folder.path()), 40, texts).texts.token_count() ==
        12);
}

TEST_CASE("modules that are not known, and parts that are damaged, are typed errors") {
  const support::small_encoder folder(encoder_head::none);
  write_pooling(folder, "\"pooling_mode_mean_tokens\": false");
  write_modules(folder);
  CHECK_THROWS_AS(read_sentence_modules(folder.path()), config_error);
  write_pooling(folder, "\"pooling_mode\": \"median\"");
  CHECK_THROWS_WITH(read_sentence_modules(folder.path()), Catch::Contains("median"));
  write_pooling(folder, "\"pooling_mode\": \"mean\"");
  write_modules(folder, ", " + module(2, "2_CNN", "CNN"));
  CHECK_THROWS_WITH(read_sentence_modules(folder.path()), Catch::Contains("CNN"));
  write_modules(folder, ", " + module(2, "2_Dense", "Dense"));
  CHECK_THROWS_AS(read_sentence_modules(folder.path()), file_error);
  write_modules(folder, ", " + module(2, "2_Normalize", "Normalize") + ", " + module(3, "2_Dense", "Dense"));
  CHECK_THROWS_WITH(read_sentence_modules(folder.path()), Catch::Contains("in this order"));
  write_modules(folder, ", " + module(2, "1_Pooling", "Pooling"));
  CHECK_THROWS_AS(read_sentence_modules(folder.path()), config_error);
  for (const std::string path : {"/etc", "../other", "a/../../b"}) {
    support::write_file(folder / "modules.json",
                        "[" + module(0, "", "Transformer") + ", " + module(1, path, "Pooling") + "]");
    CHECK_THROWS_WITH(read_sentence_modules(folder.path()), Catch::Contains("a folder in this one"));
  }
  support::write_file(folder / "modules.json", "{}");
  CHECK_THROWS_AS(read_sentence_modules(folder.path()), config_error);
  support::write_file(folder / "modules.json", "[");
  CHECK_THROWS_AS(read_sentence_modules(folder.path()), format_error);
}

TEST_CASE("a dense layer must take what is pooled") {
  const support::small_encoder folder(encoder_head::none);
  auto encoder = load_sentence_encoder<any>(folder.path());
  encoder.modules.poolings = {sentence_pooling::first, sentence_pooling::mean};
  encoder.modules.dense.push_back({.layer = linear<dyn, dyn>::shaped(16, 4)});
  encoder_session session({.threads = 1});
  CHECK_THROWS_WITH(embed(encoder, session, some_texts), Catch::Contains("in_features: expected 32"));
}

TEST_CASE("texts are stripped, and lower case where the folder says so") {
  const support::small_encoder folder(encoder_head::none);
  const auto encoder = load_sentence_encoder<any>(folder.path());
  encoder_session session({.threads = 1});
  const std::vector<std::string> spaced{" \tthe cat sat on the mat\n", "\u00a0paris is in france. ", "a"};
  CHECK((embed(encoder, session, spaced) == embed(encoder, session, some_texts)));
  support::write_file(folder / "sentence_roberta_config.json",
                      R"({"max_seq_length": 9, "do_lower_case": true})");
  const auto modules = read_sentence_modules(folder.path());
  CHECK(modules.lowers_case);
  CHECK(modules.most_tokens == 9);
}

TEST_CASE("likeness is the cosine of the angle") {
  auto a = make_array<2>({1, 2}), b = make_array<2>({3, 2});
  a(0, 0) = 3, a(0, 1) = 0;
  b(0, 0) = 1, b(0, 1) = 1, b(1, 0) = -2, b(1, 1) = 0, b(2, 0) = 0, b(2, 1) = 0;
  const auto likeness = cosine_similarity(a, b);
  CHECK(likeness(0, 0) == Approx(std::sqrt(0.5)));
  CHECK(likeness(0, 1) == Approx(-1));
  CHECK(likeness(0, 2) == Approx(0));
  CHECK_THROWS_AS(cosine_similarity(a, make_array<2>({1, 3})), argument_error);
  CHECK(dot_similarity(a, b)(0, 1) == Approx(-6));
}

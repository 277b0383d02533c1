// What the library promises of encoding: the same bits alone and among other texts, on any threads, in groups
// of any size; features of several layers; clear errors for what cannot be encoded.
#include <support/catch.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <support/compare.hpp>
#include <support/oracle_encoders.hpp>
#include <support/small_encoder.hpp>
#include <support/temporary_folder.hpp>

#include <transept/encode/encode.hpp>
#include <transept/io/convert_files.hpp>
#include <transept/io/save_model.hpp>
#include <transept/io/visit_model.hpp>
#include <transept/models/all_encoders.hpp>
#include <transept/models/initialise.hpp>

using namespace transept;

namespace {

/// Texts of many lengths, of ids and types that all fixtures have.
text_batch some_texts(std::size_t types = 1) {
  text_batch texts;
  for (const std::size_t length : {3u, 20u, 1u, 9u, 16u, 17u, 2u}) {
    std::vector<token_id> ids;
    std::vector<int> of_types;
    for (std::size_t i = 0; i < length; ++i) {
      ids.push_back(static_cast<token_id>(2 + (7 * texts.token_count() + 13 * i) % 90));
      of_types.push_back(types > 1 && i > length / 2 ? 1 : 0);
    }
    texts.add(ids, of_types);
  }
  return texts;
}

/// Text s of an input, alone.
text_batch alone(const encoder_input& all, std::size_t s) {
  text_batch text;
  const std::size_t begin = all.offsets[s], count = all.offsets[s + 1] - begin;
  text.add(all.tokens.subspan(begin, count), all.types.subspan(begin, count));
  return text;
}

/// Calls f(model) for each of the fixtures.
template <class F>
void for_each_encoder(const load_options& options, F&& f) {
  for (const auto& each : support::encoder_fixtures()) {
    INFO(each.name());
    visit_model(all_encoders{}, each.model(), options, [&](const auto& model) { f(model); });
  }
}

template <class Model>
encoder_request all_of(const Model& model) {
  return {.hidden_states = true,
          .pooled = has_pooler(model),
          .logits = model.settings.head != encoder_head::none,
          .next_sentence = has_next_sentence(model)};
}

bool same(const encoder_output& a, const encoder_output& b) {
  return a.hidden_states == b.hidden_states && a.pooled == b.pooled && a.logits == b.logits &&
         a.next_sentence == b.next_sentence;
}

} // namespace

TEST_CASE("a text has the same bits alone and among others, on any threads, in groups of any size") {
  for (const auto type : {element_type::f32, element_type::f16, element_type::q8_0})
    for_each_encoder({.type = type, .packed = true}, [&](const auto& model) {
      const text_batch texts = some_texts(token_types_of(model));
      const encoder_input input = texts.input();
      encoder_session session({.threads = 1});
      const auto together = encode(model, session, input, all_of(model));
      for (const int threads : {2, 3})
        for (const int tokens : {1, 20, 25, 1000}) {
          encoder_session other({.threads = threads, .tokens_at_once = tokens});
          CHECK(same(encode(model, other, input, all_of(model)), together));
        }
      for (std::size_t s = 0; s < input.texts(); ++s) {
        const text_batch text = alone(input, s);
        const auto seen = encode(model, session, text.input(), {.hidden_states = true});
        CHECK(std::ranges::equal(
            std::span(seen.hidden_states.data(), seen.hidden_states.size()),
            std::span(&together.hidden_states(input.offsets[s], 0), seen.hidden_states.size())));
      }
    });
}

TEST_CASE("after the first texts of their size, a session takes no more scratch memory") {
  for_each_encoder({}, [](const auto& model) {
    const text_batch texts = some_texts();
    encoder_session session({.threads = 2});
    encode(model, session, texts.input(), all_of(model));
    const std::size_t bytes = session.workspace_capacity();
    encode(model, session, texts.input(), all_of(model));
    CHECK(session.workspace_capacity() == bytes);
  });
}

TEST_CASE("features are those of any layers, added up or side by side") {
  for_each_encoder({}, [](const auto& model) {
    const text_batch texts = some_texts(), one = alone(texts.input(), 1);
    encoder_session session({.threads = 1});
    const auto last = static_cast<int>(model.shape().n_layer);
    const auto inside = inspect(model, session, one.input(), {.hidden_states = true});
    const auto state = [&](int layer, std::size_t t, std::size_t i) {
      return inside.hidden_states(static_cast<std::size_t>(layer), t, i);
    };
    const auto both =
        encode(model, session, one.input(), {.hidden_states = true, .layers = {-1, 0}, .concatenated = true});
    const auto sum =
        encode(model, session, one.input(), {.hidden_states = true, .layers = {last, -last - 1}});
    const std::size_t width = model.shape().n_embd;
    REQUIRE(both.hidden_states.shape(1) == 2 * width);
    REQUIRE(sum.hidden_states.shape(1) == width);
    for (std::size_t t = 0; t < one.token_count(); ++t)
      for (std::size_t i = 0; i < width; ++i) {
        CHECK(both.hidden_states(t, i) == Approx(state(last, t, i)).margin(1e-5));
        CHECK(both.hidden_states(t, width + i) == Approx(state(0, t, i)).margin(1e-5));
        CHECK(sum.hidden_states(t, i) == Approx(state(last, t, i) + state(0, t, i)).margin(1e-5));
      }
  });
}

TEST_CASE("what cannot be encoded is a typed error, and says why") {
  for_each_encoder({}, [](const auto& model) {
    encoder_session session({.threads = 1});
    const auto refuses = [&](const text_batch& texts, const encoder_request& request,
                             const std::string& why) {
      CHECK_THROWS_WITH(encode(model, session, texts.input(), request), Catch::Contains(why));
    };
    text_batch texts;
    CHECK_THROWS_AS(texts.add({}), argument_error);
    const std::vector<token_id> ids{1, 2, 101};
    const std::vector<int> types{0, 7, 0};
    CHECK_THROWS_AS(texts.add(ids, std::span(types).first(2)), argument_error);
    texts.add(ids);
    refuses(texts, {.hidden_states = true}, "token 2 is 101, but ids of this model are from 0 to 100");
    texts.clear();
    texts.add(std::span(ids).first(2), std::span(types).first(2));
    if (token_types_of(model) > 0)
      refuses(texts, {.hidden_states = true}, "token 1 is of type 7");
    else
      CHECK_NOTHROW(encode(model, session, texts.input())); // types are not looked at
    texts.clear();
    texts.add(std::vector<token_id>(model.shape().n_positions, 3));
    CHECK_NOTHROW(encode(model, session, texts.input()));
    texts.add(std::vector<token_id>(model.shape().n_positions + 1, 3));
    CHECK_THROWS_AS(encode(model, session, texts.input()), context_error);
    refuses(texts, {.hidden_states = true}, "text 1 has ");
    texts.clear();
    texts.add(std::span(ids).first(2));
    refuses(texts, {.hidden_states = true, .layers = {99}}, "hidden states are those of layers 0 to");
    refuses(texts, {.hidden_states = true, .layers = {}}, "at least one layer");
    if (model.settings.head == encoder_head::none) refuses(texts, {.logits = true}, "no head");
    if (!has_pooler(model)) refuses(texts, {.pooled = true}, "no pooler");
    if (!has_next_sentence(model)) refuses(texts, {.next_sentence = true}, "follows another");
  });
  CHECK_THROWS_AS(encoder_session({.tokens_at_once = 0}), argument_error);
}

TEST_CASE("every encoder is saved as a folder, and through GGUF, with the bits that it has") {
  for (const auto& each : support::encoder_fixtures()) {
    INFO(each.name());
    const support::temporary_folder folder;
    const text_batch texts = some_texts();
    const auto seen = [&](const std::filesystem::path& path) {
      return visit_model(all_encoders{}, path, {}, [&](const auto& model) {
        encoder_session session({.threads = 1});
        return encode(model, session, texts.input(), all_of(model));
      });
    };
    const auto expected = seen(each.model());
    visit_model(all_encoders{}, each.model(), {},
                [&](const auto& model) { save(model, folder.path() / "saved"); });
    CHECK(same(seen(folder.path() / "saved"), expected));
    const auto convert = [&](const std::filesystem::path& from, const std::filesystem::path& to) {
      const auto files = model_files::open(from);
      visit_config(all_encoders{}, files, [&]<class Model>(std::type_identity<Model>, const auto&) {
        using family = typename Model::family;
        if (to.extension() == ".gguf")
          convert_to_gguf<family>(files, to, {.type = element_type::f32});
        else
          convert_to_folder<family>(files, to, {.type = element_type::f32});
      });
    };
    convert(each.model(), folder.path() / "model.gguf");
    CHECK(same(seen(folder.path() / "model.gguf"), expected));
    convert(folder.path() / "model.gguf", folder.path() / "back");
    CHECK(same(seen(folder.path() / "back"), expected));
  }
}

TEST_CASE("what config.json says of an encoder is written as it was read") {
  auto cases = support::encoder_fixtures();
  for (const auto& each : support::shared_encoders()) cases.push_back(each);
  for (const auto& each : cases) {
    INFO(each.name());
    const auto config = read_config<bert_family>(each.model());
    CHECK(parse_config<bert_family>(to_json(config), "written") == config);
  }
}

TEST_CASE("what config.json cannot say of an encoder is refused, by its name in the file") {
  const auto refuses = [](const std::string& text, const std::string& why) {
    CHECK_THROWS_WITH(parse_config<bert_family>("{" + text + "}", "config.json"), Catch::Contains(why));
  };
  refuses(R"("model_type": "bert", "architectures": ["BertLMHeadModel"])",
          "one of BertModel, BertForMaskedLM");
  refuses(R"("model_type": "bert", "is_decoder": true)", "is_decoder");
  refuses(R"("model_type": "bert", "position_embedding_type": "relative_key")", "absolute");
  refuses(R"("model_type": "roberta", "max_position_embeddings": 2)", "more than 2 (pad_token_id + 1)");
  refuses(R"("model_type": "albert", "num_hidden_groups": 13)", "num_hidden_groups");
  refuses(R"("architectures": ["BertForTokenClassification"], "id2label": {"0": "a", "2": "b"})", "id2label");
  refuses(R"("architectures": ["BertForTokenClassification"], "id2label": {})", "id2label");
  refuses(R"("architectures": "BertModel")", "an array of names");
  bert_config shape = bert_base;
  bert_settings settings;
  settings.head = encoder_head::masked_lm;
  CHECK_THROWS_WITH(shaped_model<bert<any_bert>>(shape, settings), Catch::Contains("has_words"));
  bert_family::heed_head(shape, settings);
  CHECK_NOTHROW(shaped_model<bert<any_bert>>(shape, settings));
  settings.model_type = "roberta";
  settings.pad_token_id = 1;
  bert_family::heed_head(shape, settings);
  CHECK(settings.first_position == 2);
  // Labels without names, and names that come twice, are written so that they are read again.
  settings.head = encoder_head::sequence_classification;
  settings.labels = {"a", "a"};
  bert_family::heed_head(shape, settings);
  const model_config<bert_family> twice{shape, settings};
  CHECK(parse_config<bert_family>(to_json(twice), "written") == twice);
  const model_config<text_classifier_family> unnamed{{.n_embd = 8, .n_layer = 1, .n_head = 1}, {}};
  CHECK(parse_config<text_classifier_family>(to_json(unnamed), "written").settings.labels ==
        std::vector<std::string>{"LABEL_0", "LABEL_1"});
  const auto two =
      parse_config<bert_family>(R"({"architectures": ["BertForSequenceClassification"]})", "config.json");
  CHECK(two.settings.labels == std::vector<std::string>{"LABEL_0", "LABEL_1"});
}

TEST_CASE("a folder without a head may lack the pooler, and have the names of BERT's first years") {
  const support::small_encoder folder(encoder_head::none);
  const auto before = load<bert<any_bert>>(folder.path());
  REQUIRE(before.pooler.is_there());
  std::string bytes = support::read_file(folder / "model.safetensors");
  const auto rename = [&](const std::string& from, const std::string& to) { // of the same length
    for (std::size_t at = 0; (at = bytes.find(from, at)) != bytes.npos; at += to.size())
      bytes.replace(at, from.size(), to);
  };
  rename("pooler.dense", "unused.dense");
  rename("LayerNorm.weight\"", "LayerNorm.gamma\" ");
  rename("LayerNorm.bias\"", "LayerNorm.beta\"");
  support::write_file(folder / "model.safetensors", bytes);
  const auto after = load<bert<any_bert>>(folder.path());
  CHECK(!after.pooler.is_there());
  encoder_session session({.threads = 1});
  text_batch texts;
  texts.add(std::vector<token_id>{2, 5, 3});
  CHECK((encode(after, session, texts.input()).hidden_states ==
         encode(before, session, texts.input()).hidden_states));
}

TEST_CASE("published shapes have the parameters that are published") {
  STATIC_REQUIRE(bert<bert_base>::parameter_count == 109'482'240);
  STATIC_REQUIRE(bert<bert_large>::parameter_count == 335'141'888);
  STATIC_REQUIRE(bert<roberta_base>::parameter_count == 124'645'632);
  STATIC_REQUIRE(bert<distilbert_base>::parameter_count == 66'362'880);
}

TEST_CASE("a type whose shape is compiled in gives the bits of the one that is told at run time") {
  constexpr bert_config tiny{.n_embd = 32,
                             .n_layer = 2,
                             .n_head = 4,
                             .vocab_size = 101,
                             .n_positions = 40,
                             .n_inner = 56,
                             .has_words = true,
                             .has_next_sentence = true};
  for (const auto& each : support::encoder_fixtures()) {
    if (each.name() != "bert_pretraining") continue;
    const auto fixed = load<bert<tiny>>(each.model());
    const auto any = load<bert<any_bert>>(each.model());
    encoder_session session({.threads = 1});
    const text_batch texts = some_texts(2);
    CHECK(same(encode(fixed, session, texts.input(), all_of(fixed)),
               encode(any, session, texts.input(), all_of(any))));
  }
}

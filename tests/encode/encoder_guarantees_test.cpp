// What the library promises of encoding: the same bits alone and among other texts, on any threads, in groups
// of any size; features of several layers; clear errors for what cannot be encoded.
#include <support/catch.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <support/compare.hpp>
#include <support/oracle_encoders.hpp>

#include <transept/encode/encode.hpp>
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
          .pooled = model.pooler.is_there(),
          .logits = model.settings.head != encoder_head::none,
          .next_sentence = model.next_sentence.is_there()};
}

bool same(const encoder_output& a, const encoder_output& b) {
  return a.hidden_states == b.hidden_states && a.pooled == b.pooled && a.logits == b.logits &&
         a.next_sentence == b.next_sentence;
}

} // namespace

TEST_CASE("a text has the same bits alone and among others, on any threads, in groups of any size") {
  for (const auto type : {element_type::f32, element_type::f16, element_type::q8_0})
    for_each_encoder({.type = type, .packed = true}, [&](const auto& model) {
      const text_batch texts = some_texts(static_cast<std::size_t>(model.token_types.weight.rows()));
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
    refuses(texts, {.hidden_states = true}, "token 1 is of type 7");
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
    if (!model.pooler.is_there()) refuses(texts, {.pooled = true}, "no pooler");
    if (!model.next_sentence.is_there()) refuses(texts, {.next_sentence = true}, "follows another");
  });
  CHECK_THROWS_AS(encoder_session({.tokens_at_once = 0}), argument_error);
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

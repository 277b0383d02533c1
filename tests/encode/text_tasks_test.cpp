// From texts to labels, words, entities and answers.
#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <support/small_encoder.hpp>

#include <transept/encode/text_tasks.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/load_tokenizer.hpp>

using namespace transept;

namespace {

using any = bert<any_bert>;

std::vector<std::string> words_in(const tokenizer& tokenizer, const std::string& text) {
  std::vector<std::string> words;
  for (const text_span& span : detail::words_of(tokenizer, text, 100).spans)
    words.push_back(text.substr(span.begin, span.end - span.begin));
  return words;
}

} // namespace

TEST_CASE("masked words are told by the logits of their places, likeliest first") {
  const support::small_encoder folder(encoder_head::masked_lm);
  const auto model = load<any>(folder.path());
  const auto tokenizer = load_tokenizer(folder.path());
  encoder_session session({.threads = 1});
  const auto masks = fill_mask(model, tokenizer, session, "the [MASK] sat on the [MASK].", 27);
  REQUIRE(masks.size() == 2);
  text_batch batch;
  batch.add(std::vector<token_id>{2, 5, 4, 8, 9, 5, 4, 15, 3});
  const auto logits = encode(model, session, batch.input(), {.logits = true}).logits;
  for (std::size_t m = 0; m < 2; ++m) {
    REQUIRE(masks[m].size() == 27);
    double sum = 0;
    for (std::size_t i = 0; i < 27; ++i) {
      sum += double{masks[m][i].probability};
      if (i > 0) CHECK(masks[m][i].probability <= masks[m][i - 1].probability);
    }
    CHECK(sum == Approx(1));
    const std::size_t place = m == 0 ? 2 : 6;
    for (std::size_t i = 0; i < 27; ++i)
      CHECK(logits(place, static_cast<std::size_t>(masks[m][0].id)) >= logits(place, i));
  }
  CHECK_THROWS_WITH(fill_mask(model, tokenizer, session, "the cat"), Catch::Contains("[MASK]"));
  std::string longer = "[MASK]";
  for (int i = 0; i < 50; ++i) longer += " a";
  CHECK_THROWS_AS(fill_mask(model, tokenizer, session, longer), context_error);
  CHECK_THROWS_WITH(classify(model, tokenizer, session, std::vector<std::string>{"a"}),
                    Catch::Contains("ForSequenceClassification"));
}

TEST_CASE("labels of texts are probabilities; of two texts, what stands in the second counts") {
  const support::small_encoder folder(encoder_head::sequence_classification);
  auto model = load<any>(folder.path());
  const auto tokenizer = load_tokenizer(folder.path());
  encoder_session session({.threads = 1});
  const std::vector<std::string> texts{"the cat", "paris is in france."}, seconds{"a dog", "where?"};
  const auto scores = classify(model, tokenizer, session, texts);
  REQUIRE(scores.shape(0) == 2);
  REQUIRE(scores.shape(1) == 3);
  for (std::size_t s = 0; s < 2; ++s) CHECK(double{scores(s, 0)} + scores(s, 1) + scores(s, 2) == Approx(1));
  const auto of_pairs = classify(model, tokenizer, session, texts, seconds);
  CHECK(of_pairs != scores);
  CHECK_THROWS_AS(classify(model, tokenizer, session, texts, std::span(seconds).first(1)), argument_error);
  model.settings.problem_type = "regression"; // the numbers themselves
  const auto numbers = classify(model, tokenizer, session, texts);
  model.settings.problem_type = "multi_label_classification";
  text_batch batch;
  batch.add(std::vector<token_id>{2, 5, 6, 3});
  const auto logits = encode(model, session, batch.input(), {.logits = true}).logits;
  const auto each = classify(model, tokenizer, session, texts);
  for (std::size_t i = 0; i < 3; ++i) CHECK(each(0, i) == Approx(1 / (1 + std::exp(-double{logits(0, i)}))));
  for (std::size_t i = 0; i < 3; ++i) CHECK(numbers(0, i) == logits(0, i));
}

TEST_CASE("tokens that join without space are one word") {
  const support::small_encoder folder(encoder_head::token_classification);
  const auto tokenizer = load_tokenizer(folder.path());
  CHECK(words_in(tokenizer, "the cat played, playing a.") ==
        std::vector<std::string>{"the", "cat", "played", ",", "playing", "a", "."});
  CHECK(words_in(tokenizer, "  Paris?in ") == std::vector<std::string>{"Paris", "?", "in"});
  CHECK(words_in(tokenizer, "").empty());
  const auto model = load<any>(folder.path());
  encoder_session session({.threads = 1});
  CHECK(tag(model, tokenizer, session, "the cat played").size() == 3);
  CHECK(tag(model, tokenizer, session, " ").empty());
  std::string text;
  for (int i = 0; i < 50; ++i) text += "a ";
  CHECK_THROWS_AS(tag(model, tokenizer, session, text), context_error);
}

TEST_CASE("entities are what seqeval counts") {
  const std::vector<std::string> labels{"O", "B-PER", "I-PER", "B-LOC", "I-LOC", "X"};
  const auto entities_of = [&](const std::vector<std::size_t>& of_words) {
    std::vector<tagged_word> words;
    for (std::size_t i = 0; i < of_words.size(); ++i)
      words.push_back({{2 * i, 2 * i + 1}, of_words[i], 0.5f});
    std::string text;
    for (const auto& entity : find_entities(words, labels))
      text += entity.label + std::to_string(entity.span.begin) + "-" + std::to_string(entity.span.end) + " ";
    return text;
  };
  CHECK(entities_of({0, 1, 2, 0, 3}) == "PER2-5 LOC8-9 ");
  CHECK(entities_of({1, 1}) == "PER0-1 PER2-3 ");    // B- always begins one
  CHECK(entities_of({2, 2, 4}) == "PER0-3 LOC4-5 "); // I- begins one where none of its kind is open
  CHECK(entities_of({1, 4, 2}) == "PER0-1 LOC2-3 PER4-5 ");
  CHECK(entities_of({5, 5, 0, 5}) == "X0-3 X6-7 "); // a label of neither kind
  CHECK(entities_of({0, 0}).empty());
  const std::vector<tagged_word> two{{{0, 1}, 1, 0.5f}, {{2, 3}, 2, 1.0f}};
  CHECK(find_entities(two, labels)[0].probability == Approx(0.75));
  CHECK_THROWS_AS(find_entities(two, std::span(labels).first(2)), argument_error);
}

TEST_CASE("answers are parts of the text alone, likeliest first, of long texts too") {
  const support::small_encoder folder(encoder_head::question_answering);
  const auto model = load<any>(folder.path());
  const auto tokenizer = load_tokenizer(folder.path());
  encoder_session session({.threads = 1});
  const std::string text = "the cat sat on the mat. paris is in france.";
  const auto answers =
      answer(model, tokenizer, session, "where is paris?", text, {.top = 4, .most_tokens = 3});
  REQUIRE(answers.size() == 4);
  for (std::size_t i = 0; i < 4; ++i) {
    CHECK(answers[i].span.begin < answers[i].span.end);
    CHECK(answers[i].span.end <= text.size());
    if (i > 0) CHECK(answers[i].probability <= answers[i - 1].probability);
    for (std::size_t j = 0; j < i; ++j)
      CHECK((answers[i].span.end <= answers[j].span.begin || answers[j].span.end <= answers[i].span.begin));
  }
  // By hand: softmax of both ends over [CLS] and the text's tokens, the best pair of at most three.
  const auto parts = detail::parts_of_question(tokenizer, "where is paris?", text, 40, 8);
  REQUIRE(parts.inputs.size() == 1);
  const auto logits = encode(model, session, parts.texts.input(), {.logits = true}).logits;
  double sums[2] = {}, best = 0;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < parts.inputs[0].ids.size(); ++i)
    if (parts.inputs[0].texts[i] == 1) places.push_back(i);
  for (std::size_t which = 0; which < 2; ++which) {
    sums[which] = std::exp(double{logits(0, which)}); // [CLS]: nothing answers
    for (const std::size_t place : places) sums[which] += std::exp(double{logits(place, which)});
  }
  for (std::size_t i = 0; i < places.size(); ++i)
    for (std::size_t j = i; j < std::min(i + 3, places.size()); ++j)
      best = std::max(best, std::exp(double{logits(places[i], 0)}) / sums[0] *
                                std::exp(double{logits(places[j], 1)}) / sums[1]);
  CHECK(answers[0].probability == Approx(best));

  std::string longer;
  for (int i = 0; i < 30; ++i) longer += text + " ";
  const auto many = detail::parts_of_question(tokenizer, "where?", longer, 40, 8);
  CHECK(many.inputs.size() > 5);
  std::size_t covered = 0;
  for (const auto& part : many.inputs) {
    CHECK(part.ids.size() <= 40);
    std::size_t first = longer.size(), last = 0;
    for (std::size_t i = 0; i < part.ids.size(); ++i)
      if (part.texts[i] == 1)
        first = std::min(first, part.spans[i].begin), last = std::max(last, part.spans[i].end);
    CHECK(first <= covered + 1); // no gap
    covered = last;
  }
  CHECK(covered == longer.size() - 1);
  CHECK(answer(model, tokenizer, session, "where?", longer, {.stride = 100}).size() == 1);
  CHECK_THROWS_WITH(answer(model, tokenizer, session, longer, "paris"), Catch::Contains("no room"));
  CHECK_THROWS_AS(answer(model, tokenizer, session, "where?", ""), argument_error);
  CHECK_THROWS_AS(answer(model, tokenizer, session, "where?", text, {.top = 0}), argument_error);
  CHECK(answer(model, tokenizer, session, "where?", text, {.most_tokens = std::size_t(-1)}).size() == 1);
  // Words are whole, and without the space around them.
  const auto whole = [](const std::string& from, text_span span) {
    const text_span words = detail::whole_words(from, span);
    return from.substr(words.begin, words.end - words.begin);
  };
  CHECK(whole("he is playing, now", {6, 9}) == "playing");
  CHECK(whole("he is playing, now", {5, 10}) == "playing");
  CHECK(whole("he is playing, now", {13, 15}) == ",");
  CHECK(whole("a b", {1, 2}).empty());
}

// What a model makes of labelled texts is counted: accuracy, F1, losses. Another head for a model. The order
// of examples.
#include <support/catch.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <string>
#include <vector>

#include <support/small_encoder.hpp>
#include <support/temporary_folder.hpp>

#include <transept/encode/text_tasks.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/io/vocabulary_writer.hpp>
#include <transept/models/new_head.hpp>
#include <transept/text/encoder_vocabulary.hpp>
#include <transept/train/batches.hpp>
#include <transept/train/encoder_training.hpp>
#include <transept/train/task_score.hpp>
#include <transept/train/train_tokenizer.hpp>

using namespace transept;
using support::small_encoder;

namespace {

using model_type = bert<any_bert>;

const std::vector<std::string> place_labels{"O", "B-place", "I-place"};

struct labelled_file {
  support::temporary_folder folder;
  std::filesystem::path path;

  explicit labelled_file(const std::string& lines) : path(folder / "data.jsonl") {
    support::write_file(path, lines);
  }
};

} // namespace

TEST_CASE("texts are scored as classify labels them, whatever the batch") {
  const small_encoder folder(encoder_head::sequence_classification);
  const auto model = load<model_type>(folder.path());
  const auto tokenizer = load_tokenizer(folder.path());
  encoder_session session({.threads = 2});
  const std::vector<std::string> texts{"the cat sat", "where is paris?", "a b c", "the dog", "on the mat."};
  const auto probabilities = classify(model, tokenizer, session, texts);
  std::string lines;
  std::size_t right = 0;
  double loss = 0;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::size_t label = i % 3;
    lines += R"({"text": ")" + texts[i] + R"(", "label": ")" + place_labels[label] + "\"}\n";
    const float* const row = &probabilities(i, 0);
    right += static_cast<std::size_t>(std::max_element(row, row + 3) - row) == label;
    loss -= std::log(double{row[label]}) / static_cast<double>(texts.size());
  }
  const labelled_file file(lines);
  const task_data data(file.path, model.settings.head, tokenizer, 40, {model.settings.labels});
  for (const std::size_t at_once : {1, 2, 64}) {
    const task_score score = score_task(model, session, data, at_once);
    CHECK(score.examples == 5);
    CHECK(*score.accuracy == Approx(static_cast<double>(right) / 5));
    CHECK(score.loss == Approx(loss).epsilon(1e-5));
    CHECK_FALSE(score.f1);
  }
}

TEST_CASE("words are scored by accuracy and by their entities") {
  const small_encoder folder(encoder_head::token_classification);
  const auto model = load<model_type>(folder.path());
  const auto tokenizer = load_tokenizer(folder.path());
  encoder_session session({.threads = 1});
  // What the model itself says is all right; one text with every label changed is not.
  const auto labels_of = [&](const std::string& text, std::size_t change) {
    std::string tags;
    for (const tagged_word& word : tag(model, tokenizer, session, text))
      tags += (tags.empty() ? "\"" : ", \"") + place_labels[(word.label + change) % 3] + "\"";
    return tags;
  };
  const std::string first = R"({"tokens": ["the", "cat", "sat"], "tags": [)";
  const labelled_file right(first + labels_of("the cat sat", 0) + "]}\n");
  const labelled_file half(first + labels_of("the cat sat", 0) + "]}\n" + first +
                           labels_of("the cat sat", 1) + "]}\n");
  const auto score = [&](const labelled_file& file) {
    return score_task(model, session,
                      task_data(file.path, model.settings.head, tokenizer, 40, {model.settings.labels}));
  };
  CHECK(*score(right).accuracy == 1.0);
  CHECK(*score(half).accuracy == Approx(0.5));
  REQUIRE(score(right).f1);
  CHECK((*score(right).f1 == 1.0 || labels_of("the cat sat", 0).find('B') == std::string::npos));
  CHECK(*score(half).f1 < 1.0);
}

TEST_CASE("answers are scored by whether they are found exactly, and by the tokens of both") {
  const small_encoder folder(encoder_head::question_answering);
  const auto model = load<model_type>(folder.path());
  const auto tokenizer = load_tokenizer(folder.path());
  encoder_session session({.threads = 1});
  const labelled_file file(
      R"({"question": "where is the cat?", "context": "the cat sat on a mat", "answer": "a mat", "begin": 15})"
      "\n");
  const task_data data(file.path, model.settings.head, tokenizer, 40);
  detail::task_scorer scorer(model.settings.head, {}, "");
  task_batch batch;
  data.add_to(batch, 0);
  const std::size_t tokens = batch.texts.token_count();
  const auto begin = static_cast<std::size_t>(batch.begins[0]), end = static_cast<std::size_t>(batch.ends[0]);
  CHECK(end == begin + 1);
  const auto with_answer = [&](std::size_t from, std::size_t to) {
    auto logits = make_array<2>({tokens, 2});
    std::fill(logits.begin(), logits.end(), 0.0f);
    logits(from, 0) = logits(to, 1) = 9.0f;
    detail::task_scorer one(model.settings.head, {}, "");
    one.add(batch, logits);
    return one.score();
  };
  CHECK(*with_answer(begin, end).accuracy == 1.0);
  CHECK(*with_answer(begin, end).f1 == 1.0);
  CHECK(*with_answer(begin - 2, end).accuracy == 0.0);
  CHECK(*with_answer(begin - 2, end).f1 == Approx(2 * 0.5 * 1.0 / 1.5));
  CHECK(*with_answer(batch.contexts[0].begin, batch.contexts[0].begin).f1 == 0.0);
  // What is in the question is no answer, however sure the model is; `answer` has it so, too.
  auto logits = make_array<2>({tokens, 2});
  std::fill(logits.begin(), logits.end(), 0.0f);
  logits(1, 0) = logits(2, 1) = 9.0f;
  logits(begin, 0) = logits(end, 1) = 8.0f;
  scorer.add(batch, logits);
  CHECK(*scorer.score().f1 == 1.0);
  // An answer that is cut off is not found.
  const task_data cut(file.path, model.settings.head, tokenizer, 11);
  const task_score missed = score_task(model, session, cut);
  CHECK(missed.examples == 1);
  CHECK(*missed.accuracy == 0.0);
  CHECK(*missed.f1 == 0.0);
  CHECK(score_task(model, session, data).examples == 1);
}

TEST_CASE("a regression is scored by its loss alone") {
  const small_encoder folder(encoder_head::masked_lm);
  const auto tokenizer = load_tokenizer(folder.path());
  auto model =
      with_head(load<model_type>(folder.path()), encoder_head::sequence_classification, {"LABEL_0"}, 1);
  model.settings.problem_type = "regression";
  encoder_session session({.threads = 1});
  const labelled_file file("{\"text\": \"a cat\", \"label\": 0.5}\n{\"text\": \"a dog\", \"label\": 2}\n");
  const task_data data(file.path, model.settings.head, tokenizer, 40);
  const std::vector<std::string> texts{"a cat", "a dog"};
  const auto found = classify(model, tokenizer, session, texts);
  const task_score score = score_task(model, session, data);
  CHECK_FALSE(score.accuracy);
  CHECK(score.loss ==
        Approx((std::pow(found(0, 0) - 0.5, 2) + std::pow(found(1, 0) - 2.0, 2)) / 2).epsilon(1e-5));
}

TEST_CASE("a model with another head has the same blocks, and what is new is drawn") {
  const small_encoder folder(encoder_head::masked_lm);
  const auto model = load<model_type>(folder.path());
  const auto tagger = with_head(model, encoder_head::token_classification, place_labels, 5);
  CHECK(tagger.settings.labels == place_labels);
  CHECK(tagger.classifier.weight.cols() == 3);
  CHECK(tagger.blocks[1].network.up.weight.data() == model.blocks[1].network.up.weight.data());
  const auto same = with_head(model, encoder_head::token_classification, place_labels, 5);
  const auto other = with_head(model, encoder_head::token_classification, place_labels, 6);
  const auto number = [](const model_type& of) {
    return static_cast<const float*>(of.classifier.weight.data())[0];
  };
  CHECK(number(tagger) == number(same));
  CHECK(number(tagger) != number(other));
  // The classifier is kept for the same labels in the same order alone.
  CHECK(number(with_head(tagger, encoder_head::token_classification, place_labels, 9)) == number(tagger));
  CHECK(number(with_head(tagger, encoder_head::token_classification, {"B-place", "O", "I-place"}, 9)) !=
        number(tagger));
  CHECK_THROWS_AS(with_head(model, encoder_head::replaced_tokens, {}, 5), argument_error); // ELECTRA's
  const support::temporary_folder saved;
  save(tagger, saved.path());
  CHECK(load<model_type>(saved.path()).settings.head == encoder_head::token_classification);
  CHECK_THROWS_AS(with_head(model, encoder_head::token_classification, {}, 5), argument_error);
  CHECK_THROWS_AS(with_head(model, encoder_head::question_answering, place_labels, 5), argument_error);
}

TEST_CASE("examples come once each before any comes again, and from any place on the same") {
  shuffled_examples order(7, 3);
  std::vector<std::size_t> all;
  for (std::uint64_t i = 0; i < 21; ++i) all.push_back(order[i]);
  for (std::size_t round = 0; round < 3; ++round) {
    const std::set<std::size_t> seen(all.begin() + 7 * static_cast<int>(round),
                                     all.begin() + 7 * static_cast<int>(round + 1));
    CHECK(seen.size() == 7);
  }
  CHECK(std::vector(all.begin(), all.begin() + 7) != std::vector(all.begin() + 7, all.begin() + 14));
  shuffled_examples later(7, 3);
  CHECK(later[15] == all[15]);
  CHECK(later[2] == all[2]);
  CHECK_THROWS_AS(shuffled_examples(0, 3), argument_error);
}

TEST_CASE("a learned vocabulary has an encoder's tokens, and puts them around texts") {
  const std::array<std::string_view, 1> texts{"the cat sat on the mat. the dog sat."};
  word_counts words;
  thread_pool threads(1);
  count_words(threads, texts[0], words);
  vocabulary learned =
      learn_vocabulary(words, {.vocab_size = 270, .special_tokens = encoder_special_tokens()});
  put_around_texts(learned);
  const support::temporary_folder folder;
  write_vocabulary_files(learned, folder.path());
  const tokenizer read = load_tokenizer(folder.path());
  CHECK(mask_token(read) == 4);
  const auto ids = read.encode_prompt("the cat");
  CHECK(ids.front() == 0);
  CHECK(ids.back() == 2);
  const auto pair = encode_input(read, "the cat", "the dog");
  CHECK(std::ranges::count(pair.ids, 2) == 3);
  CHECK(read.decode(read.encode("the dog sat")) == "the dog sat");
  character_set characters; // none of those of "[MASK]"
  characters.add("abc ");
  vocabulary by_characters = character_vocabulary(characters, encoder_special_tokens());
  put_around_texts(by_characters);
  CHECK(find_special_token(tokenizer(by_characters), "<mask>") == mask_token(tokenizer(by_characters)));
  CHECK_FALSE(find_special_token(read, "the"));
  const small_encoder pieces(encoder_head::masked_lm); // a WordPiece
  CHECK(mask_token(load_tokenizer(pieces.path())) == 4);
  CHECK(special_token_text(load_tokenizer(pieces.path()), 4) == "[MASK]");
  vocabulary plain = learn_vocabulary(words, {.vocab_size = 270});
  CHECK_THROWS_AS(put_around_texts(plain), argument_error);
  CHECK_FALSE(mask_token(tokenizer(plain)));
}

// The classifier of *Transformers from scratch*: against its formulas, trained, saved and read again.
#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <vector>

#include <support/temporary_folder.hpp>

#include <transept/encode/encode.hpp>
#include <transept/io/save_model.hpp>
#include <transept/io/visit_model.hpp>
#include <transept/models/all_encoders.hpp>
#include <transept/models/initialise.hpp>
#include <transept/train/encoder_training.hpp>

using namespace transept;

namespace {

using any = text_classifier<any_text_classifier>;

any make(text_pooling pooling, bool learns_positions) {
  text_classifier_settings settings;
  settings.pooling = pooling;
  settings.labels = {"a", "b", "c"};
  return initialise<any>({.n_embd = 16,
                          .n_layer = 2,
                          .n_head = 4,
                          .vocab_size = 30,
                          .n_positions = 12,
                          .n_inner = 24,
                          .n_labels = 3,
                          .learns_positions = learns_positions},
                         settings, 5, {.standard_deviation = 0.4f});
}

text_batch some_texts() {
  text_batch texts;
  for (const std::size_t length : {3u, 12u, 1u, 7u}) {
    std::vector<token_id> ids;
    for (std::size_t i = 0; i < length; ++i) ids.push_back(static_cast<token_id>((7 * length + 11 * i) % 30));
    texts.add(ids);
  }
  return texts;
}

} // namespace

TEST_CASE("scores are the classifier's of the greatest, or the mean, of each hidden number") {
  for (const auto pooling : {text_pooling::max, text_pooling::mean})
    for (const bool learns : {true, false}) {
      const any model = make(pooling, learns);
      const text_batch texts = some_texts();
      encoder_session session({.threads = 2});
      const auto seen = encode(model, session, texts.input(), {.hidden_states = true, .logits = true});
      const auto weight = parameter<2>(model, "toprobs.weight"); // [16, 3]
      const auto bias = parameter<1>(model, "toprobs.bias");
      const auto offsets = texts.input().offsets;
      for (std::size_t s = 0; s < texts.size(); ++s)
        for (std::size_t label = 0; label < 3; ++label) {
          double score = double{bias(label)};
          for (std::size_t i = 0; i < 16; ++i) {
            double most = -1e9, sum = 0;
            for (std::size_t t = offsets[s]; t < offsets[s + 1]; ++t) {
              most = std::max(most, double{seen.hidden_states(t, i)});
              sum += double{seen.hidden_states(t, i)};
            }
            const double pooled =
                pooling == text_pooling::max ? most : sum / static_cast<double>(offsets[s + 1] - offsets[s]);
            score += pooled * double{weight(i, label)};
          }
          CHECK(seen.logits(s, label) == Approx(score).margin(1e-5));
        }
      // The embeddings, before any block.
      const auto embedded = encode(model, session, texts.input(), {.hidden_states = true, .layers = {0}});
      const auto tokens = parameter<2>(model, "token_embedding.weight");
      const std::size_t at = offsets[1] + 5, id = static_cast<std::size_t>(texts.input().tokens[at]);
      for (std::size_t i = 0; i < 16; ++i) {
        const double angle = 5 / std::pow(10000.0, static_cast<double>(i / 2 * 2) / 16);
        const double position = learns       ? double{parameter<2>(model, "pos_embedding.weight")(5, i)}
                                : i % 2 == 0 ? std::sin(angle)
                                             : std::cos(angle);
        CHECK(embedded.hidden_states(at, i) == Approx(double{tokens(id, i)} + position).margin(1e-5));
      }
    }
}

TEST_CASE("along a classifier's gradients its loss rises as steeply as they say") {
  for (const auto pooling : {text_pooling::max, text_pooling::mean})
    for (const bool learns : {true, false}) {
      const any model = make(pooling, learns);
      const text_batch texts = some_texts();
      const std::vector<int> labels{0, 2, 1, no_target};
      trainer trainer(model), other(model);
      accumulate_gradients(trainer, texts.input(), {.labels = labels});
      for_each_parameter(
          [&](std::string_view name, const auto& leaf, const auto& gradient) {
            INFO(name);
            float* const values = other.parameters().data() +
                                  (static_cast<const float*>(leaf.data()) - other.parameters().data());
            const std::vector<float> before(values, values + leaf.size());
            double squares = 0;
            for (std::size_t i = 0; i < before.size(); ++i)
              squares += double{gradient.data()[i]} * double{gradient.data()[i]};
            const double slope = std::sqrt(squares), step = 1e-3;
            const auto loss_at = [&](double distance) {
              for (std::size_t i = 0; i < before.size(); ++i)
                values[i] =
                    static_cast<float>(double{before[i]} + distance * double{gradient.data()[i]} / slope);
              return accumulate_gradients(other, texts.input(), {.labels = labels}, 0.0);
            };
            const double found = (loss_at(step) - loss_at(-step)) / (2 * step);
            CHECK(std::abs(found - slope) <= 0.02 * slope + 1e-3);
            std::copy(before.begin(), before.end(), values);
          },
          other.model(), trainer.gradient());
    }
}

TEST_CASE("a classifier learns what tells texts apart, and is saved and read again") {
  any model = make(text_pooling::max, true);
  std::vector<int> labels;
  text_batch texts;
  for (int s = 0; s < 60; ++s) { // the label is which of three tokens is among others
    std::vector<token_id> ids;
    for (int i = 0; i < 8; ++i) ids.push_back(static_cast<token_id>(3 + (s * 31 + i * 17) % 27));
    labels.push_back(s % 3);
    ids[static_cast<std::size_t>(s * 5 % 8)] = static_cast<token_id>(s % 3);
    texts.add(ids);
  }
  trainer trainer(model, {.threads = 2});
  double loss = 0;
  for (int step = 0; step < 60; ++step)
    loss = training_step(trainer, texts.input(), {.labels = labels}, 3e-3).loss;
  CHECK(loss < 0.1);
  encoder_session session({.threads = 1});
  const auto scores = encode(trainer.model(), session, texts.input(), {.logits = true}).logits;
  for (std::size_t s = 0; s < texts.size(); ++s) {
    const std::span row(&scores(s, 0), 3);
    CHECK(std::ranges::max_element(row) - row.begin() == labels[s]);
  }
  const support::temporary_folder folder;
  save(trainer.model(), folder.path());
  const auto read = visit_model(all_encoders{}, folder.path(), {}, [&](const auto& again) {
    return encode(again, session, texts.input(), {.logits = true}).logits;
  });
  for (std::size_t i = 0; i < scores.size(); ++i) // files have [out, in], which is summed in another order
    CHECK(read.data()[i] == Approx(scores.data()[i]).margin(1e-4));
  const auto config = read_config<text_classifier_family>(folder.path());
  CHECK(config.settings == trainer.model().settings);
}

// Every encoder's gradients against PyTorch's, for the folders of ../shared/oracle (manifest.json says how
// they were made).
#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <string_view>
#include <vector>

#include <support/allocation_count.hpp>
#include <support/oracle_encoders.hpp>
#include <support/oracle_gradients.hpp>

#include <transept/encode/encode.hpp>
#include <transept/io/visit_model.hpp>
#include <transept/models/all_encoders.hpp>
#include <transept/train/encoder_training.hpp>

using namespace transept;

namespace {

/// The real tokens of a case's rows, and what their head is to give.
struct batch_of_case {
  text_batch texts;
  std::vector<token_id> words;
  std::vector<int> labels, begins, ends;

  batch_of_case(const support::oracle_case& of, encoder_head head) {
    const auto ids = of.ids("input_ids"), mask = of.ids("attention_mask");
    const auto types =
        of.has("token_type_ids.npy") ? of.ids("token_type_ids") : std::vector<std::vector<int>>{};
    const auto each = of.has("labels.npy") ? of.numbers("labels") : support::npy_array<std::int64_t>{};
    const auto target = [&](std::size_t i) {
      const auto value = static_cast<int>(each.values[i]);
      return value == -100 ? no_target : value;
    };
    for (std::size_t s = 0; s < ids.size(); ++s) {
      std::vector<token_id> tokens;
      std::vector<int> its_types;
      for (std::size_t t = 0; t < ids[s].size(); ++t) {
        if (mask[s][t] == 0) continue;
        tokens.push_back(ids[s][t]);
        if (!types.empty()) its_types.push_back(types[s][t]);
        if (!is_per_token(head) || head == encoder_head::question_answering) continue;
        (has_words(head) ? words : labels).push_back(target(s * ids[s].size() + t));
      }
      texts.add(tokens, its_types);
    }
    if (head == encoder_head::pretraining)
      for (const auto value : of.numbers("next_sentence_label").values)
        labels.push_back(static_cast<int>(value));
    if (!is_per_token(head) && head != encoder_head::none)
      for (std::size_t i = 0; i < each.values.size(); ++i) labels.push_back(target(i));
    if (head == encoder_head::question_answering)
      for (std::size_t s = 0; s < ids.size(); ++s) {
        begins.push_back(static_cast<int>(of.numbers("start_positions").values[s]));
        ends.push_back(static_cast<int>(of.numbers("end_positions").values[s]));
      }
  }

  encoder_targets targets() const {
    return {.words = words, .labels = labels, .begins = begins, .ends = ends};
  }
};

/// Of transformers' losses of hidden states alone, the mean of their products with numbers in a file.
template <class Model>
double accumulate_weighted_mean(trainer<Model>& trainer, const support::oracle_case& of,
                                const encoder_input& input) {
  const auto weights = of.floats("loss_weights");
  const std::size_t length = weights.shape[1], width = weights.shape[2];
  compute_context context = trainer.context();
  tape& tape = trainer.begin_pass();
  workspace::scope scope(context.memory);
  const auto rows = static_cast<extent>(input.tokens.size());
  const auto x = scope.take<Model::width>(rows, static_cast<extent>(width));
  const auto dx = scope.take<Model::width>(rows, static_cast<extent>(width));
  whole_sequences sequences(input.offsets, &tape);
  forward(trainer.model(), context, input, sequences, x, tape);
  double loss = 0;
  for (std::size_t s = 0; s < input.texts(); ++s)
    for (std::size_t t = input.offsets[s]; t < input.offsets[s + 1]; ++t)
      for (std::size_t i = 0; i < width; ++i) {
        const float weight = weights.values[(s * length + t - input.offsets[s]) * width + i] /
                             static_cast<float>(weights.values.size());
        loss += double{weight} * double{x.data()[t * width + i]};
        dx.data()[t * width + i] = weight;
      }
  backward(trainer.model(), trainer.own_gradient(), context, input, sequences, dx, tape);
  return loss;
}

} // namespace

TEST_CASE("the gradients of every encoder's head are PyTorch's") {
  for (const auto& each : support::shared_encoders()) {
    // transformers' answers may begin at padding, which is not computed here: see the test below.
    if (!each.has("grads.safetensors") || each.name().find("question_answering") != std::string::npos)
      continue;
    INFO(each.name());
    visit_model(all_encoders{}, each.model(), {}, [&](auto model) {
      trainer trainer(model);
      const batch_of_case batch(each, model.settings.head);
      const double loss = model.settings.head == encoder_head::none
                              ? accumulate_weighted_mean(trainer, each, batch.texts.input())
                              : accumulate_gradients(trainer, batch.texts.input(), batch.targets());
      CHECK(loss == Approx(static_cast<double>(each.floats("loss").values.at(0))).epsilon(1e-5));
      if (model.settings.head != encoder_head::none)
        CHECK(evaluate(trainer, batch.texts.input(), batch.targets()) == Approx(loss).epsilon(1e-6));
      support::check_gradients(model, trainer.gradient(),
                               safetensors_file::open(each.folder / "grads.safetensors"));
    });
  }
}

TEST_CASE("along a parameter's gradient the loss of every encoder rises as steeply as the gradient says") {
  auto cases = support::encoder_fixtures();
  for (const auto& each : support::shared_encoders()) cases.push_back(each);
  for (const auto& each : cases) {
    INFO(each.name());
    visit_model(all_encoders{}, each.model(), {}, [&](auto model) {
      if (model.settings.head == encoder_head::none) return;
      const batch_of_case batch(each, model.settings.head);
      const encoder_input input = batch.texts.input();
      trainer trainer(model), other(model);
      accumulate_gradients(trainer, input, batch.targets());
      float* const parameters = other.parameters().data();
      for_each_parameter(
          [&](std::string_view name, const auto& leaf, const auto& gradient) {
            INFO(name);
            const auto first = static_cast<const float*>(leaf.data()) - parameters;
            const std::span values(parameters + first, static_cast<std::size_t>(leaf.size()));
            const std::vector<float> before(values.begin(), values.end());
            double squares = 0;
            for (std::size_t i = 0; i < values.size(); ++i)
              squares += double{gradient.data()[i]} * double{gradient.data()[i]};
            const double slope = std::sqrt(squares), step = 3e-3;
            if (slope < 1e-4) return; // a bias of keys
            const auto loss_at = [&](double distance) {
              for (std::size_t i = 0; i < values.size(); ++i)
                values[i] =
                    static_cast<float>(double{before[i]} + distance * double{gradient.data()[i]} / slope);
              return accumulate_gradients(other, input, batch.targets(), 0.0);
            };
            const double found = (loss_at(step) - loss_at(-step)) / (2 * step);
            CHECK(std::abs(found - slope) <= 0.02 * slope + 5e-4);
            std::copy(before.begin(), before.end(), values.begin());
          },
          other.model(), trainer.gradient());
    });
  }
}

TEST_CASE("labels may be numbers, or many at once, each with its loss") {
  for (const auto& each : support::encoder_fixtures()) {
    if (each.name() != "roberta_sequence_classification") continue;
    auto model = load<bert<any_bert>>(each.model());
    const batch_of_case batch(each, model.settings.head);
    const std::vector<float> values{1, 0, 1, 0, 0, 1};
    encoder_session session({.threads = 1});
    const auto logits = encode(model, session, batch.texts.input(), {.logits = true}).logits;
    double squares = 0, entropy = 0;
    for (std::size_t i = 0; i < 6; ++i) {
      const double z = double{logits.data()[i]}, target = double{values[i]};
      squares += (z - target) * (z - target) / 6;
      entropy -=
          (target * std::log(1 / (1 + std::exp(-z))) + (1 - target) * std::log(1 / (1 + std::exp(z)))) / 6;
    }
    trainer numbers(model);
    CHECK(accumulate_gradients(numbers, batch.texts.input(), {.values = values}) ==
          Approx(squares).epsilon(1e-5));
    model.settings.problem_type = "multi_label_classification";
    trainer many(model);
    CHECK(accumulate_gradients(many, batch.texts.input(), {.values = values}) ==
          Approx(entropy).epsilon(1e-5));
    const std::vector<int> labels{0, 1};
    CHECK_THROWS_AS(accumulate_gradients(many, batch.texts.input(), {.labels = labels, .values = values}),
                    argument_error);
  }
}

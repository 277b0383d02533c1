// Every family against Hugging Face transformers: logits, hidden states, attention probabilities, greedy
// tokens.
#include <support/catch.hpp>

#include <algorithm>
#include <span>
#include <string>
#include <vector>

#include <support/compare.hpp>
#include <support/oracle.hpp>

#include <transept/generate/generation.hpp>
#include <transept/generate/inspection.hpp>
#include <transept/generate/sampling.hpp>
#include <transept/io/visit_model.hpp>

using namespace transept;

namespace {

/// What transformers leaves of its own float32 computation, or 1e-5 of the scale.
double tolerance_of(const support::oracle_case& of) {
  const json error = of.meta().at("float32_error");
  if (!error.contains("logits")) return 1e-5;
  return std::max(1e-5, 6 * error.at("logits").at(0).get<double>() / error.at("logits").at(1).get<double>());
}

/// The length by which transformers had chosen the angles, where that is another than the run's: the model
/// had generated 16 tokens behind the prompt before, and keeps the longest length that it has seen.
std::size_t capacity_for(const support::oracle_case& of, std::size_t tokens) {
  return of.name() == "llama_rope_dynamic" ? tokens + 15 : tokens;
}

/// A row of an array [layers, batch, …]: [layers, …].
std::vector<float> of_row(const support::npy_array<float>& all, std::size_t layers, std::size_t row) {
  const std::size_t rows = all.shape[1], size = all.values.size() / (layers * rows);
  std::vector<float> values;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const auto* const from = all.values.data() + (layer * rows + row) * size;
    values.insert(values.end(), from, from + size);
  }
  return values;
}

std::span<const float> row_of(const support::npy_array<float>& all, std::size_t row) {
  const std::size_t size = all.values.size() / all.shape[0];
  return std::span(all.values).subspan(row * size, size);
}

template <class Model>
void check_row(const Model& model, const support::oracle_case& of, const std::vector<token_id>& ids,
               std::size_t row) {
  const auto capacity = static_cast<int>(capacity_for(of, ids.size()));
  session session(model, {.threads = 2, .capacity = capacity});
  const auto seen = inspect(model, session, ids, {.hidden_states = true, .attentions = true, .logits = true});
  const auto all_of = [](const auto& array) { return std::span(array.data(), array.size()); };
  const std::size_t layers = model.shape().n_layer;
  const double tolerance = tolerance_of(of);
  CHECK(support::compare(all_of(seen.logits), row_of(of.floats("logits"), row)) <= tolerance);
  CHECK(support::compare(all_of(seen.attentions), of_row(of.floats("attentions"), layers, row)) <= 3e-5);
  if (of.has("hidden_states.npy")) {
    CHECK(support::compare(all_of(seen.hidden_states), of_row(of.floats("hidden_states"), layers + 1, row)) <=
          3e-5);
    return;
  }
  for (std::size_t i = 0; i <= layers; ++i) { // of different widths
    const auto expected = of.floats("hidden_states_" + std::to_string(i));
    const std::size_t size = seen.hidden_states.size() / layers;
    const auto found = i < layers ? std::span(seen.hidden_states.data() + i * size, size)
                                  : std::span(seen.last_hidden_state.data(), seen.last_hidden_state.size());
    CHECK(support::compare(found, row_of(expected, row)) <= 3e-5);
  }
}

template <class Model>
void check_padded(const Model& model, const support::oracle_case& of, const std::string& side) {
  if (!of.has(side + "_logits.npy")) return;
  const auto ids = of.ids(of.has(side + "_input_ids.npy") ? side + "_input_ids" : "input_ids");
  const auto mask = of.ids(side + "_attention_mask");
  const auto expected = of.floats(side + "_logits");
  const std::size_t vocabulary = expected.shape[2];
  for (std::size_t row = 0; row < ids.size(); ++row) {
    std::vector<token_id> real;
    std::vector<float> logits;
    for (std::size_t t = 0; t < ids[row].size(); ++t) {
      if (mask[row][t] == 0) continue;
      real.push_back(ids[row][t]);
      const float* const from = expected.values.data() + (row * ids[row].size() + t) * vocabulary;
      logits.insert(logits.end(), from, from + vocabulary);
    }
    INFO(side << ", row " << row);
    session session(model, {.capacity = static_cast<int>(capacity_for(of, ids[row].size()))});
    const auto seen = inspect(model, session, real, {.logits = true});
    CHECK(support::compare(std::span(seen.logits.data(), seen.logits.size()), logits) <= tolerance_of(of));
  }
}

template <class Model>
void check_greedy(const Model& model, const support::oracle_case& of) {
  const json meta = of.meta();
  // Angles that changed while it generated: keys in its cache have those of shorter runs.
  if (of.name() == "llama_rope_dynamic" || !meta.value("greedy_agrees_with_uncached_forward", true)) return;
  const auto prompts = of.ids("input_ids"), expected = of.ids("greedy_ids");
  for (std::size_t row = 0; row < prompts.size(); ++row) {
    session session(model, {.capacity = static_cast<int>(expected[row].size())});
    std::vector<token_id> ids = prompts[row];
    for (const token_id id :
         generate(model, session, prompts[row], greedy(),
                  {.max_new_tokens = expected[row].size() - ids.size(), .ignore_eos = true}))
      ids.push_back(id);
    CHECK(ids == expected[row]);
  }
}

/// transformers' eager attention, which the oracle was made with, adds Falcon's linear biases twice: to the
/// scores, and in the mask. (Its usual attention, and the models as they were trained, once.)
template <class Model>
void add_biases_as_often(Model& model, const support::oracle_case& of) {
  if constexpr (requires { model.alibi; })
    if (of.name().starts_with("falcon"))
      for (float& slope : model.alibi) slope *= 2;
}

void check(const support::oracle_case& of) {
  INFO(of.name());
  visit_model(all_models{}, of.model(), {}, [&](auto model) {
    add_biases_as_often(model, of);
    const auto rows = of.ids("input_ids");
    for (std::size_t row = 0; row < rows.size(); ++row) {
      INFO("row " << row);
      check_row(model, of, rows[row], row);
    }
    check_padded(model, of, "leftpad");
    check_padded(model, of, "rightpad");
    check_greedy(model, of);
  });
}

} // namespace

TEST_CASE("every family computes what transformers computes") {
  const auto cases = support::fixture_cases();
  CHECK(cases.size() >= 7);
  for (const auto& each : cases) check(each);
}

TEST_CASE("all cases of the oracle are computed as transformers computes them") {
  for (const auto& each : support::shared_cases()) check(each);
}

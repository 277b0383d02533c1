// Every encoder and head against Hugging Face transformers: logits, hidden states, attention probabilities.
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

using namespace transept;

namespace {

/// What transformers leaves of its own float32 computation, or 1e-5 of the scale.
double tolerance_of(const support::oracle_case& of, const std::string& output) {
  const json error = of.meta().at("float32_error").at(output);
  return std::max(1e-5, 6 * error.at(0).get<double>() / error.at(1).get<double>());
}

template <class Array>
std::span<const float> all_of(const Array& array) {
  return std::span(array.data(), array.size());
}

/// Of an array [layers, texts, …, tokens, …] what belongs to one text's real tokens. `tokens_axes`: how many
/// axes count tokens, the last before `width`.
std::vector<float> real_part(const support::npy_array<float>& all, std::size_t text,
                             const std::vector<std::size_t>& real, bool has_layers, int token_axes) {
  const std::size_t first = has_layers ? 1 : 0, layers = has_layers ? all.shape[0] : 1;
  const std::size_t texts = all.shape[first];
  std::vector<float> values;
  const std::size_t of_text = all.values.size() / layers / texts;
  for (std::size_t layer = 0; layer < layers; ++layer) {
    const float* const from = all.values.data() + (layer * texts + text) * of_text;
    if (token_axes == 0) {
      values.insert(values.end(), from, from + of_text);
    } else if (token_axes == 1) { // [tokens, …]
      const std::size_t width = of_text / all.shape[first + 1];
      for (const std::size_t t : real) values.insert(values.end(), from + t * width, from + (t + 1) * width);
    } else { // [heads, tokens, tokens]
      const std::size_t heads = all.shape[first + 1], length = all.shape[first + 2];
      for (std::size_t h = 0; h < heads; ++h)
        for (const std::size_t q : real)
          for (const std::size_t k : real) values.push_back(from[(h * length + q) * length + k]);
    }
  }
  return values;
}

/// All texts of a case as one batch, and where each one's real tokens are in its padded row. Or all rows as
/// they are, padding and all, without types.
struct padded_texts {
  text_batch batch;
  std::vector<std::vector<std::size_t>> real;

  padded_texts(const support::oracle_case& of, bool masked) {
    const auto ids = of.ids("input_ids");
    std::vector<std::vector<token_id>> mask, types;
    if (masked && of.has("attention_mask.npy")) mask = of.ids("attention_mask");
    if (masked && of.has("token_type_ids.npy")) types = of.ids("token_type_ids");
    for (std::size_t s = 0; s < ids.size(); ++s) {
      std::vector<token_id> tokens;
      std::vector<int> its_types;
      real.emplace_back();
      for (std::size_t t = 0; t < ids[s].size(); ++t) {
        if (!mask.empty() && mask[s][t] == 0) continue;
        tokens.push_back(ids[s][t]);
        if (!types.empty()) its_types.push_back(types[s][t]);
        real.back().push_back(t);
      }
      batch.add(tokens, its_types);
    }
  }
};

template <class Model>
void check_outputs(const Model& model, const support::oracle_case& of, bool masked) {
  const std::string before = masked ? "" : "nomask_";
  const padded_texts texts(of, masked);
  const encoder_head head = model.settings.head;
  encoder_session session({.threads = 2});
  const auto check = [&](const std::string& name, const auto& found, bool per_token) {
    if (!of.has(before + name + ".npy")) return;
    const double tolerance = tolerance_of(of, name);
    const auto expected = of.floats(before + name);
    std::vector<float> values;
    for (std::size_t s = 0; s < texts.real.size(); ++s) {
      if (head == encoder_head::multiple_choice) break;
      const auto part = real_part(expected, s, texts.real[s], false, per_token ? 1 : 0);
      values.insert(values.end(), part.begin(), part.end());
    }
    if (head == encoder_head::multiple_choice) values = expected.values;
    INFO(name);
    CHECK(support::compare(all_of(found), values) <= tolerance);
  };
  const auto& input = texts.batch.input();
  const bool has_head = head != encoder_head::none;
  const auto seen = encode(model, session, input,
                           {.hidden_states = true,
                            .pooled = has_pooler(model),
                            .logits = has_head,
                            .next_sentence = head == encoder_head::pretraining});
  if (!has_head) {
    check("last_hidden_state", seen.hidden_states, true);
    if (has_pooler(model)) check("pooler_output", seen.pooled, false);
  } else if (head == encoder_head::pretraining) {
    check("prediction_logits", seen.logits, true);
    check("seq_relationship_logits", seen.next_sentence, false);
  } else if (head == encoder_head::question_answering) {
    check("start_logits", array<1>(xt::view(seen.logits, xt::all(), 0)), true);
    check("end_logits", array<1>(xt::view(seen.logits, xt::all(), 1)), true);
  } else {
    check("logits", seen.logits, is_per_token(head));
  }
}

template <class Model>
void check_inside(const Model& model, const support::oracle_case& of) {
  if (!of.has("hidden_states.npy")) return;
  const padded_texts texts(of, true);
  const auto hidden_states = of.floats("hidden_states"), attentions = of.floats("attentions");
  encoder_session session({.threads = 2});
  const encoder_input all = texts.batch.input();
  for (std::size_t s = 0; s < all.texts(); ++s) {
    const std::size_t begin = all.offsets[s], count = all.offsets[s + 1] - begin;
    const std::vector<std::size_t> offsets{0, count};
    const encoder_input text{.tokens = all.tokens.subspan(begin, count),
                             .offsets = offsets,
                             .types = all.types.subspan(begin, count)};
    const auto seen = inspect(model, session, text, {.hidden_states = true, .attentions = true});
    CHECK(support::compare(all_of(seen.hidden_states), real_part(hidden_states, s, texts.real[s], true, 1)) <=
          3e-5);
    CHECK(support::compare(all_of(seen.attentions), real_part(attentions, s, texts.real[s], true, 2)) <=
          3e-5);
  }
}

void check(const support::oracle_case& of) {
  INFO(of.name());
  visit_model(all_encoders{}, of.model(), {}, [&](const auto& model) {
    check_outputs(model, of, true);
    // RoBERTa gives padding positions of its own.
    if (of.has("attention_mask.npy") && first_position_of_table(model) == 0) check_outputs(model, of, false);
    check_inside(model, of);
  });
}

} // namespace

TEST_CASE("every encoder computes what transformers computes") {
  const auto cases = support::encoder_fixtures();
  CHECK(cases.size() >= 5);
  for (const auto& each : cases) check(each);
}

TEST_CASE("all encoders of the oracle are computed as transformers computes them") {
  for (const auto& each : support::shared_encoders()) check(each);
}

// Training the last blocks only: the first ones, and the embeddings, stay as they are and cost nothing.
#include <support/catch.hpp>

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <support/parameter_values.hpp>
#include <support/training.hpp>

#include <transept/models/gpt2.hpp>
#include <transept/train/training.hpp>

using namespace transept;
using support::batch_of_ids, support::some_model;

namespace {

constexpr gpt2_config tied{.n_embd = 24, .n_layer = 3, .n_head = 3, .vocab_size = 300, .n_positions = 40};
constexpr gpt2_config untied{.n_embd = 24,
                             .n_layer = 3,
                             .n_head = 3,
                             .vocab_size = 300,
                             .n_positions = 40,
                             .tie_word_embeddings = false};

/// Does the parameter called so stay as it is?
bool is_frozen(std::string_view name, std::size_t blocks) {
  if (blocks == 0) return false;
  if (name.starts_with("wte.") || name.starts_with("wpe.")) return true;
  return name.starts_with("h.") && static_cast<std::size_t>(name[2] - '0') < blocks;
}

template <class Model>
std::map<std::string, std::vector<float>> values_of(const Model& model) {
  std::map<std::string, std::vector<float>> values;
  for (const auto& name : support::parameter_names(model))
    values[name] = support::parameter_values(model, name);
  return values;
}

template <gpt2_config Config>
void check_steps(std::size_t frozen_blocks) {
  INFO(frozen_blocks << " frozen blocks");
  const auto model = some_model<Config>();
  trainer trainer(model, {.dropout = {.embedding = 0.2f, .attention = 0.1f, .residual = 0.1f},
                          .frozen_blocks = frozen_blocks,
                          .threads = 2});
  const batch_of_ids batch(3, 30);
  const double before_training = evaluate(trainer, batch.inputs(), batch.wanted());
  for (int step = 0; step < 5; ++step) training_step(trainer, batch.inputs(), batch.wanted(), 1e-2);
  CHECK(evaluate(trainer, batch.inputs(), batch.wanted()) < before_training);
  const auto before = values_of(model), after = values_of(trainer.model());
  for (const auto& [name, values] : after) {
    INFO(name);
    CHECK((values == before.at(name)) == is_frozen(name, frozen_blocks)); // decay does not touch them either
  }
}

template <gpt2_config Config>
void check_gradients() {
  const batch_of_ids batch(2, 25);
  trainer whole(some_model<Config>(), {.label_smoothing = 0.1f});
  const double loss = accumulate_gradients(whole, batch.inputs(), batch.wanted());
  for (std::size_t frozen_blocks = 1; frozen_blocks <= 3; ++frozen_blocks) {
    INFO(frozen_blocks << " frozen blocks");
    trainer last(some_model<Config>(), {.label_smoothing = 0.1f, .frozen_blocks = frozen_blocks});
    CHECK(accumulate_gradients(last, batch.inputs(), batch.wanted()) == loss);
    CHECK(last.gradients().size() < whole.gradients().size());
    for_each_parameter(
        [&](std::string_view name, const auto& expected, const auto& gradient) {
          INFO(name);
          CHECK((gradient.data() == nullptr) == is_frozen(name, frozen_blocks));
          CHECK(gradient.size() == expected.size());
          if (gradient.data())
            CHECK(std::equal(gradient.data(), gradient.data() + gradient.size(), expected.data()));
        },
        whole.gradient(), last.gradient());
  }
}

/// One that does not say where its blocks' parameters are.
struct own_model : gpt2<tied> {};
std::size_t parameters_before_block(const own_model&, std::size_t) = delete;

} // namespace

TEST_CASE("frozen blocks and embeddings keep their bits while the others learn") {
  for (const std::size_t blocks : {0u, 1u, 2u, 3u}) {
    check_steps<tied>(blocks);
    check_steps<untied>(blocks);
  }
}

TEST_CASE("gradients of what is trained are those of training all") {
  check_gradients<tied>();
  check_gradients<untied>();
}

TEST_CASE("a tape grows with the trained blocks only") {
  const auto model = some_model<tied>();
  const batch_of_ids batch(2, 25);
  thread_pool threads(1);
  workspace memory;
  compute_context context{threads, memory};
  buffer<float> x(50 * 24);
  const auto bytes_kept = [&](std::size_t frozen_blocks) {
    tape tape;
    tape.frozen_blocks = frozen_blocks;
    whole_sequences sequences(25, &tape);
    forward(model, context, batch.tokens, sequences, activations<24>(x.data(), 50), tape);
    return tape.bytes();
  };
  const std::size_t of_block = 50 * (12 * 24 + 3) * sizeof(float);
  for (const std::size_t frozen_blocks : {0u, 1u, 2u, 3u})
    CHECK(bytes_kept(frozen_blocks) == (3 - frozen_blocks) * of_block);
}

TEST_CASE("a trainer keeps gradients and moments of what is trained") {
  trainer whole(some_model<tied>()), last(some_model<tied>(), {.frozen_blocks = 2});
  const auto& layout = last.layout();
  CHECK(layout.size() == whole.layout().size());
  CHECK(whole.layout().trained_size() == whole.layout().size());
  std::size_t trained = 0;
  for (const auto& span : layout.spans()) trained += layout.is_trained(span) ? span.size : 0;
  CHECK(trained == gpt2<tied>::block::parameter_count + 2 * 24);
  CHECK(layout.trained_size() < trained + 16 * layout.spans().size()); // and what aligns them
  for (const auto* values :
       {&last.gradients(), &last.optimizer_state().first, &last.optimizer_state().second})
    CHECK(values->size() == layout.trained_size());
  CHECK(last.parameters().size() == layout.size());
  CHECK(whole.bytes() - last.bytes() == 3 * (layout.size() - layout.trained_size()) * sizeof(float));
}

TEST_CASE("blocks that cannot be frozen are refused") {
  const auto model = some_model<tied>();
  CHECK_THROWS_WITH((trainer(model, {.frozen_blocks = 4})),
                    "frozen_blocks must be at most the model's 3 blocks; got 4");
  const own_model own{model};
  CHECK_THROWS_AS((trainer(own, {.frozen_blocks = 1})), argument_error);
  const batch_of_ids batch(2, 25);
  trainer whole(own); // which is trained as any other
  CHECK(accumulate_gradients(whole, batch.inputs(), batch.wanted()) > 0);
}

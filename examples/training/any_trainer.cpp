// The one place where the programs' models are instantiated for training.
#include <training/any_trainer.hpp>

#include <utility>

#include <common/arithmetic.hpp>
#include <common/model_list.hpp>

#include <transept/generate/generate_text.hpp>
#include <transept/generate/sampling.hpp>
#include <transept/generate/session.hpp>
#include <transept/io/save_model.hpp>
#include <transept/io/visit_model.hpp>
#include <transept/models/initialise.hpp>
#include <transept/train/training_state.hpp>

namespace examples {
namespace {

template <class Model>
class trainer_of final : public any_trainer {
public:
  trainer_of(const Model& model, const transept::training_options& options) : trainer_(model, options) {}

  transept::decoder_shape shape() const override { return trainer_.model().shape(); }
  std::size_t parameter_count() const override { return count_parameters(trainer_.model()); }
  double operations(double sequences, double length) const override {
    return operations_of_step(shape(), sequences, length, trainer_.options().frozen_blocks,
                              trainer_.gradient().output_weight().data() != nullptr);
  }
  transept::thread_pool& threads() override { return trainer_.threads(); }

  double accumulate(transept::token_rows tokens, transept::token_rows targets, double weight) override {
    return accumulate_gradients(trainer_, tokens, targets, weight);
  }
  double update(double rate) override { return optimizer_step(trainer_, rate); }
  double evaluate(transept::token_rows tokens, transept::token_rows targets) override {
    return transept::evaluate(trainer_, tokens, targets);
  }

  std::string sample(const transept::tokenizer& tokenizer, std::string_view prompt, std::size_t tokens,
                     std::uint64_t seed) override {
    auto session = transept::session(trainer_.model(), {.threads = trainer_.threads().size()});
    auto sampler = transept::temperature(0.8f) | transept::draw(seed);
    return generate_text(trainer_.model(), session, tokenizer, prompt, sampler, {.max_new_tokens = tokens})
        .text;
  }

  void save_model(const std::filesystem::path& folder, transept::element_type type) const override {
    save(trainer_.model(), folder, type);
  }
  void save_state(const std::filesystem::path& file,
                  const std::map<std::string, std::string>& metadata) override {
    save_training_state(trainer_, file, metadata);
  }
  std::map<std::string, std::string> load_state(const std::filesystem::path& file) override {
    return load_training_state(trainer_, file);
  }

private:
  transept::trainer<Model> trainer_;
};

template <std::size_t I>
using known_model = transept::gpt2<known_shapes[I].any_vocabulary()>;
using known_indices = std::make_index_sequence<known_shapes.size()>;

template <std::size_t... I>
std::unique_ptr<any_trainer> open(const std::filesystem::path& folder,
                                  const transept::training_options& options, std::index_sequence<I...>) {
  return transept::visit_model<known_model<I>...>(
      folder, {.threads = options.threads},
      [&]<class Model>(const Model& model) -> std::unique_ptr<any_trainer> {
        return std::make_unique<trainer_of<Model>>(model, options);
      });
}

template <class Model>
std::unique_ptr<any_trainer> initialised(const new_model& wanted, const transept::training_options& options) {
  auto model = transept::initialise<Model>(wanted.seed, {.vocab_size = static_cast<int>(wanted.vocabulary),
                                                         .n_positions = static_cast<int>(wanted.context),
                                                         .threads = options.threads});
  model.settings.bos_token_id = wanted.end_of_text;
  model.settings.eos_token_ids.clear();
  if (wanted.end_of_text) model.settings.eos_token_ids.push_back(*wanted.end_of_text);
  return std::make_unique<trainer_of<Model>>(model, options);
}

bool has_shape(const transept::gpt2_config& config, const new_model& wanted) {
  const auto is = [](int number, std::size_t other) { return static_cast<std::size_t>(number) == other; };
  return is(config.n_layer, wanted.layers) && is(config.n_head, wanted.heads) &&
         is(config.n_embd, wanted.width);
}

template <std::size_t... I>
std::unique_ptr<any_trainer> make(const new_model& wanted, const transept::training_options& options,
                                  std::index_sequence<I...>) {
  std::unique_ptr<any_trainer> trainer;
  ((has_shape(known_shapes[I], wanted) && !trainer
        ? static_cast<void>(trainer = initialised<known_model<I>>(wanted, options))
        : static_cast<void>(0)),
   ...);
  if (trainer) return trainer;
  const auto in_words = [](auto layers, auto heads, auto width) {
    return std::to_string(layers) + " layers, " + std::to_string(heads) + " heads, width " +
           std::to_string(width);
  };
  std::string known;
  for (const auto& config : known_shapes)
    known += "\n    " + in_words(config.n_layer, config.n_head, config.n_embd);
  throw transept::shape_error(
      "this program has no model of " + in_words(wanted.layers, wanted.heads, wanted.width) +
      "\n  Shapes are compiled in: write a config.json with n_layer, n_head and n_embd, and configure with\n"
      "    cmake --preset release -DTRANSEPT_EXAMPLE_CONFIG=config.json\n"
      "  It has:" +
      known);
}

} // namespace

std::unique_ptr<any_trainer> open_trainer(const std::filesystem::path& folder,
                                          const transept::training_options& options) {
  return open(folder, options, known_indices{});
}

std::unique_ptr<any_trainer> make_trainer(const new_model& model, const transept::training_options& options) {
  return make(model, options, known_indices{});
}

} // namespace examples

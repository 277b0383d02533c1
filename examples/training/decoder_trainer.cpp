// The one place where the programs' decoders are instantiated for training.
#include <training/decoder_trainer.hpp>

#include <string_view>

#include <common/arithmetic.hpp>
#include <common/model_list.hpp>
#include <common/terminal.hpp>
#include <training/trainer_of.hpp>

#include <transept/generate/generate_text.hpp>
#include <transept/generate/sampling.hpp>
#include <transept/generate/session.hpp>
#include <transept/io/visit_model.hpp>
#include <transept/models/initialise.hpp>

namespace examples {
namespace {

template <class Model>
class decoder_trainer_of final : public trainer_of<Model, decoder_trainer> {
public:
  using trainer_of<Model, decoder_trainer>::trainer_of;

  double operations(double sequences, double length) const override {
    return operations_of_step(this->shape(), sequences, length, trainer_.options().frozen_blocks,
                              output_weight(trainer_.gradient()).data() != nullptr);
  }
  double accumulate(transept::token_rows tokens, transept::token_rows targets, double weight) override {
    return accumulate_gradients(trainer_, tokens, targets, weight);
  }
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

private:
  using trainer_of<Model, decoder_trainer>::trainer_;
};

} // namespace

std::unique_ptr<decoder_trainer> open_decoder_trainer(const std::filesystem::path& folder,
                                                      const transept::training_options& options) {
  return transept::visit_model(known_models{}, folder, {.threads = options.threads, .note = print_note},
                               [&]<class Model>(const Model& model) -> std::unique_ptr<decoder_trainer> {
                                 return std::make_unique<decoder_trainer_of<Model>>(model, options);
                               });
}

std::unique_ptr<decoder_trainer> make_decoder_trainer(const new_model& wanted,
                                                      const transept::training_options& options) {
  return make_named<decoder_trainer>(
      transept::all_models{}, wanted, [&]<class Model>(std::type_identity<Model>, std::string_view name) {
        using family = typename Model::family;
        typename family::settings settings;
        settings.bos_token_id = wanted.end_of_text;
        settings.eos_token_ids.clear();
        if (wanted.end_of_text) settings.eos_token_ids.push_back(*wanted.end_of_text);
        const auto shape = shape_of_new<family>(wanted, name, settings);
        return std::make_unique<decoder_trainer_of<Model>>(
            transept::initialise<Model>(shape, settings, wanted.seed, {.threads = options.threads}), options);
      });
}

} // namespace examples

// The one place where the programs' models are instantiated for training.
#include <training/any_trainer.hpp>

#include <iostream>
#include <string_view>
#include <utility>

#include <common/arithmetic.hpp>
#include <common/model_list.hpp>
#include <common/terminal.hpp>

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
                              output_weight(trainer_.gradient()).data() != nullptr);
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

template <class Model>
std::unique_ptr<any_trainer> initialised(const new_model& wanted, std::string_view model_type,
                                         const transept::training_options& options) {
  using family = typename Model::family;
  const auto number = [](std::size_t n) { return static_cast<int>(n); };
  typename family::settings settings;
  if constexpr (requires { settings.model_type; }) settings.model_type = model_type;
  settings.bos_token_id = wanted.end_of_text;
  settings.eos_token_ids.clear();
  if (wanted.end_of_text) settings.eos_token_ids.push_back(*wanted.end_of_text);
  const auto shape =
      transept::new_shape<family>(number(wanted.width), number(wanted.layers), number(wanted.heads),
                                  number(wanted.vocabulary), number(wanted.context), settings);
  const auto model = transept::initialise<Model>(shape, settings, wanted.seed, {.threads = options.threads});
  return std::make_unique<trainer_of<Model>>(model, options);
}

} // namespace

std::unique_ptr<any_trainer> open_trainer(const std::filesystem::path& folder,
                                          const transept::training_options& options) {
  return transept::visit_model(known_models{}, folder, {.threads = options.threads, .note = print_note},
                               [&]<class Model>(const Model& model) -> std::unique_ptr<any_trainer> {
                                 return std::make_unique<trainer_of<Model>>(model, options);
                               });
}

std::unique_ptr<any_trainer> make_trainer(const new_model& model, const transept::training_options& options) {
  if (model.heads == 0 || model.width % model.heads != 0)
    throw transept::argument_error("--width must be a multiple of --heads; got " +
                                   std::to_string(model.width) + " and " + std::to_string(model.heads));
  std::unique_ptr<any_trainer> trainer;
  std::string known;
  for_each_model(transept::all_models{}, [&]<class Model>(std::type_identity<Model>) {
    using family = typename Model::family;
    constexpr std::string_view short_name = family::config_name.substr(0, family::config_name.rfind('_'));
    for (const std::string_view type : family::model_types) {
      known += (known.empty() ? "" : ", ") + std::string(type);
      if (trainer || (type != model.architecture && short_name != model.architecture)) continue;
      trainer = initialised<Model>(model, type, options);
    }
  });
  if (!trainer)
    throw transept::argument_error("--architecture: expected one of " + known + "; found " +
                                   model.architecture);
  return trainer;
}

} // namespace examples

// The one place where the programs' encoders are instantiated for training.
#include <training/encoder_trainer.hpp>

#include <string_view>

#include <common/arithmetic.hpp>
#include <common/terminal.hpp>
#include <training/trainer_of.hpp>

#include <transept/encode/encoder_session.hpp>
#include <transept/io/visit_model.hpp>
#include <transept/models/all_encoders.hpp>
#include <transept/models/initialise.hpp>
#include <transept/models/new_head.hpp>
#include <transept/train/encoder_training.hpp>

namespace examples {
namespace {

template <class Model>
class encoder_trainer_of final : public trainer_of<Model, encoder_trainer> {
public:
  using trainer_of<Model, encoder_trainer>::trainer_of;

  double operations(double sequences, double length) const override {
    constexpr double words_with_target = 0.15;
    auto shape = this->shape();
    shape.vocab_size =
        has_words(trainer_.model().settings.head)
            ? static_cast<std::size_t>(words_with_target * static_cast<double>(shape.vocab_size))
            : 0;
    // Every position sees its whole text, twice as many as a decoder's.
    return operations_of_step(shape, sequences / 2, 2 * length, trainer_.options().frozen_blocks);
  }
  double accumulate(const transept::encoder_input& input, const transept::encoder_targets& targets,
                    double weight) override {
    return accumulate_gradients(trainer_, input, targets, weight);
  }
  double evaluate(const transept::encoder_input& input, const transept::encoder_targets& targets) override {
    return transept::evaluate(trainer_, input, targets);
  }
  transept::task_score score(const transept::task_data& data) override {
    transept::encoder_session session({.threads = trainer_.threads().size()});
    return score_task(trainer_.model(), session, data);
  }

private:
  using trainer_of<Model, encoder_trainer>::trainer_;
};

/// `f(model)` for the encoder in a folder.
template <class F>
std::unique_ptr<encoder_trainer> with_encoder(const std::filesystem::path& folder, int threads, F&& f) {
  return transept::visit_model(
      transept::all_encoders{}, folder, {.threads = threads, .note = print_note},
      [&]<class Model>(const Model& model) -> std::unique_ptr<encoder_trainer> { return f(model); });
}

template <class Model>
void set_problem(Model& model, const wanted_head& wanted) {
  if (wanted.is_regression) model.settings.problem_type = "regression";
}

} // namespace

std::unique_ptr<encoder_trainer> open_encoder_trainer(const std::filesystem::path& folder,
                                                      const transept::training_options& options) {
  return with_encoder(folder, options.threads, [&]<class Model>(const Model& model) {
    return std::make_unique<encoder_trainer_of<Model>>(model, options);
  });
}

std::unique_ptr<encoder_trainer> open_encoder_trainer(const std::filesystem::path& folder,
                                                      const wanted_head& wanted, std::uint64_t seed,
                                                      const transept::training_options& options) {
  return with_encoder(folder, options.threads, [&]<class Model>(const Model& model) {
    Model changed = with_head(model, wanted.head, wanted.labels, seed, {.threads = options.threads});
    set_problem(changed, wanted);
    return std::make_unique<encoder_trainer_of<Model>>(changed, options);
  });
}

std::unique_ptr<encoder_trainer> make_encoder_trainer(const new_model& wanted, const new_encoder& more,
                                                      const transept::training_options& options) {
  return make_named<encoder_trainer>(
      transept::all_encoders{}, wanted,
      [&]<class Model>(std::type_identity<Model>, std::string_view name) -> std::unique_ptr<encoder_trainer> {
        using family = typename Model::family;
        typename family::settings settings;
        constexpr bool chooses_head = requires(typename family::config c) { family::heed_head(c, settings); };
        if (!chooses_head && more.head.head != settings.head)
          throw transept::argument_error("--architecture " + wanted.architecture +
                                         ": this model classifies texts, and does nothing else");
        settings.head = more.head.head;
        settings.labels = more.head.labels;
        if constexpr (requires { settings.pad_token_id; }) settings.pad_token_id = more.padding;
        if constexpr (requires { settings.pooling; }) settings.pooling = more.pooling;
        auto shape = shape_of_new<family>(wanted, name, settings);
        if constexpr (chooses_head)
          if (!family::has_head(settings, more.head.head))
            throw transept::argument_error("--architecture " + wanted.architecture +
                                           ": this model has no head for this task");
        if constexpr (requires { shape.learns_positions; }) shape.learns_positions = !more.has_sinusoids;
        auto model = transept::shaped_model<Model>(shape, settings);
        set_problem(model, more.head);
        initialise_parameters(model, model.memory, wanted.seed, 1, {.threads = options.threads});
        return std::make_unique<encoder_trainer_of<Model>>(model, options);
      });
}

} // namespace examples

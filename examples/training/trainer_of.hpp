// What the trainers of all models do alike. For decoder_trainer.cpp and encoder_trainer.cpp alone.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include <training/any_trainer.hpp>

#include <transept/core/error.hpp>
#include <transept/io/save_model.hpp>
#include <transept/models/list.hpp>
#include <transept/train/training.hpp>
#include <transept/train/training_state.hpp>

namespace examples {

/// Interface: any_trainer, or one with more.
template <class Model, class Interface>
class trainer_of : public Interface {
public:
  trainer_of(const Model& model, const transept::training_options& options) : trainer_(model, options) {}

  transept::decoder_shape shape() const override { return trainer_.model().shape(); }
  std::size_t parameter_count() const override { return count_parameters(trainer_.model()); }
  transept::thread_pool& threads() override { return trainer_.threads(); }
  double update(double rate) override { return optimizer_step(trainer_, rate); }
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

protected:
  transept::trainer<Model> trainer_;
};

/// What make(std::type_identity<Model>, model_type) gives for the model of a list that `wanted.architecture`
/// names. Throws transept::argument_error for a name that is not known, with those that are, and for heads
/// that do not divide the width.
template <class Trainer, class List, class Make>
std::unique_ptr<Trainer> make_named(List, const new_model& wanted, Make&& make) {
  if (wanted.heads == 0 || wanted.width % wanted.heads != 0)
    throw transept::argument_error("--width must be a multiple of --heads; got " +
                                   std::to_string(wanted.width) + " and " + std::to_string(wanted.heads));
  std::unique_ptr<Trainer> trainer;
  std::string known;
  for_each_model(List{}, [&]<class Model>(std::type_identity<Model> type) {
    using family = typename Model::family;
    constexpr std::string_view short_name = family::config_name.substr(0, family::config_name.rfind('_'));
    for (const std::string_view name : family::model_types) {
      known += (known.empty() ? "" : ", ") + std::string(name);
      if (trainer || (name != wanted.architecture && short_name != wanted.architecture)) continue;
      trainer = make(type, name);
    }
  });
  if (!trainer)
    throw transept::argument_error("--architecture: expected one of " + known + "; found " +
                                   wanted.architecture);
  return trainer;
}

/// The shape of a new model, whose settings are completed.
template <class Family>
typename Family::config shape_of_new(const new_model& wanted, std::string_view model_type,
                                     typename Family::settings& settings) {
  const auto number = [](std::size_t n) { return static_cast<int>(n); };
  if constexpr (requires { settings.model_type; }) settings.model_type = model_type;
  return transept::new_shape<Family>(number(wanted.width), number(wanted.layers), number(wanted.heads),
                                     number(wanted.vocabulary), number(wanted.context), settings);
}

} // namespace examples

// What a run learns: its data, its model and how that is judged, behind one interface. The loop (run.cpp)
// knows neither texts nor labels.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include <training/any_trainer.hpp>
#include <training/settings.hpp>

#include <transept/train/training.hpp>

namespace examples {

/// How a model did on what is kept for checking.
struct judgement {
  double loss;                        ///< nats per token or label, or a mean squared error
  std::optional<double> measure = {}; ///< training_task::measure()
};

class training_task {
public:
  virtual ~training_task() = default;

  virtual any_trainer& trainer() = 0;

  /// Batch `number`, a function of it and of the settings: forward, loss and backward; returns the loss.
  virtual double accumulate(std::size_t number, double weight) = 0;
  /// Its loss alone.
  virtual double loss(std::size_t number) = 0;

  /// What is kept for checking, or as much of it as an evaluation looks at; nothing where nothing is kept.
  virtual std::optional<judgement> judge() = 0;
  /// What a judgement tells besides the loss, more of it being better: "accuracy"; empty: nothing.
  virtual std::string measure() const { return {}; }

  /// What a loss is in.
  virtual std::string loss_unit() const { return "nats per token"; }

  /// Of a batch, on average.
  virtual double sequences() const = 0;
  virtual double length() const = 0;

  /// In words: what there is to learn from, and to check with.
  virtual std::string data_in_words() const = 0;
  /// What a person may look at beside the numbers; empty: nothing.
  virtual std::string sample() { return {}; }
  /// Tells about the last model, whose judgement this was, when all iterations are done.
  virtual void conclude(const std::optional<judgement>&) {}
  /// What to do with the model in a folder: "to see it write:\n  generate --model FOLDER".
  virtual std::string next_step(const std::string& folder) const = 0;
};

/// Whether an encoder learns it, and not a decoder.
bool is_of_encoder(const training_settings& settings);

/// Whether a task learns from labelled texts, --data, and not from a text.
bool is_labelled(const training_settings& settings);

/// The trainer's options; `layers`: of the model. Throws transept::argument_error where settings contradict.
transept::training_options options_of(const training_settings& settings, std::size_t layers, int threads);

/// The same for the model in a folder.
transept::training_options options_for(const std::filesystem::path& folder, const training_settings& settings,
                                       int threads);

/// A model to make, as the settings have it.
new_model model_of(const training_settings& settings, std::size_t vocabulary,
                   std::optional<transept::token_id> end_of_text);

/// What a run in this folder learns; data and vocabulary are there (prepare_data). `checkpoint`: the model to
/// go on with; empty: the first one. Throws what reading data and model does, and argument_error for settings
/// that do not fit them.
std::unique_ptr<training_task> open_task(const training_settings& settings, const std::filesystem::path& run,
                                         const std::filesystem::path& checkpoint, int threads);

/// The tasks, each in a file of its own; as open_task.
std::unique_ptr<training_task> open_next_words(const training_settings&, const std::filesystem::path& run,
                                               const std::filesystem::path& checkpoint, int threads);
std::unique_ptr<training_task> open_masked_words(const training_settings&, const std::filesystem::path& run,
                                                 const std::filesystem::path& checkpoint, int threads);
std::unique_ptr<training_task> open_labelled_texts(const training_settings&, const std::filesystem::path& run,
                                                   const std::filesystem::path& checkpoint, int threads);

} // namespace examples

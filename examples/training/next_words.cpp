// The task "generation": every token of a text is told from those before it.
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <common/terminal.hpp>
#include <training/data.hpp>
#include <training/decoder_trainer.hpp>
#include <training/signals.hpp>
#include <training/task.hpp>
#include <training/validation.hpp>

#include <transept/core/error.hpp>

namespace examples {
namespace {

/// The trainer of the model that a run begins with.
std::unique_ptr<decoder_trainer> first_trainer(const training_settings& s, const text_data& data,
                                               int threads) {
  if (s.from.empty())
    return make_decoder_trainer(model_of(s, data.tokenizer.vocabulary_size(), data.tokenizer.end_of_text()),
                                options_of(s, s.layers, threads));
  auto trainer = open_decoder_trainer(s.from, options_for(s.from, s, threads));
  check_vocabulary(s, data.tokenizer, trainer->shape().vocab_size);
  return trainer;
}

class next_words final : public training_task {
public:
  next_words(const training_settings& settings, const std::filesystem::path& run,
             const std::filesystem::path& checkpoint, int threads)
      : s_(settings),
        data_(open_text_data(run)),
        windows_(data_.training, data_.all_training(), s_.context, s_.seed),
        trainer_(checkpoint.empty() ? first_trainer(s_, data_, threads)
                                    : open_decoder_trainer(checkpoint, options_for(checkpoint, s_, threads))),
        batch_(s_.batch, s_.context),
        validation_(*trainer_, data_, s_) {}

  any_trainer& trainer() override { return *trainer_; }

  double accumulate(std::size_t number, double weight) override {
    windows_.fill(number, batch_.tokens(), batch_.targets());
    return trainer_->accumulate(batch_.token_rows(), batch_.target_rows(), weight);
  }
  double loss(std::size_t number) override {
    windows_.fill(number, batch_.tokens(), batch_.targets());
    return trainer_->evaluate(batch_.token_rows(), batch_.target_rows());
  }
  std::optional<judgement> judge() override {
    const auto loss = validation_.loss();
    return loss ? std::optional(judgement{*loss}) : std::nullopt;
  }

  double sequences() const override { return static_cast<double>(s_.batch); }
  double length() const override { return static_cast<double>(s_.context); }
  std::string data_in_words() const override { return in_words(data_); }

  std::string sample() override {
    if (s_.sample_tokens == 0) return {};
    const std::string begin = prompt();
    return begin + trainer_->sample(data_.tokenizer, begin, s_.sample_tokens, s_.seed);
  }

  void conclude(const std::optional<judgement>& last) override {
    if (!validation_.is_possible()) return;
    const auto loss = validation_.is_whole() && last ? std::optional(last->loss)
                                                     : validation_.whole_loss([] { return !interrupted; });
    if (!loss) {
      std::cout << "Stopped before the last model was scored on the whole validation text.\n";
      return;
    }
    const double total = *loss * static_cast<double>(data_.validation.size() - 1);
    std::cout << "The last model, on the whole validation text: " << decimal(*loss, 4) << " nats per token, "
              << decimal(total / static_cast<double>(validation_characters(data_)), 4) << " per character\n";
  }
  std::string next_step(const std::string& folder) const override {
    return "to see it write:\n  generate --model " + folder;
  }

private:
  /// --prompt; or, where the vocabulary has no tokens for it, the text's first token.
  std::string prompt() const {
    try {
      if (!s_.prompt.empty() && !data_.tokenizer.encode(s_.prompt).empty()) return s_.prompt;
    } catch (const transept::tokenizer_error&) {
    }
    std::vector<transept::token_id> first(1);
    data_.training.read(0, first);
    return data_.tokenizer.decode(first);
  }

  const training_settings s_;
  text_data data_;
  transept::random_windows windows_;
  std::unique_ptr<decoder_trainer> trainer_;
  token_batch batch_;
  validation validation_;
};

} // namespace

std::unique_ptr<training_task> open_next_words(const training_settings& settings,
                                               const std::filesystem::path& run,
                                               const std::filesystem::path& checkpoint, int threads) {
  return std::make_unique<next_words>(settings, run, checkpoint, threads);
}

} // namespace examples

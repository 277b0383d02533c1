// The tasks "classification", "tagging" and "answers": texts that somebody has labelled.
#include <algorithm>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <common/terminal.hpp>
#include <training/data.hpp>
#include <training/encoder_of_run.hpp>
#include <training/task.hpp>

#include <transept/core/error.hpp>
#include <transept/train/batches.hpp>
#include <transept/train/masked_words.hpp>
#include <transept/train/task_data.hpp>

namespace examples {
namespace {

/// What the settings, and the labels that there are, want of an encoder.
new_encoder wanted_encoder(const training_settings& s, const transept::task_labels& labels) {
  return {.head = {head_of_task(s), labels.names, labels.are_numbers},
          .pooling = s.pooling == "mean" ? transept::text_pooling::mean : transept::text_pooling::max,
          .has_sinusoids = s.sinusoids};
}

double mean_length(const transept::task_data& data) {
  std::size_t tokens = 0;
  for (std::size_t i = 0; i < data.size(); ++i) tokens += data.tokens(i);
  return static_cast<double>(tokens) / static_cast<double>(data.size());
}

class labelled_texts final : public training_task {
public:
  labelled_texts(const training_settings& settings, const std::filesystem::path& run,
                 const std::filesystem::path& checkpoint, int threads)
      : s_(settings),
        data_(open_labelled_data(s_, run)),
        length_(mean_length(data_.training)),
        order_(data_.training.size(), s_.seed),
        mask_(s_.word_dropout > 0 ? mask_of(data_.tokenizer, "--word-dropout") : 0),
        trainer_(encoder_of_run(s_, data_.tokenizer, checkpoint, wanted_encoder(s_, data_.training.labels()),
                                threads)) {}

  any_trainer& trainer() override { return *trainer_; }

  double accumulate(std::size_t number, double weight) override {
    fill(number);
    return trainer_->accumulate(batch_.texts.input(), batch_.targets(), weight);
  }
  double loss(std::size_t number) override {
    fill(number);
    return trainer_->evaluate(batch_.texts.input(), batch_.targets());
  }
  std::optional<judgement> judge() override {
    if (data_.validation.size() == 0) return std::nullopt;
    const transept::task_score score = trainer_->score(data_.validation);
    return judgement{score.loss, score.f1 ? score.f1 : score.accuracy};
  }
  std::string measure() const override {
    if (s_.task == "answers") return "f1";
    const auto begins = [](const std::string& label) { return label.starts_with("B-"); };
    if (s_.task == "tagging" && std::ranges::any_of(data_.training.labels().names, begins)) return "f1";
    return data_.training.labels().are_numbers ? "" : "accuracy";
  }

  std::string loss_unit() const override {
    return data_.training.labels().are_numbers ? "squared error"
           : s_.task == "answers"              ? "nats per end of an answer"
                                               : "nats per label";
  }

  double sequences() const override { return static_cast<double>(s_.batch); }
  double length() const override { return length_; }
  std::string data_in_words() const override {
    const std::size_t labels = data_.training.labels().names.size();
    return grouped(data_.training.size()) + " texts to learn from, " + grouped(data_.validation.size()) +
           " to check with" + (labels > 1 ? ", of " + grouped(labels) + " labels" : "") +
           "; a vocabulary of " + grouped(data_.tokenizer.vocabulary_size());
  }
  std::string next_step(const std::string& folder) const override {
    return s_.task == "classification" ? "to use it:\n  classify --model " + folder + " texts.txt"
           : s_.task == "tagging"      ? "to use it:\n  tag --model " + folder + " texts.txt"
                                       : "to use it:\n  answer --model " + folder + " \"QUESTION\" text.txt";
  }

private:
  void fill(std::size_t number) {
    batch_.clear();
    for (std::size_t row = 0; row < s_.batch; ++row)
      data_.training.add_to(batch_, order_[number * s_.batch + row]);
    if (s_.word_dropout > 0) drop_words(number);
  }

  void drop_words(std::size_t number) {
    const transept::encoder_input input = batch_.texts.input();
    std::vector<transept::token_id> ids(input.tokens.begin(), input.tokens.end()), unused(ids.size());
    transept::mask_words(ids, unused,
                         {.mask = mask_,
                          .vocab_size = static_cast<int>(data_.tokenizer.vocabulary_size()),
                          .rate = s_.word_dropout,
                          .masked = 1,
                          .replaced = 0,
                          .seed = s_.seed},
                         number, [&](transept::token_id id) { return data_.tokenizer.is_special(id); });
    transept::text_batch texts;
    for (std::size_t i = 0; i < input.texts(); ++i) {
      const std::size_t begin = input.offsets[i], length = input.offsets[i + 1] - begin;
      texts.add(std::span(ids).subspan(begin, length),
                input.types.empty() ? input.types : input.types.subspan(begin, length));
    }
    batch_.texts = std::move(texts);
  }

  const training_settings s_;
  labelled_data data_;
  double length_;
  transept::shuffled_examples order_;
  transept::token_id mask_; ///< of words that are dropped
  transept::task_batch batch_;
  std::unique_ptr<encoder_trainer> trainer_;
};

} // namespace

std::unique_ptr<training_task> open_labelled_texts(const training_settings& settings,
                                                   const std::filesystem::path& run,
                                                   const std::filesystem::path& checkpoint, int threads) {
  return std::make_unique<labelled_texts>(settings, run, checkpoint, threads);
}

} // namespace examples

// How well an encoder does on labelled texts, as `score` tells it.
#pragma once

#include <filesystem>
#include <iostream>

#include <common/any_encoder.hpp>
#include <common/terminal.hpp>
#include <common/tokenizer.hpp>

#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/encode/encoder_session.hpp>
#include <transept/train/task_score.hpp>

namespace examples {

/// Reads the model and JSON lines (transept/train/task_data.hpp), and prints the scores.
inline void score_labelled_texts(const std::filesystem::path& folder, const std::filesystem::path& file,
                                 const transept::load_options& loading, bool as_json) {
  const auto model = open_encoder(folder, loading);
  const auto& settings = model->settings;
  using enum transept::encoder_head;
  if (settings.head != sequence_classification && settings.head != token_classification &&
      settings.head != question_answering)
    throw transept::argument_error(folder.string() +
                                   ": this encoder neither classifies nor tags nor answers, "
                                   "so there is nothing to score");
  const auto tokenizer = open_tokenizer(folder);
  const bool are_numbers = settings.problem_type == "regression" ||
                           (settings.problem_type.empty() && settings.labels.size() == 1 &&
                            settings.head == sequence_classification); // as transformers has it
  const transept::task_data data(file, settings.head, tokenizer, model->shape().n_positions,
                                 {.names = settings.labels, .are_numbers = are_numbers});
  if (data.size() == 0) throw transept::argument_error(file.string() + ": there are no labelled texts");
  transept::encoder_session session({.threads = loading.threads});
  const transept::task_score score = score_task(*model, session, data);
  if (as_json) {
    nlohmann::ordered_json object{{"texts", score.examples}, {"loss", score.loss}};
    if (score.accuracy) object["accuracy"] = *score.accuracy;
    if (score.f1) object["f1"] = *score.f1;
    std::cout << object.dump() << "\n";
    return;
  }
  const bool are_answers = settings.head == transept::encoder_head::question_answering;
  std::cout << "texts        " << grouped(score.examples) << "\n"
            << "loss         " << decimal(score.loss, 4) << "\n";
  if (score.accuracy)
    std::cout << (are_answers ? "exact match  " : "accuracy     ") << decimal(*score.accuracy, 4) << "\n";
  if (score.f1) std::cout << "f1           " << decimal(*score.f1, 4) << "\n";
}

} // namespace examples

// Labelled texts of a run (training/data.hpp).
#include <training/data.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <common/tokenizer.hpp>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/mapped_file.hpp>

namespace examples {
namespace {

constexpr const char* training_file = "training.jsonl";
constexpr const char* validation_file = "validation.jsonl";

/// Lines that are not empty, with their ends.
std::vector<std::string> lines_of(const std::filesystem::path& path) {
  const transept::mapped_file file(path);
  std::string_view text = file.text();
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    if (line.find_first_not_of(" \t\r") != line.npos) lines.push_back(std::string(line) + "\n");
    text.remove_prefix(end == text.npos ? text.size() : end + 1);
  }
  if (lines.empty()) throw transept::argument_error(path.string() + ": there are no labelled texts");
  return lines;
}

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line;
  return text;
}

/// All that lines have for a tokenizer to learn from. What is wrong with them is told by who reads them all.
std::string texts_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) {
    const auto object = transept::json::parse(line, nullptr, false);
    if (!object.is_object()) continue;
    for (const char* name : {"text", "second", "question", "context"})
      if (const auto found = object.find(name); found != object.end() && found->is_string())
        text += found->get_ref<const std::string&>() + "\n";
    if (const auto words = object.find("tokens"); words != object.end() && words->is_array())
      for (const transept::json& word : *words)
        if (word.is_string()) text += word.get_ref<const std::string&>() + " ";
  }
  return text;
}

} // namespace

transept::encoder_head head_of_task(const training_settings& s) {
  using enum transept::encoder_head;
  return s.task == "classification" ? sequence_classification
         : s.task == "tagging"      ? token_classification
                                    : question_answering;
}

void prepare_labelled_data(const training_settings& s, const std::filesystem::path& run,
                           transept::thread_pool& threads) {
  std::vector<std::string> training = lines_of(s.data), validation;
  if (!s.validation_data.empty()) {
    validation = lines_of(s.validation_data);
  } else { // files are often sorted by label: some lines from everywhere
    const std::vector<std::string> all = std::move(training);
    transept::shuffled_examples order(all.size(), s.seed);
    auto kept = static_cast<std::size_t>(s.validation * static_cast<double>(all.size()));
    if (s.validation > 0 && all.size() > 1) kept = std::max<std::size_t>(kept, 1);
    training.clear();
    for (std::size_t i = 0; i < all.size(); ++i) (i < kept ? validation : training).push_back(all[order[i]]);
    if (training.empty()) throw transept::argument_error("--validation leaves no text to learn from");
  }
  transept::write_text(run / training_file, joined(training));
  transept::write_text(run / validation_file, joined(validation));
  const std::string training_texts = texts_of(training), validation_texts = texts_of(validation);
  make_vocabulary(s, {training_texts, validation_texts}, run, threads);
  // What is wrong with a line is told of the file that it came from.
  const auto tokenizer = transept::load_tokenizer(run);
  std::vector<std::filesystem::path> files{s.data};
  if (!s.validation_data.empty()) files.push_back(s.validation_data);
  const auto labels = transept::read_labels(files, head_of_task(s));
  if (labels.names.size() == 1 && !labels.are_numbers)
    throw transept::argument_error(s.data.string() + ": there is one label alone, " +
                                   transept::quoted(labels.names[0]) + ": nothing to tell apart");
  for (const auto& file : files)
    (void)transept::task_data(file, head_of_task(s), tokenizer, s.context, labels);
}

labelled_data open_labelled_data(const training_settings& s, const std::filesystem::path& run) {
  const std::array files{run / training_file, run / validation_file};
  const auto head = head_of_task(s);
  const auto tokenizer = transept::load_tokenizer(run);
  const auto labels = transept::read_labels(files, head);
  const auto data_of = [&](const std::filesystem::path& file) {
    return transept::task_data(file, head, tokenizer, s.context, labels);
  };
  return {tokenizer, data_of(files[0]), data_of(files[1])};
}

} // namespace examples

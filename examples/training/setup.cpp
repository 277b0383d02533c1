#include <training/setup.hpp>

#include <string>

#include <training/task.hpp>

#include <transept/core/error.hpp>
#include <transept/train/schedules.hpp>

namespace examples {
namespace {

/// A line of --data, for people.
const char* example_line(const training_settings& s) {
  return s.task == "classification" ? "{\"text\": \"a fine film\", \"label\": \"positive\"}"
         : s.task == "tagging"      ? "{\"tokens\": [\"Ada\", \"lives\", \"in\", \"London\"], \"tags\": "
                                      "[\"B-PER\", \"O\", \"O\", \"B-LOC\"]}"
                                    : "{\"question\": \"Where?\", \"context\": \"In London.\", \"answer\": "
                                      "\"London\", \"begin\": 3}";
}

} // namespace

void check_settings(const training_settings& s) {
  if ((s.preset == "gpt2" || s.preset == "bert") && s.from.empty())
    throw transept::argument_error("--preset " + s.preset + " needs --from FOLDER: the model to go on from");
  if (is_labelled(s) && s.data.empty())
    throw transept::argument_error("--data is missing: labelled texts, such as lines of\n  " +
                                   std::string(example_line(s)));
  if (!is_labelled(s) && !s.data.empty())
    throw transept::argument_error("--data is for labelled texts: --task classification, tagging or answers");
  if (is_labelled(s) && !s.text.empty())
    throw transept::argument_error("--text is for --task generation or masked; labelled texts are --data");
  if (s.next_sentence && s.task != "masked")
    throw transept::argument_error("--next-sentence is for --task masked, of bert and albert");
  if (!is_labelled(s) && s.text.empty())
    throw transept::argument_error("--text is missing: the text to learn\n"
                                   "  nanoGPT's Shakespeare, for one: https://raw.githubusercontent.com/"
                                   "karpathy/char-rnn/master/data/tinyshakespeare/input.txt");
  if (s.positions != 0 && s.positions < s.context)
    throw transept::argument_error("--positions " + std::to_string(s.positions) +
                                   ": fewer than the tokens of a sequence, --context " +
                                   std::to_string(s.context));
  if (!s.from.empty()) (void)options_for(s.from, s, 0);
}

std::function<double(std::size_t)> rate_of(const training_settings& s) {
  if (s.schedule == "cosine")
    return transept::cosine_rate{s.learning_rate, s.least_learning_rate, s.iterations, s.warmup};
  if (s.schedule == "linear")
    return transept::linear_rate{s.learning_rate, s.least_learning_rate, s.iterations, s.warmup};
  if (s.schedule == "inverse-sqrt") return transept::inverse_square_root_rate{s.learning_rate, s.warmup};
  return transept::constant_rate{s.learning_rate, s.warmup};
}

} // namespace examples

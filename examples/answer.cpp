// The part of a text that answers a question.
//
//   answer --model distilbert-squad "When was it built?" article.txt
#include <string>
#include <vector>

#include <common/encoder_program.hpp>
#include <common/terminal.hpp>

#include <transept/encode/text_tasks.hpp>

namespace {

using namespace examples;

struct options {
  encoder_options common;
  std::string question;
  std::filesystem::path file = "-";
  transept::answer_options answers;
};

void run(const options& chosen) {
  const auto model = open_encoder(chosen.common.model, chosen.common.load_options());
  const auto tokenizer = examples::open_tokenizer(chosen.common.model);
  auto session = chosen.common.session();
  const std::string text = read_all(chosen.file);
  check_encoding(text, chosen.file == "-" ? "standard input" : chosen.file.string());
  for (const auto& found : answer(*model, tokenizer, session, chosen.question, text, chosen.answers)) {
    const std::string words = text.substr(found.span.begin, found.span.end - found.span.begin);
    if (chosen.common.json)
      print_json({{"answer", words},
                  {"begin", found.span.begin},
                  {"end", found.span.end},
                  {"probability", found.probability}});
    else
      std::cout << decimal(double{found.probability}, 4) << "  " << displayable(words) << "\n";
  }
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Prints the part of a text that likeliest answers a question, and how likely it is; a text that is "
      "too long for the model is looked at in parts",
      "answer");
  options chosen;
  app.add_option("QUESTION", chosen.question, "What is asked")->type_name("")->required();
  app.add_option("FILE", chosen.file, "The text; none, or -: standard input")->type_name("");
  chosen.common.add_to(app, "a model that answers questions");
  app.add_option("--top", chosen.answers.top, "How many answers")->type_name("N")->capture_default_str();
  app.add_option("--most-tokens", chosen.answers.most_tokens, "Longest answer")
      ->type_name("N")
      ->capture_default_str();
  app.add_option("--stride", chosen.answers.stride, "Tokens that neighbouring parts of a long text share")
      ->type_name("N")
      ->capture_default_str();
  return run_program(app, argc, argv, [&] { run(chosen); });
}

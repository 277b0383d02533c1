// The label of every word: parts of speech, or names of persons and places.
//
//   tag --model bert-ner sentences.txt                      # a word and its label a line, as CoNLL has them
//   tag --model bert-ner sentences.txt --entities
#include <string>
#include <vector>

#include <common/encoder_program.hpp>
#include <common/terminal.hpp>

#include <transept/encode/text_tasks.hpp>

namespace {

using namespace examples;

struct options {
  encoder_options common;
  std::vector<std::filesystem::path> files;
  bool entities = false;
};

void run(const options& chosen) {
  const auto model = open_encoder(chosen.common.model, chosen.common.load_options());
  const auto tokenizer = examples::open_tokenizer(chosen.common.model);
  auto session = chosen.common.session();
  const auto& labels = model->settings.labels;
  bool is_first = true;
  for (const std::string& line : read_lines(chosen.files)) {
    const auto words = tag(*model, tokenizer, session, line);
    const auto entities = find_entities(words, labels);
    const auto text_of = [&](const transept::text_span& span) {
      return line.substr(span.begin, span.end - span.begin);
    };
    if (chosen.common.json) {
      transept::json all_words = transept::json::array(), all_entities = transept::json::array();
      for (const auto& word : words)
        all_words.push_back({{"text", text_of(word.span)},
                             {"begin", word.span.begin},
                             {"end", word.span.end},
                             {"label", labels[word.label]},
                             {"probability", word.probability}});
      for (const auto& entity : entities)
        all_entities.push_back({{"text", text_of(entity.span)},
                                {"begin", entity.span.begin},
                                {"end", entity.span.end},
                                {"label", entity.label},
                                {"probability", entity.probability}});
      print_json({{"text", line}, {"words", std::move(all_words)}, {"entities", std::move(all_entities)}});
      continue;
    }
    if (!is_first) std::cout << "\n";
    is_first = false;
    if (chosen.entities)
      for (const auto& entity : entities)
        std::cout << displayable(text_of(entity.span)) << "\t" << displayable(entity.label) << "\t"
                  << decimal(double{entity.probability}, 4) << "\n";
    else
      for (const auto& word : words)
        std::cout << displayable(text_of(word.span)) << "\t" << displayable(labels[word.label]) << "\n";
  }
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Prints every word of a text and its label, a text a line; an empty line stands between texts",
               "tag");
  options chosen;
  app.add_option("FILE", chosen.files, "Texts, one a line; none, or -: standard input")->type_name("");
  chosen.common.add_to(app, "a model that labels words");
  app.add_flag("--entities", chosen.entities,
               "Words that belong together (B-, I-) as one, and no others; with their probability");
  return run_program(app, argc, argv, [&] { run(chosen); });
}

// The likeliest words for every [MASK] in a text.
//
//   fill_mask --model bert-base-uncased "Paris is the [MASK] of France."
#include <string>
#include <vector>

#include <common/bars.hpp>
#include <common/encoder_program.hpp>
#include <common/terminal.hpp>

#include <transept/encode/text_tasks.hpp>

namespace {

using namespace examples;

struct options {
  encoder_options common;
  std::string text;
  std::size_t top = 10;
};

void run(const options& chosen) {
  const auto model = open_encoder(chosen.common.model, chosen.common.load_options());
  const auto tokenizer = examples::open_tokenizer(chosen.common.model);
  auto session = chosen.common.session();
  const auto masks = fill_mask(*model, tokenizer, session, chosen.text, chosen.top);
  for (std::size_t mask = 0; mask < masks.size(); ++mask) {
    transept::json words = transept::json::array();
    if (!chosen.common.json && masks.size() > 1)
      std::cout << (mask > 0 ? "\n" : "") << "mask " << mask + 1 << "\n";
    for (const auto& word : masks[mask]) {
      std::string text(tokenizer.has(word.id) ? tokenizer.bytes(word.id) : "");
      if (text.starts_with(' ')) text.erase(0, 1);
      words.push_back({{"token", word.id}, {"text", text}, {"probability", word.probability}});
      if (!chosen.common.json) {
        const style style;
        std::cout << style.colour() << bar(double{word.probability}, 24) << style.plain() << " "
                  << right_aligned(decimal(100 * double{word.probability}, 2), 6) << "%  "
                  << displayable(text) << "\n";
      }
    }
    if (chosen.common.json) print_json({{"mask", mask}, {"words", std::move(words)}});
  }
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app("Shows the likeliest words for every masked word of a text and their probabilities",
               "fill_mask");
  options chosen;
  app.add_option("TEXT", chosen.text, "A text with [MASK] (RoBERTa: <mask>) where a word is missing")
      ->type_name("")
      ->required();
  chosen.common.add_to(app, "a masked language model");
  app.add_option("--top", chosen.top, "How many words")->type_name("N")->capture_default_str();
  return run_program(app, argc, argv, [&] { run(chosen); });
}

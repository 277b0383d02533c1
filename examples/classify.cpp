// Which label each line has.
//
//   classify --model distilbert-sst2 reviews.txt
#include <algorithm>
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
  bool pairs = false;
};

void run(const options& chosen) {
  const auto model = open_encoder(chosen.common.model, chosen.common.load_options());
  const auto tokenizer = examples::open_tokenizer(chosen.common.model);
  auto session = chosen.common.session();
  std::vector<std::string> lines = read_lines(chosen.files), seconds;
  if (lines.empty()) throw transept::argument_error("there are no lines to classify");
  const std::vector<std::string> shown = lines;
  if (chosen.pairs)
    for (std::string& line : lines) {
      const std::size_t tab = line.find('\t');
      if (tab == line.npos)
        throw transept::argument_error("--pairs: expected two texts with a tab between them, found " +
                                       transept::quoted(line));
      seconds.push_back(line.substr(tab + 1));
      line.resize(tab);
    }
  const auto& labels = model->settings.labels;
  const transept::array<2> scores = classify(*model, tokenizer, session, lines, seconds);
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::span all(&scores(i, 0), scores.shape(1));
    const auto best = static_cast<std::size_t>(std::ranges::max_element(all) - all.begin());
    if (chosen.common.json) {
      transept::json by_label = transept::json::array();
      for (std::size_t label = 0; label < all.size(); ++label)
        by_label.push_back({{"label", labels[label]}, {"score", all[label]}});
      print_json({{"text", shown[i]}, {"label", labels[best]}, {"scores", std::move(by_label)}});
    } else {
      std::cout << displayable(labels[best]) << "  " << decimal(all[best], 4) << "  " << displayable(shown[i])
                << "\n";
    }
  }
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Prints the likeliest label of each line and its probability (of a model of one label, the number "
      "that it gives), then the line",
      "classify");
  options chosen;
  app.add_option("FILE", chosen.files, "Texts, one a line; none, or -: standard input")->type_name("");
  chosen.common.add_to(app, "a model that classifies texts");
  app.add_flag("--pairs", chosen.pairs, "Each line is two texts with a tab between them");
  return run_program(app, argc, argv, [&] { run(chosen); });
}

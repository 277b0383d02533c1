// Texts to vectors that are near where texts mean alike: as .npy, as JSON, or to rank lines by a query.
//
//   embed --model all-MiniLM-L6-v2 lines.txt --out vectors.npy
//   embed --model all-MiniLM-L6-v2 lines.txt --similar "how do I train it?"
#include <algorithm>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <common/encoder_program.hpp>
#include <common/terminal.hpp>

#include <transept/encode/sentence_embedding.hpp>
#include <transept/io/npy.hpp>

namespace {

using namespace examples;

struct options {
  encoder_options common;
  std::vector<std::filesystem::path> files;
  std::optional<std::filesystem::path> out;
  std::optional<std::string> similar;
  std::string prompt, query_prompt;
  std::size_t top = 10;
};

/// The lines that are most like a query, likest first.
void print_similar(const options& chosen, const std::vector<std::string>& lines,
                   const transept::array<2>& likeness) {
  std::vector<std::size_t> order(lines.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order,
                           [&](std::size_t a, std::size_t b) { return likeness(0, a) > likeness(0, b); });
  order.resize(std::min(chosen.top, order.size()));
  for (const std::size_t line : order) {
    if (chosen.common.json)
      print_json({{"line", line + 1}, {"similarity", likeness(0, line)}, {"text", lines[line]}});
    else
      std::cout << decimal(likeness(0, line), 4) << "  " << displayable(lines[line]) << "\n";
  }
}

void run(const options& chosen) {
  const auto modules = transept::read_sentence_modules(chosen.common.model);
  if (!std::filesystem::exists(chosen.common.model / "modules.json"))
    print_note(chosen.common.model.string() + " has no modules.json: hidden states are averaged");
  const auto model = open_encoder(modules.encoder, chosen.common.load_options());
  const auto tokenizer = examples::open_tokenizer(modules.encoder);
  auto session = chosen.common.session();
  const auto vectors_of = [&](const std::vector<std::string>& texts, const std::string& prompt) {
    return embed(*model, modules, session,
                 sentence_tokens(tokenizer, modules, model->shape().n_positions, texts, prompt));
  };
  const std::vector<std::string> lines = read_lines(chosen.files);
  if (lines.empty()) throw transept::argument_error("there are no lines to embed");
  const transept::array<2> vectors = vectors_of(lines, chosen.prompt);
  if (chosen.out) {
    const auto& shape = vectors.shape();
    transept::write_npy(*chosen.out, std::span(vectors.data(), vectors.size()),
                        std::span(shape.data(), shape.size()));
    std::cerr << chosen.out->string() << ": [" << shape[0] << ", " << shape[1] << "]\n";
  }
  const auto likeness = [&](const transept::array<2>& query, const transept::array<2>& all) {
    return modules.similarity == "dot" ? transept::dot_similarity(query, all)
                                       : transept::cosine_similarity(query, all);
  };
  if (chosen.similar)
    return print_similar(chosen, lines,
                         likeness(vectors_of({*chosen.similar}, chosen.query_prompt), vectors));
  if (chosen.out) return;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    const std::vector<float> vector(&vectors(i, 0), &vectors(i, 0) + vectors.shape(1));
    print_json({{"text", lines[i]}, {"embedding", vector}});
  }
}

} // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Makes a vector of each line, with a sentence-transformers folder or any encoder's (whose hidden "
      "states "
      "are averaged), and writes them as .npy or as JSON, or ranks the lines by how like they are to a query",
      "embed");
  options chosen;
  app.add_option("FILE", chosen.files, "Texts, one a line; none, or -: standard input")->type_name("");
  chosen.common.add_to(app, "an encoder");
  app.add_option("--out", chosen.out, "Write the vectors: [lines, width]")->type_name("FILE.npy");
  app.add_option("--similar", chosen.similar, "Print the lines that are most like this text")
      ->type_name("QUERY");
  app.add_option("--top", chosen.top, "How many of them")->type_name("N")->capture_default_str();
  app.add_option("--prompt-name", chosen.prompt, "Which of the folder's prompts stands before the lines")
      ->type_name("NAME");
  app.add_option("--query-prompt-name", chosen.query_prompt, "The same of the query")->type_name("NAME");
  return run_program(app, argc, argv, [&] { run(chosen); });
}

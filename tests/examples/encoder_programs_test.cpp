// The programs that run encoders, as built.
#include <support/catch.hpp>

#include <string>
#include <vector>

#include <support/npy.hpp>
#include <support/program_run.hpp>
#include <support/small_encoder.hpp>
#include <support/temporary_folder.hpp>

#include <transept/core/json.hpp>

using support::program_run;
using support::small_encoder;
using transept::encoder_head;
using transept::json;

namespace {

bool all_built() {
  for (const char* const name :
       {"embed", "classify", "tag", "answer", "fill_mask", "logits", "inspect", "quantize"})
    if (!support::has_program(name)) return false;
  return true;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

} // namespace

TEST_CASE("embed writes vectors as .npy and as JSON, and ranks lines by a query") {
  if (!all_built()) return;
  const small_encoder model(encoder_head::none);
  const support::temporary_folder out;
  const std::string file = (out / "v.npy").string(),
                    texts = "the cat sat\nparis is in france.\r\nthe dog sat\n";
  const program_run npy =
      support::run_program("embed", {"--model", model.path().string(), "--out", file}, texts);
  INFO(npy.err);
  REQUIRE(npy.exit_code == 0);
  CHECK(npy.err.find("no modules.json: hidden states are averaged") != std::string::npos);
  const auto vectors = support::read_npy<float>(file);
  CHECK(vectors.shape == std::vector<std::size_t>{3, 16});
  const program_run as_json = support::run_program("embed", {"--model", model.path().string()}, texts);
  REQUIRE(lines_of(as_json.out).size() == 3);
  const json second = json::parse(lines_of(as_json.out)[1]);
  CHECK(second.at("text") == "paris is in france.");
  CHECK(second.at("embedding").at(3).get<float>() == vectors.values[16 + 3]);
  const program_run similar = support::run_program(
      "embed", {"--model", model.path().string(), "--similar", "the cat sat", "--top", "2"}, texts);
  REQUIRE(lines_of(similar.out).size() == 2);
  CHECK(lines_of(similar.out)[0] == "1.0000  the cat sat");
  const program_run nothing = support::run_program("embed", {"--model", model.path().string()});
  CHECK(nothing.exit_code == 1);
  CHECK(nothing.first_error_line() != "");
}

TEST_CASE("classify, tag, answer and fill_mask print what the library finds") {
  if (!all_built()) return;
  {
    const small_encoder model(encoder_head::sequence_classification);
    const program_run run =
        support::run_program("classify", {"--model", model.path().string()}, "the cat\na dog\n");
    INFO(run.err);
    REQUIRE(run.exit_code == 0);
    REQUIRE(lines_of(run.out).size() == 2);
    CHECK(lines_of(run.out)[0].ends_with("  the cat"));
    const program_run pairs = support::run_program(
        "classify", {"--model", model.path().string(), "--pairs", "--json"}, "the cat\ta dog\n");
    const json line = json::parse(pairs.out);
    CHECK(line.at("scores").size() == 3);
    CHECK(line.at("text") == "the cat\ta dog");
    const program_run refused =
        support::run_program("classify", {"--model", model.path().string(), "--pairs"}, "the cat\n");
    CHECK(refused.exit_code == 1);
    CHECK(refused.first_error_line() ==
          "--pairs: expected two texts with a tab between them, found \"the cat\"");
  }
  {
    const small_encoder model(encoder_head::token_classification);
    const program_run run =
        support::run_program("tag", {"--model", model.path().string()}, "the cat\nplaying.\n");
    INFO(run.err);
    REQUIRE(lines_of(run.out).size() == 5); // a line between
    CHECK(lines_of(run.out)[0].starts_with("the\t"));
    CHECK(lines_of(run.out)[3].starts_with("playing\t"));
    const program_run as_json =
        support::run_program("tag", {"--model", model.path().string(), "--json"}, "the cat\n");
    const json line = json::parse(as_json.out);
    CHECK(line.at("words").at(1).at("begin") == 4);
    CHECK(line.at("words").at(1).at("text") == "cat");
  }
  {
    const small_encoder model(encoder_head::question_answering);
    const program_run run = support::run_program(
        "answer", {"--model", model.path().string(), "where is the cat?", "--top", "2", "--json"},
        "the cat sat on a mat");
    INFO(run.err);
    REQUIRE(lines_of(run.out).size() == 2);
    const json best = json::parse(lines_of(run.out)[0]);
    const std::string text = "the cat sat on a mat";
    const auto begin = best.at("begin").get<std::size_t>(), end = best.at("end").get<std::size_t>();
    CHECK(text.substr(begin, end - begin) == best.at("answer").get<std::string>());
  }
  {
    const small_encoder model(encoder_head::masked_lm);
    const program_run run =
        support::run_program("fill_mask", {"--model", model.path().string(), "the [MASK] sat", "--top", "3"});
    INFO(run.err);
    CHECK(lines_of(run.out).size() == 3);
    const program_run none = support::run_program("fill_mask", {"--model", model.path().string(), "the cat"});
    CHECK(none.exit_code == 1);
    CHECK(none.first_error_line() == "nothing is masked: write [MASK] where a word is to be filled in");
    const program_run other =
        support::run_program("answer", {"--model", model.path().string(), "what?"}, "the cat");
    CHECK(other.first_error_line() ==
          "answer needs a model whose architecture ends with ForQuestionAnswering; this "
          "one's ends with ForMaskedLM");
  }
}

TEST_CASE("encoders are looked into, inspected and quantized by the programs that decoders have") {
  if (!all_built()) return;
  const small_encoder model(encoder_head::question_answering);
  const support::temporary_folder out;
  const std::string logits = (out / "l.npy").string(), states = (out / "h.npy").string();
  const program_run run =
      support::run_program("logits", {"--model", model.path().string(), "--ids", "2,5,6,3", "--token-types",
                                      "0,0,1,1", "--out", logits, "--hidden-states", states});
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(support::read_npy<float>(logits).shape == std::vector<std::size_t>{4, 2});
  CHECK(support::read_npy<float>(states).shape == std::vector<std::size_t>{3, 4, 16});
  const program_run pooled =
      support::run_program("logits", {"--model", model.path().string(), "--ids", "2,3", "--pooled", logits});
  CHECK(pooled.first_error_line() == "this model has no pooler");
  const program_run inspected = support::run_program("inspect", {"--model", model.path().string()});
  INFO(inspected.err);
  CHECK(inspected.exit_code == 0);
  CHECK(inspected.out.find("head ForQuestionAnswering") != std::string::npos);
  CHECK(inspected.out.find("x 2 blocks") != std::string::npos);
  const std::string half = (out / "half").string();
  const program_run quantized =
      support::run_program("quantize", {model.path().string(), half, "--dtype", "f16"});
  INFO(quantized.err);
  REQUIRE(quantized.exit_code == 0);
  const program_run again = support::run_program("answer", {"--model", half, "where is the cat?", "--json"},
                                                 "the cat sat on a mat");
  INFO(again.err);
  CHECK(again.exit_code == 0);
}

// examples/train.cpp with encoders: masked words, labels of texts and of words, answers.
#include <support/catch.hpp>

#include <string>
#include <vector>

#include <support/train_program.hpp>

#include <transept/core/json.hpp>

using Catch::ContainsSubstring;
using support::program_run, support::arguments, support::check_error, support::column;

namespace {

/// A folder with labelled texts of each kind, which a small model learns in a moment.
struct workplace : support::temporary_folder {
  workplace() {
    std::string texts, words, questions, plain;
    for (int i = 0; i < 60; ++i) {
      const std::string number = std::to_string(i % 10), thing = i % 3 == 0 ? "cat" : "dog";
      const bool is_good = i % 2 == 0;
      texts += R"({"text": "the )" + thing + " is " + (is_good ? "fine" : "awful") + " " + number +
               R"(", "label": ")" + (is_good ? "good" : "bad") + "\"}\n";
      words += R"({"tokens": ["the", ")" + thing + R"(", "saw", "paris", ")" + number +
               R"("], "tags": ["O", "O", "O", "B-place", "O"]})" + "\n";
      questions += R"({"question": "which number?", "context": "the )" + thing + " has " + number +
                   R"( legs", "answer": ")" + number + R"(", "begin": 12})" + "\n";
      plain += "the " + thing + " has " + number + " legs and is " + (is_good ? "fine" : "awful") + ".\n";
    }
    support::write_file(path() / "texts.jsonl", texts);
    support::write_file(path() / "words.jsonl", words);
    support::write_file(path() / "questions.jsonl", questions);
    support::write_file(path() / "plain.txt", plain + plain);
  }

  std::string at(const std::string& name) const { return (path() / name).string(); }
  std::string read(const std::string& file) const { return support::read_file(path() / file); }

  program_run train(const std::string& out, arguments more) const {
    arguments all{"--out",
                  at(out),
                  "--iterations",
                  "40",
                  "--batch",
                  "8",
                  "--layers",
                  "1",
                  "--heads",
                  "2",
                  "--width",
                  "16",
                  "--context",
                  "32",
                  "--warmup",
                  "4",
                  "--learning-rate",
                  "1e-2",
                  "--evaluate-every",
                  "20",
                  "--checkpoint-every",
                  "10",
                  "--dropout",
                  "0.1",
                  "--vocabulary",
                  "300"};
    all.insert(all.end(), more.begin(), more.end());
    return support::run_program("train", all);
  }
};

double measured(const std::string& model, const std::string& data, const char* what) {
  const program_run run = support::run_program("score", {"--model", model, "--json", data});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  return transept::parse_json(run.out, "score", 3).at(what).get<double>();
}

} // namespace

TEST_CASE("train learns labels of texts from nothing, and classify and score use them") {
  if (!support::has_program("train") || !support::has_program("classify")) return;
  const workplace place;
  const program_run run = place.train("new", {"--preset", "sentiment", "--data", place.at("texts.jsonl")});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(run.err.empty());
  CHECK_THAT(run.out, ContainsSubstring("54 texts to learn from, 6 to check with, of 2 labels") &&
                          ContainsSubstring("accuracy") && ContainsSubstring("classify --model"));
  const std::string csv = place.read("new/log.csv");
  CHECK_THAT(csv, Catch::StartsWith(
                      "iteration,train_loss,val_loss,ms_per_iteration,tokens_per_second,val_accuracy\n0,,"));
  CHECK(column(csv, 5).back() == 1.0);
  CHECK(measured(place.at("new"), place.at("texts.jsonl"), "accuracy") > 0.95);
  const program_run told = support::run_program("classify", {"--model", place.at("new"), "--json"},
                                                "the dog is fine 7\nthe cat is awful 3\n");
  CAPTURE(told.err);
  CHECK(told.exit_code == 0);
  CHECK(told.out.find("good") < told.out.find("bad"));
}

TEST_CASE("train --task goes on as if it had never stopped, for every task") {
  if (!support::has_program("train")) return;
  const workplace place;
  const std::vector<arguments> tasks{
      {"--task", "classification", "--architecture", "bert", "--data", place.at("texts.jsonl")},
      {"--task", "tagging", "--architecture", "distilbert", "--data", place.at("words.jsonl")},
      {"--task", "answers", "--architecture", "electra", "--data", place.at("questions.jsonl")},
      {"--task", "masked", "--architecture", "roberta", "--text", place.at("plain.txt")},
      {"--task", "masked", "--architecture", "albert", "--next-sentence", "--text", place.at("plain.txt")}};
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const std::string whole = "whole" + std::to_string(i), parts = "parts" + std::to_string(i);
    arguments fewer = tasks[i];
    fewer.insert(fewer.end(), {"--iterations", "13", "--schedule", "constant", "--threads", "1"});
    arguments all = tasks[i];
    all.insert(all.end(), {"--schedule", "constant"});
    const program_run run = place.train(whole, all);
    CAPTURE(tasks[i][1], tasks[i][3], run.err);
    REQUIRE(run.exit_code == 0);
    const auto losses = column(place.read(whole + "/log.csv"), 2);
    CHECK(losses.back() < losses.front());
    REQUIRE(place.train(parts, fewer).exit_code == 0);
    const program_run rest =
        support::run_program("train", {"--resume", "--out", place.at(parts), "--iterations", "40"});
    CAPTURE(rest.err);
    REQUIRE(rest.exit_code == 0);
    for (const char* file : {"model.safetensors", "optimizer.safetensors", "config.json"})
      CHECK(place.read(parts + "/checkpoint-40/" + file) == place.read(whole + "/checkpoint-40/" + file));
  }
}

TEST_CASE(
    "train learns labels with a vocabulary of characters, and tells data that is broken from a checkpoint") {
  if (!support::has_program("train")) return;
  const workplace place;
  const program_run run = place.train(
      "letters", {"--preset", "sentiment", "--data", place.at("texts.jsonl"), "--vocabulary", "characters"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  support::write_file(place / "letters" / "training.jsonl", "{broken\n");
  const program_run rest =
      support::run_program("train", {"--resume", "--out", place.at("letters"), "--iterations", "50"});
  CHECK(rest.exit_code == 1);
  CHECK_THAT(rest.err, ContainsSubstring("training.jsonl, line 1") && !ContainsSubstring("Remove"));
}

TEST_CASE("a text of special tokens alone has no word to mask, and is no reason to fail") {
  if (!support::has_program("train")) return;
  const workplace place;
  std::string text;
  for (int i = 0; i < 200; ++i) text += "<s>";
  support::write_file(place / "special.txt", text);
  const program_run run = place.train("special", {"--task", "masked", "--text", place.at("special.txt")});
  CAPTURE(run.err);
  CHECK(run.exit_code == 0);
}

TEST_CASE("train --from gives a pretrained encoder another head, and keeps its vocabulary") {
  if (!support::has_program("train") || !support::has_program("tag")) return;
  const workplace place;
  REQUIRE(place.train("base", {"--task", "masked", "--text", place.at("plain.txt")}).exit_code == 0);
  const arguments from{"--task",
                       "tagging",
                       "--from",
                       place.at("base"),
                       "--data",
                       place.at("words.jsonl"),
                       "--out",
                       place.at("tagger"),
                       "--iterations",
                       "40",
                       "--batch",
                       "8",
                       "--context",
                       "32",
                       "--learning-rate",
                       "1e-2",
                       "--evaluate-every",
                       "20"};
  const program_run run = support::run_program("train", from);
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(place.read("tagger/tokenizer.json") == place.read("base/tokenizer.json"));
  CHECK_THAT(place.read("tagger/log.csv"), ContainsSubstring("val_f1"));
  CHECK(measured(place.at("tagger"), place.at("words.jsonl"), "f1") == 1.0);
  CHECK(measured(place.at("tagger"), place.at("words.jsonl"), "accuracy") == 1.0);
  const program_run filled = support::run_program(
      "fill_mask", {"--model", place.at("base"), "--json", "the cat has 7 <mask> and is fine."});
  CAPTURE(filled.err);
  CHECK(filled.exit_code == 0);
}

TEST_CASE("train says what is wrong with tasks and labelled texts") {
  if (!support::has_program("train")) return;
  const workplace place;
  const std::string texts = place.at("texts.jsonl"), plain = place.at("plain.txt");
  const auto first_line = [&](const arguments& more, const std::string& expected) {
    const program_run run = place.train("wrong", more);
    INFO(run.err);
    check_error(run, expected);
    CHECK_FALSE(std::filesystem::exists(place / "wrong"));
  };
  first_line({"--task", "classification"}, "--data is missing: labelled texts, such as lines of");
  first_line({"--data", texts}, "--data is for labelled texts: --task classification, tagging or answers");
  first_line({"--task", "classification", "--text", plain, "--data", texts},
             "--text is for --task generation or masked; labelled texts are --data");
  first_line({"--task", "masked"}, "--text is missing: the text to learn");
  first_line({"--task", "classification", "--data", plain},
             plain +
                 ", line 1: not valid JSON at byte 2: syntax error while parsing value - invalid literal");
  first_line({"--task", "tagging", "--data", texts},
             texts + ", line 1: expected a list of texts called \"tags\"");
  first_line({"--task", "masked", "--architecture", "gpt2", "--text", plain},
             "--architecture: expected one of bert, roberta, xlm-roberta, camembert, distilbert, albert, "
             "electra, transept-classifier; found gpt2");
  first_line({"--task", "masked", "--architecture", "transept-classifier", "--text", plain},
             "--architecture transept-classifier: this model classifies texts, and does nothing else");
  first_line({"--task", "masked", "--architecture", "roberta", "--next-sentence", "--text", plain},
             "--architecture roberta: this model has no head for this task");
  support::write_file(place / "long.jsonl",
                      R"({"question": "one two three four five six seven eight nine ten?", )"
                      R"("context": "a b", "answer": "a", "begin": 0})"
                      "\n");
  const program_run long_question =
      place.train("wrong", {"--task", "answers", "--data", place.at("long.jsonl"), "--context", "8"});
  CHECK_THAT(long_question.first_error_line(), Catch::StartsWith(place.at("long.jsonl") + ", line 1: "));
  support::write_file(place / "one.jsonl", "{\"text\": \"a\", \"label\": \"x\"}\n");
  first_line({"--task", "classification", "--data", place.at("one.jsonl")},
             place.at("one.jsonl") + ": there is one label alone, \"x\": nothing to tell apart");
  first_line({"--preset", "bert", "--data", texts},
             "--preset bert needs --from FOLDER: the model to go on from");
}

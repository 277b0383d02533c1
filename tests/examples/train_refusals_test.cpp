// What examples/train.cpp refuses, what it leaves alone, and when it gives up.
#include <support/catch.hpp>

#include <cmath>
#include <filesystem>
#include <limits>
#include <string>

#include "../../examples/training/divergence.hpp"
#include <support/train_program.hpp>

#include <transept/core/json.hpp>

using Catch::ContainsSubstring;
using support::program_run, support::arguments, support::check_error, support::column;
using workplace = support::train_workplace;

TEST_CASE("train stops a run that diverges, and keeps its last checkpoint") {
  if (!support::has_program("train")) return;
  const workplace place;
  REQUIRE(place.train("run", {"--iterations", "8"}).exit_code == 0);
  const std::string good = place.read("run/checkpoint-8/model.safetensors");
  const program_run run = place.train("run", {"--resume", "--iterations", "2000", "--learning-rate", "1000",
                                              "--clip", "0", "--checkpoint-every", "1000"});
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, Catch::StartsWith("training diverged at iteration ") &&
                          ContainsSubstring("The last good checkpoint is " +
                                            (place / "run/checkpoint-8").string() + ".") &&
                          ContainsSubstring("--learning-rate"));
  CHECK_THAT(run.err, ContainsSubstring("clipped gradients (--clip 1)"));
  CHECK(place.read("run/checkpoint-8/model.safetensors") == good);
  CHECK(column(place.read("run/log.csv"), 0).back() > 8); // the course to the end is told
}

TEST_CASE("train writes no checkpoint of weights that have gone bad") {
  if (!support::has_program("train")) return;
  const workplace place;
  for (const char* rate : {"3", "1e30"}) {
    const std::string name = std::string("rate-") + rate;
    const program_run run = place.train(
        name, {"--learning-rate", rate, "--warmup", "0", "--clip", "0", "--checkpoint-every", "1"});
    CHECK(run.exit_code == 1);
    CHECK_THAT(run.err, Catch::StartsWith("training diverged at iteration 1: the loss is ") &&
                            ContainsSubstring("There is no checkpoint yet.") && !ContainsSubstring("nan"));
    CHECK_FALSE(std::filesystem::exists(place / name / "checkpoint-1"));
    const program_run again =
        support::run_program("train", {"--resume", "--out", (place / name).string(), "--iterations", "2",
                                       "--learning-rate", "1e-3", "--clip", "1"});
    CAPTURE(again.err);
    CHECK(again.exit_code == 0);
  }
}

TEST_CASE("a run diverges by losses that stay high, not by one odd batch") {
  examples::loss_course course;
  const auto add = [&](double loss, int times) {
    bool good = true;
    for (int i = 0; i < times; ++i) good = !course.add(loss) && good;
    return good;
  };
  CHECK(add(4, 1));
  CHECK(add(3, 100));
  CHECK(add(24, 1));
  CHECK(add(3, 30));
  CHECK(add(6, 19)); // 2 above and more, but not for long
  CHECK(add(3, 1));
  CHECK(add(6, 19));
  CHECK_FALSE(add(6, 1));
  CHECK(examples::loss_course{}.add(-std::nan("")) == "the loss is not a number");
  CHECK(examples::loss_course{}.add(std::numeric_limits<double>::infinity()) == "the loss is infinite");
}

TEST_CASE("train says what is wrong, and writes nothing then") {
  if (!support::has_program("train")) return;
  const workplace place;
  const std::string text = (place / "text").string(), out = (place / "out").string();
  const auto run = [](const arguments& words) { return support::run_program("train", words); };
  CHECK_THAT(run({"--text", text}).first_error_line(), ContainsSubstring("--out"));
  check_error(run({"--out", out}), "--text is missing: the text to learn");
  check_error(
      run({"--out", out, "--preset", "gpt5"}),
      "--preset: expected "
      "shakespeare-char-cpu|shakespeare-char|shakespeare-bpe|gpt2|tiny-bert|sentiment|bert, found gpt5");
  CHECK_THAT(run({"--out", out, "--text", text, "--batch", "0"}).first_error_line(),
             ContainsSubstring("--batch"));
  check_error(run({"--out", out, "--text", text, "--width", "101"}),
              "--width must be a multiple of --heads; got 101 and 4");
  const std::string architecture =
      run({"--out", out, "--text", text, "--architecture", "bert"}).first_error_line();
  CHECK_THAT(architecture, Catch::StartsWith("--architecture: expected one of gpt2, llama") &&
                               Catch::EndsWith("; found bert"));
  check_error(run({"--out", out, "--text", (place / "none").string()}),
              (place / "none").string() + ": cannot read: No such file or directory");
  check_error(run({"--out", out, "--text", text, "--preset", "gpt2"}),
              "--preset gpt2 needs --from FOLDER: the model to go on from");
  check_error(run({"--out", out, "--resume"}), "there is no run in " + out);
  const std::string shipped = support::shipped_model().string();
  check_error(run({"--out", out, "--text", text, "--from", shipped, "--context", "512"}),
              "--context 512: the model of " + shipped + " has 256 positions");
  check_error(run({"--out", out, "--text", text, "--from", shipped, "--layers", "4"}),
              "--layers cannot be given: the model of --from has its own");
  check_error(run({"--out", out, "--text", text, "--from", shipped, "--architecture", "gpt2"}),
              "--architecture cannot be given: the model of --from has its own");
  check_error(run({"--out", out, "--text", text, "--learning-rate", "inf"}),
              "--learning-rate: expected a number from 0, found inf");
  check_error(run({"--out", out, "--text", text, "--beta2", "1"}),
              "--beta2: expected a number from 0 that is less than 1, found 1");
  CHECK_THAT(run({"--out", out, "--text", text, "--vocabulary", "100"}).first_error_line(),
             Catch::StartsWith("--vocabulary 100: "));
  const support::folder_without_vocabulary mute;
  check_error(run({"--out", out, "--text", text, "--from", mute.path().string()}),
              mute.path().string() + ": no tokenizer here");
  check_error(run({"--out", out, "--text", text, "--from", shipped, "--vocabulary", "characters"}),
              "--vocabulary cannot be given: the model of --from has its own");
  check_error(run({"--out", support::shipped_model().string(), "--text", text}),
              (support::shipped_model() / "config.json").string() +
                  ": is there already: give --out another folder");
  check_error(run({"--out", out, "--text", text, "--vocabulary", "words"}),
              "--vocabulary: expected the word characters, a number of tokens, or a folder; found words");
  const std::string file = (place / "short").string();
  support::write_file(file, "To be");
  check_error(run({"--out", out, "--text", file}),
              "--text " + file + ": 4 tokens are too few for --context 64");
  check_error(run({"--out", out, "--text", text, "--validation", "1"}),
              "--text " + text + ": 0 tokens are too few for --context 64");
  support::write_file(file, "");
  check_error(run({"--out", out, "--text", file}), file + ": the text is empty");
  CHECK_FALSE(std::filesystem::exists(out));
}

TEST_CASE("train neither replaces nor removes what others made") {
  if (!support::has_program("train")) return;
  const workplace place;
  const auto path = [&](const char* name) { return (place / name).string(); };
  support::write_file(place / "precious", "not a table\n");
  for (const char* option : {"--log", "--picture"})
    check_error(place.train("run", {option, path("precious")}),
                path("precious") + ": is there already, and not of a training run: give " + option +
                    " another file");
  CHECK(place.read("precious") == "not a table\n");
  CHECK_FALSE(std::filesystem::exists(place / "run"));

  std::filesystem::create_directory(place / "mine");
  CHECK(place.train("mine", {"--width", "101"}).exit_code == 1);
  CHECK(std::filesystem::is_empty(place / "mine"));
  support::write_file(place / "mine/vocab.json", "{}");
  check_error(place.train("mine"), path("mine/vocab.json") + ": is there already: give --out another folder");
  CHECK(place.read("mine/vocab.json") == "{}");
}

TEST_CASE("train begins where its preparation was killed, and clears that away") {
  if (!support::has_program("train")) return;
  const workplace place;
  std::filesystem::create_directories(place / "run/checkpoint-8.partial");
  for (const char* name : {"train.json.partial", "vocab.json", "training.tokens.partial-2"})
    support::write_file(place / "run" / name, "");
  support::write_file(place / "run/notes.partial-no", "");
  const program_run run = place.train("run", {"--iterations", "2"});
  CAPTURE(run.err);
  REQUIRE(run.exit_code == 0);
  CHECK(std::filesystem::exists(place / "run/train.json"));
  for (const char* name : {"train.json.partial", "training.tokens.partial-2", "checkpoint-8.partial"})
    CHECK_FALSE(std::filesystem::exists(place / "run" / name));
  CHECK(std::filesystem::exists(place / "run/notes.partial-no"));
}

TEST_CASE("train --resume says what is wrong with a run's files") {
  if (!support::has_program("train")) return;
  const workplace place;
  REQUIRE(place.train("run", {"--log", (place / "table.csv").string()}).exit_code == 0);
  const auto resume = [&] {
    return support::run_program("train", {"--resume", "--out", (place / "run").string()});
  };
  const std::string settings = place.read("run/train.json"), file = (place / "run/train.json").string();
  const auto with = [&](const std::string& key, const std::string& value) {
    auto changed = transept::parse_json(settings, file, 2);
    changed[key] = transept::parse_json(value, key, 2);
    support::write_file(file, changed.dump());
    return resume().first_error_line();
  };
  CHECK(with("evaluate-every", "0") ==
        file + ": key evaluate-every: expected a whole number from 1 to 1000000000, found 0");
  CHECK_THAT(with("schedule", "\"coz\""), ContainsSubstring("key schedule: coz"));
  CHECK_THAT(with("dtype", "\"int3\""), ContainsSubstring("key dtype: int3"));
  support::write_file(file, settings);

  CHECK(resume().exit_code == 0);
  CHECK_FALSE(std::filesystem::exists(place / "run/log.csv")); // --log is kept
  CHECK(column(place.read("table.csv"), 0).back() == 24);
  support::write_file(place / "run/checkpoint-24/optimizer.safetensors", "damaged");
  CHECK_THAT(resume().err, ContainsSubstring("Remove " + (place / "run/checkpoint-24").string() +
                                             " to go on from checkpoint-16."));
}

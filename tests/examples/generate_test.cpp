// examples/generate.cpp, as built: every option of its, on the shipped model.
#include <support/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include <support/program_run.hpp>
#include <support/shipped_model.hpp>

#include <transept/core/json.hpp>
#include <transept/core/types.hpp>

using support::program_run;
using transept::json;
using ids = std::vector<transept::token_id>;

using namespace std::string_literals;

namespace {

program_run generate(std::vector<std::string> arguments, std::string_view input = {}) {
  return support::run_program("generate", arguments, input);
}

json generate_json(std::vector<std::string> arguments) {
  arguments.push_back("--json");
  const program_run run = generate(arguments);
  INFO(run.err);
  REQUIRE(run.exit_code == 0);
  return transept::parse_json(run.out, "generate --json"); // strict: one object, valid UTF-8
}

const support::shipped_model_facts& shipped = support::shipped_facts();

/// Some letters out of the middle of the greedy text, and the text before them.
struct {
  std::string string = shipped.greedy_text.substr(13, 6);
  std::string before = shipped.greedy_text.substr(0, shipped.greedy_text.find(string));
} const stop;

} // namespace

TEST_CASE("generate --json holds the greedy continuation that PyTorch gives") {
  if (!support::has_program("generate")) return;
  for (const auto& prompt :
       {std::vector<std::string>{"--prompt", shipped.prompt}, {"--ids", shipped.id_list()}}) {
    auto arguments = prompt;
    arguments.insert(arguments.end(), {"--greedy", "--max-new-tokens", "24", "--threads", "2"});
    const json object = generate_json(arguments);
    CHECK(object["prompt_ids"].get<ids>() == shipped.prompt_ids);
    CHECK(object["ids"].get<ids>() == shipped.greedy_ids);
    CHECK(object["text"] == shipped.greedy_text);
    CHECK(object["finish_reason"] == "max_new_tokens");
    CHECK(object["threads"] == 2);
    for (const char* time : {"load_ms", "prefill_ms", "decode_ms_per_token"}) {
      CHECK(object[time].is_number_float());
      CHECK(object[time].get<double>() > 0);
    }
  }
}

TEST_CASE("generate prints the prompt and its continuation to stdout, the rest to stderr") {
  if (!support::has_program("generate")) return;
  const program_run run = generate({"--prompt", shipped.prompt, "--greedy", "--max-new-tokens", "24"});
  CHECK(run.exit_code == 0);
  CHECK(run.out == shipped.prompt + shipped.greedy_text + "\n");
  CHECK_THAT(run.err, Catch::ContainsSubstring("tokens per second"));
  CHECK(run.out.find('\033') == std::string::npos); // colours are for terminals
}

TEST_CASE("generate needs no vocabulary where it is given ids") {
  if (!support::has_program("generate")) return;
  const support::folder_without_vocabulary folder;
  const std::string model = folder.path().string();
  const std::vector<std::string> arguments{"--model",          model, "--ids", shipped.id_list(), "--greedy",
                                           "--max-new-tokens", "5"};
  const program_run run = generate(arguments);
  CHECK(run.exit_code == 0);
  CHECK(run.out == shipped.id_list(5) + "\n");
  const json object = generate_json(arguments);
  CHECK(object["ids"].get<ids>() == shipped.first_greedy_ids(5));
  CHECK(object["text"].is_null());
  const program_run text = generate({"--model", model, "--prompt", "hello"});
  CHECK(text.exit_code == 1);
  CHECK_THAT(text.first_error_line(), Catch::ContainsSubstring("no tokenizer here"));
}

TEST_CASE("generate without a prompt starts from the end-of-text token") {
  if (!support::has_program("generate")) return;
  const json object = generate_json({"--max-new-tokens", "4", "--seed", "1"});
  CHECK(object["prompt_ids"].get<ids>() == ids{1023});
  CHECK(object["ids"].size() == 4);
  const program_run run = generate({"--max-new-tokens", "4", "--seed", "1"});
  CHECK(run.out == object["text"].get<std::string>() + "\n"); // the start token is not shown
}

TEST_CASE("generate ends at the model's end tokens, and goes on behind them with --ignore-eos") {
  if (!support::has_program("generate")) return;
  const support::temporary_folder folder;
  for (const auto& entry : std::filesystem::directory_iterator(support::shipped_model()))
    std::filesystem::copy_file(entry.path(), folder / entry.path().filename());
  json config = transept::parse_json(support::read_file(folder / "config.json"), "config");
  const auto end = shipped.greedy_ids[10]; // which may have come before
  config["eos_token_id"] = {end, 1023};
  support::write_file(folder / "config.json", config.dump());
  const auto first =
      static_cast<std::size_t>(std::ranges::find(shipped.greedy_ids, end) - shipped.greedy_ids.begin());
  const auto with = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"--model",  folder.path().string(), "--ids", shipped.id_list(),
                                       "--greedy", "--max-new-tokens",     "24"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return generate_json(arguments);
  };
  CHECK(with({})["finish_reason"] == "stop_token");
  CHECK(with({})["ids"].get<ids>() == shipped.first_greedy_ids(first));
  CHECK(with({"--ignore-eos"})["finish_reason"] == "max_new_tokens");
  CHECK(with({"--ignore-eos"})["ids"].get<ids>() == shipped.greedy_ids);
  const json samples = with({"--ignore-eos", "--num-samples", "2"});
  for (const json& sample : samples["samples"]) CHECK(sample["ids"].get<ids>() == shipped.greedy_ids);
}

TEST_CASE("the same seed chooses the same tokens for any number of threads") {
  if (!support::has_program("generate")) return;
  const auto with = [](const std::string& seed, const std::string& threads) {
    return generate_json({"--prompt", "KING", "--seed", seed, "--threads", threads, "--temperature", "0.9",
                          "--top-k", "50", "--top-p", "0.95", "--min-p", "0.01", "--repetition-penalty",
                          "1.1", "--max-new-tokens", "30"});
  };
  const json first = with("7", "1");
  CHECK(first["seed"] == 7);
  CHECK(with("7", "2")["ids"] == first["ids"]);
  CHECK(with("8", "1")["ids"] != first["ids"]);
}

TEST_CASE("filters that leave one token are as good as --greedy") {
  if (!support::has_program("generate")) return;
  for (const auto& filter : {std::vector<std::string>{"--top-k", "1"},
                             {"--top-p", "0.000001"},
                             {"--min-p", "1"},
                             {"--temperature", "0"},
                             {"--temperature", "0.0001"}}) {
    std::vector<std::string> arguments{"--ids", shipped.id_list(), "--max-new-tokens", "24"};
    arguments.insert(arguments.end(), filter.begin(), filter.end());
    INFO(filter[0]);
    CHECK(generate_json(arguments)["ids"].get<ids>() == shipped.greedy_ids);
  }
}

TEST_CASE("a repetition penalty changes what --greedy takes") {
  if (!support::has_program("generate")) return;
  const json object = generate_json(
      {"--ids", shipped.id_list(), "--greedy", "--max-new-tokens", "24", "--repetition-penalty", "1.5"});
  CHECK(object["ids"].get<ids>() != shipped.greedy_ids);
}

TEST_CASE("generate ends before the first of its stop strings") {
  if (!support::has_program("generate")) return;
  const json object =
      generate_json({"--prompt", shipped.prompt, "--greedy", "--stop", "never", "--stop", stop.string});
  CHECK(object["text"] == stop.before);
  CHECK(object["finish_reason"] == "stop_string");
  const program_run run = generate({"--prompt", shipped.prompt, "--greedy", "--stop", stop.string});
  CHECK(run.out == shipped.prompt + stop.before + "\n");
  // Brackets mean nothing.
  const json brackets =
      generate_json({"--prompt", "ROMEO:\n", "--greedy", "--max-new-tokens", "8", "--stop", "[I,t]"});
  CHECK(brackets["ids"].size() == 8);
}

TEST_CASE("generate stops where the context is full, and says so") {
  if (!support::has_program("generate")) return;
  const json object = generate_json({"--prompt", "ROMEO:\n", "--seed", "5", "--max-new-tokens", "1000"});
  CHECK(object["finish_reason"] == "context_full");
  CHECK(object["ids"].size() == 254); // 253 fit, and the last need not
  const program_run run = generate({"--prompt", "ROMEO:\n", "--seed", "5", "--max-new-tokens", "1000"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.err, Catch::ContainsSubstring("context of 256 tokens is full"));
}

TEST_CASE("no new tokens is a number of tokens too") {
  if (!support::has_program("generate")) return;
  const json object = generate_json({"--prompt", "ROMEO:\n", "--max-new-tokens", "0"});
  CHECK(object["ids"].empty());
  CHECK(object["text"] == "");
  CHECK(object["decode_ms_per_token"].is_null());
}

TEST_CASE("generate --json is UTF-8 whatever bytes the model writes") {
  if (!support::has_program("generate")) return;
  // So hot that half of the tokens are stray bytes; generate_json parses strictly.
  const json object =
      generate_json({"--prompt", "x", "--temperature", "1000", "--seed", "2", "--max-new-tokens", "200"});
  CHECK_THAT(object["text"].get<std::string>(), Catch::ContainsSubstring("\ufffd"));
}

TEST_CASE("generate --interactive goes on with one text, line after line") {
  if (!support::has_program("generate")) return;
  // "ROMEO:" with a line feed, then twice nothing: the same text as at one go, which the pieces print with a
  // line feed after each.
  for (const std::string penalty : {"1", "1.2"}) {
    const auto options = [&](const std::string& count) {
      return std::vector<std::string>{"--greedy", "--repetition-penalty", penalty, "--max-new-tokens", count};
    };
    auto whole = options("24");
    whole.insert(whole.end(), {"--prompt", "ROMEO:\n"});
    const std::string text = generate_json(whole)["text"];
    auto pieces = options("8");
    pieces.push_back("--interactive");
    const program_run run = generate(pieces, "ROMEO:\\\n\n\n\n");
    CHECK(run.exit_code == 0);
    std::string joined;
    std::size_t from = 0, shown = 0; // each piece is a part of the text; a line feed follows
    while (from < run.out.size()) {
      std::size_t length = 0;
      while (shown < text.size() && from + length < run.out.size() && run.out[from + length] == text[shown])
        ++length, ++shown;
      REQUIRE(run.out.substr(from + length, 1) == "\n");
      from += length + 1;
      joined = text.substr(0, shown);
    }
    CHECK(joined == text);
  }
}

TEST_CASE("generate --interactive forgets what no longer fits the context, and says so") {
  if (!support::has_program("generate")) return;
  const program_run run =
      generate({"--interactive", "--greedy", "--max-new-tokens", "300"}, "ROMEO:\nJULIET:\n");
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.err, Catch::ContainsSubstring("what was before is forgotten"));
}

TEST_CASE("generate --num-samples prints its samples one after another, the first what one alone would be") {
  if (!support::has_program("generate")) return;
  const std::vector<std::string> options{"--prompt", "ROMEO:\n", "--seed", "7", "--max-new-tokens", "20"};
  const auto with = [&](const std::vector<std::string>& more) {
    auto arguments = options;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  };
  const json one = generate_json(options);
  CHECK_FALSE(one.contains("samples"));
  const json five = generate_json(with({"--num-samples", "5", "--threads", "1"}));
  REQUIRE(five["samples"].size() == 5);
  for (const char* member : {"ids", "text", "finish_reason"}) {
    CHECK(five[member] == one[member]);
    CHECK(five["samples"][0][member] == one[member]);
  }
  for (const char* member : {"prompt_ids", "seed"}) CHECK(five[member] == one[member]);
  for (const char* time : {"load_ms", "prefill_ms", "decode_ms_per_token"})
    CHECK(five[time].get<double>() > 0);
  CHECK(five["threads"] == 1);
  for (std::size_t i = 1; i < 5; ++i) {
    CHECK(five["samples"][i]["ids"].size() == 20);
    CHECK(five["samples"][i]["ids"] != five["samples"][i - 1]["ids"]);
  }

  // Any number of them and of threads: the same.
  CHECK(generate_json(with({"--num-samples", "5", "--threads", "2"}))["samples"] == five["samples"]);
  const json two = generate_json(with({"--num-samples", "2"}));
  CHECK(two["samples"].size() == 2);
  CHECK(two["samples"][1] == five["samples"][1]);
  CHECK(generate_json(with({"--num-samples", "1"}))["samples"] == json::array({five["samples"][0]}));

  const program_run run = generate(with({"--num-samples", "3"}));
  CHECK(run.exit_code == 0);
  std::string expected;
  for (std::size_t i = 0; i < 3; ++i)
    expected += (i > 0 ? "---------------\nROMEO:\n" : "ROMEO:\n") +
                five["samples"][i]["text"].get<std::string>() + "\n";
  CHECK(run.out == expected);
  CHECK_THAT(run.err, Catch::ContainsSubstring("generated: 60 in 3 samples") &&
                          Catch::ContainsSubstring("tokens per second"));
}

TEST_CASE("each of generate's samples ends where it ends") {
  if (!support::has_program("generate")) return;
  const json object = generate_json({"--prompt", "ROMEO:\n", "--seed", "3", "--num-samples", "8",
                                     "--max-new-tokens", "60", "--stop", "\n", "--stop", "e t"});
  std::set<std::size_t> lengths;
  for (const json& each : object["samples"]) {
    lengths.insert(each["ids"].size());
    const bool stopped = each["finish_reason"] == "stop_string";
    CHECK((stopped || each["ids"].size() == 60));
    CHECK(each["text"].get<std::string>().find('\n') == std::string::npos);
  }
  CHECK(lengths.size() > 2);

  const json greedy = generate_json({"--prompt", "ROMEO:\n", "--greedy", "--num-samples", "4", "--stop",
                                     stop.string, "--max-new-tokens", "24"});
  for (const json& each : greedy["samples"]) CHECK(each["text"] == stop.before);

  const json full = generate_json(
      {"--prompt", "ROMEO:\n", "--seed", "5", "--num-samples", "2", "--max-new-tokens", "1000"});
  CHECK(full["samples"][1]["finish_reason"] == "context_full");
  CHECK(full["samples"][1]["ids"].size() == 254);
  const program_run none = generate({"--prompt", "ROMEO:\n", "--num-samples", "2", "--max-new-tokens", "0"});
  CHECK(none.out == "ROMEO:\n---------------\nROMEO:\n");
}

TEST_CASE("generate's samples need no vocabulary where ids are given") {
  if (!support::has_program("generate")) return;
  const support::folder_without_vocabulary folder;
  const program_run run = generate({"--model", folder.path().string(), "--ids", shipped.id_list(), "--greedy",
                                    "--max-new-tokens", "3", "--num-samples", "2"});
  CHECK(run.exit_code == 0);
  CHECK(run.out == shipped.id_list(3) + "\n---------------\n" + shipped.id_list(3) + "\n");
}

TEST_CASE("what is wrong with generate's arguments stands on the first line, and its exit code is 1") {
  if (!support::has_program("generate")) return;
  std::string too_long = "1";
  for (int i = 0; i < 256; ++i) too_long += ",1";
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"--ids", "1,,2"}, "a token id is missing"},
      {{"--ids", "1,2,"}, "a token id is missing after the last comma"},
      {{"--ids", "-3"}, "\"-3\" is not a token id"},
      {{"--ids", "3x"}, "\"3x\" is not a token id"},
      {{"--ids", "99999999999"}, "is not a token id"},
      {{"--ids", "1024"}, "token id 1024, but the ids of this model are from 0 to 1023"},
      {{"--ids", too_long}, "the prompt has 257 tokens, but this model's context holds only 256"},
      {{"--ids", "1", "--prompt", "x"}, "excludes"},
      {{"--model", "/nowhere"}, "/nowhere"},
      {{"--max-new-tokens", "-1"}, "--max-new-tokens: expected a whole number from 0, found -1"},
      {{"--temperature", "-1"}, "--temperature: expected a number from 0, found -1"},
      {{"--temperature", "nan"}, "--temperature: expected a number from 0, found nan"},
      {{"--top-k", "-1"}, "--top-k: expected a whole number from 0, found -1"},
      {{"--top-p", "0"}, "top_p must be above 0"},
      {{"--min-p", "2"}, "min_p must be between 0 and 1"},
      {{"--repetition-penalty", "0"}, "repetition_penalty must be above 0"},
      {{"--seed", "-1"}, "--seed"},
      {{"--threads", "-1"}, "number of threads"},
      {{"--stop", ""}, "--stop"},
      {{"--json", "--interactive"}, "excludes"},
      {{"--num-samples", "0"}, "--num-samples: expected a whole number from 1 to 256, found 0"},
      {{"--num-samples", "257"}, "--num-samples: expected a whole number from 1 to 256, found 257"},
      {{"--num-samples", "-1"}, "--num-samples: expected a whole number from 1 to 256, found -1"},
      {{"--num-samples", "x"}, "--num-samples: expected a whole number from 1 to 256, found x"},
      {{"--num-samples", "2", "--interactive"}, "excludes"},
      {{"--what"}, "--what"},
  };
  for (const auto& [arguments, words] : cases) {
    const program_run run = generate(arguments);
    INFO(arguments[0] << " " << arguments.back());
    CHECK(run.exit_code == 1);
    CHECK(run.out.empty());
    CHECK_THAT(run.first_error_line(), Catch::ContainsSubstring(words));
  }
}

TEST_CASE("an error that comes while generate writes stands on a line of its own") {
  if (!support::has_program("generate")) return;
  const support::temporary_folder folder;
  for (const auto& entry : std::filesystem::directory_iterator(support::shipped_model()))
    std::filesystem::copy(entry.path(), folder / entry.path().filename());
  std::string bytes = support::read_file(folder / "model.safetensors");
  const std::size_t length =
      static_cast<unsigned char>(bytes[0]) + 256u * static_cast<unsigned char>(bytes[1]);
  const json header = transept::parse_json(std::string_view(bytes).substr(8, length), "header");
  const auto place = 8 + length + header["ln_f.bias"]["data_offsets"][0].get<std::size_t>();
  bytes.replace(place, 2, "\x00\x7e"s); // NaN in f16
  support::write_file(folder / "model.safetensors", bytes);
  const std::string model = folder.path().string();
  const std::string problem = "the logit of token 0 is NaN";
  const program_run text = generate({"--model", model, "--prompt", "ROMEO:"});
  CHECK(text.exit_code == 1);
  CHECK(text.out == "ROMEO:\n");
  CHECK_THAT(text.err, Catch::StartsWith(problem));
  const program_run talk = generate({"--model", model, "--interactive"}, "ROMEO:\n");
  CHECK(talk.out.empty()); // what was typed is not repeated
  for (const char* name : {"vocab.json", "merges.txt"}) std::filesystem::remove(folder / name);
  const program_run by_ids = generate({"--model", model, "--ids", "1,2"});
  CHECK(by_ids.exit_code == 1);
  CHECK(by_ids.out == "1,2\n");
}

TEST_CASE("generate by ids needs no vocabulary of a kind that is not read, and says so") {
  if (!support::has_program("generate")) return;
  const support::folder_without_vocabulary folder;
  support::write_file(folder / "tokenizer.json", R"({"model": {"type": "Trigram"}})");
  const std::string model = folder.path().string();
  const program_run run = generate({"--model", model, "--ids", "1,2", "--max-new-tokens", "2", "--greedy"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.out, Catch::StartsWith("1,2,"));
  CHECK_THAT(run.err, Catch::ContainsSubstring("note: the vocabulary is not read: ") &&
                          Catch::ContainsSubstring("model.type is \"Trigram\""));
  CHECK(generate({"--model", model, "--prompt", "To"}).exit_code == 1);
}

TEST_CASE("an empty value after = is empty, not the next argument") {
  if (!support::has_program("generate")) return;
  const program_run run = generate({"--prompt=", "--greedy", "--max-new-tokens", "2", "--json"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.out, Catch::ContainsSubstring("\"prompt_ids\":[1023]"));
}

TEST_CASE("generate --speculate writes the same text, whoever guesses") {
  if (!support::has_program("generate")) return;
  const std::string folder = support::shipped_model().string();
  for (const std::vector<std::string>& sampling :
       {std::vector<std::string>{"--greedy"},
        std::vector<std::string>{"--temperature", "0.8", "--seed", "5"}}) {
    std::vector<std::string> plain{"--prompt", "ROMEO: I say. I say. I say.", "--max-new-tokens", "40",
                                   "--json"};
    plain.insert(plain.end(), sampling.begin(), sampling.end());
    const json expected = generate_json(plain);
    for (const std::vector<std::string>& how :
         {std::vector<std::string>{"lookup"}, {"self"}, {folder}, {"lookup", "--drafts", "1"}}) {
      std::vector<std::string> drafted = plain;
      drafted.push_back("--speculate");
      drafted.insert(drafted.end(), how.begin(), how.end());
      CAPTURE(how[0]);
      const json found = generate_json(drafted);
      CHECK(found.at("ids") == expected.at("ids"));
      CHECK(found.at("text") == expected.at("text"));
      CHECK(found.at("accepted").get<std::size_t>() <= found.at("drafted").get<std::size_t>());
      if (how[0] == folder) CHECK(found.at("accepted").get<std::size_t>() > 0);
    }
  }
  CHECK(generate({"--speculate", "lookup", "--num-samples", "2"}).exit_code != 0);
  CHECK(generate({"--drafts", "3"}).exit_code != 0);
  const program_run nobody = generate({"--speculate", "no/folder", "--prompt", "To"});
  CHECK(nobody.exit_code == 1);
  CHECK_THAT(nobody.first_error_line(), Catch::ContainsSubstring("no/folder"));
}

TEST_CASE("generate --help goes to stdout") {
  if (!support::has_program("generate")) return;
  const program_run run = support::run_program("generate", {"--help"});
  CHECK(run.exit_code == 0);
  CHECK_THAT(run.out, Catch::ContainsSubstring("--max-new-tokens"));
  CHECK(run.err.empty());
}

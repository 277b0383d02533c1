// Labelled texts from JSON lines: their tokens, their targets, and what is refused.
#include <support/catch.hpp>

#include <string>
#include <vector>

#include <support/small_encoder.hpp>
#include <support/temporary_folder.hpp>

#include <transept/io/load_tokenizer.hpp>
#include <transept/train/task_data.hpp>

using namespace transept;

namespace {

class lines {
public:
  lines(const std::string& text) { support::write_file(path(), text); }
  std::filesystem::path path() const { return folder_ / "data.jsonl"; }

private:
  support::temporary_folder folder_;
};

tokenizer small_tokenizer() {
  const support::temporary_folder folder;
  support::write_file(folder / "vocab.txt", support::small_vocabulary);
  return load_tokenizer(folder.path());
}

} // namespace

TEST_CASE("labels of texts are sorted names, whole numbers as text; fractions are a regression") {
  const tokenizer tokenizer = small_tokenizer();
  const lines file("{\"text\": \"the cat\", \"label\": \"good\"}\n\n"
                   "{\"text\": \"a dog\", \"second\": \"the mat\", \"label\": \"bad\"}\n");
  const task_data data(file.path(), encoder_head::sequence_classification, tokenizer, 40);
  REQUIRE(data.size() == 2);
  CHECK(data.labels().names == std::vector<std::string>{"bad", "good"});
  task_batch batch;
  data.add_to(batch, 1);
  data.add_to(batch, 0);
  CHECK(batch.labels == std::vector<int>{0, 1});
  const std::vector<token_id> expected{2, 22, 7, 3, 5, 10, 3, 2, 5, 6, 3};
  CHECK(std::vector<token_id>(batch.texts.input().tokens.begin(), batch.texts.input().tokens.end()) ==
        expected);
  CHECK(batch.texts.input().types[5] == 1);
  batch.clear();
  CHECK(batch.texts.size() == 0);

  const task_data same(file.path(), encoder_head::sequence_classification, tokenizer, 5,
                       {{"x", "good", "bad"}});
  task_batch others;
  same.add_to(others, 0);
  same.add_to(others, 1);
  CHECK(others.labels == std::vector<int>{1, 2});
  CHECK(others.texts.input().offsets[2] == 4 + 5); // cut to 5
  CHECK_THROWS_WITH(task_data(file.path(), encoder_head::sequence_classification, tokenizer, 40, {{"good"}}),
                    Catch::Contains("line 3") && Catch::Contains("bad"));

  const task_data numbers(lines("{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\", \"label\": 0.5}").path(),
                          encoder_head::sequence_classification, tokenizer, 40);
  CHECK(numbers.labels().are_numbers);
  task_batch values;
  numbers.add_to(values, 0);
  numbers.add_to(values, 1);
  CHECK(values.values == std::vector<float>{1.0f, 0.5f});
  const task_data whole(lines("{\"text\": \"a\", \"label\": 1}\n{\"text\": \"b\", \"label\": 0}").path(),
                        encoder_head::sequence_classification, tokenizer, 40);
  CHECK(whole.labels().names == std::vector<std::string>{"0", "1"});
}

TEST_CASE("a word's first token has its tag, the others count for nothing") {
  const tokenizer tokenizer = small_tokenizer();
  const lines file("{\"tokens\": [\"the\", \"playing\", \"cat\", \"zzz\", \"Paris\"], "
                   "\"tags\": [\"O\", \"V\", \"N\", \"O\", \"N\"]}");
  const task_data data(file.path(), encoder_head::token_classification, tokenizer, 40);
  CHECK(data.labels().names == std::vector<std::string>{"N", "O", "V"});
  task_batch batch;
  data.add_to(batch, 0);
  // [CLS] the play ##ing cat [UNK] paris [SEP]
  CHECK(batch.labels == std::vector<int>{-1, 1, 2, -1, 0, 1, 0, -1});
}

TEST_CASE("answers are found in their context, in bytes though they begin at a character") {
  const tokenizer tokenizer = small_tokenizer();
  const lines file(
      "{\"question\": \"where?\", \"context\": \"é paris is in france.\", \"answer\": \"in france\", "
      "\"begin\": 11}\n"
      "{\"question\": \"where?\", \"context\": \"the cat sat\", \"answers\": {\"text\": [\"cat\"], "
      "\"answer_start\": [4]}}");
  const task_data data(file.path(), encoder_head::question_answering, tokenizer, 40);
  task_batch batch;
  data.add_to(batch, 0);
  data.add_to(batch, 1);
  // [CLS] where ? [SEP] [UNK] paris is in france . [SEP]
  CHECK(batch.begins == std::vector<int>{7, 5});
  CHECK(batch.ends == std::vector<int>{8, 5});
  const task_data cut(file.path(), encoder_head::question_answering, tokenizer, 8);
  task_batch without;
  cut.add_to(without, 0);
  CHECK(without.begins[0] == -1);
}

TEST_CASE("lines that are not as they should be are told by their number") {
  const tokenizer tokenizer = small_tokenizer();
  const auto refuses = [&](const std::string& text, encoder_head head, const std::string& why) {
    const lines file("\n" + text);
    CHECK_THROWS_WITH(task_data(file.path(), head, tokenizer, 40),
                      Catch::Contains("line 2") && Catch::Contains(why));
    CHECK_THROWS_AS(task_data(file.path(), head, tokenizer, 40), error);
  };
  using enum encoder_head;
  refuses("[1]", sequence_classification, "an object");
  refuses("{\"text\": ", sequence_classification, "");
  refuses("{\"text\": \"a\"}", sequence_classification, "label");
  refuses("{\"label\": \"a\"}", sequence_classification, "\"text\"");
  refuses("{\"text\": 3, \"label\": \"a\"}", sequence_classification, "found 3");
  refuses("{\"text\": \"a\", \"label\": [1]}", sequence_classification, "label");
  refuses("{\"tokens\": [\"a\"], \"tags\": []}", token_classification, "1 tokens, but 0 tags");
  refuses("{\"tokens\": \"a\", \"tags\": [\"x\"]}", token_classification, "tokens");
  refuses("{\"question\": \"where?\", \"context\": \"a\", \"answer\": \"b\", \"begin\": 0}",
          question_answering, "no \"b\" at character 0");
  refuses("{\"question\": \"where?\", \"context\": \"a\", \"answer\": \"a\", \"begin\": -1}",
          question_answering, "begin");
  refuses("{\"question\": \"where?\", \"context\": \"a\", \"answers\": {\"text\": []}}", question_answering,
          "answers");
  CHECK_THROWS_AS(task_data(lines("").path(), masked_lm, tokenizer, 40, {{"a", "b"}}), argument_error);
  CHECK_THROWS_WITH(
      task_data(lines("{\"text\": \"a\", \"label\": 0.5}\n{\"text\": \"b\", \"label\": 1e39}").path(),
                sequence_classification, tokenizer, 40),
      Catch::Contains("line 2") && Catch::Contains("that f32 holds"));
  CHECK_THROWS_WITH(
      task_data(lines("{\"text\": \"a\", \"label\": \"x\"}").path(), sequence_classification, tokenizer, 1),
      Catch::Contains("line 1"));
  CHECK_THROWS_AS(task_data("no such file", sequence_classification, tokenizer, 40), file_error);
  CHECK_THROWS_AS(task_data(lines("").path(), masked_lm, tokenizer, 40), argument_error);
}

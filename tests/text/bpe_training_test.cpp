// Vocabularies learned from texts.
#include <support/catch.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <reference/bpe.hpp>
#include <support/temporary_folder.hpp>
#include <transept/core/error.hpp>
#include <transept/io/vocabulary_writer.hpp>
#include <transept/text/bpe_training.hpp>
#include <transept/text/byte_alphabet.hpp>
#include <transept/text/pre_tokenize.hpp>

#include "text_support.hpp"

using namespace transept;
using Catch::ContainsSubstring;

namespace {

word_counts counts_of(std::string_view text) {
  word_counts counts;
  counts.add(text);
  return counts;
}

/// "left right" of every merge, as merges.txt has them.
std::vector<std::string> merge_lines(const vocabulary& vocabulary) {
  std::vector<std::string> lines;
  for (const token_merge& merge : vocabulary.merges)
    lines.push_back(to_byte_alphabet(vocabulary.tokens[static_cast<std::size_t>(merge.left)]) + " " +
                    to_byte_alphabet(vocabulary.tokens[static_cast<std::size_t>(merge.right)]));
  return lines;
}

std::vector<std::string> learned(std::string_view text, const bpe_options& options = {}) {
  return merge_lines(learn_vocabulary(counts_of(text), options));
}

/// The lines of a text, each with its line feed.
template <class F>
void for_each_line(std::string_view text, F&& f) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
    f(text.substr(0, end));
    text.remove_prefix(end);
  }
}

} // namespace

TEST_CASE("merges are those of Hugging Face's trainer, all of them in order") {
  const std::string text = support::read_file(support::fixture("text/bpe/text.txt"));
  std::vector<std::string> expected;
  for_each_line(support::read_file(support::fixture("text/bpe/merges.txt")), [&](std::string_view line) {
    if (!line.starts_with("#version")) expected.emplace_back(line.substr(0, line.size() - 1));
  });
  REQUIRE(expected.size() > 3000);
  word_counts counts;
  for_each_line(text, [&](std::string_view line) { counts.add(line); }); // it reads line by line
  const auto found = merge_lines(learn_vocabulary(counts, {.min_frequency = 0}));
  for (std::size_t i = 0; i < std::min(found.size(), expected.size()); ++i) {
    CAPTURE(i);
    REQUIRE(found[i] == expected[i]);
  }
  CHECK(found.size() == expected.size());
}

TEST_CASE("words may be counted in any order, and a smaller vocabulary begins a larger one") {
  const std::string text = support::read_file(support::fixture("text/bpe/text.txt"));
  const word_counts counts = counts_of(text);
  const auto all = merge_lines(learn_vocabulary(counts));
  word_counts backwards;
  for (std::size_t i = counts.size(); i-- > 0;) backwards.add(counts.word(i), counts.count(i));
  CHECK(merge_lines(learn_vocabulary(backwards)) == all);
  const vocabulary small = learn_vocabulary(counts, {.vocab_size = 500});
  CHECK(small.tokens.size() == 500);
  const auto some = merge_lines(small);
  CHECK(some.size() == 500 - 257);
  CHECK(std::equal(some.begin(), some.end(), all.begin()));
  const auto frequent = merge_lines(learn_vocabulary(counts, {.min_frequency = 20}));
  CHECK(frequent.size() < all.size());
  CHECK(std::equal(frequent.begin(), frequent.end(), all.begin()));
}

TEST_CASE("merges are those of counting all pairs again and again") {
  support::random_text random(5);
  for (int round = 0; round < 60; ++round) {
    std::string text;
    // Few different letters: runs of one, overlapping pairs, ties.
    for (int i = 0; i < 150; ++i) text += "aaabbc  \n"[random.below(9)];
    if (round % 2 == 1) text += random(60);
    const word_counts counts = counts_of(text);
    const std::uint64_t least = random.below(4);
    const bpe_options options{.vocab_size = 257 + random.below(80), .min_frequency = least};
    const vocabulary found = learn_vocabulary(counts, options);
    std::vector<std::vector<token_id>> words;
    std::vector<std::uint64_t> numbers;
    for (std::size_t i = 0; i < counts.size(); ++i) {
      words.emplace_back();
      for (const char byte : counts.word(i))
        words.back().push_back(found.byte_tokens[static_cast<unsigned char>(byte)]);
      numbers.push_back(counts.count(i));
    }
    const auto expected = reference::learn_merges(words, numbers, 257, options.vocab_size - 257, least);
    CAPTURE(round);
    REQUIRE(found.merges.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      CHECK(found.merges[i].left == expected[i].first);
      CHECK(found.merges[i].right == expected[i].second);
      CHECK(found.merges[i].merged == static_cast<token_id>(257 + i));
    }
  }
}

TEST_CASE("special tokens come first, then bytes as Hugging Face orders them, then merges") {
  const vocabulary found =
      learn_vocabulary(counts_of("hat hat hat"), {.special_tokens = {"<|endoftext|>", "<|user|>"}});
  CHECK(found.tokens[0] == "<|endoftext|>");
  CHECK(found.tokens[1] == "<|user|>");
  CHECK(found.tokens[2] == "!");
  CHECK(found.tokens[257] == "\xad");
  CHECK(merge_lines(found) == std::vector<std::string>{"a t", "h at", "Ġ hat"});
  const tokenizer tokenizer(found);
  CHECK(tokenizer.end_of_text() == 0);
  CHECK(tokenizer.encode("hat<|user|>", special_tokens::allowed) == std::vector<token_id>{259, 1});
}

TEST_CASE("no merges lead to a special token, and pairs below the least frequency stay") {
  CHECK(learned("at at at x y") == std::vector<std::string>{"a t", "Ġ at"});
  CHECK(learned("at at at x y", {.special_tokens = {"at"}}) == std::vector<std::string>{"Ġ a", "Ġa t"});
  CHECK(learned("at at at x y", {.special_tokens = {"Ġat"}}) == std::vector<std::string>{"a t"});
  CHECK(learned("at at at x y", {.min_frequency = 3}) == std::vector<std::string>{"a t"});
  CHECK(learned("", {}).empty());
}

TEST_CASE("options that no vocabulary can have are refused") {
  const word_counts none;
  CHECK_THROWS_WITH(learn_vocabulary(none, {.vocab_size = 256}),
                    "vocab_size must be from 257 (bytes and special tokens) to 2147483647; got 256");
  CHECK_THROWS_AS(learn_vocabulary(none, {.vocab_size = 256}), argument_error);
  CHECK_THROWS_WITH(learn_vocabulary(none, {.special_tokens = {""}}), "a special token is empty");
  CHECK_THROWS_WITH(learn_vocabulary(none, {.special_tokens = {"<a>", "<a>"}}),
                    ContainsSubstring("\"<a>\" is given twice"));
  CHECK_THROWS_AS(learn_vocabulary(none, {.special_tokens = {"Ġ"}}), argument_error);
  CHECK(learn_vocabulary(none, {.vocab_size = 256, .special_tokens = {}}).tokens.size() == 256);
}

TEST_CASE("a learned vocabulary is the same after it was written and loaded") {
  const std::string text = support::read_file(support::fixture("text/bpe/text.txt"));
  const vocabulary found = learn_vocabulary(
      counts_of(text), {.vocab_size = 700, .special_tokens = {"<|endoftext|>", "the end", "Ġx"}});
  const support::temporary_folder folder;
  write_vocabulary_files(found, folder / "new");
  const tokenizer before(found), after = load_tokenizer(folder / "new");
  REQUIRE(after.vocabulary_size() == before.vocabulary_size());
  for (token_id id = 0; id < 700; ++id) CHECK(after.bytes(id) == before.bytes(id));
  for (const auto special : {special_tokens::as_text, special_tokens::allowed}) {
    const std::string sample = "<|endoftext|>the end " + text + "the end Ġx";
    const auto ids = before.encode(sample, special);
    CHECK(after.encode(sample, special) == ids);
    CHECK(after.decode(ids) == sample);
  }
  // Written again without: no token of the old one is left behind.
  write_vocabulary_files(learn_vocabulary(counts_of(text), {.vocab_size = 300}), folder / "new");
  CHECK(load_tokenizer(folder / "new").vocabulary_size() == 300);
}

TEST_CASE("texts cut where that is allowed have the pieces and tokens of the whole") {
  support::random_text random(9);
  const tokenizer& plain = support::small_tokenizer();
  const vocabulary with_added = [] {
    vocabulary made = learn_vocabulary(word_counts(), {.special_tokens = {"<|endoftext|>", "\n\n", " the"}});
    made.added.back().special = false;
    return made;
  }();
  const tokenizer added(with_added);
  std::size_t cuts = 0;
  for (int round = 0; round < 10000; ++round) {
    std::string text = random(1 + random.below(12));
    if (round % 3 == 0) text += "\n<|endoftext|> the \n\n" + random(4);
    const std::size_t at = random.below(text.size());
    const std::string_view all = text, first = all.substr(0, at), second = all.substr(at);
    // What is seen may end anywhere behind the place.
    const std::string_view seen = all.substr(0, at + 1 + random.below(second.size()));
    CAPTURE(text, at, seen.size());
    for (const tokenizer* each : {&plain, &added})
      for (const auto special : {special_tokens::as_text, special_tokens::allowed}) {
        if (!each->may_cut_before(seen, at, special)) continue;
        ++cuts;
        auto ids = each->encode(first, special);
        const auto more = each->encode(second, special);
        ids.insert(ids.end(), more.begin(), more.end());
        REQUIRE(ids == each->encode(all, special));
      }
    if (!may_cut_before(seen, at)) continue;
    std::vector<std::string_view> whole, parts;
    pre_tokenize(all, [&](std::string_view piece) { whole.push_back(piece); });
    for (const std::string_view part : {first, second})
      pre_tokenize(part, [&](std::string_view piece) { parts.push_back(piece); });
    REQUIRE(parts == whole);
  }
  CHECK(cuts > 500);
  CHECK(may_cut_before("a b", 1));
  CHECK(may_cut_before("a\n\nb", 2));
  CHECK_FALSE(may_cut_before("a\n\nb", 1));
  CHECK_FALSE(may_cut_before("a b", 2));
  CHECK_FALSE(may_cut_before("a ", 1));
  CHECK_FALSE(may_cut_before("a \xe3\x80", 1)); // could become U+3000
}

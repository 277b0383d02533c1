// Token files, and the batches taken from them.
#include <support/catch.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <map>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include <support/damage.hpp>
#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

#include <transept/io/load_tokenizer.hpp>
#include <transept/train/batches.hpp>
#include <transept/train/loss.hpp>
#include <transept/train/train_tokenizer.hpp>

using namespace transept;
using Catch::ContainsSubstring;
using ids = std::vector<token_id>;

namespace {

ids all_of(const token_file& file) {
  ids out(file.size());
  file.read(0, out);
  return out;
}

/// A file of 0, 1, …, count - 1.
token_file counting_file(const std::filesystem::path& path, std::size_t count) {
  ids numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0);
  token_file_writer writer(path, count);
  writer.append(numbers);
  writer.commit();
  return token_file(path);
}

template <class Number>
void put(std::string& bytes, std::size_t at, Number number) {
  std::memcpy(bytes.data() + at, &number, sizeof number);
}

} // namespace

TEST_CASE("ids come back from a token file, two bytes each where they fit and four where not") {
  const support::temporary_folder folder;
  struct {
    std::size_t vocabulary;
    ids values;
    std::size_t bytes;
  } const cases[] = {{65536, {0, 65535, 7}, 32 + 6}, {65537, {0, 65536, 7}, 32 + 12}, {1, {}, 32}};
  for (const auto& each : cases) {
    CAPTURE(each.vocabulary);
    token_file_writer writer(folder / "f", each.vocabulary);
    for (const token_id id : each.values) writer.append(std::array{id});
    CHECK(writer.size() == each.values.size());
    writer.commit();
    CHECK(std::filesystem::file_size(folder / "f") == each.bytes);
    const token_file file(folder / "f");
    CHECK(file.vocabulary_size() == each.vocabulary);
    CHECK(all_of(file) == each.values);
  }
}

TEST_CASE("a token file that was not committed leaves what stood there") {
  const support::temporary_folder folder;
  counting_file(folder / "f", 5);
  {
    token_file_writer writer(folder / "f", 100);
    writer.append(ids{1, 2});
    CHECK_THROWS_WITH(writer.append(ids{3, 100}), ContainsSubstring("token id 100 is not in the vocabulary"));
    CHECK_THROWS_AS(writer.append(ids{-1}), argument_error);
  }
  CHECK(all_of(token_file(folder / "f")) == ids{0, 1, 2, 3, 4});
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
  CHECK_THROWS_AS(token_file_writer(folder / "g", 0), argument_error);
}

TEST_CASE("a damaged token file is refused, with what was expected and found") {
  const support::temporary_folder folder;
  const auto path = folder / "f";
  counting_file(path, 5);
  const std::string good = support::read_file(path);
  const auto verdict = [&](const std::string& bytes) {
    support::write_file(path, bytes);
    try {
      all_of(token_file(path));
    } catch (const format_error& error) {
      return std::string(error.what()).substr(path.string().size() + 2);
    }
    return std::string("good");
  };
  const auto with = [&](std::size_t at, auto number) {
    std::string bytes = good;
    put(bytes, at, number);
    return verdict(bytes);
  };
  CHECK(verdict(good) == "good");
  CHECK(verdict("") == "expected a token file, whose header has 32 bytes; found 0 bytes");
  CHECK(verdict(good.substr(0, 31)) == "expected a token file, whose header has 32 bytes; found 31 bytes");
  CHECK(verdict("X" + good.substr(1)) == "not a token file: it does not begin with \"TRSPTOKS\"");
  CHECK(with(8, 2u) == "version: expected 1, found 2");
  CHECK(with(12, 4u) == "bytes of an id: expected 2 for a vocabulary of 5, found 4");
  CHECK(with(12, 0u) == "bytes of an id: expected 2 for a vocabulary of 5, found 0");
  CHECK(with(24, 0ull) == "size of the vocabulary: expected 1 to 2^31, found 0");
  CHECK(with(24, 70000ull) == "bytes of an id: expected 4 for a vocabulary of 70000, found 2");
  CHECK(with(24, 4ull) == "token 4 has id 4, but the vocabulary has 4 tokens");
  CHECK(with(16, 6ull) == "expected 6 ids of 2 bytes after the header, found 10 bytes");
  CHECK(with(16, (1ull << 63) + 5) ==
        "expected 9223372036854775813 ids of 2 bytes after the header, found 10 bytes");
  CHECK(verdict(good.substr(0, good.size() - 1)) ==
        "expected 5 ids of 2 bytes after the header, found 9 bytes");
  CHECK(verdict(good + "xx") == "expected 5 ids of 2 bytes after the header, found 12 bytes");
  CHECK_THROWS_AS(token_file(folder / "absent"), file_error);

  support::damage damage(1);
  for (int i = 0; i < 3000; ++i) verdict(damage.apply(good, 32)); // loads or is refused, no third thing
}

TEST_CASE("tokens beyond a file's end are not read") {
  const support::temporary_folder folder;
  const token_file file = counting_file(folder / "f", 5);
  ids out(3);
  file.read(2, out);
  CHECK(out == ids{2, 3, 4});
  CHECK_THROWS_AS(file.read(3, out), argument_error);
  CHECK_THROWS_AS(file.read(~std::size_t{0}, out), argument_error);
}

TEST_CASE("a split is nanoGPT's: the first nine tenths, rounded down") {
  const auto [training, validation] = split_tokens(1'115'394, 0.1);
  CHECK(training.begin == 0);
  CHECK(training.end == 1'003'854);
  CHECK(validation.begin == 1'003'854);
  CHECK(validation.end == 1'115'394);
  CHECK(split_tokens(10, 0).validation.size() == 0);
  CHECK(split_tokens(10, 1).training.size() == 0);
  for (const double bad : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()})
    CHECK_THROWS_AS(split_tokens(10, bad), argument_error);
}

TEST_CASE("random windows lie in their range, reach all of it, and have the next tokens as targets") {
  const support::temporary_folder folder;
  const token_file file = counting_file(folder / "f", 100);
  const random_windows windows(file, {10, 30}, 4, 7);
  ids tokens(12), targets(12);
  std::set<token_id> places;
  for (std::uint64_t batch = 0; batch < 200; ++batch) {
    windows.fill(batch, tokens, targets);
    for (std::size_t i = 0; i < 12; ++i) {
      REQUIRE(tokens[i] == tokens[i / 4 * 4] + static_cast<token_id>(i % 4));
      REQUIRE(targets[i] == tokens[i] + 1);
      if (i % 4 == 0) places.insert(tokens[i]);
    }
  }
  CHECK(*places.begin() == 10);
  CHECK(*places.rbegin() == 25); // its last target is 29
  CHECK(places.size() == 16);
}

TEST_CASE("batch i of a seed is the same in a run that begins with it") {
  const support::temporary_folder folder;
  const token_file file = counting_file(folder / "f", 5000);
  const random_windows windows(file, {0, 5000}, 16, 1), again(file, {0, 5000}, 16, 1),
      other(file, {0, 5000}, 16, 2);
  const auto batch = [](const random_windows& from, std::uint64_t i) {
    ids tokens(5 * 16), targets(5 * 16);
    from.fill(i, tokens, targets);
    return tokens;
  };
  for (std::uint64_t i = 0; i < 9; ++i) batch(windows, i);
  CHECK(batch(windows, 9) == batch(again, 9));
  CHECK(batch(windows, 9) != batch(windows, 10));
  CHECK(batch(windows, 9) != batch(other, 9));
  // On every machine and in every version: resumed runs depend on it.
  CHECK(std::array{windows.place(0, 0, 5), windows.place(0, 1, 5), windows.place(9, 4, 5)} ==
        std::array<std::size_t, 3>{1947, 4893, 4561});
}

TEST_CASE("successive windows have every token but the first as a target once") {
  const support::temporary_folder folder;
  const token_file file = counting_file(folder / "f", 50);
  for (const std::size_t count : {2u, 5u, 9u, 10u, 11u, 40u}) {
    const successive_windows windows(file, {10, 10 + count}, 4);
    CAPTURE(count);
    CHECK(windows.targets() == count - 1);
    CHECK(windows.size() == (count + 2) / 4);
    ids tokens(3 * 4), targets(3 * 4), seen;
    std::size_t counted = 0;
    for (std::size_t first = 0; first < windows.size(); first += 3) {
      counted += windows.fill(first, tokens, targets);
      for (std::size_t i = 0; i < 12; ++i) {
        if (targets[i] == no_target) {
          CHECK(tokens[i] == 0);
        } else {
          CHECK(targets[i] == tokens[i] + 1);
          seen.push_back(targets[i]);
        }
      }
    }
    ids expected(count - 1);
    std::iota(expected.begin(), expected.end(), 11);
    CHECK(seen == expected);
    CHECK(counted == count - 1);
  }
}

TEST_CASE("windows that do not fit are refused") {
  const support::temporary_folder folder;
  const token_file file = counting_file(folder / "f", 10);
  CHECK_THROWS_WITH(random_windows(file, {0, 10}, 10, 1), ContainsSubstring("expected at least 11 tokens"));
  CHECK_NOTHROW(random_windows(file, {0, 10}, 9, 1));
  CHECK_THROWS_AS(random_windows(file, {0, 11}, 2, 1), argument_error);
  CHECK_THROWS_AS(random_windows(file, {6, 5}, 2, 1), argument_error);
  CHECK_THROWS_AS(random_windows(file, {0, 10}, 0, 1), argument_error);
  CHECK_THROWS_AS(successive_windows(file, {4, 5}, 2), argument_error);
  ids tokens(8), targets(8), odd(7);
  CHECK_THROWS_AS(random_windows(file, {0, 10}, 4, 1).fill(0, tokens, odd), argument_error);
  CHECK_THROWS_AS(random_windows(file, {0, 10}, 4, 1).fill(0, odd, odd), argument_error);
}

TEST_CASE("a long text has the same words and tokens in parts, on any number of threads") {
  const std::string once = support::read_file(support::fixture("text/bpe/text.txt"));
  std::string text;
  while (text.size() < 5'000'000) text += once + "<|endoftext|>\n\n";
  word_counts whole;
  whole.add(text);
  const vocabulary expected = learn_vocabulary(whole, {.vocab_size = 600});
  const tokenizer tokenizer(expected);
  const auto wanted = tokenizer.encode(text, special_tokens::allowed);
  const support::temporary_folder folder;
  for (const int threads : {1, 3}) {
    CAPTURE(threads);
    thread_pool pool(threads);
    word_counts counts;
    std::uint64_t seen = 0;
    count_words(pool, text, counts, {}, [&](std::uint64_t done) { seen = done; });
    CHECK(seen == text.size());
    CHECK(counts.size() == whole.size());
    CHECK(counts.total() == whole.total());
    CHECK(learn_vocabulary(counts, {.vocab_size = 600}).tokens == expected.tokens);
    token_file_writer writer(folder / "f", tokenizer.vocabulary_size());
    append_text(pool, tokenizer, text, writer, special_tokens::allowed);
    writer.commit();
    CHECK(all_of(token_file(folder / "f")) == wanted);
  }
  const std::string_view texts[] = {text};
  word_counts between; // documents
  for (std::size_t i = 0; i < text.size() / (once.size() + 15); ++i)
    between.add(i == 0 ? once : "\n\n" + once);
  between.add("\n\n");
  CHECK(train_tokenizer(texts, {.vocab_size = 600}).encode(once) ==
        transept::tokenizer(learn_vocabulary(between, {.vocab_size = 600})).encode(once));
}

TEST_CASE("texts are cut at special tokens before words and characters are counted") {
  const std::vector<std::string> special{"<|endoftext|>", "<|end|>", "|>"};
  std::string text;
  for (int i = 0; i < 300'000; ++i) text += (i % 7 == 0 ? "sea<|end|>" : "the sea<|endoftext|>");
  text += "<|endoftext";
  for (const int threads : {1, 3}) {
    thread_pool pool(threads);
    word_counts counts;
    count_words(pool, text, counts, special);
    std::map<std::string, std::uint64_t> found;
    for (std::size_t i = 0; i < counts.size(); ++i) found.emplace(counts.word(i), counts.count(i));
    const std::uint64_t alone = 300'000 / 7 + 1;
    CHECK(found == std::map<std::string, std::uint64_t>{{"sea", alone},
                                                        {"the", 300'000 - alone},
                                                        {" sea", 300'000 - alone},
                                                        {"<|", 1},
                                                        {"endoftext", 1}});
    character_set characters;
    collect_characters(pool, text.substr(0, text.size() - 11), characters, special);
    CHECK(characters.characters() == std::vector<std::string>{" ", "a", "e", "h", "s", "t"});
  }
  const std::string_view texts[] = {text};
  const auto trained = train_tokenizer(texts, {.vocab_size = 300, .special_tokens = special});
  for (token_id id = 3; id < static_cast<token_id>(trained.vocabulary_size()); ++id) // behind special tokens
    CHECK((trained.bytes(id).size() == 1 || trained.bytes(id).find('|') == std::string_view::npos));

  character_set characters;
  characters.add("ab");
  const tokenizer learned(character_vocabulary(characters, std::span(special).first(1)));
  CHECK(learned.end_of_text() == 2);
  CHECK(learned.encode("a<|endoftext|>b", special_tokens::allowed) == std::vector<token_id>{0, 2, 1});
}

TEST_CASE("an exception while tokenizing on threads comes out, and no file appears") {
  character_set few;
  few.add("a b");
  const tokenizer tokenizer(character_vocabulary(few));
  const std::string text = std::string(3'000'000, 'a') + " b " + std::string(100, 'c');
  const support::temporary_folder folder;
  thread_pool pool(2);
  {
    token_file_writer writer(folder / "f", tokenizer.vocabulary_size());
    CHECK_THROWS_AS(append_text(pool, tokenizer, text, writer), tokenizer_error);
  }
  CHECK_FALSE(std::filesystem::exists(folder / "f"));
}

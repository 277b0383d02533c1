#include <transept/generate/generate_text.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <generate/fake_model.hpp>
#include <support/byte_tokenizer.hpp>
#include <support/catch.hpp>

using namespace transept;
using ids = std::vector<token_id>;
using pieces = std::vector<std::string>;

namespace {

/// A sampler that recites tokens, whatever the model thinks.
auto recite(ids script) {
  return [script = std::move(script), next = std::size_t{0}](candidates&) mutable { return script[next++]; };
}

/// One token per byte of the text.
ids bytes_of(std::string_view text) {
  ids result;
  for (const char byte : text) result.push_back(static_cast<unsigned char>(byte));
  return result;
}

struct outcome {
  text_result result;
  pieces shown;
};

outcome run(const ids& script, generation_options options) {
  static const tokenizer words = support::byte_tokenizer({"<|endoftext|>", "one", " two", "\n\nROM"});
  static const auto model = fake::counting_model(260);
  fake::session session;
  if (options.max_new_tokens == unlimited) options.max_new_tokens = script.size();
  outcome out;
  out.result = generate_text(model, session, words, "Go", recite(script), options,
                             [&](std::string_view piece) { out.shown.emplace_back(piece); });
  std::string together;
  for (const std::string& piece : out.shown) together += piece;
  CHECK(together == out.result.text);
  return out;
}

} // namespace

TEST_CASE("generate_text streams the text and returns it with its ids") {
  const auto [result, shown] = run({257, 258, '!'}, {});
  CHECK(result.prompt_ids == ids{'G', 'o'});
  CHECK(result.ids == ids{257, 258, '!'});
  CHECK(result.text == "one two!");
  CHECK(shown == pieces{"one", " two", "!"});
  CHECK(result.finish_reason == finish_reason::max_new_tokens);
  CHECK(result.pending == '!');
}

TEST_CASE("generate_text never shows half a character") {
  CHECK(run(bytes_of("aé😁"), {}).shown == pieces{"a", "é", "😁"});
  CHECK(run(bytes_of("a\xf0\x9f"), {}).shown == pieces{"a", "\xf0\x9f"}); // the end of all: what there is
  CHECK(run(bytes_of("\xff"
                     "b"),
            {})
            .shown == pieces{"\xff", "b"});
}

TEST_CASE("generate_text cuts the text before a stop string and shows nothing of it") {
  const auto [result, shown] = run(bytes_of("yes\n\nROMEO: no"), {.stop_strings = {"\n\nROMEO:"}});
  CHECK(result.text == "yes");
  CHECK(shown == pieces{"y", "e", "s"});
  CHECK(result.finish_reason == finish_reason::stop_string);
  CHECK(result.ids == bytes_of("yes\n\nROMEO:"));

  CHECK(run({'a', 257, '.'}, {.stop_strings = {"ne"}}).result.text == "ao"); // inside a token
  CHECK(run({257, 259, 'E', 'O', '?'}, {.stop_strings = {"\n\nROMEO:"}}).shown ==
        pieces{"one", "\n\nROMEO?"}); // held back, and no stop string after all
  CHECK(run({257, 259}, {.stop_strings = {"\n\nROMEO:"}}).shown == pieces{"one", "\n\nROM"}); // at the end
  CHECK(run(bytes_of("é"), {.stop_strings = {"é"}}).result.text.empty());
}

TEST_CASE("a stop token's text is not shown, but what was held back is") {
  const auto [result, shown] = run(bytes_of("ab\nq"), {.stop_tokens = {'q'}, .stop_strings = {"\n\n"}});
  CHECK(result.text == "ab\n");
  CHECK(result.finish_reason == finish_reason::stop_token);
  CHECK(result.ids == bytes_of("ab\n"));
  CHECK_FALSE(result.pending);
}

TEST_CASE("the callback of generate_text can end the generation, and can be left out") {
  const tokenizer words = support::byte_tokenizer();
  const auto model = fake::counting_model(256);
  fake::session session;
  std::string seen;
  const auto stopped = generate_text(model, session, words, "ab", greedy(), {}, [&](std::string_view piece) {
    seen += piece;
    return seen.size() < 3;
  });
  CHECK(seen == "cde");
  CHECK(stopped.text == "cde");
  CHECK(stopped.finish_reason == finish_reason::callback);
  fake::session other;
  CHECK(generate_text(model, other, words, "ab", greedy(), {.max_new_tokens = 2}).text == "cd");
  fake::session third;
  CHECK(generate_text(model, third, words, ids{'x'}, greedy(), {.max_new_tokens = 2}).text == "yz");
}

TEST_CASE("an empty text starts from the end-of-text token where there is one") {
  const tokenizer without = support::byte_tokenizer();
  const auto model = fake::counting_model(260);
  fake::session session;
  CHECK_THROWS_AS(generate_text(model, session, without, "", greedy()), argument_error);
  const tokenizer with = support::byte_tokenizer({"<|endoftext|>", "Once"}, {{256}});
  const auto result = generate_text(model, session, with, "", greedy(), {.max_new_tokens = 1});
  CHECK(result.prompt_ids == ids{256});
  CHECK(result.text == "Once");
}

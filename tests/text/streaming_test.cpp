#include <support/catch.hpp>

#include <string>
#include <string_view>
#include <vector>

#include <support/allocation_count.hpp>
#include <support/byte_tokenizer.hpp>
#include <transept/core/error.hpp>
#include <transept/text/stop_matcher.hpp>
#include <transept/text/stream_decoder.hpp>
#include <transept/text/string_matcher.hpp>
#include <transept/text/unicode.hpp>

#include "text_support.hpp"

using namespace transept;

namespace {

using strings = std::vector<std::string>;

/// What a decoder shows, byte by byte, and at the end.
strings shown_for(std::string_view text) {
  const tokenizer bytes = support::byte_tokenizer();
  stream_decoder decoder(bytes);
  strings shown;
  for (const char byte : text) shown.emplace_back(decoder.push(static_cast<unsigned char>(byte)));
  shown.emplace_back(decoder.flush());
  return shown;
}

/// The first stop string by definition: the first to be complete, of those the longest.
std::size_t cut_by_definition(const strings& stops, std::string_view text) {
  for (std::size_t end = 1; end <= text.size(); ++end) {
    std::size_t longest = 0;
    for (const std::string& stop : stops) {
      if (text.substr(0, end).ends_with(stop)) longest = std::max(longest, stop.size());
    }
    if (longest) return end - longest;
  }
  return text.npos;
}

std::size_t held_back_by_definition(const strings& stops, std::string_view text) {
  for (std::size_t count = text.size(); count > 0; --count) {
    for (const std::string& stop : stops) {
      if (std::string_view(stop).starts_with(text.substr(text.size() - count))) return count;
    }
  }
  return 0;
}

} // namespace

TEST_CASE("a stream shows a character when its last byte has come") {
  CHECK(shown_for("aé") == strings{"a", "", "é", ""});
  CHECK(shown_for("€") == strings{"", "", "€", ""});
  CHECK(shown_for("😁!") == strings{"", "", "", "😁", "!", ""});
}

TEST_CASE("a stream passes on bytes that can never become a character") {
  CHECK(shown_for("\xff") == strings{"\xff", ""});
  CHECK(shown_for("\x80") == strings{"\x80", ""});
  CHECK(shown_for("\xc0\x80") == strings{"\xc0", "\x80", ""});
  CHECK(shown_for("\xed\xa0") == strings{"", "\xed\xa0", ""});
  CHECK(shown_for("\xe2(") == strings{"", "\xe2(", ""});
  CHECK(shown_for("\xe2\x82\xe2\x82\xac") == strings{"", "", "\xe2\x82", "", "€", ""});
}

TEST_CASE("flushing a stream gives what is left of a character, and begins anew") {
  CHECK(shown_for("\xf0\x9f\x98") == strings{"", "", "", "\xf0\x9f\x98"});
  const tokenizer bytes = support::byte_tokenizer();
  stream_decoder decoder(bytes);
  CHECK(decoder(0xc3).empty());
  CHECK(decoder.flush() == "\xc3");
  CHECK(decoder.flush() == "");
  CHECK(decoder(0xa9) == "\xa9");
  CHECK(decoder('x') == "x");
}

TEST_CASE("a stream is the decoded text and never shows half a character") {
  const tokenizer& small = support::small_tokenizer();
  support::random_text random(9);
  std::size_t texts_in_utf8 = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string text = i % 5 ? random(i % 2 ? 20 : 5) : random.bytes(50);
    texts_in_utf8 += is_utf8(text);
    stream_decoder decoder(small);
    std::string so_far, whole;
    for (const token_id id : small.encode(text)) {
      const std::string_view shown = decoder.push(id);
      so_far += small.bytes(id);
      whole += shown;
      REQUIRE((is_utf8(shown) || !is_utf8(text)));
      REQUIRE(whole == so_far.substr(0, so_far.size() - incomplete_suffix(so_far)));
    }
    whole += decoder.flush();
    REQUIRE(whole == text);
  }
  CHECK(texts_in_utf8 > 100);
}

TEST_CASE("a stream refuses an unknown token and stays as it was") {
  const tokenizer bytes = support::byte_tokenizer();
  stream_decoder decoder(bytes);
  CHECK(decoder(0xc3).empty());
  CHECK(decoder(256).empty()); // of a model with a padded vocabulary
  CHECK_THROWS_AS(decoder.push(-1), tokenizer_error);
  CHECK(decoder(0xa9) == "é");
}

TEST_CASE("a stream and a stop matcher allocate nothing after they are made") {
  const tokenizer& small = support::small_tokenizer();
  std::vector<token_id> ids;
  for (token_id id = 0; id < static_cast<token_id>(small.vocabulary_size()); ++id) ids.push_back(id);
  stream_decoder decoder(small);
  stop_matcher matcher({"never to be seen", "<|endoftext|>never"});
  std::size_t bytes = 0;
  const support::allocation_count count;
  for (const token_id id : ids) bytes += matcher.push(decoder.push(id)).size();
  bytes += matcher.push(decoder.flush()).size() + matcher.flush().size();
  const long allocations = count.so_far();
  CHECK(allocations == 0);
  CHECK(bytes == small.decode(ids).size());
}

TEST_CASE("text is cut before the first stop string, in however many parts it comes") {
  for (const std::size_t part : {1u, 2u, 3u, 100u}) {
    stop_matcher matcher({"\n\n", "END"});
    const std::string text = "one\ntwo E EN ENDED\n\n";
    std::string shown;
    for (std::size_t at = 0; at < text.size(); at += part) shown += matcher.push(text.substr(at, part));
    CHECK(shown == "one\ntwo E EN ");
    CHECK(matcher.stopped());
    CHECK(matcher.met() == 1);
    CHECK(matcher.flush() == "");
    CHECK(matcher.push("more") == "");
    matcher.reset();
    CHECK_FALSE(matcher.stopped());
    CHECK(matcher.push("more") == "more");
  }
}

TEST_CASE("a stop matcher holds back only what could begin a stop string") {
  stop_matcher matcher({"abcd", "bcx"});
  CHECK(matcher.push("ab") == "");
  CHECK(matcher.push("c") == "");
  CHECK(matcher.push("y") == "abcy");
  CHECK(matcher.push("zab") == "z");
  CHECK(matcher.push("cx") == "a");
  CHECK(matcher.met() == 1);
  stop_matcher unmet({"abcd"});
  CHECK(unmet.push("abc") == "");
  CHECK(unmet.flush() == "abc");
  CHECK(unmet.push("d") == "d");
  CHECK_FALSE(unmet.stopped());
}

TEST_CASE("a stop matcher agrees with the definition") {
  support::random_text random(10);
  const auto word = [&](std::size_t least, std::size_t spread) {
    std::string text;
    for (std::size_t n = least + random.below(spread); n-- > 0;)
      text += static_cast<char>('a' + random.below(2));
    return text;
  };
  for (int i = 0; i < 3000; ++i) {
    strings stops(1 + random.below(4));
    for (std::string& stop : stops) stop = word(3, 5);
    const std::string text = word(0, 40);
    const std::size_t cut = cut_by_definition(stops, text);
    stop_matcher matcher(stops);
    std::string shown;
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t part = 1 + random.below(4);
      shown += matcher.push(std::string_view(text).substr(at, part));
      at = std::min(text.size(), at + part);
      if (matcher.stopped()) break;
      REQUIRE(at - shown.size() == held_back_by_definition(stops, std::string_view(text).substr(0, at)));
    }
    REQUIRE(matcher.stopped() == (cut != text.npos));
    REQUIRE(shown + std::string(matcher.flush()) == text.substr(0, cut));
  }
}

TEST_CASE("an empty stop string is refused and no stop strings stop nothing") {
  CHECK_THROWS_AS(stop_matcher({"x", ""}), argument_error);
  stop_matcher none;
  CHECK(none.push("anything") == "anything");
  CHECK(none.flush() == "");
}

TEST_CASE("looking for a long periodic string takes time that is linear in the text") {
  const std::string pattern = support::repeated("a", 100000) + "b";
  stop_matcher matcher({pattern, support::repeated("ab", 100000) + "c"}, 1u << 22);
  const std::string text = support::repeated("a", 4u << 20);
  CHECK(matcher.push(text).size() == text.size() - 100000);
  CHECK(matcher.push("c").size() == 100001);
}

// What a SentencePiece model says, from its own file or from lists, and the vocabulary that it becomes.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/text/character_map.hpp>
#include <transept/text/impl/protobuf.hpp>
#include <transept/text/impl/space_mark.hpp>
#include <transept/text/impl/vocabulary_pieces.hpp>
#include <transept/text/token_lists.hpp>
#include <transept/text/unicode.hpp>
#include <transept/text/vocabulary.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// What a model file says.
struct sentencepiece_file {
  enum class kind : std::uint64_t { unigram = 1, bpe = 2, word = 3, characters = 4 };

  std::vector<std::string_view> pieces;
  std::vector<std::int64_t> kinds; ///< token_kind
  std::vector<float> scores;
  kind model = kind::unigram;
  bool has_byte_fallback = false, has_space_behind = false;
  std::string_view unknown_text = " \xe2\x81\x87 "; ///< " ⁇ "
  std::string_view character_map;
  bool puts_space = true, removes_extra_spaces = true, marks_spaces = true;
  bool denormalizes = false;

  sentencepiece_file() = default;

  sentencepiece_file(std::string_view bytes, const std::string& source) {
    for (protobuf_reader message(bytes, source); message.next();) {
      if (message.field() == 1) read_piece(protobuf_reader(message.bytes(), source));
      if (message.field() == 2) read_training(protobuf_reader(message.bytes(), source));
      if (message.field() == 3) read_normalizer(protobuf_reader(message.bytes(), source));
      if (message.field() == 5)
        for (protobuf_reader inner(message.bytes(), source); inner.next();)
          if (inner.field() == 2) denormalizes = !inner.bytes().empty();
    }
    if (pieces.empty()) throw format_error(source + ": no SentencePiece model: it has no pieces");
  }

private:
  void read_piece(protobuf_reader message) {
    std::string_view text;
    float score = 0;
    std::int64_t type = static_cast<std::int64_t>(token_kind::normal);
    while (message.next()) {
      if (message.field() == 1) text = message.bytes();
      if (message.field() == 2) score = message.real();
      if (message.field() == 3) type = static_cast<std::int64_t>(message.number());
    }
    if (!is_utf8(text))
      message.fail("piece " + std::to_string(pieces.size()) + " is no UTF-8: " + quoted(text));
    if (!std::isfinite(score)) message.fail("the score of piece " + quoted(text) + " is no number");
    pieces.push_back(text);
    scores.push_back(score);
    kinds.push_back(type);
  }

  void read_training(protobuf_reader message) {
    while (message.next()) {
      if (message.field() == 3) model = static_cast<kind>(message.number());
      if (message.field() == 24) has_space_behind = message.boolean();
      if (message.field() == 35) has_byte_fallback = message.boolean();
      if (message.field() == 44) unknown_text = message.bytes();
    }
    if (!is_utf8(unknown_text)) message.fail("unk_surface is no UTF-8");
  }

  void read_normalizer(protobuf_reader message) {
    while (message.next()) {
      if (message.field() == 2) character_map = message.bytes();
      if (message.field() == 3) puts_space = message.boolean();
      if (message.field() == 4) removes_extra_spaces = message.boolean();
      if (message.field() == 5) marks_spaces = message.boolean();
    }
  }
};

/// The one piece of type unknown; and bytes are all there, or none.
inline token_id check_sentencepiece(const sentencepiece_file& file, const std::string& source) {
  const auto fail = [&](const std::string& what) { throw tokenizer_error(source + ": " + what); };
  using kind = sentencepiece_file::kind;
  if (file.model != kind::unigram && file.model != kind::bpe && file.model != kind::characters)
    fail("model_type is " + std::to_string(static_cast<std::uint64_t>(file.model)) +
         "; supported: 1 (unigram), 2 (bpe), 4 (char)");
  const auto count = [&](token_kind wanted) {
    return std::count(file.kinds.begin(), file.kinds.end(), static_cast<std::int64_t>(wanted));
  };
  if (count(token_kind::unknown) != 1)
    fail("expected one piece of type unknown, found " + std::to_string(count(token_kind::unknown)));
  if (count(token_kind::byte) != (file.has_byte_fallback ? 256 : 0))
    fail(std::string("expected ") + (file.has_byte_fallback ? "256" : "no") + " pieces of type byte, found " +
         std::to_string(count(token_kind::byte)));
  const auto unknown =
      std::find(file.kinds.begin(), file.kinds.end(), static_cast<std::int64_t>(token_kind::unknown));
  return static_cast<token_id>(unknown - file.kinds.begin());
}

/// The scores of a unigram model's pieces, as SentencePiece has them.
inline void make_sentencepiece_unigram(vocabulary& made, const sentencepiece_file& file) {
  constexpr float unknown_penalty = 10;
  const auto is = [&](std::size_t id, token_kind kind) {
    return file.kinds[id] == static_cast<std::int64_t>(kind);
  };
  float least = std::numeric_limits<float>::max(), most = std::numeric_limits<float>::min();
  for (std::size_t id = 0; id < file.scores.size(); ++id) {
    if (!is(id, token_kind::normal)) continue;
    least = std::min(least, file.scores[id]);
    most = std::max(most, file.scores[id]);
  }
  std::vector<double> scores(file.scores.begin(), file.scores.end());
  std::vector<bool> left_out(scores.size());
  for (std::size_t id = 0; id < scores.size(); ++id) {
    left_out[id] = is(id, token_kind::unused);
    // A text that a user defined is taken wherever it is met.
    if (is(id, token_kind::user_defined))
      scores[id] = static_cast<double>(static_cast<float>(file.pieces[id].size()) * most) - 0.1;
  }
  std::erase_if(made.added, [](const added_token& each) { return !each.special; });
  make_unigram(made, scores, left_out);
  made.unknown_score = static_cast<double>(least - unknown_penalty);
  made.rules.single_precision = true;
}

/// The vocabulary of a model. `source` begins messages.
inline vocabulary vocabulary_of(const sentencepiece_file& file, const std::string& source) {
  text_rules rules{.steps = {},
                   .character_map = std::string(file.character_map),
                   .by_characters = true,
                   .unknown = check_sentencepiece(file, source),
                   .fuses_unknown = true,
                   .marks_spaces = file.marks_spaces};
  (void)character_map(file.character_map, source); // throws for one that is damaged
  if (file.puts_space)
    rules.prefix = file.has_space_behind ? space_prefix::behind_text : space_prefix::always;
  rules.removes_extra_spaces = file.removes_extra_spaces;
  for (std::size_t id = 0; id < file.pieces.size(); ++id)
    if (file.kinds[id] == static_cast<std::int64_t>(token_kind::user_defined))
      rules.kept_texts.emplace_back(file.pieces[id]);
  // Without these its rules are those that GGUF's llama has too.
  if (!rules.character_map.empty() || rules.removes_extra_spaces || !rules.kept_texts.empty() ||
      file.has_space_behind)
    rules.normalizers.push_back(normalizer::sentence_piece);
  const bool is_bpe = file.model == sentencepiece_file::kind::bpe;
  vocabulary made = read_token_lists({.source = source,
                                      .tokens = file.pieces,
                                      .kinds = file.kinds,
                                      .scores = is_bpe ? file.scores : std::vector<float>(),
                                      .rules = rules});
  const token_id unknown = *rules.unknown;
  made.added.push_back({.id = unknown, .text = std::string(file.pieces[static_cast<std::size_t>(unknown)])});
  made.tokens[static_cast<std::size_t>(unknown)] = file.unknown_text;
  for (added_token& each : made.added) {
    if (each.special) continue;
    each.normalized = true; // looked for in what the normalizer left of a text, and left there as they are
    std::string& text = made.tokens[static_cast<std::size_t>(each.id)];
    if (file.marks_spaces) text = with_spaces(text);
  }
  if (file.model == sentencepiece_file::kind::unigram) make_sentencepiece_unigram(made, file);
  if (file.denormalizes) made.note = source + ": its denormalizer_spec is not applied to decoded texts";
  return made;
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI

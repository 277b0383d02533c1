// How a vocabulary is found in a folder or a GGUF file (io/load_tokenizer.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/impl/gguf_splittings.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/text/impl/sentencepiece_vocabulary.hpp>
#include <transept/text/impl/vocabulary_pieces.hpp>
#include <transept/text/token_lists.hpp>
#include <transept/text/tokenizer_folder.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// The tokens that a file wants around a text.
inline void read_template(const gguf_metadata& metadata, std::size_t tokens, const std::string& source,
                          text_rules& rules) {
  const auto add = [&](const char* flag, const char* id, std::vector<token_id>& place) {
    if (!metadata.boolean(flag).value_or(false)) return;
    const auto token = metadata.count(id);
    if (!token || *token >= tokens)
      throw tokenizer_error(source + ": key " + quoted(id) + ": expected the id of a token, for " + flag +
                            " is true");
    place.push_back(static_cast<token_id>(*token));
  };
  add("tokenizer.ggml.add_bos_token", "tokenizer.ggml.bos_token_id", rules.before);
  add("tokenizer.ggml.add_eos_token", "tokenizer.ggml.eos_token_id", rules.after);
}

/// BERT's: words begin with ▁, what goes on with one has nothing before it, and texts are normalized as by
/// the uncased models, which is what llama.cpp does with all of them.
inline vocabulary read_gguf_word_pieces(const gguf_metadata& metadata,
                                        std::span<const std::string_view> tokens,
                                        const std::vector<std::int64_t>& kinds, const std::string& source) {
  text_rules rules{.steps = {splitting::words}, .by_characters = true}; // as far as reading goes
  rules.normalizers = bert_normalizers({true, true, true, true});
  const auto id_of = [&](std::initializer_list<const char*> keys, const char* text) {
    for (const char* key : keys)
      if (const auto id = metadata.count(key)) {
        if (*id >= tokens.size())
          throw tokenizer_error(source + ": key " + quoted(key) + ": no token has this id");
        return std::optional(static_cast<token_id>(*id));
      }
    const auto found = std::find(tokens.begin(), tokens.end(), text);
    return found == tokens.end() ? std::nullopt
                                 : std::optional(static_cast<token_id>(found - tokens.begin()));
  };
  rules.unknown = id_of({"tokenizer.ggml.unknown_token_id"}, "[UNK]");
  const auto begin = id_of({"tokenizer.ggml.cls_token_id", "tokenizer.ggml.bos_token_id"}, "[CLS]");
  const auto end = id_of({"tokenizer.ggml.seperator_token_id", "tokenizer.ggml.separator_token_id",
                          "tokenizer.ggml.eos_token_id"},
                         "[SEP]");
  if (begin && metadata.boolean("tokenizer.ggml.add_bos_token").value_or(true)) rules.before = {*begin};
  if (end && metadata.boolean("tokenizer.ggml.add_eos_token").value_or(true)) rules.after = {*end};
  rules.pair = pair_template(rules.before, rules.after, rules.after, 1);
  vocabulary made = read_token_lists({.source = source, .tokens = tokens, .kinds = kinds, .rules = rules});
  make_marked_word_pieces(made);
  return made;
}

/// T5's: a unigram model of SentencePiece's, as lists.
inline vocabulary read_gguf_unigram(const gguf_metadata& metadata, std::span<const std::string_view> tokens,
                                    const std::vector<std::int64_t>& kinds, const std::string& source) {
  const auto scores = metadata.numbers("tokenizer.ggml.scores");
  if (!scores || scores->size() != tokens.size() || kinds.size() != tokens.size())
    throw tokenizer_error(source + ": expected a score and a type for each of " +
                          std::to_string(tokens.size()) +
                          " tokens: tokenizer.ggml.scores and tokenizer.ggml.token_type");
  sentencepiece_file file;
  file.pieces.assign(tokens.begin(), tokens.end());
  file.scores = *scores;
  file.kinds = kinds;
  if (const auto bad =
          std::find_if(scores->begin(), scores->end(), [](float each) { return !std::isfinite(each); });
      bad != scores->end())
    throw tokenizer_error(source + ": the score of token " +
                          quoted(tokens[static_cast<std::size_t>(bad - scores->begin())]) + " is no number");
  constexpr auto unknown = static_cast<std::int64_t>(token_kind::unknown);
  const auto unknown_id = metadata.count("tokenizer.ggml.unknown_token_id");
  if (unknown_id && *unknown_id < kinds.size() &&
      std::find(kinds.begin(), kinds.end(), unknown) == kinds.end())
    file.kinds[static_cast<std::size_t>(*unknown_id)] = unknown;
  constexpr auto byte = static_cast<std::int64_t>(token_kind::byte);
  file.has_byte_fallback = std::find(kinds.begin(), kinds.end(), byte) != kinds.end();
  file.puts_space = metadata.boolean("tokenizer.ggml.add_space_prefix").value_or(true);
  file.removes_extra_spaces = metadata.boolean("tokenizer.ggml.remove_extra_whitespaces").value_or(true);
  std::string map;
  if (const auto bytes = metadata.integers("tokenizer.ggml.precompiled_charsmap"))
    for (const std::int64_t each : *bytes) map += static_cast<char>(each);
  file.character_map = map;
  vocabulary made = vocabulary_of(file, source);
  read_template(metadata, tokens.size(), source, made.rules);
  const auto end = metadata.count("tokenizer.ggml.eos_token_id");
  if (!metadata.boolean("tokenizer.ggml.add_eos_token") && end && *end < tokens.size())
    made.rules.after = {static_cast<token_id>(*end)}; // as llama.cpp does
  return made;
}

} // namespace detail

TRANSEPT_FUNCTION vocabulary read_vocabulary(const gguf_file& file) {
  const std::string source = file.path().string();
  const gguf_metadata& metadata = file.metadata();
  const auto tokens = metadata.texts("tokenizer.ggml.tokens");
  if (!tokens) throw file_error(source + ": no tokenizer here: no key tokenizer.ggml.tokens");
  const std::string_view model = metadata.text("tokenizer.ggml.model").value_or("gpt2");
  // GPT-2's alphabet writes every byte as a character, so that a token of any bytes is valid UTF-8.
  for (std::size_t id = 0; id < tokens->size(); ++id)
    if (!is_utf8((*tokens)[id]))
      throw format_error(source + ": key \"tokenizer.ggml.tokens\": token " + std::to_string(id) +
                         ": expected UTF-8, found " + quoted((*tokens)[id]));
  const auto kinds = metadata.integers("tokenizer.ggml.token_type").value_or(std::vector<std::int64_t>());
  const auto refuse = [&](const char* key, std::string_view found, const char* expected) {
    throw tokenizer_error(source + ": key " + quoted(key) + ": expected " + expected + ", found " +
                          quoted(found));
  };
  if (model == "llama") {
    const auto scores = metadata.numbers("tokenizer.ggml.scores");
    if (!scores) throw file_error(source + ": no tokenizer here: no key tokenizer.ggml.scores");
    text_rules rules{.steps = {}, .by_characters = true, .marks_spaces = true};
    if (metadata.boolean("tokenizer.ggml.add_space_prefix").value_or(true))
      rules.prefix = space_prefix::always;
    if (const auto unknown = metadata.count("tokenizer.ggml.unknown_token_id");
        unknown && *unknown < tokens->size())
      rules.unknown = static_cast<token_id>(*unknown);
    detail::read_template(metadata, tokens->size(), source, rules);
    return read_token_lists(
        {.source = source, .tokens = *tokens, .kinds = kinds, .scores = *scores, .rules = rules});
  }
  if (model == "bert") return detail::read_gguf_word_pieces(metadata, *tokens, kinds, source);
  if (model == "t5") return detail::read_gguf_unigram(metadata, *tokens, kinds, source);
  if (model != "gpt2") refuse("tokenizer.ggml.model", model, "\"gpt2\", \"llama\", \"t5\" or \"bert\"");
  const auto merges = metadata.texts("tokenizer.ggml.merges");
  if (!merges) throw file_error(source + ": no tokenizer here: no key tokenizer.ggml.merges");
  const std::string_view pre = metadata.text("tokenizer.ggml.pre").value_or("default");
  auto rules = detail::rules_named(pre);
  if (rules && metadata.boolean("tokenizer.ggml.add_space_prefix").value_or(false))
    rules->prefix = space_prefix::unless_there;
  if (!rules) refuse("tokenizer.ggml.pre", pre, "a splitting that is known (gpt-2, llama-bpe, qwen2, …)");
  detail::read_template(metadata, tokens->size(), source, *rules);
  return read_token_lists(
      {.source = source, .tokens = *tokens, .kinds = kinds, .merges = *merges, .rules = *rules});
}

TRANSEPT_FUNCTION tokenizer load_tokenizer(const std::filesystem::path& path) {
  return is_gguf(path) ? tokenizer(read_vocabulary(gguf_file::open(path))) : load_tokenizer_folder(path);
}

} // namespace transept::inline TRANSEPT_ABI

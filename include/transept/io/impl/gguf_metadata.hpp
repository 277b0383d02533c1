// A vocabulary as a GGUF file's metadata, and keys of another file (io/gguf_metadata.hpp).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/io/gguf_metadata.hpp>
#include <transept/io/impl/gguf_splittings.hpp>
#include <transept/text/byte_alphabet.hpp>
#include <transept/text/impl/space_mark.hpp>
#include <transept/text/token_lists.hpp>
#include <transept/text/tokenizer_folder.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION void add_other_keys(gguf_keys& keys, const gguf_metadata& from) {
  for (const auto& [key, value] : from.values()) {
    const bool depends = key == "general.alignment" || key == "general.quantization_version";
    if (!depends && !keys.contains(key)) keys.add(key, value);
  }
}

/// A token as files of its kind write it, and its kind.
inline std::pair<std::string, token_kind> written_token(const vocabulary& from, token_id id) {
  const std::string& bytes = from.tokens[static_cast<std::size_t>(id)];
  if (!from.rules.by_characters) return {to_byte_alphabet(bytes), token_kind::normal};
  const bool is_byte = bytes.size() == 1 && from.byte_tokens[static_cast<unsigned char>(bytes[0])] == id;
  if (is_byte) {
    constexpr const char* digits = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(bytes[0]);
    return {std::string("<0x") + digits[byte >> 4] + digits[byte & 15] + ">", token_kind::byte};
  }
  return {from.rules.marks_spaces ? with_space_marks(bytes) : bytes, token_kind::normal};
}

/// What tokenizer.ggml calls the rules: its model, and keys of their own. Throws config_error where it has no
/// words for them.
inline void add_text_rules(gguf_keys& keys, const text_rules& rules, const std::string& source) {
  const auto fail = [&](const std::string& what) {
    throw config_error(source + ": tokenizer.json: " + what + "\n  GGUF has no key for it.");
  };
  if (rules.by_characters) {
    if (!rules.normalizers.empty() || !rules.steps.empty() || !rules.end_of_word.empty() ||
        !rules.marks_spaces)
      fail("this kind of byte-pair encoding of characters");
    keys.add("tokenizer.ggml.model", "llama");
    keys.add("tokenizer.ggml.pre", "default");
    keys.add("tokenizer.ggml.add_space_prefix",
             gguf_value{gguf_type::boolean, rules.prefix == space_prefix::none ? std::string_view("\0", 1)
                                                                               : std::string_view("\1", 1)});
    if (rules.unknown)
      keys.add("tokenizer.ggml.unknown_token_id", static_cast<std::uint32_t>(*rules.unknown));
  } else {
    const auto name = name_of_rules(rules);
    if (!name) fail("this pre_tokenizer with this normalizer");
    keys.add("tokenizer.ggml.model", "gpt2");
    keys.add("tokenizer.ggml.pre", *name);
    if (rules.prefix != space_prefix::none)
      keys.add("tokenizer.ggml.add_space_prefix", gguf_value{gguf_type::boolean, std::string_view("\1", 1)});
  }
  const auto add_template = [&](const std::string& name, const std::vector<token_id>& tokens) {
    if (tokens.empty()) return;
    if (tokens.size() != 1) fail("a template with several tokens before or behind the text");
    keys.add("tokenizer.ggml.add_" + name + "_token",
             gguf_value{gguf_type::boolean, std::string_view("\1", 1)});
    keys.add("tokenizer.ggml." + name + "_token_id", static_cast<std::uint32_t>(tokens[0]));
  };
  add_template("bos", rules.before);
  add_template("eos", rules.after);
}

/// Of merges the scores of their tokens: the earlier a token is made, the higher.
inline std::vector<float> scores_of(const vocabulary& from, std::size_t size) {
  std::vector<float> scores(size, -static_cast<float>(from.merges.size()) - 1.0f);
  for (std::size_t i = from.merges.size(); i-- > 0;) {
    const std::int32_t rank = from.merges[i].rank < 0 ? static_cast<std::int32_t>(i) : from.merges[i].rank;
    scores[static_cast<std::size_t>(from.merges[i].merged)] = -static_cast<float>(rank);
  }
  return scores;
}

TRANSEPT_FUNCTION void add_vocabulary(gguf_keys& keys, const std::filesystem::path& folder, int vocab_size,
                                      const std::string& source) {
  if (!has_vocabulary(folder)) return;
  const vocabulary from = read_vocabulary_folder(folder);
  const auto size = static_cast<std::size_t>(vocab_size);
  if (from.tokens.size() > size)
    throw config_error(source + ": vocab_size: expected at least the vocabulary's " +
                       std::to_string(from.tokens.size()) + " tokens, found " + std::to_string(size));
  std::vector<std::string> symbols;
  std::vector<std::int32_t> kinds(size, static_cast<std::int32_t>(token_kind::normal));
  for (std::size_t id = 0; id < from.tokens.size(); ++id) {
    auto [symbol, kind] = written_token(from, static_cast<token_id>(id));
    symbols.push_back(std::move(symbol));
    kinds[id] = static_cast<std::int32_t>(kind);
  }
  for (const added_token& added : from.added) {
    const auto id = static_cast<std::size_t>(added.id);
    if (kinds[id] == static_cast<std::int32_t>(token_kind::byte)) continue;
    symbols[id] = added.text.empty() ? from.tokens[id] : added.text;
    kinds[id] = static_cast<std::int32_t>(added.special ? token_kind::control : token_kind::user_defined);
  }
  if (from.rules.unknown)
    kinds[static_cast<std::size_t>(*from.rules.unknown)] = static_cast<std::int32_t>(token_kind::unknown);
  for (std::size_t id = symbols.size(); id < size; ++id) {
    symbols.push_back("[PAD" + std::to_string(id) + "]");
    kinds[id] = static_cast<std::int32_t>(token_kind::unused);
  }
  add_text_rules(keys, from.rules, source);
  keys.add("tokenizer.ggml.tokens", std::span<const std::string>(symbols));
  keys.add("tokenizer.ggml.token_type", std::span<const std::int32_t>(kinds));
  if (from.rules.by_characters) {
    keys.add("tokenizer.ggml.scores", std::span<const float>(scores_of(from, size)));
    return;
  }
  std::vector<std::string> merges;
  for (const token_merge& merge : from.merges)
    merges.push_back(to_byte_alphabet(from.tokens[static_cast<std::size_t>(merge.left)]) + " " +
                     to_byte_alphabet(from.tokens[static_cast<std::size_t>(merge.right)]));
  keys.add("tokenizer.ggml.merges", std::span<const std::string>(merges));
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI

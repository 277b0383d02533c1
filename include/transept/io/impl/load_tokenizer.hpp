// How a vocabulary is found in a folder or a GGUF file (io/load_tokenizer.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/impl/gguf_splittings.hpp>
#include <transept/io/load_tokenizer.hpp>
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
  if (model != "gpt2") refuse("tokenizer.ggml.model", model, "\"gpt2\" or \"llama\"");
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

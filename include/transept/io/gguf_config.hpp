// The shape and the settings of a GPT-2, from the metadata of its GGUF file.
//
// GGUF has no keys for what all GPT-2s share as llama.cpp computes them: the activation is gelu_new, scores
// are divided by √head_width. The vocabulary's size is that of token_embd.weight. The output is tied to the
// embedding where there is no output.weight, or where it is, byte for byte, a copy of token_embd.weight
// (which older converters wrote); any other is an output of its own.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/huggingface_config.hpp>
#include <transept/io/mapped_file.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// Reads the metadata of one file, with the file's name in every complaint.
class gguf_config_reader {
public:
  explicit gguf_config_reader(const gguf_file& file) : file_(file) {}

  [[noreturn]] void fail(std::string_view key, const std::string& expected, const std::string& found) const {
    throw config_error(file_.path().string() + ": key " + quoted(key) + ": expected " + expected +
                       ", found " + found);
  }

  /// A count from 1 to `limit`.
  std::optional<int> optional_count(std::string_view key, int limit) const {
    const auto number = file_.metadata().count(key);
    if (!number) return std::nullopt;
    if (*number == 0 || *number > static_cast<std::uint64_t>(limit))
      fail(key, "a whole number from 1 to " + std::to_string(limit), std::to_string(*number));
    return static_cast<int>(*number);
  }

  int count(std::string_view key, int limit) const {
    const auto number = optional_count(key, limit);
    if (!number) fail(key, "a whole number from 1 to " + std::to_string(limit), "no such key");
    return *number;
  }

  void check_architecture() const {
    const auto parts = file_.metadata().count("split.count");
    if (parts && *parts > 1)
      fail("split.count", "a model in one file (llama-gguf-split --merge makes one)", std::to_string(*parts));
    const auto found = file_.metadata().text("general.architecture");
    if (found != "gpt2") fail("general.architecture", "\"gpt2\"", found ? quoted(*found) : "no such key");
  }

  int head_width(int n_embd, int n_head) const {
    const auto key = optional_count("gpt2.attention.key_length", config_limits::width);
    const auto value = optional_count("gpt2.attention.value_length", config_limits::width);
    if (key && value && *key != *value)
      fail("gpt2.attention.value_length", "the key_length, " + std::to_string(*key), std::to_string(*value));
    if (!key && !value && n_embd % n_head != 0)
      fail("gpt2.embedding_length", "a multiple of head_count (" + std::to_string(n_head) + ")",
           std::to_string(n_embd));
    const int width = key ? *key : value ? *value : n_embd / n_head;
    if (std::int64_t{n_head} * width > config_limits::width)
      fail("gpt2.attention.head_count",
           "head_count · key_length at most " + std::to_string(config_limits::width),
           std::to_string(n_head) + " · " + std::to_string(width));
    return width;
  }

  float epsilon() const {
    constexpr std::string_view key = "gpt2.attention.layer_norm_epsilon";
    const auto number = file_.metadata().number(key);
    if (!number) fail(key, "a number above 0 and at most 1", "no such key");
    if (!(*number >= double{std::numeric_limits<float>::min()} && *number <= 1))
      fail(key, "a number above 0 and at most 1", described(json(*number)));
    return static_cast<float>(*number);
  }

  /// Rows of the token embedding. (That it is as wide as the keys say is checked when it is loaded.)
  int vocab_size() const {
    const stored_tensor* const table = file_.find("token_embd.weight");
    const std::string where = file_.path().string() + ": tensor token_embd.weight: expected ";
    if (table == nullptr) throw shape_error(where + "[vocab_size, n_embd], found no tensor of that name");
    if (table->shape.size() != 2)
      throw shape_error(where + "[vocab_size, n_embd], found " + shape_text(table->shape));
    const std::uint64_t rows = table->shape.front();
    if (rows == 0 || rows > static_cast<std::uint64_t>(config_limits::vocab_size))
      throw shape_error(where + "from 1 to " + std::to_string(config_limits::vocab_size) + " rows, found " +
                        std::to_string(rows));
    const gguf_value* const tokens = file_.metadata().find("tokenizer.ggml.tokens");
    if (tokens != nullptr) {
      std::uint64_t count = 0;
      if (tokens->type == gguf_type::array) std::memcpy(&count, tokens->bytes.data() + 4, sizeof count);
      if (tokens->type != gguf_type::array || count != rows)
        fail("tokenizer.ggml.tokens",
             "an array of " + std::to_string(rows) + " strings, one per row of token_embd.weight",
             tokens->type == gguf_type::array ? std::to_string(count) : std::string(name_of(tokens->type)));
    }
    return static_cast<int>(rows);
  }

  /// The output's bytes are compared only where type and shape agree, and, where they differ, only up to the
  /// first difference; both are in the page cache then, and leave this process's memory again.
  bool is_tied() const {
    const stored_tensor* const output = file_.find("output.weight");
    const stored_tensor* const table = file_.find("token_embd.weight");
    if (output == nullptr || table == nullptr) return true;
    if (output->dtype != table->dtype || output->shape != table->shape) return false;
    const bool equal = output->bytes.empty() ||
                       std::memcmp(output->bytes.data(), table->bytes.data(), table->bytes.size()) == 0;
    release_pages(output->bytes);
    release_pages(table->bytes);
    return equal;
  }

  /// A token's id; nothing where the key is missing or the id is outside the vocabulary.
  std::optional<token_id> token(std::string_view key, int vocab_size) const {
    const auto id = file_.metadata().count(key);
    if (!id || *id >= static_cast<std::uint64_t>(vocab_size)) return std::nullopt;
    return static_cast<token_id>(*id);
  }

private:
  const gguf_file& file_;
};

} // namespace detail

/// What the file's metadata says of the model, in Hugging Face's words. Throws format_error for a key of the
/// wrong type, config_error for one that is missing or holds what no model can have, shape_error for a token
/// embedding that is none.
inline huggingface_config read_config(const gguf_file& file) {
  const detail::gguf_config_reader reader(file);
  reader.check_architecture();
  huggingface_config config;
  config.n_embd = reader.count("gpt2.embedding_length", config_limits::width);
  config.n_layer = reader.count("gpt2.block_count", config_limits::n_layer);
  config.n_head = reader.count("gpt2.attention.head_count", config_limits::width);
  config.n_positions = reader.count("gpt2.context_length", config_limits::n_positions);
  config.n_inner =
      reader.optional_count("gpt2.feed_forward_length", config_limits::n_inner).value_or(4 * config.n_embd);
  const auto shared = reader.optional_count("gpt2.attention.head_count_kv", config_limits::width);
  if (shared && *shared != config.n_head)
    reader.fail("gpt2.attention.head_count_kv", "the head_count, " + std::to_string(config.n_head),
                std::to_string(*shared));
  config.head_width = reader.head_width(config.n_embd, config.n_head);
  config.layer_norm_epsilon = reader.epsilon();
  config.vocab_size = reader.vocab_size();
  config.tie_word_embeddings = reader.is_tied();
  // Without the keys: GPT-2's <|endoftext|>, as without them in config.json.
  const auto fallback = config.vocab_size > 50256 ? std::optional<token_id>(50256) : std::nullopt;
  const auto begin = reader.token("tokenizer.ggml.bos_token_id", config.vocab_size);
  const auto end = reader.token("tokenizer.ggml.eos_token_id", config.vocab_size);
  config.bos_token_id = begin ? begin : fallback;
  config.eos_token_ids.clear();
  if (const auto id = end ? end : fallback) config.eos_token_ids.push_back(*id);
  const auto end_of_turn = reader.token("tokenizer.ggml.eot_token_id", config.vocab_size);
  if (end_of_turn && end_of_turn != end) config.eos_token_ids.push_back(*end_of_turn);
  return config;
}

} // namespace transept::inline TRANSEPT_ABI

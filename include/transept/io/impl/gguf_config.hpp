// How the keys of a GGUF file are read and checked (io/gguf_config.hpp).
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <string>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/gguf_config.hpp>
#include <transept/io/mapped_file.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION void gguf_reader::fail(std::string_view key, const std::string& expected,
                                         const std::string& found) const {
  throw config_error(file_.path().string() + ": key " + quoted(key) + ": expected " + expected + ", found " +
                     found);
}

TRANSEPT_FUNCTION std::optional<int> gguf_reader::optional_count(std::string_view key, int limit) const {
  const auto number = file_.metadata().count(key);
  if (!number) return std::nullopt;
  if (*number == 0 || *number > static_cast<std::uint64_t>(limit))
    fail(key, "a whole number from 1 to " + std::to_string(limit), std::to_string(*number));
  return static_cast<int>(*number);
}

TRANSEPT_FUNCTION int gguf_reader::count(std::string_view key, int limit) const {
  const auto number = optional_count(key, limit);
  if (!number) fail(key, "a whole number from 1 to " + std::to_string(limit), "no such key");
  return *number;
}

TRANSEPT_FUNCTION void gguf_reader::check_architecture(std::string_view name) const {
  const auto parts = file_.metadata().count("split.count");
  if (parts && *parts > 1)
    fail("split.count", "a model in one file (llama-gguf-split --merge makes one)", std::to_string(*parts));
  const auto found = file_.metadata().text("general.architecture");
  if (found != name) fail("general.architecture", quoted(name), found ? quoted(*found) : "no such key");
}

TRANSEPT_FUNCTION int gguf_reader::head_width(const std::string& prefix, int n_embd, int n_head) const {
  const auto key = optional_count(prefix + "attention.key_length", config_limits::width);
  const auto value = optional_count(prefix + "attention.value_length", config_limits::width);
  if (key && value && *key != *value)
    fail(prefix + "attention.value_length", "the key_length, " + std::to_string(*key),
         std::to_string(*value));
  if (!key && !value && n_embd % n_head != 0)
    fail(prefix + "embedding_length", "a multiple of head_count (" + std::to_string(n_head) + ")",
         std::to_string(n_embd));
  const int width = key ? *key : value ? *value : n_embd / n_head;
  if (std::int64_t{n_head} * width > config_limits::width)
    fail(prefix + "attention.head_count",
         "head_count · key_length at most " + std::to_string(config_limits::width),
         std::to_string(n_head) + " · " + std::to_string(width));
  return width;
}

TRANSEPT_FUNCTION float gguf_reader::epsilon(std::string_view key) const {
  const auto number = file_.metadata().number(key);
  if (!number) fail(key, "a number above 0 and at most 1", "no such key");
  if (!(*number >= double{std::numeric_limits<float>::min()} && *number <= 1))
    fail(key, "a number above 0 and at most 1", described(json(*number)));
  return static_cast<float>(*number);
}

TRANSEPT_FUNCTION int gguf_reader::vocab_size() const {
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

TRANSEPT_FUNCTION bool gguf_reader::is_tied() const {
  const stored_tensor* const output = file_.find("output.weight");
  const stored_tensor* const table = file_.find("token_embd.weight");
  if (output == nullptr || table == nullptr) return true;
  return have_same_elements(*output, *table);
}

TRANSEPT_FUNCTION std::optional<token_id> gguf_reader::token(std::string_view key, int vocab_size) const {
  const auto id = file_.metadata().count(key);
  if (!id || *id >= static_cast<std::uint64_t>(vocab_size)) return std::nullopt;
  return static_cast<token_id>(*id);
}

TRANSEPT_FUNCTION std::optional<std::string> own_model_type(const gguf_file& file) {
  const auto text = file.metadata().text(own_config_key);
  if (file.metadata().text("general.architecture") != own_architecture || !text) return std::nullopt;
  const json root = parse_json(*text, file.path().string());
  const auto type = root.is_object() ? root.find("model_type") : root.end();
  if (!root.is_object() || type == root.end() || !type->is_string()) return std::nullopt;
  return type->get<std::string>();
}

} // namespace transept::inline TRANSEPT_ABI

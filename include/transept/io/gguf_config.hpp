// The configuration of a model, from the metadata of its GGUF file.
//
// A family that llama.cpp knows says how its keys are read and written (gpt2/gguf.hpp). Any other is written
// under an architecture of our own, "transept", with its config.json as one key: other programs refuse it
// rather than compute something else.
//
// The vocabulary's size is that of token_embd.weight. The output is tied to the embedding where there is no
// output.weight, or where it is, byte for byte, a copy of token_embd.weight (which older converters wrote);
// any other is an output of its own.
#pragma once

#include <cstdint>
#include <cstring>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/model_config.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A family whose models have an architecture of their own in GGUF files.
template <class Family>
concept gguf_family = requires {
  Family::gguf_architecture;
};

/// The architecture of all others, and the key of their config.json.
inline constexpr std::string_view own_architecture = "transept", own_config_key = "transept.config";

/// Reads the metadata of one file, with the file's name in every complaint.
class gguf_reader {
public:
  explicit gguf_reader(const gguf_file& file) : file_(file) {}

  const gguf_metadata& metadata() const { return file_.metadata(); }

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

  /// Throws unless the file is whole, and of architecture `name`.
  void check_architecture(std::string_view name) const {
    const auto parts = file_.metadata().count("split.count");
    if (parts && *parts > 1)
      fail("split.count", "a model in one file (llama-gguf-split --merge makes one)", std::to_string(*parts));
    const auto found = file_.metadata().text("general.architecture");
    if (found != name) fail("general.architecture", quoted(name), found ? quoted(*found) : "no such key");
  }

  /// Of keys that begin with the architecture's name and a dot, `prefix`.
  int head_width(const std::string& prefix, int n_embd, int n_head) const {
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

  float epsilon(std::string_view key) const {
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

/// Whether a model of this family is in the file.
template <model_family Family>
bool is_of_family(const gguf_file& file) {
  const auto architecture = file.metadata().text("general.architecture");
  if constexpr (gguf_family<Family>)
    return architecture == Family::gguf_architecture;
  else {
    const auto text = file.metadata().text(own_config_key);
    if (architecture != own_architecture || !text) return false;
    const json root = parse_json(*text, file.path().string());
    const auto type = root.is_object() ? root.find("model_type") : root.end();
    return root.is_object() && type != root.end() && type->is_string() &&
           detail::is_of_family<Family>(type->template get_ref<const std::string&>());
  }
}

/// What the file's metadata says of the model, in Hugging Face's words. Throws format_error for a key of the
/// wrong type, config_error for one that is missing or holds what no model can have, shape_error for a token
/// embedding that is none.
template <model_family Family>
model_config<Family> read_config(const gguf_file& file) {
  const gguf_reader reader(file);
  if constexpr (gguf_family<Family>) {
    reader.check_architecture(Family::gguf_architecture);
    model_config<Family> config;
    Family::read_gguf(reader, config.shape, config.settings);
    return config;
  } else {
    reader.check_architecture(own_architecture);
    const auto text = file.metadata().text(own_config_key);
    if (!text) reader.fail(own_config_key, "a config.json", "no such key");
    return parse_config<Family>(*text, file.path().string() + ": key " + quoted(own_config_key));
  }
}

} // namespace transept::inline TRANSEPT_ABI

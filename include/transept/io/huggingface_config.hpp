// Hugging Face's config.json of a GPT-2: read, checked, written, and turned into a C++ declaration.
#pragma once

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/activation.hpp>
#include <transept/core/element_type.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/core/types.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/model_folder.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What a GPT-2's config.json says. The defaults are those of Hugging Face's GPT2Config.
struct huggingface_config {
  // Counts that make the model's type.
  int n_embd = 768;
  int n_layer = 12;
  int n_head = 12;
  int head_width = 64; // `head_dim` where the file has it, else n_embd / n_head
  int vocab_size = 50257;
  int n_positions = 1024;
  int n_inner = 3072; // 4 * n_embd where the file says null or nothing
  bool tie_word_embeddings = true;

  // Settings that change no type.
  float layer_norm_epsilon = 1e-5f;
  activation_type activation_function = activation_type::gelu_tanh;
  bool scale_attn_weights = true;
  bool scale_attn_by_inverse_layer_idx = false;
  std::optional<token_id> bos_token_id = 50256; // nothing: null, or outside the vocabulary
  std::vector<token_id> eos_token_ids = {50256};

  bool operator==(const huggingface_config&) const = default;
};

/// The largest counts accepted. They are far above any published model and small enough that no product of
/// two of them overflows 64 bits, nor n_head · head_width · 3 an int.
struct config_limits {
  static constexpr int width = 1 << 20; // n_embd, head_width, n_head · head_width
  static constexpr int n_inner = 1 << 24;
  static constexpr int n_layer = 1 << 14;
  static constexpr int vocab_size = 1 << 24;
  static constexpr int n_positions = 1 << 24;
};

namespace detail {

/// Reads members of one config.json, with the file's name in every complaint. Types are checked strictly: a
/// count written as 12.0 or "12" is an error, as is null where it has no meaning.
class config_reader {
public:
  config_reader(const json& root, std::string_view source) : root_(root), source_(source) {
    if (!root.is_object()) throw config_error(source_ + ": expected a JSON object, found " + described(root));
  }

  [[noreturn]] void fail(std::string_view key, const std::string& expected, const json& found) const {
    throw config_error(source_ + ": " + std::string(key) + ": expected " + expected + ", found " +
                       described(found));
  }

  [[noreturn]] void fail(const std::string& what) const { throw config_error(source_ + ": " + what); }

  /// The value of the first of `keys` that is present, else nullptr. null counts as absent if
  /// `null_is_absent`.
  const json* find(std::string_view key, bool null_is_absent = false) const {
    const auto place = root_.find(key);
    if (place == root_.end() || (null_is_absent && place->is_null())) return nullptr;
    return &*place;
  }

  /// A count from 1 to `limit`: the first of `keys` that is present, else nothing.
  std::optional<int> count(std::initializer_list<std::string_view> keys, int limit,
                           bool null_is_absent = false) const {
    for (const std::string_view key : keys) {
      const json* const value = find(key, null_is_absent);
      if (value == nullptr) continue;
      if (!value->is_number_unsigned() || value->get<std::uint64_t>() == 0 ||
          value->get<std::uint64_t>() > static_cast<std::uint64_t>(limit)) {
        fail(key, "a whole number from 1 to " + std::to_string(limit), *value);
      }
      return static_cast<int>(value->get<std::uint64_t>());
    }
    return std::nullopt;
  }

  bool boolean(std::string_view key, bool otherwise) const {
    const json* const value = find(key);
    if (value == nullptr) return otherwise;
    if (!value->is_boolean()) fail(key, "true or false", *value);
    return value->get<bool>();
  }

  /// Positive, and a normal number as f32.
  float epsilon(std::string_view key, float otherwise) const {
    const json* const value = find(key);
    if (value == nullptr) return otherwise;
    const double number = value->is_number() ? value->get<double>() : 0;
    if (!(number >= double{std::numeric_limits<float>::min()} && number <= 1)) {
      fail(key, "a number above 0 and at most 1", *value);
    }
    return static_cast<float>(number);
  }

  /// Token ids of a number, a list of numbers, or null (none). Ids outside the vocabulary can never be met:
  /// files that were shrunk carry them, and they are left out.
  std::vector<token_id> token_ids(std::string_view key, std::vector<token_id> otherwise,
                                  int vocab_size) const {
    std::vector<token_id> ids;
    const auto add = [&](const json& value) {
      if (!value.is_number_integer()) fail(key, "a token id, a list of token ids or null", value);
      const bool is_negative = !value.is_number_unsigned() && value.get<std::int64_t>() < 0;
      if (!is_negative && value.get<std::uint64_t>() < static_cast<std::uint64_t>(vocab_size)) {
        ids.push_back(static_cast<token_id>(value.get<std::uint64_t>()));
      }
    };
    const json* const value = find(key);
    if (value == nullptr) {
      std::erase_if(otherwise, [&](token_id id) { return id >= vocab_size; });
      return otherwise;
    }
    if (value->is_array()) {
      for (const json& element : *value) add(element);
    } else if (!value->is_null()) {
      add(*value);
    }
    return ids;
  }

  activation_type activation(std::string_view key) const {
    const json* const value = find(key);
    if (value == nullptr) return activation_type::gelu_tanh;
    const auto type = value->is_string() ? activation_of(value->get_ref<const std::string&>()) : std::nullopt;
    if (!type) fail(key, "one of " + activation_list(), *value);
    return *type;
  }

private:
  const json& root_;
  std::string source_;
};

/// The shortest decimal that reads back as `value`.
inline std::string shortest(float value) {
  std::array<char, 32> text;
  const auto result = std::to_chars(text.data(), text.data() + text.size(), value);
  return std::string(text.data(), result.ptr);
}

} // namespace detail

/// Reads the text of a config.json; `source` names it in errors. Throws format_error for what is no JSON,
/// config_error for values that no model can have or that Transept does not support.
inline huggingface_config parse_config(std::string_view text, std::string_view source) {
  const json root = parse_json(text, source);
  const detail::config_reader reader(root, source);

  if (const json* type = reader.find("model_type"); type != nullptr && *type != "gpt2") {
    reader.fail("model_type", "\"gpt2\"", *type);
  }
  if (reader.boolean("add_cross_attention", false)) {
    reader.fail("add_cross_attention: expected false (cross-attention is not supported), found true");
  }

  huggingface_config config;
  config.n_embd = reader.count({"n_embd", "hidden_size"}, config_limits::width).value_or(config.n_embd);
  config.n_layer =
      reader.count({"n_layer", "num_hidden_layers"}, config_limits::n_layer).value_or(config.n_layer);
  config.n_head =
      reader.count({"n_head", "num_attention_heads"}, config_limits::width).value_or(config.n_head);
  config.vocab_size = reader.count({"vocab_size"}, config_limits::vocab_size).value_or(config.vocab_size);
  config.n_positions =
      reader.count({"n_positions", "max_position_embeddings", "n_ctx"}, config_limits::n_positions)
          .value_or(config.n_positions);
  config.n_inner = reader.count({"n_inner"}, config_limits::n_inner, true).value_or(4 * config.n_embd);

  if (const auto head_dim = reader.count({"head_dim"}, config_limits::width, true)) {
    config.head_width = *head_dim;
  } else if (config.n_embd % config.n_head == 0) {
    config.head_width = config.n_embd / config.n_head;
  } else {
    reader.fail("n_embd: expected a multiple of n_head (" + std::to_string(config.n_head) +
                ") unless head_dim is given, found " + std::to_string(config.n_embd));
  }
  if (std::int64_t{config.n_head} * config.head_width > config_limits::width) {
    reader.fail("n_head: expected n_head * head_dim at most " + std::to_string(config_limits::width) +
                ", found " + std::to_string(config.n_head) + " * " + std::to_string(config.head_width));
  }

  config.tie_word_embeddings = reader.boolean("tie_word_embeddings", config.tie_word_embeddings);
  config.layer_norm_epsilon = reader.epsilon("layer_norm_epsilon", config.layer_norm_epsilon);
  config.activation_function = reader.activation("activation_function");
  config.scale_attn_weights = reader.boolean("scale_attn_weights", config.scale_attn_weights);
  config.scale_attn_by_inverse_layer_idx =
      reader.boolean("scale_attn_by_inverse_layer_idx", config.scale_attn_by_inverse_layer_idx);
  // Asks for the same arithmetic, done in f32: which it always is.
  reader.boolean("reorder_and_upcast_attn", false);
  const auto bos = reader.token_ids("bos_token_id", {50256}, config.vocab_size);
  config.bos_token_id = bos.empty() ? std::nullopt : std::optional(bos.front());
  config.eos_token_ids = reader.token_ids("eos_token_id", {50256}, config.vocab_size);
  return config;
}

/// Reads `path`: a config.json, or a folder that holds one. Throws as parse_config does, and
/// file_error where there is none.
inline huggingface_config read_config(const std::filesystem::path& path) {
  std::error_code error;
  const bool is_folder = std::filesystem::is_directory(path, error);
  const auto file_path = is_folder ? path / "config.json" : path;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file_path, error))) {
    throw file_error(file_path.string() + ": no such file" + detail::download_help());
  }
  const mapped_file file(file_path);
  return parse_config(file.text(), file_path.string());
}

/// The text of a config.json that Hugging Face and this library read back as `config`, for weights stored as
/// `stored_as`.
inline std::string to_json(const huggingface_config& config, element_type stored_as = element_type::f32) {
  std::string text = "{\n  \"architectures\": [\n    \"GPT2LMHeadModel\"\n  ],\n  \"model_type\": \"gpt2\"";
  const auto add = [&](std::string_view key, const std::string& value) {
    text += ",\n  \"" + std::string(key) + "\": " + value;
  };
  const auto boolean = [](bool value) { return std::string(value ? "true" : "false"); };
  const auto id_list = [](const std::vector<token_id>& ids) {
    if (ids.empty()) return std::string("null");
    if (ids.size() == 1) return std::to_string(ids.front());
    std::string list;
    for (const token_id id : ids) list += (list.empty() ? "[" : ", ") + std::to_string(id);
    return list + "]";
  };
  add("activation_function", "\"" + std::string(name_of(config.activation_function)) + "\"");
  add("vocab_size", std::to_string(config.vocab_size));
  add("n_positions", std::to_string(config.n_positions));
  add("n_ctx", std::to_string(config.n_positions));
  add("n_embd", std::to_string(config.n_embd));
  add("n_layer", std::to_string(config.n_layer));
  add("n_head", std::to_string(config.n_head));
  if (std::int64_t{config.head_width} * config.n_head != config.n_embd) {
    add("head_dim", std::to_string(config.head_width));
  }
  add("n_inner", config.n_inner == std::int64_t{4} * config.n_embd ? "null" : std::to_string(config.n_inner));
  add("layer_norm_epsilon", detail::shortest(config.layer_norm_epsilon));
  add("scale_attn_weights", boolean(config.scale_attn_weights));
  add("scale_attn_by_inverse_layer_idx", boolean(config.scale_attn_by_inverse_layer_idx));
  add("bos_token_id", config.bos_token_id ? std::to_string(*config.bos_token_id) : "null");
  add("eos_token_id", id_list(config.eos_token_ids));
  add("tie_word_embeddings", boolean(config.tie_word_embeddings));
  add("torch_dtype", stored_as == element_type::f32   ? "\"float32\""
                     : stored_as == element_type::f16 ? "\"float16\""
                                                      : "\"bfloat16\"");
  return text + "\n}\n";
}

/// Writes config.json's text to `path`, whole or not at all. Throws file_error.
inline void write_config(const std::filesystem::path& path, const huggingface_config& config,
                         element_type stored_as = element_type::f32) {
  write_text(path, to_json(config, stored_as));
}

/// The initialiser of the `gpt2_config` for this shape: `{.n_embd = 256, .n_layer = 4, .n_head = 4}`.
/// Members that equal gpt2_config's defaults are left out.
inline std::string to_initializer(const huggingface_config& config) {
  std::string text = "{";
  const auto add = [&](std::string_view member, const std::string& value) {
    text += (text.size() == 1 ? "." : ", .") + std::string(member) + " = " + value;
  };
  add("n_embd", std::to_string(config.n_embd));
  add("n_layer", std::to_string(config.n_layer));
  add("n_head", std::to_string(config.n_head));
  if (config.vocab_size != 50257) add("vocab_size", std::to_string(config.vocab_size));
  if (config.n_positions != 1024) add("n_positions", std::to_string(config.n_positions));
  if (config.n_inner != std::int64_t{4} * config.n_embd) add("n_inner", std::to_string(config.n_inner));
  if (std::int64_t{config.head_width} * config.n_head != config.n_embd)
    add("head_width", std::to_string(config.head_width));
  if (!config.tie_word_embeddings) add("tie_word_embeddings", "false");
  return text + "}";
}

/// The C++ line that declares this shape: `inline constexpr transept::gpt2_config name{.n_embd = …};`.
/// Throws argument_error where `name` is no identifier.
inline std::string to_declaration(const huggingface_config& config, std::string_view name) {
  const auto is_word = [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0 ||
      !std::ranges::all_of(name, is_word)) {
    throw argument_error("to_declaration: expected a C++ identifier, found " + quoted(name));
  }
  return "inline constexpr transept::gpt2_config " + std::string(name) + to_initializer(config) + ";";
}

} // namespace transept::inline TRANSEPT_ABI

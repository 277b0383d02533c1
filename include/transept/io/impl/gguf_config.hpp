// A GGUF file's keys in the words of a config.json (io/gguf_config.hpp).
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <limits>
#include <memory>
#include <string>
#include <utility>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/gguf_config.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/tensor_rows.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// Reads the keys of one file, with its name in every complaint, into the members of a config.json.
class gguf_translation {
public:
  gguf_translation(const gguf_source& source, const gguf_architecture& architecture)
      : source_(source), architecture_(architecture), prefix_(std::string(architecture.name) + ".") {
    refuse_what_is_not_here();
    json_["model_type"] = std::string(architecture.model_type);
    json_["vocab_size"] = whole(source.vocab_size);
    json_["tie_word_embeddings"] = source.is_tied;
    add_sizes();
    add_epsilon();
    add_window();
    if (architecture.rotates) add_rotary();
    add_tokens();
    for (const gguf_line& key : architecture.keys) add(key);
  }

  json take() { return std::move(json_); }

private:
  [[noreturn]] void fail(std::string_view key, const std::string& expected, const std::string& found) const {
    throw config_error(source_.name + ": key " + quoted(key) + ": expected " + expected + ", found " + found);
  }

  /// An architecture's key, whole.
  std::string key(std::string_view name) const { return prefix_ + std::string(name); }

  /// A count from 1 to `limit`; nothing where the key is missing.
  std::optional<int> find_count(std::string_view name, int limit) const {
    const auto number = source_.metadata->count(key(name));
    if (!number) return std::nullopt;
    if (*number == 0 || *number > static_cast<std::uint64_t>(limit))
      fail(key(name), "a whole number from 1 to " + std::to_string(limit), std::to_string(*number));
    return static_cast<int>(*number);
  }

  int count(std::string_view name, int limit) const {
    const auto number = find_count(name, limit);
    if (!number) fail(key(name), "a whole number from 1 to " + std::to_string(limit), "no such key");
    return *number;
  }

  std::optional<double> number(std::string_view name) const { return source_.metadata->number(key(name)); }

  /// A count, as JSON's parser makes them.
  static json whole(int value) { return static_cast<std::uint64_t>(value); }

  /// Sets all members that a config.json may call it.
  void set(std::initializer_list<const char*> names, const json& value) {
    for (const char* const name : names) json_[name] = value;
  }

  /// Keys of what no model here has.
  void refuse_what_is_not_here() const {
    if (const auto experts = source_.metadata->count(key("expert_count")); experts && *experts != 0)
      fail(key("expert_count"), "0 (mixtures of experts are not supported)", std::to_string(*experts));
    if (source_.metadata->boolean(key("attention.causal")) == false)
      fail(key("attention.causal"), "true", "false");
    if (source_.metadata->find(key("attention.sliding_window_pattern")) != nullptr)
      fail(key("attention.sliding_window_pattern"), "none", "one");
  }

  void add_sizes() {
    const int width = count("embedding_length", config_limits::width);
    const int layers = count("block_count", config_limits::n_layer);
    heads_ = count("attention.head_count", config_limits::width);
    set({"hidden_size", "n_embd", "d_model"}, whole(width));
    set({"num_hidden_layers", "n_layer", "n_layers"}, whole(layers));
    set({"num_attention_heads", "n_head", "n_heads"}, whole(heads_));
    set({"max_position_embeddings", "n_positions", "seq_length", "max_seq_len"},
        whole(count("context_length", config_limits::n_positions)));
    if (const auto inner = find_count("feed_forward_length", config_limits::n_inner))
      set({"intermediate_size", "n_inner", "ffn_hidden_size"}, whole(*inner));
    key_heads_ = find_count("attention.head_count_kv", config_limits::width).value_or(heads_);
    if (heads_ % key_heads_ != 0)
      fail(key("attention.head_count_kv"), "a divisor of head_count (" + std::to_string(heads_) + ")",
           std::to_string(key_heads_));
    set({"num_key_value_heads", "num_kv_heads"}, whole(key_heads_));
    head_width_ = head_width(width);
    set({"head_dim"}, whole(head_width_));
    width_ = width;
    layers_ = layers;
  }

  int head_width(int width) const {
    const auto of_keys = find_count("attention.key_length", config_limits::width);
    const auto of_values = find_count("attention.value_length", config_limits::width);
    if (of_keys && of_values && *of_keys != *of_values)
      fail(key("attention.value_length"), "the key_length, " + std::to_string(*of_keys),
           std::to_string(*of_values));
    if (!of_keys && !of_values && width % heads_ != 0)
      fail(key("embedding_length"), "a multiple of head_count (" + std::to_string(heads_) + ")",
           std::to_string(width));
    const int found = of_keys ? *of_keys : of_values ? *of_values : width / heads_;
    if (std::int64_t{heads_} * found > config_limits::width)
      fail(key("attention.head_count"),
           "head_count · key_length at most " + std::to_string(config_limits::width),
           std::to_string(heads_) + " · " + std::to_string(found));
    return found;
  }

  void add_epsilon() {
    const char* const name =
        architecture_.has_rms_norms ? "attention.layer_norm_rms_epsilon" : "attention.layer_norm_epsilon";
    const auto found = number(name);
    const std::string expected = "a number above 0 and at most 1";
    if (!found) fail(key(name), expected, "no such key");
    if (!(*found >= double{std::numeric_limits<float>::min()} && *found <= 1))
      fail(key(name), expected, described(json(*found)));
    set({"rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"}, *found);
  }

  void add_window() {
    const auto given = source_.metadata->count(key("attention.sliding_window"));
    const std::uint64_t window = given.value_or(static_cast<std::uint64_t>(architecture_.usual_window));
    set({"sliding_window"}, window == 0 ? json() : json(window));
    json_["use_sliding_window"] = false;
    if (window == 0) return;
    if (!architecture_.has_window) fail(key("attention.sliding_window"), "none", std::to_string(window));
    if (!architecture_.model_type_with_window.empty())
      json_["model_type"] = std::string(architecture_.model_type_with_window);
  }

  void add_rotary() {
    json rotary = json::object();
    rotary["rope_theta"] = number("rope.freq_base").value_or(10000.0);
    const auto turned = find_count("rope.dimension_count", config_limits::width);
    if (!architecture_.rotary_part.empty())
      rotary["partial_rotary_factor"] = rotary_part(turned.value_or(head_width_));
    else if (turned && *turned != head_width_)
      fail(key("rope.dimension_count"), "a head's width, " + std::to_string(head_width_),
           std::to_string(*turned));
    add_scaling(rotary);
    json_["rope_parameters"] = std::move(rotary);
  }

  /// The part of a head that gives so many turned numbers back.
  double rotary_part(int turned) const {
    if (turned > head_width_)
      fail(key("rope.dimension_count"), "at most a head's width, " + std::to_string(head_width_),
           std::to_string(turned));
    const double part = static_cast<double>(turned) / head_width_;
    return static_cast<int>(head_width_ * part) < turned ? std::nextafter(part, 1.0) : part;
  }

  void add_scaling(json& rotary) const {
    const std::string type(source_.metadata->text(key("rope.scaling.type")).value_or("none"));
    if (type != "none" && type != "linear" && type != "yarn" && type != "longrope")
      fail(key("rope.scaling.type"), R"("none", "linear", "yarn" or "longrope")", quoted(type));
    rotary["rope_type"] = type == "none" ? "default" : type;
    if (const auto factor = number("rope.scaling.factor")) rotary["factor"] = *factor;
    if (const auto original = find_count("rope.scaling.original_context_length", config_limits::n_positions))
      rotary["original_max_position_embeddings"] = whole(*original);
    if (const auto factor = number("rope.scaling.attn_factor")) rotary["attention_factor"] = *factor;
    if (const auto factor = number("rope.scaling.yarn_attn_factor")) rotary["attention_factor"] = *factor;
    if (const auto beta = number("rope.scaling.yarn_beta_fast")) rotary["beta_fast"] = *beta;
    if (const auto beta = number("rope.scaling.yarn_beta_slow")) rotary["beta_slow"] = *beta;
    for (const char* const name : {"rope.scaling.yarn_ext_factor", "rope.scaling.yarn_log_multiplier"})
      if (const auto found = number(name)) fail(key(name), "no such key", described(json(*found)));
    // Frequencies may be divided by numbers of a tensor: one for all lengths (LLaMA 3's), or one for short
    // texts and one for long ones.
    const auto all = source_.vector("rope_freqs.weight");
    const auto for_long = source_.vector("rope_factors_long.weight");
    const auto for_short = source_.vector("rope_factors_short.weight");
    if (all.empty() && (for_long.empty() || for_short.empty())) return;
    rotary["rope_type"] = "longrope";
    rotary["short_factor"] = all.empty() ? for_short : all;
    rotary["long_factor"] = all.empty() ? for_long : all;
    if (!rotary.contains("attention_factor")) rotary["attention_factor"] = 1.0;
  }

  /// Ids outside of the vocabulary are those of files that were shrunk.
  std::optional<std::uint64_t> token(std::string_view name) const {
    const auto id = source_.metadata->count("tokenizer.ggml." + std::string(name));
    return id && *id < static_cast<std::uint64_t>(source_.vocab_size) ? id : std::nullopt;
  }

  void add_tokens() {
    if (const auto begin = token("bos_token_id")) json_["bos_token_id"] = *begin;
    const auto end = token("eos_token_id"), end_of_turn = token("eot_token_id");
    if (end && end_of_turn && *end != *end_of_turn)
      json_["eos_token_id"] = {*end, *end_of_turn};
    else if (end || end_of_turn)
      json_["eos_token_id"] = end ? *end : *end_of_turn;
  }

  void add(const gguf_line& line) {
    json value;
    switch (line.kind) {
    case gguf_kind::number:
      if (const auto found = number(line.gguf)) value = *found;
      break;
    case gguf_kind::boolean:
      if (const auto found = source_.metadata->boolean(key(line.gguf))) value = *found;
      break;
    case gguf_kind::tensor:
      value = source_.has(line.gguf);
      break;
    case gguf_kind::computed:
      const double found = line.value({width_, layers_, heads_, key_heads_, head_width_, source_.has});
      value = line.is_flag ? json(found != 0) : json(static_cast<std::uint64_t>(found));
      break;
    }
    if (value.is_null()) return;
    const std::size_t dot = line.json.find('.');
    if (dot == std::string_view::npos)
      json_[std::string(line.json)] = value;
    else
      json_[std::string(line.json.substr(0, dot))][std::string(line.json.substr(dot + 1))] = value;
  }

  const gguf_source& source_;
  const gguf_architecture& architecture_;
  std::string prefix_;
  json json_ = json::object();
  int width_ = 0, layers_ = 0, heads_ = 0, key_heads_ = 0, head_width_ = 0;
};

inline int rows_of_embedding(const gguf_file& file) {
  const stored_tensor* const table = file.find("token_embd.weight");
  const std::string where = file.path().string() + ": tensor token_embd.weight: expected ";
  if (table == nullptr) throw shape_error(where + "[vocab_size, n_embd], found no tensor of that name");
  if (table->shape.size() != 2)
    throw shape_error(where + "[vocab_size, n_embd], found " + shape_text(table->shape));
  const std::uint64_t rows = table->shape.front();
  if (rows == 0 || rows > static_cast<std::uint64_t>(config_limits::vocab_size))
    throw shape_error(where + "from 1 to " + std::to_string(config_limits::vocab_size) + " rows, found " +
                      std::to_string(rows));
  const gguf_value* const tokens = file.metadata().find("tokenizer.ggml.tokens");
  if (tokens != nullptr) {
    std::uint64_t count = 0;
    if (tokens->type == gguf_type::array) std::memcpy(&count, tokens->bytes.data() + 4, sizeof count);
    if (tokens->type != gguf_type::array || count != rows)
      throw config_error(
          file.path().string() + ": key \"tokenizer.ggml.tokens\": expected an array of " +
          std::to_string(rows) + " strings, one per row of token_embd.weight, found " +
          (tokens->type == gguf_type::array ? std::to_string(count) : std::string(name_of(tokens->type))));
  }
  return static_cast<int>(rows);
}

/// Throws config_error for one file of several.
inline void check_whole(const gguf_file& file) {
  const auto parts = file.metadata().count("split.count");
  if (parts && *parts > 1)
    throw config_error(file.path().string() +
                       ": key \"split.count\": expected a model in one file (llama-gguf-split --merge makes "
                       "one), found " +
                       std::to_string(*parts));
}

TRANSEPT_FUNCTION void refuse_architecture(const gguf_file& file, std::span<const gguf_architecture> known) {
  check_whole(file);
  std::string expected;
  for (const gguf_architecture& each : known) expected += (expected.empty() ? "" : ", ") + quoted(each.name);
  if (known.empty()) expected = quoted(own_architecture);
  const auto found = file.metadata().text("general.architecture");
  throw config_error(file.path().string() + ": key \"general.architecture\": expected " +
                     (known.size() > 1 ? "one of " : "") + expected + ", found " +
                     (found ? quoted(*found) : "no such key"));
}

TRANSEPT_FUNCTION std::string_view own_config(const gguf_file& file) {
  check_whole(file);
  const auto text = file.metadata().text(own_config_key);
  if (!text)
    throw config_error(file.path().string() + ": key " + quoted(own_config_key) +
                       ": expected a config.json, found no such key");
  return *text;
}

TRANSEPT_FUNCTION void check_key_heads(const gguf_source& source, const gguf_architecture& architecture,
                                       extent heads, extent key_value_heads) {
  const std::string key = std::string(architecture.name) + ".attention.head_count_kv";
  const auto found = source.metadata->count(key).value_or(static_cast<std::uint64_t>(heads));
  if (found != static_cast<std::uint64_t>(key_value_heads))
    throw config_error(source.name + ": key " + quoted(key) + ": expected " +
                       (key_value_heads == heads ? "the head_count, " : "") +
                       std::to_string(key_value_heads) + ", found " + std::to_string(found));
}

} // namespace detail

TRANSEPT_FUNCTION gguf_source source_of(const gguf_file& file) {
  detail::check_whole(file);
  const auto values_of = [&file](std::string_view name) {
    std::vector<float> values;
    const stored_tensor* const tensor = file.find(name);
    if (tensor == nullptr) return values;
    if (tensor->dtype != "F32" || tensor->shape.size() != 1)
      throw shape_error(file.path().string() + ": tensor " + std::string(name) +
                        ": expected a vector of F32, found " + shape_text(tensor->shape) + " of " +
                        tensor->dtype);
    values.resize(static_cast<std::size_t>(tensor->shape[0]));
    read_elements(tensor->bytes.data(), element_type::f32, values.size(), values.data());
    return values;
  };
  const stored_tensor* const output = file.find("output.weight");
  const stored_tensor* const table = file.find("token_embd.weight");
  return {.metadata = &file.metadata(),
          .name = file.path().string(),
          .vocab_size = detail::rows_of_embedding(file),
          .is_tied = output == nullptr || table == nullptr || have_same_elements(*output, *table),
          .vector = values_of,
          .has = [&file](std::string_view name) { return file.find(name) != nullptr; }};
}

TRANSEPT_FUNCTION std::shared_ptr<const json> config_document_of(const gguf_source& source,
                                                                 const gguf_architecture& architecture) {
  return std::make_shared<const json>(detail::gguf_translation(source, architecture).take());
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

// A model's configuration and vocabulary as a GGUF file's metadata, and keys of another file
// (io/gguf_metadata.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/gguf_metadata.hpp>
#include <transept/io/impl/gguf_splittings.hpp>
#include <transept/io/impl/gguf_values.hpp>
#include <transept/layers/positions/rotary.hpp>
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

/// A member of a config.json, of an object with a dot between; nullptr where it is missing or null.
inline const json* member_of(const json& root, std::string_view path) {
  const std::size_t dot = path.find('.');
  const auto place = root.find(path.substr(0, dot));
  if (place == root.end() || place->is_null()) return nullptr;
  return dot == path.npos ? &*place : member_of(*place, path.substr(dot + 1));
}

/// The angles per position of all pairs, in a run of that many positions.
inline std::vector<float> frequencies_of(const rotary_settings& settings, std::size_t run_length) {
  std::vector<float> frequencies(settings.width / 2);
  rotary_embedding(settings).inverse_frequencies(run_length, 0, frequencies.size(), frequencies.data());
  return frequencies;
}

/// Adds the keys of rotary positions, and vectors where llama.cpp has those instead.
inline void add_rotary_keys(gguf_keys& keys, std::vector<named_vector>& vectors, const std::string& prefix,
                            bool may_turn_a_part, const rotary_settings& s) {
  keys.add(prefix + "rope.freq_base", static_cast<float>(s.base));
  if (may_turn_a_part) keys.add(prefix + "rope.dimension_count", static_cast<std::uint32_t>(s.width));
  const auto add_scale = [&] {
    keys.add(prefix + "rope.scaling.type", name_of(s.scaling));
    if (s.factor) keys.add(prefix + "rope.scaling.factor", static_cast<float>(*s.factor));
  };
  const auto add_original = [&] {
    keys.add(prefix + "rope.scaling.original_context_length",
             static_cast<std::uint32_t>(s.original_positions()));
  };
  switch (s.scaling) {
  case rotary_scaling::none:
    break;
  case rotary_scaling::dynamic:
    throw config_error("rope_type: expected another, found \"dynamic\"");
  case rotary_scaling::linear:
    add_scale();
    break;
  case rotary_scaling::yarn:
    add_scale();
    add_original();
    if (s.attention_factor)
      keys.add(prefix + "rope.scaling.yarn_attn_factor", static_cast<float>(*s.attention_factor));
    keys.add(prefix + "rope.scaling.yarn_beta_fast", static_cast<float>(s.beta_fast));
    keys.add(prefix + "rope.scaling.yarn_beta_slow", static_cast<float>(s.beta_slow));
    break;
  case rotary_scaling::longrope:
    add_scale();
    add_original();
    keys.add(prefix + "rope.scaling.attn_factor", rotary_embedding(s).attention_factor());
    vectors.push_back({"rope_factors_long.weight", s.long_factor});
    vectors.push_back({"rope_factors_short.weight", s.short_factor});
    break;
  case rotary_scaling::llama3:
    rotary_settings unscaled = s;
    unscaled.scaling = rotary_scaling::none;
    auto factors = frequencies_of(unscaled, 1);
    const auto scaled = frequencies_of(s, 1);
    for (std::size_t i = 0; i < factors.size(); ++i) factors[i] /= scaled[i];
    vectors.push_back({"rope_freqs.weight", std::move(factors)});
  }
}

TRANSEPT_FUNCTION void add_model_keys(gguf_keys& keys, std::vector<named_vector>& vectors,
                                      const gguf_architecture& architecture, const gguf_numbers& numbers,
                                      std::string_view config, const rotary_settings* rotary) {
  const json root = parse_json(config, "config.json");
  const std::string prefix = std::string(architecture.name) + ".";
  const auto count = [&](const char* key, int value) {
    keys.add(prefix + key, static_cast<std::uint32_t>(value));
  };
  count("block_count", numbers.n_layer);
  count("context_length", numbers.n_positions);
  count("embedding_length", numbers.n_embd);
  count("feed_forward_length", numbers.n_inner);
  count("attention.head_count", numbers.n_head);
  if (numbers.n_key_value_head != numbers.n_head) count("attention.head_count_kv", numbers.n_key_value_head);
  if (std::int64_t{numbers.n_head} * numbers.head_width != numbers.n_embd) {
    count("attention.key_length", numbers.head_width);
    count("attention.value_length", numbers.head_width);
  }
  for (const char* const name : {"rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"})
    if (const json* const epsilon = member_of(root, name))
      keys.add(prefix + (architecture.has_rms_norms ? "attention.layer_norm_rms_epsilon"
                                                    : "attention.layer_norm_epsilon"),
               epsilon->get<float>());
  if (rotary != nullptr) add_rotary_keys(keys, vectors, prefix, !architecture.rotary_part.empty(), *rotary);
  if (const json* const window = member_of(root, "sliding_window"); window && architecture.has_window)
    count("attention.sliding_window", window->get<int>());
  for (const gguf_line& line : architecture.keys) {
    const json* const value = line.kind == gguf_kind::number || line.kind == gguf_kind::boolean
                                  ? member_of(root, line.json)
                                  : nullptr;
    if (value == nullptr) continue;
    const std::string key = prefix + std::string(line.gguf);
    if (line.kind == gguf_kind::number)
      keys.add(key, value->get<float>());
    else
      keys.add(key, gguf_value{gguf_type::boolean, std::string_view(value->get<bool>() ? "\1" : "\0", 1)});
  }
}

TRANSEPT_FUNCTION gguf_metadata metadata_of(const gguf_keys& keys) {
  gguf_cursor cursor(keys.bytes(), "GGUF");
  return {cursor, keys.size()};
}

TRANSEPT_FUNCTION bool turn_alike(const rotary_settings& a, const rotary_settings& b) {
  if (a == b) return true;
  if (a.width != b.width || a.pairing != b.pairing) return false;
  if (a.scaling == rotary_scaling::dynamic || b.scaling == rotary_scaling::dynamic) return false;
  const auto are_near = [](float x, float y) { return std::abs(x - y) <= 1e-6f * std::abs(y); };
  if (!are_near(rotary_embedding(a).attention_factor(), rotary_embedding(b).attention_factor())) return false;
  const std::size_t longest = std::max(a.original_positions(), b.original_positions());
  for (const std::size_t length : {a.original_positions(), b.original_positions(), longest + 1})
    if (!std::ranges::equal(frequencies_of(a, length), frequencies_of(b, length), are_near)) return false;
  return true;
}

TRANSEPT_FUNCTION std::string first_difference(std::string_view expected, std::string_view found) {
  const json a = parse_json(expected, "config.json"), b = parse_json(found, "config.json");
  const auto in_words = [](const json& in, const std::string& key) {
    const auto place = in.find(key);
    return place == in.end() ? "none" : described(*place);
  };
  std::string difference = "its settings";
  bool is_number = false; // which says more than a list or an object
  for (const json* const each : {&a, &b})
    for (const auto& [key, value] : each->items()) {
      const auto other = (each == &a ? b : a).find(key);
      if (is_number || (other != (each == &a ? b : a).end() && *other == value)) continue;
      is_number = !value.is_structured();
      difference = key + ": expected " + in_words(a, key) + ", found " + in_words(b, key);
    }
  return difference;
}

TRANSEPT_FUNCTION std::vector<named_vector> rotary_vectors(const gguf_file& file) {
  std::vector<named_vector> vectors;
  const auto values_of = source_of(file).vector;
  for (const char* const name :
       {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"})
    if (auto values = values_of(name); !values.empty()) vectors.push_back({name, std::move(values)});
  return vectors;
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
  auto [symbols, kinds] = written_tokens_of(from);
  for (std::size_t id = symbols.size(); id < size; ++id) {
    symbols.push_back("[PAD" + std::to_string(id) + "]");
    kinds.push_back(static_cast<std::int32_t>(token_kind::unused));
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

// The shape and the settings of a GPT-2 in GGUF's keys, as llama.cpp's converter writes them.
//
// GGUF has no keys for what all GPT-2s share as llama.cpp computes them: the activation is gelu_new, scores
// are divided by √head_width.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <transept/core/activation.hpp>
#include <transept/models/gpt2/config.hpp>

namespace transept::inline TRANSEPT_ABI {

template <class Reader>
void gpt2_family::read_gguf(const Reader& reader, gpt2_config& c, gpt2_settings& s) {
  c.n_embd = reader.count("gpt2.embedding_length", config_limits::width);
  c.n_layer = reader.count("gpt2.block_count", config_limits::n_layer);
  c.n_head = reader.count("gpt2.attention.head_count", config_limits::width);
  c.n_positions = reader.count("gpt2.context_length", config_limits::n_positions);
  c.n_inner =
      reader.optional_count("gpt2.feed_forward_length", config_limits::n_inner).value_or(4 * c.n_embd);
  const auto shared = reader.optional_count("gpt2.attention.head_count_kv", config_limits::width);
  if (shared && *shared != c.n_head)
    reader.fail("gpt2.attention.head_count_kv", "the head_count, " + std::to_string(c.n_head),
                std::to_string(*shared));
  c.head_width = reader.head_width("gpt2.", c.n_embd, c.n_head);
  s.layer_norm_epsilon = reader.epsilon("gpt2.attention.layer_norm_epsilon");
  c.vocab_size = reader.vocab_size();
  c.tie_word_embeddings = reader.is_tied();
  // Without the keys: GPT-2's <|endoftext|>, as without them in config.json.
  const auto fallback = c.vocab_size > 50256 ? std::optional<token_id>(50256) : std::nullopt;
  const auto begin = reader.token("tokenizer.ggml.bos_token_id", c.vocab_size);
  const auto end = reader.token("tokenizer.ggml.eos_token_id", c.vocab_size);
  s.bos_token_id = begin ? begin : fallback;
  s.eos_token_ids.clear();
  if (const auto id = end ? end : fallback) s.eos_token_ids.push_back(*id);
  const auto end_of_turn = reader.token("tokenizer.ggml.eot_token_id", c.vocab_size);
  if (end_of_turn && end_of_turn != end) s.eos_token_ids.push_back(*end_of_turn);
}

template <class Keys, class Fail>
void gpt2_family::write_gguf(Keys& keys, const gpt2_config& c, const gpt2_settings& s, Fail&& fail) {
  if (s.activation != activation_type::gelu_tanh)
    fail("activation_function: expected \"gelu_new\", found \"" + std::string(name_of(s.activation)) + "\"");
  if (!s.scale_attn_weights) fail("scale_attn_weights: expected true, found false");
  if (s.scale_attn_by_inverse_layer_idx) fail("scale_attn_by_inverse_layer_idx: expected false, found true");
  if (!s.windows.slides.empty())
    fail("sliding_window: expected none, found " + std::to_string(s.windows.window));
  const auto count = [&](const char* key, int value) { keys.add(key, static_cast<std::uint32_t>(value)); };
  count("gpt2.block_count", c.n_layer);
  count("gpt2.context_length", c.n_positions);
  count("gpt2.embedding_length", c.n_embd);
  count("gpt2.feed_forward_length", c.n_inner);
  count("gpt2.attention.head_count", c.n_head);
  if (std::int64_t{c.n_head} * c.head_width != c.n_embd) {
    count("gpt2.attention.key_length", c.head_width);
    count("gpt2.attention.value_length", c.head_width);
  }
  keys.add("gpt2.attention.layer_norm_epsilon", s.layer_norm_epsilon);
}

} // namespace transept::inline TRANSEPT_ABI

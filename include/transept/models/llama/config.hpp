// The shapes of LLaMA's line (Touvron et al. 2023): LLaMA, Mistral, Qwen2, Qwen3, SmolLM3, and all that is
// published as one of them. What they differ in is which vectors there are, and settings.
//
//   constexpr transept::llama_config tiny{.n_embd = 2048, .n_layer = 22, .n_head = 32, .n_inner = 5632,
//                                         .n_key_value_head = 4};
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/activation.hpp>
#include <transept/core/types.hpp>
#include <transept/layers/attention.hpp>
#include <transept/models/family.hpp>
#include <transept/models/rotary_fields.hpp>

namespace transept::inline TRANSEPT_ABI {

struct llama_config {
  int n_embd;                                                    ///< hidden_size
  int n_layer;                                                   ///< num_hidden_layers
  int n_head;                                                    ///< num_attention_heads
  int n_inner;                                                   ///< intermediate_size
  int n_key_value_head = n_head;                                 ///< num_key_value_heads
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  int vocab_size = 32000;
  int n_positions = 2048; ///< max_position_embeddings: what it was trained for
  choice tie_word_embeddings = false;
  choice attention_bias = false; ///< of queries, keys and values
  choice output_bias = false;    ///< of attention's output
  choice mlp_bias = false;
  choice head_norms = false; ///< RMS norms of every head's queries and keys (Qwen3)

  friend constexpr bool operator==(const llama_config&, const llama_config&) = default;

  constexpr attention_extents attention() const {
    return {.width = n_embd,
            .heads = n_head,
            .key_value_heads = n_key_value_head,
            .head_width = head_width,
            .input_bias = attention_bias,
            .output_bias = output_bias,
            .head_norms = head_norms};
  }

  /// Calls f(name, pointer to member) for each member.
  template <class F>
  static constexpr void for_each_member(F&& f) {
    f("n_embd", &llama_config::n_embd);
    f("n_layer", &llama_config::n_layer);
    f("n_head", &llama_config::n_head);
    f("n_inner", &llama_config::n_inner);
    f("n_key_value_head", &llama_config::n_key_value_head);
    f("head_width", &llama_config::head_width);
    f("vocab_size", &llama_config::vocab_size);
    f("n_positions", &llama_config::n_positions);
    f("tie_word_embeddings", &llama_config::tie_word_embeddings);
    f("attention_bias", &llama_config::attention_bias);
    f("output_bias", &llama_config::output_bias);
    f("mlp_bias", &llama_config::mlp_bias);
    f("head_norms", &llama_config::head_norms);
  }
};

inline constexpr llama_config llama_7b{.n_embd = 4096, .n_layer = 32, .n_head = 32, .n_inner = 11008};
inline constexpr llama_config tiny_llama{// 1,100,048,384 parameters
                                         .n_embd = 2048,
                                         .n_layer = 22,
                                         .n_head = 32,
                                         .n_inner = 5632,
                                         .n_key_value_head = 4};

/// Any shape, told at run time.
inline constexpr llama_config any_llama = any_of(llama_7b);

struct llama_settings {
  std::string model_type = "llama";
  float rms_norm_eps = 1e-6f;
  activation_type activation = activation_type::silu;
  rotary_settings rotary = {};
  std::vector<bool> rotates = {}; ///< whether each block has rotary positions; empty: all (SmolLM3)
  layer_windows windows = {};     ///< Mistral's and Qwen2's sliding windows
  std::optional<token_id> bos_token_id = 1;
  std::vector<token_id> eos_token_ids = {2};

  bool operator==(const llama_settings&) const = default;
};

template <llama_config Config, class Weights>
struct llama;

struct llama_family {
  using config = llama_config;
  using settings = llama_settings;
  template <llama_config Config, class Weights>
  using model = llama<Config, Weights>;
  static constexpr std::string_view name = "LLaMA", config_name = "llama_config";
  static constexpr std::array<std::string_view, 5> model_types{"llama", "mistral", "qwen2", "qwen3",
                                                               "smollm3"};
  static constexpr llama_config any = any_llama;
  static constexpr std::size_t members_without_default = 4;

  static constexpr llama_config with_defaults(const llama_config& c) {
    return {.n_embd = c.n_embd, .n_layer = c.n_layer, .n_head = c.n_head, .n_inner = c.n_inner};
  }
  static llama_config huggingface_defaults() { return llama_7b; }

  /// A new model's shape, from what a person chooses: the network is 8/3 as wide as the model, in whole
  /// blocks of 32.
  static llama_config sized(int width, int n_layer, int n_head, int vocab_size, int n_positions,
                            llama_settings& s) {
    llama_config c{
        .n_embd = width, .n_layer = n_layer, .n_head = n_head, .n_inner = (width * 8 / 3 + 31) / 32 * 32};
    c.vocab_size = vocab_size;
    c.n_positions = n_positions;
    c.tie_word_embeddings = true;
    c.attention_bias = s.model_type == "qwen2";
    c.head_norms = s.model_type == "qwen3";
    s.rotary.width = static_cast<std::size_t>(c.head_width);
    s.rotary.max_position_embeddings = static_cast<std::size_t>(n_positions);
    if (s.model_type == "smollm3")
      for (int i = 0; i < n_layer; ++i) s.rotates.push_back((i + 1) % 4 != 0);
    return c;
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, llama_config& c, llama_settings& s) {
    const bool is_mistral = s.model_type == "mistral", is_qwen2 = s.model_type == "qwen2",
               is_qwen3 = s.model_type == "qwen3", is_smollm3 = s.model_type == "smollm3";
    if constexpr (Fields::reading) set_defaults(c, s);
    f.architecture(is_mistral   ? "MistralForCausalLM"
                   : is_qwen2   ? "Qwen2ForCausalLM"
                   : is_qwen3   ? "Qwen3ForCausalLM"
                   : is_smollm3 ? "SmolLM3ForCausalLM"
                                : "LlamaForCausalLM");
    f.activation("hidden_act", s.activation);
    f.count({"vocab_size"}, c.vocab_size, config_limits::vocab_size);
    f.count({"max_position_embeddings"}, c.n_positions, config_limits::n_positions);
    f.count({"hidden_size"}, c.n_embd, config_limits::width);
    f.count({"intermediate_size"}, c.n_inner, config_limits::n_inner);
    f.count({"num_hidden_layers"}, c.n_layer, config_limits::n_layer);
    f.count({"num_attention_heads"}, c.n_head, config_limits::width);
    f.shared_heads("num_key_value_heads", "num_attention_heads", c.n_head, c.n_key_value_head,
                   is_mistral   ? std::optional(8)
                   : is_smollm3 ? std::optional(4)
                                : std::nullopt);
    f.head_width("hidden_size", c.n_embd, "num_attention_heads", c.n_head, c.head_width,
                 is_qwen3 ? std::optional(128) : std::nullopt);
    f.epsilon("rms_norm_eps", s.rms_norm_eps);
    if (!is_mistral && !is_qwen2) {
      f.choice("attention_bias", c.attention_bias);
      c.output_bias = c.attention_bias;
    }
    if (s.model_type == "llama" || is_smollm3) f.choice("mlp_bias", c.mlp_bias);
    f.rotary(s.rotary, c.head_width, c.n_positions);
    if (is_smollm3) f.rotating_layers("no_rope_layers", s.rotates, c.n_layer);
    if (is_mistral) f.windows(s.windows, c.n_layer, true);
    if (is_qwen2 || is_qwen3 || is_smollm3) {
      bool slides = !s.windows.slides.empty();
      f.boolean("use_sliding_window", slides);
      if (slides)
        f.windows(s.windows, c.n_layer, false, "max_window_layers");
      else
        s.windows = {};
    }
    f.token("bos_token_id", s.bos_token_id, 1, c.vocab_size);
    f.tokens("eos_token_id", s.eos_token_ids, {2}, c.vocab_size);
    f.choice("tie_word_embeddings", c.tie_word_embeddings);
  }

private:
  /// What transformers' configs of these models say where a file says nothing.
  static void set_defaults(llama_config& c, llama_settings& s) {
    if (s.model_type == "mistral") {
      c.n_inner = 14336;
      c.n_positions = 131072;
      s.windows.window = 4096;
    } else if (s.model_type == "qwen2" || s.model_type == "qwen3") {
      c.vocab_size = 151936;
      c.n_inner = 22016;
      c.n_positions = 32768;
      c.attention_bias = s.model_type == "qwen2";
      c.head_norms = s.model_type == "qwen3";
      s.windows.window = 4096;
    } else if (s.model_type == "smollm3") {
      c = {.n_embd = 2048, .n_layer = 36, .n_head = 16, .n_inner = 11008};
      c.vocab_size = 128256;
      c.n_positions = 32768;
      c.tie_word_embeddings = true;
      s.rotary.base = 2000000.0;
    }
  }
};

} // namespace transept::inline TRANSEPT_ABI

// The shapes of LLaMA's line (Touvron et al. 2023): LLaMA, Mistral, Qwen2, Qwen3, SmolLM3, Phi-3, and all
// that is published as one of them. What they differ in is which vectors there are, and settings.
//
//   constexpr transept::llama_config tiny{.n_embd = 2048, .n_layer = 22, .n_head = 32,
//                                         .n_key_value_head = 4};
#pragma once

#include <span>

#include <transept/layers/positions/rotary_frequencies.hpp>
#include <transept/models/family.hpp>
#include <transept/models/llama/names.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The width of a gated network that costs what one of 4 n_embd without a gate does: two thirds of that, in
/// whole multiples.
constexpr int llama_inner(int n_embd, int multiple) {
  return n_embd == dyn ? n_embd : (n_embd * 8 / 3 + multiple - 1) / multiple * multiple;
}

/// The shape of a LLaMA or of its kin.
struct llama_config {
  int n_embd, n_layer, n_head; ///< width of the residual stream, blocks, each one's heads of queries
  int vocab_size = 32000;      ///< tokens
  int n_positions = 2048;      ///< what it was trained for
  int n_inner = llama_inner(n_embd, 256); ///< intermediate_size: of gate and value each
  int head_width = static_cast<int>(even_share(n_embd, n_head)); ///< head_dim
  choice tie_word_embeddings = false; ///< the output projection is the token embedding
  int n_key_value_head = n_head;      ///< num_key_value_heads: a divisor of n_head
  choice attention_bias = false;      ///< of queries, keys and values
  choice output_bias = false;         ///< of attention's output
  choice mlp_bias = false;            ///< of the network
  choice head_norms = false;          ///< RMS norms of every head's queries and keys (Qwen3)

  friend constexpr bool operator==(const llama_config&, const llama_config&) = default;

  /// Of every block's attention.
  constexpr attention_extents attention() const {
    return {.width = n_embd,
            .heads = n_head,
            .key_value_heads = n_key_value_head,
            .head_width = head_width,
            .input_bias = attention_bias,
            .output_bias = output_bias,
            .head_norms = head_norms};
  }

  /// Those beside the eight that all configs have.
  static constexpr auto own_members = transept::members_of(
      member{"n_key_value_head", &llama_config::n_key_value_head},
      member{"attention_bias", &llama_config::attention_bias},
      member{"output_bias", &llama_config::output_bias}, member{"mlp_bias", &llama_config::mlp_bias},
      member{"head_norms", &llama_config::head_norms});
};

/// LLaMA 7B (Touvron et al. 2023, table 2): 6,738,415,616 parameters.
inline constexpr llama_config llama_7b{.n_embd = 4096, .n_layer = 32, .n_head = 32};
/// TinyLlama (Zhang et al. 2024): 1,100,048,384 parameters.
inline constexpr llama_config tiny_llama{.n_embd = 2048, .n_layer = 22, .n_head = 32, .n_key_value_head = 4};

/// Any shape, told at run time.
inline constexpr llama_config any_llama = any_of(llama_7b);

/// What a LLaMA is at run time besides its shape.
struct llama_settings {
  std::string model_type = "llama";                   ///< one of llama_family::model_types
  float rms_norm_eps = 1e-6f;                         ///< of all norms
  activation_type activation = activation_type::silu; ///< of the gate; hidden_act
  rotary_settings rotary = {};                        ///< its width, that of a head, must be set
  std::vector<bool> rotates = {};           ///< whether each block has rotary positions; empty: all (SmolLM3)
  layer_windows windows = {};               ///< Mistral's and Qwen2's sliding windows
  std::optional<token_id> bos_token_id = 1; ///< begins a text, where there is one
  std::vector<token_id> eos_token_ids = {2}; ///< a generation stops at any of these

  bool operator==(const llama_settings&) const = default; ///< member by member
};

template <llama_config Config, class Weights>
struct llama;

/// What files say of a LLaMA or of its kin.
struct llama_family : family_of<llama_config, llama_settings, llama> {
  /// Of the family, and of its shape in C++.
  static constexpr std::string_view name = "LLaMA", config_name = "llama_config";
  /// In config.json.
  static constexpr std::array<std::string_view, 6> model_types{"llama", "mistral", "qwen2",
                                                               "qwen3", "smollm3", "phi3"};
  static constexpr std::span<const gguf_architecture> gguf = llama_gguf; ///< in GGUF files

  /// LlamaConfig's; `describe` knows the others'.
  static llama_config huggingface_defaults() { return llama_7b; }

  /// A new model's network is a multiple of 32 wide and its output tied; else it has what its `model_type`
  /// has: Qwen2's biases, Qwen3's norms of queries and keys, SmolLM3's layers without positions.
  static void begin(llama_config& c, llama_settings& s) {
    c.n_inner = llama_inner(c.n_embd, 32);
    c.tie_word_embeddings = true;
    c.attention_bias = s.model_type == "qwen2";
    c.head_norms = s.model_type == "qwen3";
    if (s.model_type == "smollm3")
      for (int i = 0; i < c.n_layer; ++i) s.rotates.push_back((i + 1) % 4 != 0);
  }

  /// config.json, field by field: read, or written.
  template <class Fields>
  static void describe(Fields& f, llama_config& c, llama_settings& s) {
    const bool is_mistral = s.model_type == "mistral", is_qwen2 = s.model_type == "qwen2",
               is_qwen3 = s.model_type == "qwen3", is_smollm3 = s.model_type == "smollm3",
               is_phi3 = s.model_type == "phi3";
    if constexpr (Fields::reading) set_defaults(c, s);
    f.architecture(is_mistral   ? "MistralForCausalLM"
                   : is_qwen2   ? "Qwen2ForCausalLM"
                   : is_qwen3   ? "Qwen3ForCausalLM"
                   : is_smollm3 ? "SmolLM3ForCausalLM"
                   : is_phi3    ? "Phi3ForCausalLM"
                                : "LlamaForCausalLM");
    f.activation("hidden_act", s.activation);
    describe_sizes(f, c, is_qwen3 ? std::optional(128) : std::nullopt);
    f.shared_heads("num_key_value_heads", "num_attention_heads", c.n_head, c.n_key_value_head,
                   is_mistral                                     ? std::optional(8)
                   : is_smollm3                                   ? std::optional(4)
                   : (is_qwen2 || is_qwen3) && c.n_head % 32 == 0 ? std::optional(32)
                                                                  : std::nullopt);
    f.epsilon("rms_norm_eps", s.rms_norm_eps);
    if (!is_mistral && !is_qwen2 && !is_phi3) {
      f.choice("attention_bias", c.attention_bias);
      c.output_bias = c.attention_bias;
    }
    if (s.model_type == "llama" || is_smollm3) f.choice("mlp_bias", c.mlp_bias);
    f.rotary(s.rotary, c.head_width, c.n_positions,
             is_phi3 ? rotary_keys{.part = "partial_rotary_factor"} : rotary_keys{});
    if (is_smollm3) f.rotating_layers("no_rope_layers", s.rotates, c.n_layer);
    bool slides = !Fields::reading && !s.windows.slides.empty();
    if constexpr (Fields::reading) set_usual_windows(f, c, s);
    if (is_mistral || is_phi3) f.windows(s.windows, c.n_layer, true);
    if (is_qwen2 || is_qwen3 || is_smollm3) {
      f.boolean("use_sliding_window", slides);
      if (slides)
        f.windows(s.windows, c.n_layer);
      else
        s.windows = {};
      if constexpr (Fields::reading)
        if (!slides) f.no_windows("use_sliding_window");
    }
    describe_vocabulary(f, c, s, 1, {is_phi3 ? 32000 : 2});
  }

private:
  /// Which layers slide where layer_types says nothing: all of Mistral's and Phi-3's, Qwen's from one on,
  /// SmolLM3's without positions.
  template <class Fields>
  static void set_usual_windows(const Fields& f, const llama_config& c, llama_settings& s) {
    if (s.model_type == "llama") return;
    int first = 28;
    if (s.model_type.starts_with("qwen")) f.whole_number("max_window_layers", first, config_limits::n_layer);
    for (int i = 0; i < c.n_layer; ++i)
      s.windows.slides.push_back(s.model_type == "mistral" || s.model_type == "phi3" ? true
                                 : s.model_type == "smollm3" ? !s.rotates[static_cast<std::size_t>(i)]
                                                             : i >= first);
  }

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
      c = {.n_embd = 2048, .n_layer = 36, .n_head = 16, .vocab_size = 128256, .n_positions = 32768};
      c.n_inner = 11008;
      c.tie_word_embeddings = true;
      s.rotary.base = 2000000.0;
    } else if (s.model_type == "phi3") {
      c = {.n_embd = 3072, .n_layer = 32, .n_head = 32, .vocab_size = 32064, .n_positions = 4096};
      c.n_inner = 8192;
      s.rms_norm_eps = 1e-5f;
    }
  }
};

} // namespace transept::inline TRANSEPT_ABI

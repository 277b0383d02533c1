// What a sentence-transformers folder does behind its encoder: pooling of a text's hidden states to one
// vector, dense layers, normalization (Reimers & Gurevych 2019, "Sentence-BERT").
//
//   modules.json                      a list: transformer, pooling, dense, normalize
//   1_Pooling/config.json             which poolings
//   2_Dense/config.json, model.safetensors
//   sentence_bert_config.json         max_seq_length
//   config_sentence_transformers.json prompts
//
// Modules stand in this order; another is an error. A folder without modules.json is pooled by its mean, as
// sentence-transformers has it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <transept/core/activation.hpp>
#include <transept/core/error.hpp>
#include <transept/layers/linear.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

/// How a text's hidden states become one vector.
enum class sentence_pooling : std::uint8_t {
  first,         ///< that of the first token, [CLS]
  max,           ///< the greatest of each number
  mean,          ///< their mean
  mean_sqrt_len, ///< their sum over √length
  weighted_mean, ///< their mean, weighted by 1, 2, 3, …
  last           ///< that of the last token
};

/// A dense layer behind pooling; `activation` none: none.
struct sentence_dense {
  linear<dyn, dyn> layer;                                   ///< [in, out], and its bias
  std::optional<activation_type> activation = std::nullopt; ///< of what it gives
};

/// All that is done with a text's hidden states.
struct sentence_modules {
  std::vector<sentence_pooling> poolings{sentence_pooling::mean}; ///< side by side, in this order
  std::vector<sentence_dense> dense;                              ///< one after another
  bool normalizes = false;                                        ///< to length 1, at the end
  std::optional<std::size_t> most_tokens;                         ///< of a text; the rest is cut off
  bool lowers_case = false;                                       ///< of texts, before they are tokens
  std::string similarity = "cosine";          ///< of two vectors: "cosine", or "dot" product
  bool pools_prompt = true;                   ///< whether a prompt's tokens are pooled too
  std::map<std::string, std::string> prompts; ///< what to put before a text, by name
  std::string default_prompt;                 ///< its name; empty: none
  std::filesystem::path encoder;              ///< the encoder's folder
  weight_owner memory;                        ///< of the dense layers

  /// Numbers of a text's vector, for hidden states of `width`.
  std::size_t output_width(std::size_t width) const;
};

/// What the folder says of it. Throws file_error, format_error; config_error for modules that are not known.
TRANSEPT_FUNCTION sentence_modules read_sentence_modules(const std::filesystem::path& folder);

/// Throws config_error where a dense layer does not take what the module before it gives, for hidden states
/// of `width`.
TRANSEPT_FUNCTION void check_widths(const sentence_modules& modules, std::size_t width);

/// out [texts, output_width(width)] of hidden states [tokens, width], of texts that begin at `offsets`
/// [texts + 1]; the first skipped[s] tokens of text s (none, if it is empty) are not pooled, unless as the
/// first token. Throws as check_widths.
TRANSEPT_FUNCTION void apply(const sentence_modules& modules, compute_context& context, const float* states,
                             std::size_t width, std::span<const std::size_t> offsets,
                             std::span<const std::size_t> skipped, float* out);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/encode/impl/sentence_modules.hpp>
#endif

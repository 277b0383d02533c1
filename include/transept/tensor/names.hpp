// What files call a model's parameters: a table of three columns, beside the model.
//
//   here                               Hugging Face                      GGUF
//   blocks.*.attention.query_key_value model.layers.*.self_attn.{q,k,v}_proj  blk.*.attn_{q,k,v}
//
// without the last part, ".weight" or ".bias". A star stands for a block's number. Braces are several tensors
// of a file that are one parameter here, their outputs one behind another.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// In which order a Hugging Face file keeps the outputs of a parameter.
enum class output_order : std::uint8_t {
  as_here, ///< in the order that they have here
  by_head  ///< query, key and value of the first head, then of the second, …; here all queries come first
};

/// A line of the table.
struct tensor_names {
  std::string_view here, huggingface, gguf;   ///< a column's entry, without ".weight" or ".bias"
  output_order order = output_order::as_here; ///< of Hugging Face's outputs; GGUF files have them as here
};

/// A model's table, and what else it takes to find its tensors in files.
struct model_names {
  std::span<const tensor_names> tensors = {}; ///< the table's lines, which must outlive this
  /// What Hugging Face puts before names that belong to the model without its head; files may have it or not.
  std::string_view prefix = {};
  /// Whether linear layers are stored as [in, out], as Hugging Face's Conv1D does, or as [out, in].
  bool inputs_first = false;
};

namespace detail {

/// "blocks.12.norm_1.weight" in its parts: "blocks.*.norm_1", "12", ".weight".
struct parsed_name {
  std::string stem;
  std::string block; ///< empty outside of blocks
  std::string suffix;
};

TRANSEPT_FUNCTION parsed_name parse_name(std::string_view name);

/// The pattern with a block's number in place of its star.
TRANSEPT_FUNCTION std::string in_block(std::string_view pattern, std::string_view block);

} // namespace detail

/// The names that a pattern's braces stand for: "{q,k,v}_proj" is q_proj, k_proj and v_proj.
TRANSEPT_FUNCTION std::vector<std::string> without_braces(std::string_view pattern);

/// The line of the table for the parameter that is called `here` ("blocks.0.norm_1.weight"), or nullptr.
TRANSEPT_FUNCTION const tensor_names* find_names(const model_names& names, std::string_view here);

/// Hugging Face's name of the parameter that is called `here`, braces and all.
TRANSEPT_FUNCTION std::string huggingface_name(const model_names& names, std::string_view here);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/tensor/impl/names.hpp>
#endif

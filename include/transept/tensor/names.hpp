// What files call a model's parameters: a table of three columns, beside the model.
//
//   here                               Hugging Face                      GGUF
//   blocks.*.attention.query_key_value model.layers.*.self_attn.{q,k,v}_proj  blk.*.attn_{q,k,v}
//
// without the last part, ".weight" or ".bias". A star stands for a block's number; two for that of its group
// and its own in it. Braces are several tensors of a file that are one parameter here, their outputs one
// behind another; "{}" stands for one tensor for each head, by number, which GGUF has as the rows of one.
// Before a first dot stands the model's prefix.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// In which order a file keeps the outputs of a parameter.
enum class output_order : std::uint8_t {
  as_here, ///< in the order that they have here
  by_head, ///< queries, key and value of the first head of keys, then of the second, …; here all queries come
           ///< first
  rotary_pairs ///< in every head of queries and keys first the two numbers that are turned together by the
               ///< first frequency, which here are half a head apart, then the next two, …; values as here
};

/// Whose names files have, and whose way to keep what is called so.
enum class file_naming : std::uint8_t {
  huggingface, ///< safetensors
  gguf,        ///< llama.cpp's converter
  own_gguf     ///< GGUF's names, everything else as here
};

/// A line of the table.
struct tensor_names {
  std::string_view here, huggingface, gguf;        ///< a column's entry, without ".weight" or ".bias"
  output_order order = output_order::as_here;      ///< of Hugging Face's outputs
  output_order gguf_order = output_order::as_here; ///< of the outputs in llama.cpp's files
  float gguf_offset = 0.0f;                        ///< what llama.cpp's files hold is so much more
};

/// A model's table, and what else it takes to find its tensors in files.
struct model_names {
  std::span<const tensor_names> tensors = {}; ///< the table's lines, which must outlive this
  /// What Hugging Face puts before names that belong to the model without its head; files may have it or not.
  std::string_view prefix = {};
  /// Whether linear layers are stored as [in, out], as Hugging Face's Conv1D does, or as [out, in].
  bool inputs_first = false;
  /// Whether the model's output is its token embedding: files may have it under either name.
  bool is_tied = false;
  std::size_t blocks_of_group = 1; ///< where names have a group's number and a block's (ALBERT)
};

/// What files call the parameters of a model: what its `file_names()` says, where that depends on its shape
/// or settings, else its `names`; without both they are called as here.
template <class Model>
model_names names_of(const Model& model) {
  model_names names{.inputs_first = true};
  if constexpr (requires { model.file_names(); })
    names = model.file_names();
  else if constexpr (requires { Model::names; })
    names = Model::names;
  if constexpr (requires { bool(model.config.tie_word_embeddings); })
    names.is_tied = bool(model.config.tie_word_embeddings);
  return names;
}

namespace detail {

/// "blocks.12.norm_1.weight" in its parts: "blocks.*.norm_1", "12", ".weight".
struct parsed_name {
  std::string stem;
  std::string block; ///< empty outside of blocks
  std::string suffix;
};

TRANSEPT_FUNCTION parsed_name parse_name(std::string_view name);

/// The pattern with a block's number in place of its star, or those of its group and in it in place of two.
TRANSEPT_FUNCTION std::string in_block(std::string pattern, const std::string& block,
                                       std::size_t blocks_of_group);

/// Hugging Face's entry of a line, with the prefix that it leaves out.
TRANSEPT_FUNCTION std::string huggingface_pattern(const model_names& names, const tensor_names& line);

} // namespace detail

/// The names that a pattern's braces stand for: "{q,k,v}_proj" is q_proj, k_proj and v_proj; "norms.{}", for
/// `heads` heads, is norms.0, norms.1, …
TRANSEPT_FUNCTION std::vector<std::string> without_braces(std::string_view pattern, std::size_t heads = 0);

/// The line of the table for the parameter that is called `here` ("blocks.0.norm_1.weight"), or nullptr.
TRANSEPT_FUNCTION const tensor_names* find_names(const model_names& names, std::string_view here);

/// Hugging Face's name of the parameter that is called `here`, braces and all.
TRANSEPT_FUNCTION std::string huggingface_name(const model_names& names, std::string_view here);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/tensor/impl/names.hpp>
#endif

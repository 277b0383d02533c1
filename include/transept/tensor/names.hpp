// What files call a model's parameters: a table of three columns, beside the model.
//
//   here                               Hugging Face                      GGUF
//   blocks.*.attention.query_key_value model.layers.*.self_attn.{q,k,v}_proj  blk.*.attn_{q,k,v}
//
// without the last part, ".weight" or ".bias". A star stands for a block's number. Braces are several tensors
// of a file that are one parameter here, their outputs one behind another.
#pragma once

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// In which order a Hugging Face file keeps the outputs of a parameter.
enum class output_order : std::uint8_t {
  as_here,
  by_head ///< query, key and value of the first head, then of the second, …; here all queries come first
};

struct tensor_names {
  std::string_view here, huggingface, gguf;
  output_order order = output_order::as_here;
};

struct model_names {
  std::span<const tensor_names> tensors = {};
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

inline parsed_name parse_name(std::string_view name) {
  parsed_name parsed;
  if (const std::size_t dot = name.rfind('.'); dot != name.npos) {
    parsed.suffix = name.substr(dot);
    name = name.substr(0, dot);
  }
  // The number is the first part that is one, as to_string writes it: two names never mean the same block.
  for (std::size_t begin = 0; begin <= name.size();) {
    const std::size_t end = std::min(name.find('.', begin), name.size());
    const std::string_view part = name.substr(begin, end - begin);
    int number = 0;
    const auto result = std::from_chars(part.data(), part.data() + part.size(), number);
    if (!part.empty() && result.ec == std::errc{} && number >= 0 && std::to_string(number) == part) {
      parsed.block = part;
      parsed.stem = std::string(name.substr(0, begin)) + "*" + std::string(name.substr(end));
      return parsed;
    }
    begin = end + 1;
  }
  parsed.stem = name;
  return parsed;
}

/// The pattern with a block's number in place of its star.
inline std::string in_block(std::string_view pattern, std::string_view block) {
  std::string name(pattern);
  if (const std::size_t star = name.find('*'); star != name.npos) name.replace(star, 1, block);
  return name;
}

} // namespace detail

/// The names that a pattern's braces stand for: "{q,k,v}_proj" is q_proj, k_proj and v_proj.
inline std::vector<std::string> without_braces(std::string_view pattern) {
  const std::size_t open = pattern.find('{'), close = pattern.find('}');
  if (open == pattern.npos || close == pattern.npos) return {std::string(pattern)};
  std::vector<std::string> names;
  for (std::size_t begin = open + 1; begin <= close;) {
    const std::size_t end = std::min(pattern.find(',', begin), close);
    names.push_back(std::string(pattern.substr(0, open)) + std::string(pattern.substr(begin, end - begin)) +
                    std::string(pattern.substr(close + 1)));
    begin = end + 1;
  }
  return names;
}

/// The line of the table for the parameter that is called `here` ("blocks.0.norm_1.weight"), or nullptr.
inline const tensor_names* find_names(const model_names& names, std::string_view here) {
  const std::string stem = detail::parse_name(here).stem;
  for (const tensor_names& each : names.tensors)
    if (each.here == stem) return &each;
  return nullptr;
}

/// Hugging Face's name of the parameter that is called `here`, braces and all.
inline std::string huggingface_name(const model_names& names, std::string_view here) {
  const tensor_names* const found = find_names(names, here);
  if (found == nullptr) return std::string(here);
  const auto parsed = detail::parse_name(here);
  return detail::in_block(found->huggingface, parsed.block) + parsed.suffix;
}

} // namespace transept::inline TRANSEPT_ABI

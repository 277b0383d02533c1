// What llama.cpp calls the parameters of a GPT-2 in GGUF files.
//
//   wte.weight                token_embd.weight     [vocab_size, n_embd]
//   wpe.weight                position_embd.weight  [n_positions, n_embd]
//   h.0.attn.c_attn.weight    blk.0.attn_qkv.weight [out, in]: the transpose of Hugging Face's Conv1D
//   …
#pragma once

#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// Hugging Face's name and GGUF's, before ".weight" or ".bias".
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 4> gguf_model_names{
    {{"wte", "token_embd"}, {"wpe", "position_embd"}, {"ln_f", "output_norm"}, {"lm_head", "output"}}};

/// The same inside block N, behind "h.N." and "blk.N.".
inline constexpr std::array<std::pair<std::string_view, std::string_view>, 6> gguf_block_names{
    {{"ln_1", "attn_norm"},
     {"attn.c_attn", "attn_qkv"},
     {"attn.c_proj", "attn_output"},
     {"ln_2", "ffn_norm"},
     {"mlp.c_fc", "ffn_up"},
     {"mlp.c_proj", "ffn_down"}}};

struct parsed_name {
  std::string_view block; // its number; empty outside of blocks
  std::string_view stem;
  std::string_view suffix; // ".weight" or ".bias"
};

/// "blk.12.attn_qkv.weight" in its parts, for the block prefix "blk."; nothing for what is no parameter.
inline std::optional<parsed_name> parse_name(std::string_view name, std::string_view block_prefix) {
  parsed_name parsed;
  const std::size_t dot = name.rfind('.');
  if (dot == name.npos) return std::nullopt;
  parsed.suffix = name.substr(dot);
  if (parsed.suffix != ".weight" && parsed.suffix != ".bias") return std::nullopt;
  parsed.stem = name.substr(0, dot);
  if (!parsed.stem.starts_with(block_prefix)) return parsed;
  parsed.stem.remove_prefix(block_prefix.size());
  const std::size_t end = parsed.stem.find('.');
  if (end == parsed.stem.npos) return std::nullopt;
  parsed.block = parsed.stem.substr(0, end);
  parsed.stem.remove_prefix(end + 1);
  // As to_string writes it: two names never mean the same block.
  int number = 0;
  const auto result = std::from_chars(parsed.block.data(), parsed.block.data() + parsed.block.size(), number);
  if (result.ec != std::errc{} || number < 0 || std::to_string(number) != parsed.block) return std::nullopt;
  return parsed;
}

} // namespace detail

/// Hugging Face's name of the parameter that GGUF calls `name`; nothing for what is no parameter of a GPT-2.
inline std::optional<std::string> huggingface_name(std::string_view name) {
  const auto parsed = detail::parse_name(name, "blk.");
  if (!parsed) return std::nullopt;
  const std::string suffix(parsed->suffix);
  if (parsed->block.empty()) {
    for (const auto& [theirs, here] : detail::gguf_model_names)
      if (here == parsed->stem) return std::string(theirs) + suffix;
  } else {
    for (const auto& [theirs, here] : detail::gguf_block_names)
      if (here == parsed->stem) return "h." + std::string(parsed->block) + "." + std::string(theirs) + suffix;
  }
  return std::nullopt;
}

/// GGUF's name of the parameter that Hugging Face calls `name` (without prefix); nothing for what is none.
inline std::optional<std::string> gguf_name(std::string_view name) {
  const auto parsed = detail::parse_name(name, "h.");
  if (!parsed) return std::nullopt;
  const std::string suffix(parsed->suffix);
  if (parsed->block.empty()) {
    for (const auto& [theirs, here] : detail::gguf_model_names)
      if (theirs == parsed->stem) return std::string(here) + suffix;
  } else {
    for (const auto& [theirs, here] : detail::gguf_block_names)
      if (theirs == parsed->stem)
        return "blk." + std::string(parsed->block) + "." + std::string(here) + suffix;
  }
  return std::nullopt;
}

/// Whether Hugging Face's parameter `name` is the matrix of a linear layer, [in, out], which GGUF transposes.
inline bool is_linear_weight(std::string_view name) {
  return name.ends_with(".c_attn.weight") || name.ends_with(".c_proj.weight") ||
         name.ends_with(".c_fc.weight");
}

} // namespace transept::inline TRANSEPT_ABI

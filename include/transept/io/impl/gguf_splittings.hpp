// What llama.cpp calls the ways of cutting texts: tokenizer.ggml.pre of byte-level vocabularies.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

#include <transept/text/vocabulary.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// A name, and what it says: steps, as many as there are; whether texts are composed first (NFC) and whole
/// pieces are taken.
struct named_splitting {
  std::string_view name;
  std::array<splitting, 5> steps;
  std::size_t count;
  bool composes = false, takes_whole_pieces = false;
};

/// All that are known. Of several names for the same the first is written.
inline constexpr auto gguf_splittings = [] {
  using enum splitting;
  return std::array<named_splitting, 18>{{
      {"gpt-2", {gpt2}, 1},
      {"default", {gpt2}, 1},
      {"phi-2", {gpt2}, 1},
      {"mpt", {gpt2}, 1, true},
      {"olmo", {gpt2}, 1, true},
      {"llama-bpe", {llama3}, 1, false, true},
      {"qwen2", {qwen2}, 1, true},
      {"deepseek-r1-qwen", {qwen2}, 1, true},
      {"stablelm2", {qwen2}, 1, true},
      {"bloom", {bloom}, 1},
      {"smollm", {each_digit, gpt2}, 2},
      {"starcoder", {each_digit, gpt2}, 2},
      {"refact", {each_digit, gpt2}, 2},
      {"codeshell", {each_digit, gpt2}, 2},
      {"command-r", {each_digit, gpt2}, 2, true},
      {"falcon", {punctuation, gpt2, digit_bytes, three_digits}, 4},
      {"deepseek-coder", {line_breaks, letters, marks_of_punctuation, ideographs, each_digit}, 5},
      {"deepseek-v3", {numbers, ideographs_and_kana, deepseek}, 3},
  }};
}();

/// The rules of a name; nothing where it is not known.
inline std::optional<text_rules> rules_named(std::string_view name) {
  const auto* const found = std::find_if(gguf_splittings.begin(), gguf_splittings.end(),
                                         [&](const named_splitting& each) { return each.name == name; });
  if (found == gguf_splittings.end()) return std::nullopt;
  text_rules rules;
  rules.steps.assign(found->steps.begin(), found->steps.begin() + found->count);
  if (found->composes) rules.normalizers.push_back(normalizer::nfc);
  rules.takes_whole_pieces = found->takes_whole_pieces;
  return rules;
}

/// The name of rules; nothing where there is none.
inline std::optional<std::string_view> name_of_rules(const text_rules& rules) {
  for (const named_splitting& each : gguf_splittings) {
    const bool same_steps = std::equal(rules.steps.begin(), rules.steps.end(), each.steps.begin(),
                                       each.steps.begin() + each.count);
    const bool composes = rules.normalizers == std::vector{normalizer::nfc};
    if (same_steps && composes == each.composes && rules.normalizers.size() == (composes ? 1 : 0) &&
        rules.takes_whole_pieces == each.takes_whole_pieces)
      return each.name;
  }
  return std::nullopt;
}

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI

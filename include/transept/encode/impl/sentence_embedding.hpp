// The tokens of texts that are embedded, and how alike vectors are (encode/sentence_embedding.hpp).
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/encode/sentence_embedding.hpp>
#include <transept/text/text_normalizer.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// A text without white space at its ends, as sentence-transformers takes it.
inline std::string stripped(std::string_view text) {
  const auto is_space = [](std::string_view at) {
    return class_of(first_character(at).code_point) == character_class::space;
  };
  while (!text.empty() && is_space(text)) text.remove_prefix(first_character(text).length);
  while (!text.empty() && is_space(text.substr(start_of_last_character(text))))
    text = text.substr(0, start_of_last_character(text));
  return std::string(text);
}

/// The products of each of a with each of b, divided by their lengths or not.
inline array<2> similarity(const array<2>& a, const array<2>& b, bool of_angle) {
  const std::size_t width = a.shape(1);
  if (b.shape(1) != width)
    throw argument_error("vectors of " + std::to_string(width) + " and of " + std::to_string(b.shape(1)) +
                         " numbers cannot be compared");
  const auto product = [width](const float* x, const float* y) {
    double sum = 0;
    for (std::size_t i = 0; i < width; ++i) sum += double{x[i]} * double{y[i]};
    return sum;
  };
  array<2> likeness = make_array<2>({a.shape(0), b.shape(0)});
  for (std::size_t i = 0; i < a.shape(0); ++i)
    for (std::size_t j = 0; j < b.shape(0); ++j) {
      const float *const x = a.data() + i * width, *const y = b.data() + j * width;
      const double lengths = of_angle ? std::sqrt(product(x, x)) * std::sqrt(product(y, y)) : 1.0;
      likeness(i, j) = static_cast<float>(product(x, y) / std::max(lengths, 1e-12));
    }
  return likeness;
}

} // namespace detail

TRANSEPT_FUNCTION sentence_batch sentence_tokens(const tokenizer& tokenizer, const sentence_modules& modules,
                                                 std::size_t n_positions, std::span<const std::string> texts,
                                                 const std::string& prompt) {
  const std::string& name = prompt.empty() ? modules.default_prompt : prompt;
  const auto found = modules.prompts.find(name);
  if (!name.empty() && found == modules.prompts.end()) {
    std::string known;
    for (const auto& [each, text] : modules.prompts) known += (known.empty() ? "" : ", ") + each;
    throw argument_error("this folder has no prompt called " + quoted(name) + ": it has " +
                         (known.empty() ? "none" : known));
  }
  const std::string before = name.empty() ? "" : found->second;
  const input_options options{.most_tokens =
                                  std::min(modules.most_tokens.value_or(n_positions), n_positions)};
  text_rules rules;
  rules.normalizers = {normalizer::lower_case};
  const text_normalizer lowers(rules);
  sentence_batch batch;
  std::size_t skipped = 0;
  if (!before.empty() && !modules.pools_prompt) {
    const encoded_input alone = encode_input(tokenizer, before, options);
    skipped = alone.ids.size();
    if (skipped > 0 && alone.texts.back() == -1) --skipped; // what stands behind a text
  }
  for (std::size_t i = 0; i < texts.size(); ++i) {
    std::string text = detail::stripped(before + texts[i]);
    if (modules.lowers_case) text = lowers(text);
    const encoded_input input = encode_input(tokenizer, text, options);
    if (input.ids.empty()) throw argument_error("text " + std::to_string(i) + " has no tokens");
    batch.texts.add(input.ids, input.token_types);
    if (skipped > 0) batch.skipped.push_back(skipped);
  }
  return batch;
}

TRANSEPT_FUNCTION array<2> cosine_similarity(const array<2>& a, const array<2>& b) {
  return detail::similarity(a, b, true);
}

TRANSEPT_FUNCTION array<2> dot_similarity(const array<2>& a, const array<2>& b) {
  return detail::similarity(a, b, false);
}

} // namespace transept::inline TRANSEPT_ABI

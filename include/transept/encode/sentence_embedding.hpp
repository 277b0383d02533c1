// Sentence embeddings: texts to vectors that are near where texts mean alike (Reimers & Gurevych 2019).
//
//   const auto encoder = load_sentence_encoder<transept::bert<transept::any_bert>>("all-MiniLM-L6-v2");
//   transept::encoder_session session;
//   const auto vectors = embed(encoder, session, texts);             // [texts, width]
//   const auto likeness = cosine_similarity(vectors, vectors);       // [texts, texts]
#pragma once

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/encode/encode.hpp>
#include <transept/encode/encoder_session.hpp>
#include <transept/encode/sentence_modules.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/tensor/xtensor.hpp>
#include <transept/text/encoded_text.hpp>

namespace transept::inline TRANSEPT_ABI {

/// An encoder, its vocabulary, and what is done with its hidden states.
template <class Model>
struct sentence_encoder {
  Model model;                   ///< an encoder_model, or what encode() takes like one
  transept::tokenizer tokenizer; ///< of its folder
  sentence_modules modules;      ///< as its folder says
};

/// Texts as a sentence encoder takes them.
struct sentence_batch {
  text_batch texts;                 ///< their tokens, with what belongs around them
  std::vector<std::size_t> skipped; ///< how many tokens of each are a prompt's that is not pooled; or empty
};

/// The tokens of texts behind the prompt of this name (empty: the folder's own, where it has one), cut to
/// what the folder and a model of `n_positions` take. Throws argument_error for a prompt that there is not.
TRANSEPT_FUNCTION sentence_batch sentence_tokens(const tokenizer& tokenizer, const sentence_modules& modules,
                                                 std::size_t n_positions, std::span<const std::string> texts,
                                                 const std::string& prompt = {});

/// Vectors [texts, output_width] of tokens. Throws as encode does.
template <class Model>
array<2> embed(const Model& model, const sentence_modules& modules, encoder_session& session,
               const sentence_batch& batch) {
  const encoder_input all = batch.texts.input();
  const std::size_t width = model.shape().n_embd;
  check_widths(modules, width);
  array<2> vectors = make_array<2>({all.texts(), modules.output_width(width)});
  // A group at a time: hidden states of all tokens need not exist at once.
  for (std::size_t first = 0, end = 0; first < all.texts(); first = end) {
    const std::size_t begin = all.offsets[first];
    end = session.end_of_group(all, first);
    std::vector<std::size_t> offsets(all.offsets.begin() + static_cast<std::ptrdiff_t>(first),
                                     all.offsets.begin() + static_cast<std::ptrdiff_t>(end + 1));
    for (std::size_t& offset : offsets) offset -= begin;
    const std::size_t rows = offsets.back();
    const auto seen = encode(model, session,
                             {.tokens = all.tokens.subspan(begin, rows),
                              .offsets = offsets,
                              .types = all.types.subspan(begin, rows)},
                             {.hidden_states = true});
    compute_context context = session.context();
    const std::span skipped(batch.skipped);
    apply(modules, context, seen.hidden_states.data(), width, offsets,
          skipped.empty() ? skipped : skipped.subspan(first, end - first), &vectors(first, 0));
  }
  return vectors;
}

/// The same of texts.
template <class Model>
array<2> embed(const sentence_encoder<Model>& encoder, encoder_session& session,
               std::span<const std::string> texts, const std::string& prompt = {}) {
  return embed(
      encoder.model, encoder.modules, session,
      sentence_tokens(encoder.tokenizer, encoder.modules, encoder.model.shape().n_positions, texts, prompt));
}

/// The cosine of the angle between each of a [n, width] and each of b [m, width]: [n, m], from −1 to 1.
/// Throws argument_error for vectors of other widths.
TRANSEPT_FUNCTION array<2> cosine_similarity(const array<2>& a, const array<2>& b);

/// The same of their products, not divided by their lengths.
TRANSEPT_FUNCTION array<2> dot_similarity(const array<2>& a, const array<2>& b);

/// The sentence encoder in a folder: of sentence-transformers, or any encoder's, whose hidden states are then
/// averaged. Throws what reading its parts does.
template <class Model>
sentence_encoder<Model> load_sentence_encoder(const std::filesystem::path& folder,
                                              const load_options& options = {}) {
  sentence_modules modules = read_sentence_modules(folder);
  const std::filesystem::path place = modules.encoder;
  return {load<Model>(place, options), load_tokenizer(place), std::move(modules)};
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/encode/impl/sentence_embedding.hpp>
#endif

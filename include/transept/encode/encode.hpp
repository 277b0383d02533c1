// Encoding texts: hidden states, what the pooler and the head make of them; and looking inside.
//
//   const auto seen = encode(model, session, texts.input(), {.logits = true});
//   seen.logits(text, label)                                        // of a model that classifies texts
//
// Texts of any lengths go through the model one behind another: nothing is padded, and a text has the same
// bits alone and among others.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/encode/encoder_session.hpp>
#include <transept/generate/inspection.hpp>
#include <transept/layers/kv_cache.hpp>
#include <transept/layers/whole_sequences.hpp>
#include <transept/models/encoder.hpp>
#include <transept/tensor/xtensor.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What to make of texts.
struct encoder_request {
  bool hidden_states = false; ///< of every token
  bool pooled = false;        ///< of every text
  bool logits = false;        ///< what the head gives
  bool next_sentence = false; ///< of a model with the head `pretraining`: what it gives beside words
  /// Which hidden states: 0 is the embeddings, i the output of block i; −1 the last, −2 the one before it.
  std::vector<int> layers = {-1};
  /// Several lie side by side, or are added up. (Devlin et al. 2019, table 7, compare both of the last four.)
  bool concatenated = false;
};

/// What was made; an array that was not asked for is empty.
struct encoder_output {
  array<2> hidden_states = make_array<2>({0, 0}); ///< [tokens, width], or [tokens, layers · width]
  array<2> pooled = make_array<2>({0, 0});        ///< [texts, width]
  array<2> logits = make_array<2>({0, 0});        ///< [tokens or texts, outputs], as encoder_head says
  array<2> next_sentence = make_array<2>({0, 0}); ///< [texts, 2]
};

namespace detail {

/// Throws argument_error for layers that there are not, in a model of so many blocks.
TRANSEPT_FUNCTION void check_layers(const std::vector<int>& layers, std::size_t blocks);

/// Adds or lays the hidden states that are asked for into an array, from row `first` on.
class feature_observer {
public:
  feature_observer(const encoder_request& request, std::size_t blocks, array<2>& out, std::size_t first)
      : request_(request), blocks_(blocks), out_(out), first_(first) {}

  void hidden_state(std::size_t index, const float* rows, std::size_t count, std::size_t width);

private:
  const encoder_request& request_;
  std::size_t blocks_;
  array<2>& out_;
  std::size_t first_;
};

/// How many outputs the head of a model has for each token or text; 0: it has none.
template <encoder_model Model>
std::size_t outputs_of(const Model& model) {
  const encoder_head head = model.settings.head;
  return has_words(head)                       ? static_cast<std::size_t>(model.config.vocab_size)
         : head == encoder_head::next_sentence ? 2
                                               : static_cast<std::size_t>(model.config.n_labels);
}

/// Throws argument_error for what the model does not have.
template <encoder_model Model>
void check_request(const Model& model, const encoder_request& request) {
  check_layers(request.layers, runs_of(model));
  if (request.logits && outputs_of(model) == 0)
    throw argument_error("this model has no head: it gives hidden states alone, and no logits");
  if (request.pooled && !has_pooler(model)) throw argument_error("this model has no pooler");
  if (request.next_sentence && !has_next_sentence(model))
    throw argument_error("this model does not say whether a sentence follows another");
}

} // namespace detail

/// What is asked for of the texts. Throws as check_texts does; argument_error for what the model does not
/// have; std::bad_alloc.
template <encoder_model Model>
encoder_output encode(const Model& model, encoder_session& session, const encoder_input& input,
                      const encoder_request& request = {.hidden_states = true}) {
  const decoder_shape shape = model.shape();
  check_texts(shape, token_types_of(model), input);
  detail::check_request(model, request);
  const encoder_head head = model.settings.head;
  const std::size_t tokens = input.tokens.size(), texts = input.texts(), width = shape.n_embd;
  const std::size_t layers = request.concatenated ? request.layers.size() : 1;
  const std::size_t outputs = detail::outputs_of(model);
  encoder_output out;
  if (request.hidden_states) {
    out.hidden_states = make_array<2>({tokens, layers * width});
    std::fill(out.hidden_states.begin(), out.hidden_states.end(), 0.0f);
  }
  if (request.pooled) out.pooled = make_array<2>({texts, width});
  if (request.logits) out.logits = make_array<2>({is_per_token(head) ? tokens : texts, outputs});
  if (request.next_sentence) out.next_sentence = make_array<2>({texts, 2});

  compute_context context = session.context();
  for (std::size_t first = 0, end = 0; first < texts; first = end) {
    const std::size_t begin = input.offsets[first];
    end = session.end_of_group(input, first);
    const std::size_t rows = input.offsets[end] - begin;
    const encoder_input part{.tokens = input.tokens.subspan(begin, rows),
                             .offsets = session.offsets_of(input, first, end - first),
                             .types = input.types.empty() ? input.types : input.types.subspan(begin, rows)};
    whole_sequences sequences(part.offsets);
    workspace::scope scope(context.memory);
    const auto x = scope.take<Model::width>(static_cast<extent>(rows), static_cast<extent>(width));
    if (request.hidden_states) {
      detail::feature_observer observer(request, shape.n_layer, out.hidden_states, begin);
      forward(model, context, part, sequences, x, observer);
      observer.hidden_state(shape.n_layer, x.data(), rows, width);
    } else {
      forward(model, context, part, sequences, x);
    }
    const auto states =
        scope.take<Model::width>(static_cast<extent>(end - first), static_cast<extent>(width));
    pool_texts(model, x, part.offsets, states);
    if constexpr (requires { model.pooler; })
      if (request.pooled)
        pool(model, context, states,
             activations<Model::width>(&out.pooled(first, 0), states.rows(), states.cols()));
    if constexpr (requires { model.next_sentence; }) {
      if (request.next_sentence) judge_next_sentence(model, context, states, &out.next_sentence(first, 0));
      if (request.logits && head == encoder_head::next_sentence)
        judge_next_sentence(model, context, states, &out.logits(first, 0));
    }
    if constexpr (requires { model.words; })
      if (request.logits && has_words(head)) project_words(model, context, x, &out.logits(begin, 0));
    if (!request.logits || !model.classifier.is_there()) continue;
    if (is_per_token(head))
      classify(model, context, x, &out.logits(begin, 0));
    else
      classify(model, context, states, &out.logits(first, 0));
  }
  return out;
}

/// Hidden states of every layer and attention probabilities of every head of one text, as for decoders
/// (generate/inspection.hpp); of ALBERT, for every time that a block is run. `request.logits` is not heeded:
/// encode has them. Throws as encode does.
template <encoder_model Model>
inspection inspect(const Model& model, encoder_session& session, const encoder_input& text,
                   const inspection_request& request) {
  const decoder_shape shape = model.shape();
  check_texts(shape, token_types_of(model), text);
  if (text.texts() != 1)
    throw argument_error("inspect looks into one text at a time; got " + std::to_string(text.texts()));
  const std::size_t rows = text.tokens.size();
  inspection_request asked = request;
  asked.logits = false;
  inspection result = detail::room_for(asked, shape, rows, rows);
  detail::inspecting_observer observer(result, asked, 0, shape.n_layer);
  compute_context context = session.context();
  workspace::scope scope(context.memory);
  const auto x = scope.take<Model::width>(static_cast<extent>(rows), static_cast<extent>(shape.n_embd));
  kv_cache cache(shape.n_layer, shape.n_head, shape.head_width, rows);
  forward(model, context, text, cache, x, observer);
  observer.hidden_state(shape.n_layer, x.data(), rows, shape.n_embd);
  return result;
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/encode/impl/encode.hpp>
#endif

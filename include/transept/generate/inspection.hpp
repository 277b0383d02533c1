// Looking inside: hidden states of every layer, attention probabilities of every head, logits of every
// position, as xtensor arrays; and parameters by name.
//
//   const auto seen = inspect(model, session, tokens, {.hidden_states = true, .attentions = true});
//   seen.attentions(layer, head, query, key)
//
// Nothing of this costs anything where it is not asked for: a forward pass without an observer contains no
// trace of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <transept/core/error.hpp>
#include <transept/generate/session.hpp>
#include <transept/models/convert.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/xtensor.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What to keep.
struct inspection_request {
  bool hidden_states = false; ///< inspection::hidden_states, last_hidden_state
  bool attentions = false;    ///< inspection::attentions
  bool logits = false;        ///< of every position
  /// Keep attentions of this layer only (they are large: n_layer · n_head · T · S); -1: of all.
  int attention_layer = -1;
};

/// What was kept; an array that was not asked for is empty. T: the tokens fed; S: all positions in the
/// session after them.
struct inspection {
  /// [n_layer + 1, T, n_embd]: the embeddings, then the output of each block; the last after the final norm,
  /// as Hugging Face counts them. Without the last where it has another width.
  array<3> hidden_states = make_array<3>({0, 0, 0});
  /// [T, n_output]: the last, where it has another width.
  array<2> last_hidden_state = make_array<2>({0, 0});
  /// [n_layer, n_head, T, S] (or [1, …] of the layer asked for): probabilities; each row sums to 1, positions
  /// after the query's own are 0.
  array<4> attentions = make_array<4>({0, 0, 0, 0});
  /// [T, vocab_size].
  array<2> logits = make_array<2>({0, 0});
};

namespace detail {

/// What is asked for of so many tokens, the last of `total`, not filled yet. Throws argument_error for a
/// layer that there is not.
TRANSEPT_FUNCTION inspection room_for(const inspection_request& request, const decoder_shape& shape,
                                      std::size_t tokens, std::size_t total);

/// Copies what a forward pass shows, chunk by chunk, into an inspection's arrays.
class inspecting_observer {
public:
  inspecting_observer(inspection& result, const inspection_request& request, std::size_t first_position,
                      std::size_t n_layer)
      : result_(result), request_(request), first_position_(first_position), n_layer_(n_layer) {}

  void hidden_state(std::size_t index, const float* rows, std::size_t count, std::size_t width);
  void attention(std::size_t layer, const kernels::attention_problem& problem,
                 kernels::keys_and_values cache);

private:
  inspection& result_;
  inspection_request request_;
  std::size_t first_position_, n_layer_;
  std::size_t rows_seen_ = 0;
};

} // namespace detail

/// Feeds `tokens` as forward() does, and returns what was asked for besides. Throws as forward() does,
/// std::bad_alloc; then nothing has changed.
template <decoder_model Model>
inspection inspect(const Model& model, session& session, std::span<const token_id> tokens,
                   const inspection_request& request) {
  check_tokens(model.shape(), session, tokens);
  const decoder_shape shape = model.shape();
  inspection result = detail::room_for(request, shape, tokens.size(), session.length() + tokens.size());
  forward_chunks(model, session, tokens, request.logits ? result.logits.data() : nullptr,
                 detail::inspecting_observer(result, request, session.length(), shape.n_layer));
  return result;
}

/// A copy of the parameter called `name` ("h.0.attn.c_attn.weight"), widened to f32: array<2> for matrices,
/// array<1> for vectors. Throws argument_error if the model has none of that name and rank.
template <std::size_t Rank, class Model>
array<Rank> parameter(const Model& model, std::string_view name) {
  array<Rank> result;
  bool found = false;
  for_each_parameter(
      [&](std::string_view each, const auto& leaf) {
        if (each != name) return;
        if constexpr (std::remove_cvref_t<decltype(leaf)>::rank == Rank) {
          array_shape<Rank> shape;
          const auto extents = leaf.shape();
          std::transform(extents.begin(), extents.end(), shape.begin(),
                         [](extent n) { return static_cast<std::size_t>(n); });
          result = make_array<Rank>(shape);
          if constexpr (Rank == 2) {
            thread_pool threads(1);
            copy_elements(leaf, threads, result.data());
          } else {
            std::copy_n(leaf.data(), leaf.size(), result.data());
          }
          found = true;
        } else {
          throw argument_error("the parameter " + std::string(name) + " has " +
                               std::to_string(leaf.shape().size()) + " dimensions, not " +
                               std::to_string(Rank));
        }
      },
      model);
  if (!found) throw argument_error("the model has no parameter named " + std::string(name));
  return result;
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/generate/impl/inspection.hpp>
#endif

// A session: one text in progress. It holds what a model does not: the key/value cache, scratch memory, the
// logits of the last position, and threads. Any number of sessions can run on one model, in as many threads
// as you like; one session belongs to one thread at a time.
//
//   transept::session session(model);                       // or session(model, {.threads = 2})
//   auto logits = forward(model, session, tokens);          // of the last token
//   truncate(session, 10); reset(session);
//
// After it is made, feeding tokens one at a time allocates nothing, in any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/generate/decoding.hpp>
#include <transept/layers/kv_cache.hpp>
#include <transept/models/decoder.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/tensor/view.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What a session is made with.
struct session_options {
  /// Threads to compute with; 0: one per processor this process may use. Ignored where a pool is given.
  int threads = 0;
  /// A pool to share with other sessions; none: the session makes its own.
  std::shared_ptr<thread_pool> pool = nullptr;
  /// Positions the cache has room for; 0: the model's n_positions.
  int capacity = 0;
  /// Longest run of tokens computed at once; a longer prompt is fed in such chunks. Memory only: the results
  /// are the same bits (nearly, where 16 rows and more are multiplied in bf16, or as f32_precision says).
  int prompt_chunk = 512;
  /// What keys and values are stored as: bf16 halves the cache's memory and int8 nearly quarters it, for
  /// rounding errors of 2⁻⁹ and 1/254 of a head's greatest number.
  transept::cache_type cache_type = transept::cache_type::f32;
  /// How prompts are multiplied by f32 or f16 weights. bf16x3 is for machines with AMX, and changes no logit
  /// by more than 1e-4 of their scale: the largest difference over the root of their mean square was 9e-6 for
  /// the model that ships with the project, 6e-5 for a GPT-2 124M of random weights.
  transept::f32_precision f32_precision = transept::f32_precision::full;
};

/// One text in progress. One thread at a time may use it.
class session {
public:
  /// Throws argument_error for options out of range, std::bad_alloc.
  template <decoder_model Model>
  explicit session(const Model& model, session_options options = {})
      : session(model.shape(), std::move(options)) {}

  /// For any model of this shape. Throws as the other.
  explicit session(const decoder_shape& shape, session_options options = {});

  /// Tokens fed so far.
  std::size_t length() const { return cache_.length(); }
  /// Tokens there is room for.
  std::size_t capacity() const { return cache_.capacity(); }
  /// The sizes of the model it was made for.
  const decoder_shape& shape() const { return shape_; }
  /// Logits [vocab_size] of the last token fed; all 0 before the first.
  std::span<const float> logits() const { return logits_.span(); }

  thread_pool& threads() { return *pool_; }        ///< that it computes with
  const kv_cache& cache() const { return cache_; } ///< keys and values of the tokens fed
  /// Bytes of scratch memory.
  std::size_t workspace_capacity() const { return memory_.capacity(); }

private:
  template <decoder_model Model, class Observer>
  friend void forward_chunks(const Model&, session&, std::span<const token_id>, float*, Observer&&);
  friend void truncate(session&, std::size_t);

  decoder_shape shape_;
  std::shared_ptr<thread_pool> pool_;
  kv_cache cache_;
  std::size_t chunk_;
  workspace memory_;
  buffer<float> logits_;
  f32_precision precision_;
};

/// Forgets the tokens from `length` on, so that others can follow (speculation, another continuation).
/// Throws argument_error if there are fewer.
inline void truncate(session& session, std::size_t length) { truncate(session.cache_, length); }

/// Forgets everything: the session is as new.
inline void reset(session& session) { truncate(session, 0); }

/// Throws unless `tokens` can be fed: argument_error for no tokens, an id outside the vocabulary, or a
/// session made for another model; context_error where they do not fit.
TRANSEPT_FUNCTION void check_tokens(const decoder_shape& model, const session& session,
                                    std::span<const token_id> tokens);

namespace detail {

/// Throws argument_error unless `logits` is a matrix for those of so many tokens.
TRANSEPT_FUNCTION void check_room_for_logits(const session& session, std::size_t tokens,
                                             matrix_view<float, dyn, dyn> logits);

} // namespace detail

/// Feeds checked tokens in chunks. `all_logits` [tokens, vocab_size] may be null; the last position's always
/// end up in the session.
template <decoder_model Model, class Observer>
void forward_chunks(const Model& model, session& session, std::span<const token_id> tokens, float* all_logits,
                    Observer&& observer) {
  detail::feed_run(model, {*session.pool_, session.memory_, session.precision_}, session.cache_,
                   session.chunk_, tokens, all_logits, session.logits_.data(), observer);
}

/// Feeds one token, many, or the rest of a prompt; returns the logits [vocab_size] of the last position,
/// which stay valid until the next call. Throws as check_tokens does; then nothing has changed.
template <decoder_model Model>
std::span<const float> forward(const Model& model, session& session, std::span<const token_id> tokens) {
  check_tokens(model.shape(), session, tokens);
  forward_chunks(model, session, tokens, nullptr, no_observer{});
  return session.logits();
}

/// The same with the logits of every position, written to `logits` [tokens, vocab_size].
template <decoder_model Model>
std::span<const float> forward(const Model& model, session& session, std::span<const token_id> tokens,
                               matrix_view<float, dyn, dyn> logits) {
  check_tokens(model.shape(), session, tokens);
  detail::check_room_for_logits(session, tokens.size(), logits);
  forward_chunks(model, session, tokens, logits.data(), no_observer{});
  return session.logits();
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/generate/impl/session.hpp>
#endif

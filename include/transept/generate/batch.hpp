// A batch: several texts in progress on one model, each with its own key/value cache. A decoding step takes
// one token of each and reads the weights once for all of them: reading them is most of what one text costs.
//
//   transept::batch batch(model, {.max_sequences = 16});
//   const auto a = add(batch);                       // an empty sequence
//   forward(model, batch, a, prompt);                // run through the model once…
//   const auto b = fork(batch, a);                   // …and copied
//   forward(model, batch, std::vector{token_a, token_b});      // a step: one token for each of sequences()
//   batch.logits(a); batch.logits(b);
//   remove(batch, b);                                // the others go on as if nothing had happened
//
// Every sequence gets the bits that it would get alone in a session, whatever the others are and for any
// number of threads (nearly, where bf16 is multiplied: see session_options). Once the batch is made, nothing
// here allocates, in any thread. One batch belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/generate/decoding.hpp>
#include <transept/layers/kv_cache.hpp>
#include <transept/layers/kv_cache_batch.hpp>
#include <transept/models/decoder.hpp>
#include <transept/runtime/compute_context.hpp>
#include <transept/tensor/buffer.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What a batch is made with; session_options says more.
struct batch_options {
  /// Sequences that it can hold at once. Each has a cache of 2 · n_layer · n_head · head_width · capacity
  /// numbers, whose memory is touched only as positions are filled.
  int max_sequences = 16;
  int threads = 0;                             ///< 0: one per processor; ignored where a pool is given
  std::shared_ptr<thread_pool> pool = nullptr; ///< shared with others; none: the batch makes its own
  int capacity = 0;                            ///< of each sequence, in tokens; 0: the model's n_positions
  int prompt_chunk = 512;                      ///< longest run of tokens computed at once
  transept::cache_type cache_type = transept::cache_type::f32; ///< what keys and values are stored as
  /// How prompts, and steps of many sequences, are multiplied by f32 or f16 weights.
  transept::f32_precision f32_precision = transept::f32_precision::full;
};

/// Several texts in progress on one model, decoded together. One thread at a time may use it.
class batch {
public:
  /// Throws argument_error for options out of range, std::bad_alloc.
  template <decoder_model Model>
  explicit batch(const Model& model, batch_options options = {}) : batch(model.shape(), std::move(options)) {
    static_assert(batched_decoder_model<Model>,
                  "batch needs a model whose forward takes any key_value_cache: make it a template on the "
                  "cache's type");
  }

  /// For any model of this shape. Throws as the other.
  explicit batch(const decoder_shape& shape, batch_options options = {});

  std::size_t size() const { return sequences_.size(); }      ///< sequences it holds
  std::size_t max_sequences() const { return slots_.size(); } ///< sequences it can hold
  /// The numbers of those it holds, in the order in which a step takes their tokens: oldest first. A number
  /// stays its sequence's until that is removed, and is below max_sequences().
  std::span<const std::size_t> sequences() const { return sequences_; }
  /// Whether there is a sequence of this number.
  bool holds(std::size_t sequence) const { return sequence < slots_.size() && slots_[sequence].held; }

  /// Tokens that each sequence has room for.
  std::size_t capacity() const { return capacity_; }
  /// Tokens fed to a sequence so far. Throws argument_error for one that it does not hold.
  std::size_t length(std::size_t sequence) const { return slot(sequence).cache.length(); }
  /// Logits [vocab_size] of the last token fed to a sequence, all 0 before the first; valid until the next
  /// change of the batch. Throws as length does.
  std::span<const float> logits(std::size_t sequence) const {
    return logits_.span().subspan(slot(sequence).logits_row * shape_.vocab_size, shape_.vocab_size);
  }
  /// Keys and values of a sequence. Throws as length does.
  const kv_cache& cache(std::size_t sequence) const { return slot(sequence).cache; }

  /// The sizes of the model it was made for.
  const decoder_shape& shape() const { return shape_; }
  thread_pool& threads() { return *pool_; } ///< that it computes with
  /// Bytes of scratch memory.
  std::size_t workspace_capacity() const { return memory_.capacity(); }

private:
  friend std::size_t add(batch&);
  friend std::size_t fork(batch&, std::size_t);
  friend void remove(batch&, std::size_t);
  template <batched_decoder_model Model>
  friend std::span<const float> forward(const Model&, batch&, std::size_t, std::span<const token_id>);
  template <batched_decoder_model Model>
  friend void forward(const Model&, batch&, std::span<const token_id>);

  struct slot_type {
    kv_cache cache;
    bool held = false;          // by one of sequences_
    std::size_t logits_row = 0; // a step leaves the logits in the order of its rows
  };

  const slot_type& slot(std::size_t sequence) const;
  slot_type& slot(std::size_t sequence) {
    return const_cast<slot_type&>(std::as_const(*this).slot(sequence));
  }
  /// Throws as a step does for these tokens.
  void check_step(std::span<const token_id> tokens) const;
  float* logits_of(const slot_type& slot) { return logits_.data() + slot.logits_row * shape_.vocab_size; }

  decoder_shape shape_;
  std::shared_ptr<thread_pool> pool_;
  f32_precision precision_;
  std::size_t capacity_, chunk_;
  std::vector<slot_type> slots_;       // [max_sequences]
  std::vector<std::size_t> sequences_; // the slots in use, oldest first
  std::vector<kv_cache*> caches_;      // theirs, in the same order
  workspace memory_;
  buffer<float> logits_; // [max_sequences, vocab_size]
};

/// A new sequence, empty; returns its number, the lowest free one. Throws argument_error where the batch
/// holds max_sequences already.
TRANSEPT_FUNCTION std::size_t add(batch& batch);

/// A new sequence that holds what `sequence` holds, logits too; returns its number. Throws as add and length.
TRANSEPT_FUNCTION std::size_t fork(batch& batch, std::size_t sequence);

/// `sequence` leaves the batch; its number may be given to another. The others, and their logits, stay as
/// they are. Throws argument_error if the batch does not hold it.
TRANSEPT_FUNCTION void remove(batch& batch, std::size_t sequence);

/// All sequences leave: the batch is as new.
inline void reset(batch& batch) {
  while (batch.size() > 0) remove(batch, batch.sequences().back());
}

/// Feeds one token, many, or the rest of a prompt to one sequence; returns its logits, as batch.logits does.
/// Throws argument_error for a sequence the batch does not hold, no tokens, an id outside the vocabulary or a
/// batch made for another model, context_error where the tokens do not fit; then nothing has changed.
template <batched_decoder_model Model>
std::span<const float> forward(const Model& model, batch& batch, std::size_t sequence,
                               std::span<const token_id> tokens) {
  detail::check_shape(model.shape(), batch.shape_, "batch");
  auto& slot = batch.slot(sequence);
  detail::check_run(batch.shape_, tokens, slot.cache.length(), batch.capacity_);
  detail::feed_run(model, {*batch.pool_, batch.memory_, batch.precision_}, slot.cache, batch.chunk_, tokens,
                   nullptr, batch.logits_of(slot), no_observer{});
  return batch.logits(sequence);
}

/// A decoding step: feeds tokens[r] to sequence batch.sequences()[r], for all of them at once; afterwards
/// batch.logits says what each comes to. Throws argument_error for another number of tokens than sequences,
/// or none, an id outside the vocabulary or a batch made for another model, context_error where a sequence is
/// full; then nothing has changed.
template <batched_decoder_model Model>
void forward(const Model& model, batch& batch, std::span<const token_id> tokens) {
  detail::check_shape(model.shape(), batch.shape_, "batch");
  batch.check_step(tokens);

  compute_context context{*batch.pool_, batch.memory_, batch.precision_};
  workspace::scope scope(context.memory);
  kv_cache_batch caches(batch.caches_);
  const auto x = scope.take<Model::width>(static_cast<extent>(tokens.size()),
                                          static_cast<extent>(batch.shape_.n_embd)); // [sequences, n_embd]
  forward(model, context, tokens, caches, x, no_observer{});
  const auto normed = detail::last_state<Model>(scope, batch.shape_, x);
  final_norm(model, context, x, normed);
  project(model, context, normed, batch.logits_.data()); // [sequences, vocab_size]
  for (std::size_t r = 0; r < batch.size(); ++r) batch.slots_[batch.sequences_[r]].logits_row = r;
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/generate/impl/batch.hpp>
#endif

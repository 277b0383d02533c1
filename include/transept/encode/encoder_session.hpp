// What encoding needs beside a model: threads and scratch memory. And texts as it takes them.
//
//   transept::encoder_session session({.threads = 2});
//   transept::text_batch texts;             // of any lengths: nothing is padded
//   texts.add(ids);
//   texts.add(other_ids);
//   const auto seen = encode(model, session, texts.input());   // encode/encode.hpp
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/models/decoder_base.hpp>
#include <transept/models/encoder.hpp>
#include <transept/runtime/compute_context.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What an encoder_session is made with.
struct encoder_options {
  /// Threads to compute with; 0: one per processor this process may use. Ignored where a pool is given.
  int threads = 0;
  /// A pool to share with other sessions; none: the session makes its own.
  std::shared_ptr<thread_pool> pool = nullptr;
  /// Texts are encoded together up to so many tokens, a longer one alone. Memory only: the results are the
  /// same bits (but where 16 rows and more are multiplied in bf16).
  int tokens_at_once = 2048;
};

/// Threads and scratch memory, for any encoder. One thread at a time may use it. After the first texts of
/// their size it allocates nothing but what it returns.
class encoder_session {
public:
  /// Throws argument_error for options out of range.
  explicit encoder_session(encoder_options options = {});

  thread_pool& threads() { return *pool_; }                      ///< that it computes with
  std::size_t tokens_at_once() const { return tokens_at_once_; } ///< as it was made with
  /// Bytes of scratch memory.
  std::size_t workspace_capacity() const { return memory_.capacity(); }

  /// For those who run a model themselves.
  compute_context context() { return {*pool_, memory_}; }
  /// The text behind the last that is encoded together with text `first`.
  std::size_t end_of_group(const encoder_input& input, std::size_t first) const;
  /// The offsets of `texts` texts from `first` on, as those of texts that stand alone; valid until the next
  /// call.
  std::span<const std::size_t> offsets_of(const encoder_input& input, std::size_t first, std::size_t texts);

private:
  std::shared_ptr<thread_pool> pool_;
  std::size_t tokens_at_once_;
  workspace memory_;
  std::vector<std::size_t> offsets_;
};

/// Texts, one behind another.
class text_batch {
public:
  /// A text of these tokens, which are of these types: as many, or none, which is type 0 for all.
  /// Throws argument_error for another number of types, or no tokens.
  void add(std::span<const token_id> tokens, std::span<const int> types = {});

  std::size_t size() const { return offsets_.size() - 1; }   ///< texts
  std::size_t token_count() const { return tokens_.size(); } ///< of all texts
  /// Valid until another text is added.
  encoder_input input() const { return {.tokens = tokens_, .offsets = offsets_, .types = types_}; }
  /// Without texts again.
  void clear();

private:
  std::vector<token_id> tokens_;
  std::vector<int> types_;
  std::vector<std::size_t> offsets_{0};
};

/// Throws unless the texts can be encoded: argument_error for offsets that are none, a text without tokens,
/// an id outside the vocabulary or a type that the model lacks (one that has none, as DistilBERT, does not
/// look at types); context_error for a text that is too long.
TRANSEPT_FUNCTION void check_texts(const decoder_shape& shape, std::size_t token_types,
                                   const encoder_input& input);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/encode/impl/encoder_session.hpp>
#endif

// Texts to a vocabulary, and texts to a token file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include <transept/core/types.hpp>
#include <transept/runtime/thread_pool.hpp>
#include <transept/text/bpe_training.hpp>
#include <transept/text/character_vocabulary.hpp>
#include <transept/text/tokenizer.hpp>
#include <transept/text/word_counts.hpp>
#include <transept/train/text_chunks.hpp>
#include <transept/train/token_file.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Called with how many bytes of a text are done.
using text_progress = std::function<void(std::uint64_t)>;

namespace detail {

/// Adds what every thread collects of its parts of the text.
template <class Collection>
void collect(thread_pool& threads, std::string_view text, Collection& sum, const text_progress& progress) {
  std::vector<Collection> of_thread(static_cast<std::size_t>(threads.size()));
  std::uint64_t done = 0;
  for_each_chunk(
      threads, text, [](std::string_view seen, std::size_t at) { return may_cut_before(seen, at); },
      [&](std::string_view part, std::size_t thread) { of_thread[thread].add(part); },
      [&](std::string_view part, std::size_t) {
        done += part.size();
        if (progress) progress(done);
      });
  for (const Collection& each : of_thread) sum.add(each);
}

} // namespace detail

/// Adds the counts of a text's words, as `counts.add(text)` does, on all threads.
inline void count_words(thread_pool& threads, std::string_view text, word_counts& counts,
                        const text_progress& progress = {}) {
  detail::collect(threads, text, counts, progress);
}

/// Adds the characters of a text, as `characters.add(text)` does, on all threads.
inline void collect_characters(thread_pool& threads, std::string_view text, character_set& characters,
                               const text_progress& progress = {}) {
  detail::collect(threads, text, characters, progress);
}

/// A tokenizer learned from texts: count_words, learn_vocabulary. Throws as learn_vocabulary.
inline tokenizer train_tokenizer(std::span<const std::string_view> texts, const bpe_options& options = {},
                                 int threads = 0) {
  thread_pool pool(threads);
  word_counts counts;
  for (const std::string_view text : texts) count_words(pool, text, counts);
  return tokenizer(learn_vocabulary(counts, options));
}

/// Appends the tokens of a text, those of `tokenizer.encode(text, special)`, computed on all threads. Throws
/// as they do and file_error.
inline void append_text(thread_pool& threads, const tokenizer& tokenizer, std::string_view text,
                        token_file_writer& out, special_tokens special = special_tokens::as_text,
                        const text_progress& progress = {}) {
  std::vector<std::vector<token_id>> ids(static_cast<std::size_t>(threads.size()));
  std::uint64_t done = 0;
  for_each_chunk(
      threads, text,
      [&](std::string_view seen, std::size_t at) { return tokenizer.may_cut_before(seen, at, special); },
      [&](std::string_view part, std::size_t thread) { ids[thread] = tokenizer.encode(part, special); },
      [&](std::string_view part, std::size_t thread) {
        out.append(ids[thread]);
        done += part.size();
        if (progress) progress(done);
      });
}

} // namespace transept::inline TRANSEPT_ABI

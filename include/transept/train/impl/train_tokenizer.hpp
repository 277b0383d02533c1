// Texts read by all threads (train/train_tokenizer.hpp).
#pragma once

#include <cstddef>
#include <vector>

#include <transept/text/pre_tokenize.hpp>
#include <transept/train/text_chunks.hpp>
#include <transept/train/train_tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

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

TRANSEPT_FUNCTION void count_words(thread_pool& threads, std::string_view text, word_counts& counts,
                                   const text_progress& progress) {
  detail::collect(threads, text, counts, progress);
}

TRANSEPT_FUNCTION void collect_characters(thread_pool& threads, std::string_view text,
                                          character_set& characters, const text_progress& progress) {
  detail::collect(threads, text, characters, progress);
}

TRANSEPT_FUNCTION tokenizer train_tokenizer(std::span<const std::string_view> texts,
                                            const bpe_options& options, int threads) {
  thread_pool pool(threads);
  word_counts counts;
  for (const std::string_view text : texts) count_words(pool, text, counts);
  return tokenizer(learn_vocabulary(counts, options));
}

TRANSEPT_FUNCTION void append_text(thread_pool& threads, const tokenizer& tokenizer, std::string_view text,
                                   token_file_writer& out, special_tokens special,
                                   const text_progress& progress) {
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

// Texts read by all threads (train/train_tokenizer.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/text/pre_tokenize.hpp>
#include <transept/train/text_chunks.hpp>
#include <transept/train/train_tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// Calls f(text) for what is between special tokens.
template <class F>
void for_each_between(std::string_view text, std::span<const std::string> special, F&& f) {
  std::vector<std::size_t> next(special.size(), 0); // where each is found from `begin` on
  for (std::size_t begin = 0; begin < text.size();) {
    std::size_t at = text.size(), length = 0;
    for (std::size_t i = 0; i < special.size(); ++i) {
      if (next[i] != text.npos && next[i] <= begin) next[i] = text.find(special[i], begin);
      if (next[i] < at || (next[i] == at && special[i].size() > length)) {
        at = next[i];
        length = special[i].size();
      }
    }
    if (at > begin) f(text.substr(begin, at - begin));
    begin = at + length;
  }
}

/// Whether one of them may lie over this place of a text, of which all or a beginning is seen.
inline bool may_cut_through(std::string_view seen, std::size_t at, std::span<const std::string> special) {
  return std::ranges::any_of(special, [&](const std::string& each) {
    for (std::size_t before = 1; before < each.size() && before <= at; ++before) {
      const std::string_view from = seen.substr(at - before, each.size());
      if (each.starts_with(from)) return true;
    }
    return false;
  });
}

/// Adds what every thread collects of its parts of the text.
template <class Collection>
void collect(thread_pool& threads, std::string_view text, Collection& sum,
             std::span<const std::string> special, const text_progress& progress) {
  std::vector<Collection> of_thread(static_cast<std::size_t>(threads.size()));
  std::uint64_t done = 0;
  for_each_chunk(
      threads, text,
      [&](std::string_view seen, std::size_t at) {
        return may_cut_before(seen, at) && !may_cut_through(seen, at, special);
      },
      [&](std::string_view part, std::size_t thread) {
        for_each_between(part, special, [&](std::string_view between) { of_thread[thread].add(between); });
      },
      [&](std::string_view part, std::size_t) {
        done += part.size();
        if (progress) progress(done);
      });
  for (const Collection& each : of_thread) sum.add(each);
}

} // namespace detail

TRANSEPT_FUNCTION void count_words(thread_pool& threads, std::string_view text, word_counts& counts,
                                   std::span<const std::string> special, const text_progress& progress) {
  detail::collect(threads, text, counts, special, progress);
}

TRANSEPT_FUNCTION void collect_characters(thread_pool& threads, std::string_view text,
                                          character_set& characters, std::span<const std::string> special,
                                          const text_progress& progress) {
  detail::collect(threads, text, characters, special, progress);
}

TRANSEPT_FUNCTION tokenizer train_tokenizer(std::span<const std::string_view> texts,
                                            const bpe_options& options, int threads) {
  thread_pool pool(threads);
  word_counts counts;
  for (const std::string_view text : texts) count_words(pool, text, counts, options.special_tokens);
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

// Texts to a vocabulary, and texts to a token file.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>

#include <transept/core/error.hpp>
#include <transept/runtime/thread_pool.hpp>
#include <transept/text/bpe_training.hpp>
#include <transept/text/character_vocabulary.hpp>
#include <transept/text/tokenizer.hpp>
#include <transept/text/word_counts.hpp>
#include <transept/train/token_file.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Called with how many bytes of a text are done.
using text_progress = std::function<void(std::uint64_t)>;

/// Adds the counts of a text's words, as `counts.add(text)` does, on all threads. The text is cut at special
/// tokens, whose own words do not count: what is between two of them is a text.
TRANSEPT_FUNCTION void count_words(thread_pool& threads, std::string_view text, word_counts& counts,
                                   std::span<const std::string> special = {},
                                   const text_progress& progress = {});

/// Adds the characters of a text, as `characters.add(text)` does, on all threads, but for special tokens'.
TRANSEPT_FUNCTION void collect_characters(thread_pool& threads, std::string_view text,
                                          character_set& characters,
                                          std::span<const std::string> special = {},
                                          const text_progress& progress = {});

/// A tokenizer learned from texts, which are cut at options.special_tokens: count_words, learn_vocabulary.
/// Throws as learn_vocabulary.
TRANSEPT_FUNCTION tokenizer train_tokenizer(std::span<const std::string_view> texts,
                                            const bpe_options& options = {}, int threads = 0);

/// Appends the tokens of a text, those of `tokenizer.encode(text, special)`, computed on all threads. Throws
/// as they do and file_error.
TRANSEPT_FUNCTION void append_text(thread_pool& threads, const tokenizer& tokenizer, std::string_view text,
                                   token_file_writer& out, special_tokens special = special_tokens::as_text,
                                   const text_progress& progress = {});

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/train/impl/train_tokenizer.hpp>
#endif

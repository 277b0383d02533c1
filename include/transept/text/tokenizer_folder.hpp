// From a Hugging Face folder to a tokenizer. (io/load_tokenizer.hpp takes a GGUF file as well.)
#pragma once

#include <filesystem>

#include <transept/core/error.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Whether the folder has the files of a vocabulary.
TRANSEPT_FUNCTION bool has_vocabulary(const std::filesystem::path& folder);

/// Reads the vocabulary of a Hugging Face folder, as transformers takes it: tokenizer.json; where there is
/// none, vocab.json and merges.txt, or tokenizer.model, spiece.model or spm.model (sentencepiece_model.hpp),
/// or vocab.txt. What they may hold: vocabulary_files.hpp. Then what lies beside it: added_tokens.json,
/// special_tokens_map.json, and of tokenizer_config.json the special and the added tokens, add_bos_token,
/// add_eos_token, add_prefix_space, and BERT's do_lower_case, tokenize_chinese_chars and strip_accents. What
/// is named there and is no token is told in the vocabulary's note. Throws file_error where the files are not
/// there or cannot be read, format_error for broken ones, tokenizer_error for a vocabulary that contradicts
/// itself or that is of no kind that is known.
TRANSEPT_FUNCTION vocabulary read_vocabulary_folder(const std::filesystem::path& folder);

/// The tokenizer of a Hugging Face folder; throws as read_vocabulary_folder does.
TRANSEPT_FUNCTION tokenizer load_tokenizer_folder(const std::filesystem::path& folder);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/tokenizer_folder.hpp>
#endif

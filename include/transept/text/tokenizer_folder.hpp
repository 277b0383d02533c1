// From a Hugging Face folder to a tokenizer. (io/load_tokenizer.hpp takes a GGUF file as well.)
#pragma once

#include <filesystem>

#include <transept/core/error.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Whether the folder has the files of a vocabulary.
TRANSEPT_FUNCTION bool has_vocabulary(const std::filesystem::path& folder);

/// Reads the vocabulary of a Hugging Face folder: vocab.json and merges.txt, with added_tokens.json if it is
/// there; or, where one of the two is missing, tokenizer.json. What they may hold: vocabulary_files.hpp.
/// Throws file_error where the files are not there or cannot be read, format_error for broken JSON,
/// tokenizer_error for a vocabulary that contradicts itself or that is not GPT-2's kind.
TRANSEPT_FUNCTION vocabulary read_vocabulary_folder(const std::filesystem::path& folder);

/// The tokenizer of a Hugging Face folder; throws as read_vocabulary_folder does.
TRANSEPT_FUNCTION tokenizer load_tokenizer_folder(const std::filesystem::path& folder);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/tokenizer_folder.hpp>
#endif

// From a Hugging Face folder or a GGUF file to a tokenizer.
#pragma once

#include <filesystem>

#include <transept/core/error.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

class gguf_file;

/// The vocabulary in a GGUF file's metadata (tokenizer.ggml.*). Throws file_error where there is none,
/// format_error for a key of the wrong type and a token that is no UTF-8, tokenizer_error for a vocabulary
/// that contradicts itself or that is of no kind that is known: tokenizer.ggml.model is gpt2, llama, t5 or
/// bert.
TRANSEPT_FUNCTION vocabulary read_vocabulary(const gguf_file& file);

/// The tokenizer of a Hugging Face folder (text/tokenizer_folder.hpp says which files) or of a GGUF file.
/// Throws file_error where there is none, format_error for broken files, tokenizer_error for a vocabulary
/// that contradicts itself or that is of no kind that is known.
TRANSEPT_FUNCTION tokenizer load_tokenizer(const std::filesystem::path& path);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/load_tokenizer.hpp>
#endif

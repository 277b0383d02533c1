// The vocabulary's files of a Hugging Face folder: written from a vocabulary or a GGUF file, or copied from
// another folder.
#pragma once

#include <array>
#include <filesystem>

#include <transept/core/error.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

class model_files;

/// Writes a vocabulary, such as was learned, as vocab.json and merges.txt, which `load_tokenizer` and Hugging
/// Face read; and added_tokens.json where tokens were added other than <|endoftext|>, which is known without.
/// One that is not GPT-2's kind becomes a tokenizer.json. Files of the other kind are removed.
/// Makes the folder where it is not there. Throws tokenizer_error for a vocabulary that contradicts itself,
/// file_error where the files cannot be written.
TRANSEPT_FUNCTION void write_vocabulary_files(const vocabulary& vocabulary,
                                              const std::filesystem::path& folder);

/// What a folder may say about its vocabulary, and about how text is made with it.
inline constexpr std::array vocabulary_file_names{"vocab.json",
                                                  "merges.txt",
                                                  "added_tokens.json",
                                                  "tokenizer.json",
                                                  "tokenizer.model",
                                                  "spiece.model",
                                                  "spm.model",
                                                  "vocab.txt",
                                                  "tokenizer_config.json",
                                                  "special_tokens_map.json",
                                                  "generation_config.json"};

/// Copies the files of a vocabulary, those of them that are there, from one folder to another. Throws
/// file_error.
TRANSEPT_FUNCTION void copy_vocabulary_files(const std::filesystem::path& from,
                                             const std::filesystem::path& to);

/// Writes what `load_tokenizer` and Hugging Face read into `folder`; nothing where the model has no
/// vocabulary. Throws what reading the vocabulary does, and file_error where the files cannot be written.
TRANSEPT_FUNCTION void write_vocabulary_files(const model_files& files, const std::filesystem::path& folder);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/vocabulary_writer.hpp>
#endif

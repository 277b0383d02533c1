// A model's tokenizer, for programs: what there is to say about it goes to stderr.
#pragma once

#include <filesystem>
#include <iostream>
#include <optional>
#include <string>

#include <common/terminal.hpp>

#include <transept/core/error.hpp>
#include <transept/io/load_tokenizer.hpp>

namespace examples {

/// transept::load_tokenizer.
inline transept::tokenizer open_tokenizer(const std::filesystem::path& model) {
  transept::tokenizer tokenizer = transept::load_tokenizer(model);
  if (!tokenizer.note().empty()) print_note(tokenizer.note());
  return tokenizer;
}

/// The same; none where the model has no vocabulary, or, with a note, one of a kind that is not read. One
/// that is damaged is still an error.
inline std::optional<transept::tokenizer> find_tokenizer(const std::filesystem::path& model) {
  try {
    return open_tokenizer(model);
  } catch (const transept::file_error&) {
    return std::nullopt;
  } catch (const transept::tokenizer_error& error) {
    const std::string what = error.what();
    std::cerr << "note: the vocabulary is not read: " << what.substr(0, what.find('\n')) << "\n";
    return std::nullopt;
  }
}

} // namespace examples

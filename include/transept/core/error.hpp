// What the library throws. Every type derives from transept::error, so one catch clause is enough; the
// message's first line says what is wrong, lines after it (if any) help further.
//
// The library never aborts its host: asserts guard only what the library itself could have broken.
#pragma once

#include <stdexcept>
#include <string>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Base of everything thrown on bad input.
struct error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A file or folder is missing, unreadable or cannot be written.
struct file_error : error {
  using error::error;
};

/// A file's content is not what its format says: damaged, truncated, or hostile.
struct format_error : error {
  using error::error;
};

/// config.json holds values no model can have, or values this library does not support.
struct config_error : error {
  using error::error;
};

/// A tensor is missing, or has another shape or element type than the model needs; or no compiled model
/// matches the folder.
struct shape_error : error {
  using error::error;
};

/// vocab.json or merges.txt contradict themselves, or an id is not in the vocabulary.
struct tokenizer_error : error {
  using error::error;
};

/// An argument is outside its documented range.
struct argument_error : error {
  using error::error;
};

/// The prompt or its continuation does not fit the session's capacity.
struct context_error : error {
  using error::error;
};

/// Logits that no distribution can be made of: NaN, +infinity, or nothing but -infinity.
struct numeric_error : error {
  using error::error;
};

} // namespace transept::inline TRANSEPT_ABI

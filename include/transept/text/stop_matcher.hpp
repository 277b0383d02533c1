// Ends a stream of text where one of the user's stop strings appears.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/text/string_matcher.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Passes text on up to the first stop string, which may come in any number of parts. "First" is the one that
/// is complete first; of those that end at the same byte, the longest. Text that could still turn out to
/// begin one is held back until that is known.
///
/// Works on bytes: after a stream_decoder, what it returns may end inside a character only where a stop
/// string begins or ends inside one. One thread at a time.
class stop_matcher {
public:
  stop_matcher() : stop_matcher(std::vector<std::string>{}) {}

  /// `push` allocates nothing for text of up to `longest_push` bytes (a stream_decoder never gives more than
  /// tokenizer::longest_token() + 3). Throws argument_error for an empty stop string.
  explicit stop_matcher(const std::vector<std::string>& stop_strings, std::size_t longest_push = 1024);

  /// What can be shown now that `text` has come; valid until the next call. Nothing once a stop string was
  /// met.
  std::string_view push(std::string_view text);

  /// At the end of the text: what was held back and is no stop string after all.
  std::string_view flush();

  /// Whether a stop string was met.
  bool stopped() const { return met_.has_value(); }

  /// Which one: its index in the constructor's list.
  std::optional<std::size_t> met() const { return met_; }

  /// Forgets the text; the stop strings stay. Allocates nothing.
  void reset();

private:
  void drop_shown() {
    text_.erase(0, shown_);
    shown_ = 0;
  }

  std::string_view show(std::size_t count) {
    shown_ = count;
    return std::string_view(text_).substr(0, count);
  }

  string_matcher strings_;
  string_matcher::state at_ = string_matcher::start;
  std::string text_; // what was shown last, then what is held back
  std::size_t shown_ = 0;
  std::optional<std::size_t> met_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/text/impl/stop_matcher.hpp>
#endif

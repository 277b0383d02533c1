// How text is held back until it begins no stop string (text/stop_matcher.hpp).
#pragma once

#include <algorithm>

#include <transept/text/stop_matcher.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION stop_matcher::stop_matcher(const std::vector<std::string>& stop_strings,
                                             std::size_t longest_push)
    : strings_(stop_strings) {
  std::size_t longest = 0;
  for (const std::string& stop : stop_strings) longest = std::max(longest, stop.size());
  text_.reserve(longest + longest_push);
}

TRANSEPT_FUNCTION std::string_view stop_matcher::push(std::string_view text) {
  drop_shown();
  if (stopped()) return {};
  for (const char byte : text) {
    text_ += byte;
    at_ = strings_.step(at_, byte);
    if (const std::size_t length = strings_.match_length(at_)) {
      met_ = strings_.match(at_);
      text_.resize(text_.size() - length);
      return show(text_.size());
    }
  }
  return show(text_.size() - strings_.depth(at_));
}

TRANSEPT_FUNCTION std::string_view stop_matcher::flush() {
  drop_shown();
  at_ = string_matcher::start;
  return show(text_.size());
}

TRANSEPT_FUNCTION void stop_matcher::reset() {
  text_.clear();
  shown_ = 0;
  at_ = string_matcher::start;
  met_.reset();
}

} // namespace transept::inline TRANSEPT_ABI

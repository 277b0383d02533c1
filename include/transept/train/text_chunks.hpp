// Long texts in parts, worked on by several threads.
#pragma once

#include <cstddef>
#include <exception>
#include <string_view>
#include <vector>

#include <transept/runtime/thread_pool.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

inline constexpr std::size_t chunk_bytes = std::size_t{1} << 20;

/// The first part of `text`, about chunk_bytes long (longer where no cut is possible), such that
/// may_cut(text seen, place) allows a cut after it; the whole text where it is short or cannot be cut.
template <class MayCut>
std::string_view first_chunk(std::string_view text, MayCut&& may_cut) {
  constexpr std::size_t margin = 4096; // seen beyond a cut
  for (std::size_t size = chunk_bytes, tried = 0; size < text.size(); tried = size, size *= 2) {
    const std::string_view seen = text.substr(0, size + margin);
    for (std::size_t at = size; at > tried; --at)
      if (may_cut(seen, at)) return text.substr(0, at);
  }
  return text;
}

} // namespace detail

/// Cuts `text` where may_cut(text, place) allows it, calls work(part, thread) for as many parts as there are
/// threads at once, then finish(part, thread) for each of them in the text's order; and so on. So what
/// `finish` sees depends on the parts, which are the same for any number of threads, alone. An exception in
/// `work` is thrown again, the first in the text's order.
template <class MayCut, class Work, class Finish>
void for_each_chunk(thread_pool& threads, std::string_view text, MayCut&& may_cut, Work&& work,
                    Finish&& finish) {
  std::vector<std::string_view> parts;
  std::vector<std::exception_ptr> problems(static_cast<std::size_t>(threads.size()));
  while (!text.empty()) {
    parts.clear();
    while (parts.size() < problems.size() && !text.empty()) {
      parts.push_back(detail::first_chunk(text, may_cut));
      text.remove_prefix(parts.back().size());
    }
    threads.run([&](int thread, int) {
      const auto part = static_cast<std::size_t>(thread);
      if (part >= parts.size()) return;
      try {
        work(parts[part], part);
      } catch (...) {
        problems[part] = std::current_exception();
      }
    });
    for (std::size_t part = 0; part < parts.size(); ++part) {
      if (problems[part]) std::rethrow_exception(problems[part]);
      finish(parts[part], part);
    }
  }
}

} // namespace transept::inline TRANSEPT_ABI

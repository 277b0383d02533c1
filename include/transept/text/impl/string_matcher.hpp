// How strings to look for become an automaton (text/string_matcher.hpp).
#pragma once

#include <transept/core/error.hpp>
#include <transept/text/string_matcher.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION string_matcher::string_matcher(const std::vector<std::string>& strings) : nodes_(1) {
  first_.fill(0);
  for (std::size_t i = 0; i < strings.size(); ++i) add(strings[i], i);
  link();
}

TRANSEPT_FUNCTION void string_matcher::add(std::string_view string, std::size_t index) {
  if (string.empty()) throw argument_error("cannot look for an empty string");
  if (string.size() >= 0xffffffffu - nodes_.size()) throw argument_error("strings to look for are too long");
  state at = start;
  for (const char byte : string) {
    state next = at == start ? first_[static_cast<unsigned char>(byte)] : child(at, byte);
    if (next == 0) {
      next = static_cast<state>(nodes_.size());
      node fresh;
      fresh.byte = static_cast<unsigned char>(byte);
      fresh.depth = nodes_[at].depth + 1;
      fresh.next_sibling = nodes_[at].first_child;
      nodes_.push_back(fresh);
      nodes_[at].first_child = next;
      if (at == start) first_[static_cast<unsigned char>(byte)] = next;
    }
    at = next;
  }
  if (nodes_[at].string == none) nodes_[at].string = index;
}

TRANSEPT_FUNCTION void string_matcher::link() {
  std::vector<state> queue{start};
  for (std::size_t i = 0; i < queue.size(); ++i) {
    const state parent = queue[i];
    for (state at = nodes_[parent].first_child; at != 0; at = nodes_[at].next_sibling) {
      node& here = nodes_[at];
      here.shorter = parent == start ? start : step(nodes_[parent].shorter, static_cast<char>(here.byte));
      here.ending = here.string != none ? at : nodes_[here.shorter].ending;
      queue.push_back(at);
    }
  }
}

} // namespace transept::inline TRANSEPT_ABI

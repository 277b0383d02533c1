// How characters are gathered and become a vocabulary (text/character_vocabulary.hpp).
#pragma once

#include <cstddef>
#include <map>

#include <transept/core/types.hpp>
#include <transept/text/character_vocabulary.hpp>
#include <transept/text/unicode.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION void character_set::add(std::string_view text) {
  while (!text.empty()) {
    const character next = first_character(text);
    if (next.code_point < 128) {
      ascii_[next.code_point] = true;
    } else {
      others_.emplace(next.code_point, text.substr(0, next.length));
    }
    text.remove_prefix(next.length);
  }
}

TRANSEPT_FUNCTION void character_set::add(const character_set& other) {
  for (std::size_t c = 0; c < ascii_.size(); ++c) ascii_[c] = ascii_[c] || other.ascii_[c];
  others_.insert(other.others_.begin(), other.others_.end());
}

TRANSEPT_FUNCTION std::vector<std::string> character_set::characters() const {
  std::vector<std::string> all;
  for (std::size_t c = 0; c < ascii_.size(); ++c)
    if (ascii_[c]) all.emplace_back(1, static_cast<char>(c));
  for (const auto& [code_point, bytes] : others_) all.push_back(bytes);
  return all;
}

TRANSEPT_FUNCTION vocabulary character_vocabulary(const character_set& characters,
                                                  std::span<const std::string> special) {
  vocabulary result;
  result.tokens = characters.characters();
  std::map<std::string, token_id> ids;
  for (std::size_t i = 0; i < result.tokens.size(); ++i)
    ids.emplace(result.tokens[i], static_cast<token_id>(i));
  const auto token_of = [&](const std::string& bytes) {
    const auto [place, is_new] = ids.emplace(bytes, static_cast<token_id>(result.tokens.size()));
    if (is_new) result.tokens.push_back(bytes);
    return place->second;
  };
  std::set<std::string> made;
  for (const std::string& each : characters.characters())
    for (std::size_t length = 2; length <= each.size(); ++length) {
      const std::string whole = each.substr(0, length);
      if (!made.insert(whole).second) continue;
      const token_id left = token_of(whole.substr(0, length - 1)), right = token_of(whole.substr(length - 1));
      result.merges.push_back({left, right, token_of(whole)});
    }
  for (std::size_t byte = 0; byte < 256; ++byte) {
    const auto found = ids.find(std::string(1, static_cast<char>(byte)));
    result.byte_tokens[byte] = found == ids.end() ? no_token : found->second;
  }
  for (const std::string& each : special) {
    result.added.push_back({.id = static_cast<token_id>(result.tokens.size())});
    result.tokens.push_back(each);
  }
  return result;
}

} // namespace transept::inline TRANSEPT_ABI

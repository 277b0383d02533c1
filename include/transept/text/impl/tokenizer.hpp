// How text becomes tokens, and tokens text (text/tokenizer.hpp).
#pragma once

#include <algorithm>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/text/pre_tokenize.hpp>
#include <transept/text/tokenizer.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION tokenizer::tokenizer(const vocabulary& from) : pairs_(from.byte_tokens, from.merges) {
  offsets_.reserve(from.tokens.size() + 1);
  offsets_.push_back(0);
  for (const std::string& token : from.tokens) {
    bytes_.insert(bytes_.end(), token.begin(), token.end());
    offsets_.push_back(bytes_.size());
    longest_ = std::max(longest_, token.size());
  }
  check(from);
  lacks_bytes_ = std::ranges::count(from.byte_tokens, no_token) != 0;
  std::vector<std::string> always, allowed;
  for (const added_token& added : from.added) {
    allowed.emplace_back(bytes(added.id));
    allowed_ids_.push_back(added.id);
    if (allowed.back() == end_of_text_text) end_of_text_ = added.id;
    if (added.special) continue;
    always.emplace_back(bytes(added.id));
    always_ids_.push_back(added.id);
  }
  always_ = string_matcher(always);
  allowed_ = string_matcher(allowed);
}

TRANSEPT_FUNCTION std::vector<token_id> tokenizer::encode(std::string_view text,
                                                          special_tokens special) const {
  const string_matcher& matcher = special == special_tokens::allowed ? allowed_ : always_;
  const std::vector<token_id>& ids = special == special_tokens::allowed ? allowed_ids_ : always_ids_;
  std::vector<token_id> out;
  out.reserve(text.size() / 4 + 1);
  std::size_t from = 0;
  while (const auto found = find_leftmost(matcher, text, from)) {
    encode_ordinary(text.substr(from, found->begin - from), out);
    out.push_back(ids[found->string]);
    from = found->end;
  }
  encode_ordinary(text.substr(from), out);
  return out;
}

TRANSEPT_FUNCTION bool tokenizer::may_cut_before(std::string_view text, std::size_t at,
                                                 special_tokens special) const {
  return transept::may_cut_before(text, at) &&
         !may_meet(special == special_tokens::allowed ? allowed_ : always_, text, at);
}

TRANSEPT_FUNCTION std::string tokenizer::decode(std::span<const token_id> tokens) const {
  std::string text;
  for (const token_id token : tokens) text += bytes(token);
  return text;
}

TRANSEPT_FUNCTION std::string_view tokenizer::bytes(token_id token) const {
  if (token < 0 || static_cast<std::size_t>(token) >= vocabulary_size()) {
    throw tokenizer_error("token id " + std::to_string(token) + " is not in the vocabulary: it has " +
                          std::to_string(vocabulary_size()) + " tokens, from id 0 on");
  }
  const auto index = static_cast<std::size_t>(token);
  return {bytes_.data() + offsets_[index], offsets_[index + 1] - offsets_[index]};
}

TRANSEPT_FUNCTION std::optional<tokenizer::found_string> tokenizer::find_leftmost(
    const string_matcher& matcher, std::string_view text, std::size_t from) {
  std::optional<found_string> best;
  if (matcher.empty()) return best;
  string_matcher::state at = string_matcher::start;
  for (std::size_t end = from + 1; end <= text.size(); ++end) {
    at = matcher.step(at, text[end - 1]);
    if (const std::size_t length = matcher.match_length(at)) {
      // Matches end later and later, so one that begins no later is longer.
      if (!best || end - length <= best->begin) best = {matcher.match(at), end - length, end};
    }
    if (best && end - matcher.depth(at) > best->begin) break;
  }
  return best;
}

TRANSEPT_FUNCTION bool tokenizer::may_meet(const string_matcher& matcher, std::string_view text,
                                           std::size_t at) const {
  if (matcher.empty()) return false;
  string_matcher::state state = string_matcher::start;
  for (std::size_t i = at - std::min(at, longest_); i < text.size(); ++i) {
    state = matcher.step(state, text[i]);
    if (i < at) continue;
    if (i + 1 - matcher.match_length(state) <= at + 1 && matcher.match_length(state) != 0) return true;
    if (i > at && i + 1 - matcher.depth(state) > at + 1) return false;
  }
  return true;
}

TRANSEPT_FUNCTION void tokenizer::encode_ordinary(std::string_view text, std::vector<token_id>& out) const {
  pre_tokenize(text, [&](std::string_view piece) {
    const std::size_t first = out.size();
    pairs_.encode(piece, out);
    if (lacks_bytes_ &&
        std::ranges::find(out.begin() + static_cast<std::ptrdiff_t>(first), out.end(), no_token) != out.end())
      throw tokenizer_error("the vocabulary lacks a character of " + quoted(piece));
  });
}

TRANSEPT_FUNCTION void tokenizer::check(const vocabulary& from) const {
  for (std::size_t byte = 0; byte < 256; ++byte) {
    if (from.byte_tokens[byte] == no_token) continue;
    const char expected = static_cast<char>(byte);
    if (bytes(from.byte_tokens[byte]) != std::string_view(&expected, 1)) {
      throw tokenizer_error("token " + std::to_string(from.byte_tokens[byte]) + " should be the byte " +
                            std::to_string(byte) + " alone");
    }
  }
  for (const token_merge& merge : from.merges) {
    const std::string_view whole = bytes(merge.merged), left = bytes(merge.left), right = bytes(merge.right);
    if (!(whole.starts_with(left) && whole.substr(left.size()) == right)) {
      throw tokenizer_error("tokens " + std::to_string(merge.left) + " and " + std::to_string(merge.right) +
                            " do not make token " + std::to_string(merge.merged));
    }
  }
}

} // namespace transept::inline TRANSEPT_ABI

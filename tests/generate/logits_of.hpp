// Logits of a fixed text, for tests that compare models with each other.
#pragma once

#include <vector>

#include <transept/generate/session.hpp>

/// `count` tokens of a vocabulary of 211.
inline std::vector<transept::token_id> some_tokens(std::size_t count) {
  std::vector<transept::token_id> tokens(count);
  for (std::size_t i = 0; i < count; ++i) tokens[i] = static_cast<transept::token_id>(i * 7919 % 211);
  return tokens;
}

/// Those after 130 tokens.
template <class Model>
std::vector<float> logits_of(const Model& model, transept::session_options options = {}) {
  transept::session session(model, options);
  const auto logits = forward(model, session, some_tokens(130));
  return {logits.begin(), logits.end()};
}

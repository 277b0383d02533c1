// A language model that is a table: the logits after a token are the table's row for it. It counts what it
// is asked for, so tests see which steps ran.
#pragma once

#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>

namespace fake {

struct settings {
  std::vector<transept::token_id> eos_token_ids;
};

struct model {
  std::size_t vocab_size;
  std::vector<float> logits; // [vocab_size (last token), vocab_size]
  fake::settings settings = {};
};

struct session {
  std::size_t room = 1000;
  std::vector<transept::token_id> tokens = {};
  int forwards = 0;

  std::size_t length() const { return tokens.size(); }
  std::size_t capacity() const { return room; }
  explicit session(std::size_t capacity = 1000) : room(capacity) { tokens.reserve(capacity); }
};

inline std::span<const float> forward(const model& model, session& session,
                                      std::span<const transept::token_id> tokens) {
  if (session.tokens.size() + tokens.size() > session.room)
    throw transept::context_error("the prompt is too long");
  ++session.forwards;
  session.tokens.insert(session.tokens.end(), tokens.begin(), tokens.end());
  return std::span(model.logits)
      .subspan(static_cast<std::size_t>(tokens.back()) * model.vocab_size, model.vocab_size);
}

/// After each token the next one is by far the likeliest; after the last, token 0.
inline model counting_model(std::size_t vocab_size = 100) {
  model result{vocab_size, std::vector<float>(vocab_size * vocab_size, 0.0f)};
  for (std::size_t i = 0; i < vocab_size; ++i) result.logits[i * vocab_size + (i + 1) % vocab_size] = 20.0f;
  return result;
}

} // namespace fake

// How a session is made, and what may be fed to it (generate/session.hpp).
#pragma once

#include <algorithm>
#include <string>

#include <transept/core/error.hpp>
#include <transept/generate/session.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION session::session(const decoder_shape& shape, session_options options)
    : shape_(shape),
      pool_(options.pool ? options.pool : std::make_shared<thread_pool>(options.threads)),
      cache_(shape.n_layer, shape.n_key_value_head, shape.head_width,
             detail::checked_capacity(shape, options.capacity, "a session's"), options.cache_type),
      chunk_(detail::checked_chunk(options.prompt_chunk, cache_.capacity())),
      memory_(detail::decoding_workspace_bytes(shape, chunk_, static_cast<std::size_t>(pool_->size()),
                                               cache_.capacity())),
      logits_(shape.vocab_size),
      precision_(detail::checked_precision(options.f32_precision)) {
  std::fill_n(logits_.data(), logits_.size(), 0.0f);
}

TRANSEPT_FUNCTION void check_tokens(const decoder_shape& model, const session& session,
                                    std::span<const token_id> tokens) {
  detail::check_shape(model, session.shape(), "session");
  detail::check_run(model, tokens, session.length(), session.capacity());
}

namespace detail {

TRANSEPT_FUNCTION void check_room_for_logits(const session& session, std::size_t tokens,
                                             matrix_view<float, dyn, dyn> logits) {
  if (static_cast<std::size_t>(logits.rows()) != tokens ||
      static_cast<std::size_t>(logits.cols()) != session.shape().vocab_size)
    throw argument_error("logits of all positions need a matrix of " + std::to_string(tokens) + " × " +
                         std::to_string(session.shape().vocab_size) + "; got " +
                         std::to_string(logits.rows()) + " × " + std::to_string(logits.cols()));
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI

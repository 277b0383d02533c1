// The sequences of a batch as training takes them, and what makes them fit for a model.
#pragma once

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/tensor/view.hpp>

namespace transept::inline TRANSEPT_ABI {

struct decoder_shape;

/// Token ids as rows of equal length: the sequences of a batch.
using token_rows = matrix_view<const token_id, dyn, dyn>;

namespace detail {

/// Throws unless a batch can be trained on: argument_error; context_error for sequences too long.
TRANSEPT_FUNCTION void check_batch(const decoder_shape& shape, token_rows tokens, token_rows targets);

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/train/impl/token_rows.hpp>
#endif

// How sequences come to a batch and leave it (generate/batch.hpp).
#pragma once

#include <algorithm>
#include <string>

#include <transept/core/error.hpp>
#include <transept/generate/batch.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION batch::batch(const decoder_shape& shape, batch_options options)
    : shape_(shape),
      pool_(options.pool ? options.pool : std::make_shared<thread_pool>(options.threads)),
      precision_(detail::checked_precision(options.f32_precision)),
      capacity_(detail::checked_capacity(shape, options.capacity, "a batch's")),
      chunk_(detail::checked_chunk(options.prompt_chunk, capacity_)) {
  if (options.max_sequences < 1)
    throw argument_error("max_sequences must be at least 1; got " + std::to_string(options.max_sequences));
  const auto count = static_cast<std::size_t>(options.max_sequences);
  slots_.reserve(count);
  for (std::size_t i = 0; i < count; ++i)
    slots_.push_back(
        {kv_cache(shape.n_layer, shape.n_key_value_head, shape.head_width, capacity_, options.cache_type)});
  sequences_.reserve(count);
  caches_.reserve(count);
  memory_ = workspace(detail::decoding_workspace_bytes(shape, std::max(chunk_, count),
                                                       static_cast<std::size_t>(pool_->size()), capacity_));
  logits_ = buffer<float>(count * shape.vocab_size);
}

TRANSEPT_FUNCTION const batch::slot_type& batch::slot(std::size_t sequence) const {
  if (!holds(sequence)) throw argument_error("the batch holds no sequence " + std::to_string(sequence));
  return slots_[sequence];
}

TRANSEPT_FUNCTION void batch::check_step(std::span<const token_id> tokens) const {
  if (tokens.empty() || tokens.size() != size())
    throw argument_error("a step of a batch needs one token for each of its sequences: expected " +
                         std::to_string(size()) + ", found " + std::to_string(tokens.size()));
  detail::check_vocabulary(shape_, tokens);
  for (const std::size_t sequence : sequences_)
    if (slots_[sequence].cache.length() == capacity_)
      throw context_error("the context of sequence " + std::to_string(sequence) + " is full: it holds " +
                          std::to_string(capacity_) + " tokens");
}

TRANSEPT_FUNCTION std::size_t add(batch& batch) {
  if (batch.size() == batch.max_sequences())
    throw argument_error("the batch is full: it was made for " + std::to_string(batch.max_sequences()) +
                         " sequences (max_sequences)");
  std::size_t sequence = 0, row = 0;
  while (batch.holds(sequence)) ++sequence;
  const auto taken = [&](std::size_t other) { return batch.slots_[other].logits_row == row; };
  while (std::ranges::any_of(batch.sequences_, taken)) ++row;
  auto& slot = batch.slots_[sequence];
  slot.held = true;
  slot.logits_row = row;
  truncate(slot.cache, 0);
  std::fill_n(batch.logits_of(slot), batch.shape_.vocab_size, 0.0f);
  batch.sequences_.push_back(sequence);
  batch.caches_.push_back(&slot.cache);
  return sequence;
}

TRANSEPT_FUNCTION std::size_t fork(batch& batch, std::size_t sequence) {
  const auto& from = batch.slot(sequence);
  const std::size_t made = add(batch);
  auto& to = batch.slots_[made];
  copy_positions(from.cache, to.cache);
  std::copy_n(batch.logits_of(from), batch.shape_.vocab_size, batch.logits_of(to));
  return made;
}

TRANSEPT_FUNCTION void remove(batch& batch, std::size_t sequence) {
  auto& slot = batch.slot(sequence);
  slot.held = false;
  std::erase(batch.sequences_, sequence);
  std::erase(batch.caches_, &slot.cache);
}

} // namespace transept::inline TRANSEPT_ABI

// Several continuations of one prompt, decoded together.
//
//   transept::batch batch(model, {.max_sequences = 16});
//   const auto results = generate_batch(model, batch, prompt, 16,
//       [](std::size_t i) { return transept::temperature(0.8) | transept::draw(/*seed*/ 1, /*stream*/ i); },
//       {.max_new_tokens = 100});
//
// The prompt is run through the model once. Sample i is, token for token, what `generate` gives in a session
// with the same sampler (but for rounding where bf16 is multiplied: see session_options); one that ends
// leaves the batch, and the others go on. Once the first tokens are out, nothing allocates.
#pragma once

#include <concepts>
#include <cstddef>
#include <functional>
#include <span>
#include <type_traits>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/generate/batch.hpp>
#include <transept/generate/generation.hpp>
#include <transept/generate/generation_options.hpp>
#include <transept/generate/generation_state.hpp>
#include <transept/generate/sampling.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A model whose forward(model, batch, …), found by argument-dependent lookup, feeds one sequence of a batch,
/// and one token to each.
template <class Model>
concept batched_language_model = requires(const Model& model, batch& batch, std::size_t sequence,
                                          std::span<const token_id> tokens) {
  { forward(model, batch, sequence, tokens) } -> std::convertible_to<std::span<const float>>;
  forward(model, batch, tokens);
};

/// The callback of those who want only the results.
struct no_batch_callback {
  void operator()(std::size_t, const generated_token&) const {} ///< does nothing
};

namespace detail {

/// One of the continuations: what it has come to, and its sampler.
template <class Sampler>
class sample : public generation_state {
public:
  sample(std::size_t sequence, Sampler sampler, const generation_options& options,
         std::span<const token_id> eos)
      : generation_state(options, eos), sequence_(sequence), sampler_(std::move(sampler)) {}

  std::size_t sequence() const { return sequence_; }
  const generated_token& current() const { return current_; }
  const std::vector<token_id>& ids() const { return ids_; }

  void start(std::span<const token_id> prompt, std::span<const float> logits, std::size_t room) {
    generation_state::start(prompt, logits, room);
    ids_.reserve(max_count());
  }
  using generation_state::prepare;

  /// Whether it wants another token, `room` of them fitting its sequence.
  bool goes_on(std::size_t room) { return reason_ == transept::finish_reason::running && may_continue(room); }

  /// Chooses a token; false where it chose to end.
  bool choose() {
    accept(std::invoke(sampler_, *list_));
    if (reason_ != transept::finish_reason::running) return false;
    ids_.push_back(current_.id);
    return true;
  }

  void end_by_callback() { reason_ = transept::finish_reason::callback; }
  generation_result result() && { return {std::move(ids_), reason_}; }

private:
  std::size_t sequence_;
  Sampler sampler_;
  std::vector<token_id> ids_;
};

/// Throws argument_error unless the batch is empty and has room for so many samples.
TRANSEPT_FUNCTION void check_samples(const batch& batch, std::size_t num_samples,
                                     const generation_options& options);

/// Empties a batch at the end of a block.
class emptied_at_end {
public:
  explicit emptied_at_end(batch& batch) : batch_(batch) {}
  ~emptied_at_end() { reset(batch_); }
  emptied_at_end(const emptied_at_end&) = delete;
  emptied_at_end& operator=(const emptied_at_end&) = delete;

private:
  batch& batch_;
};

} // namespace detail

/// Runs `prompt` through the model once and continues it `num_samples` times, sample i with the sampler
/// make_sampler(i). `callback(i, token)` is called with each generated_token as it comes, the samples of one
/// step in the order of i; where it returns a bool, false ends that sample. Returns all samples; none has a
/// `pending` token, for the sequences leave the batch.
///
/// Throws argument_error for a batch that is not empty or too small, an empty prompt, contradictory options
/// or speculation, which is for one text, and what `generate` throws; a context_error or numeric_error of one
/// sample ends them all. The batch is empty afterwards in any case.
template <class Model, class MakeSampler, class Callback = no_batch_callback>
requires std::invocable<Callback&, std::size_t, const generated_token&> std::vector<generation_result>
generate_batch(const Model& model, batch& batch, std::span<const token_id> prompt, std::size_t num_samples,
               MakeSampler make_sampler, const generation_options& options = {}, Callback&& callback = {}) {
  static_assert(batched_language_model<Model>,
                "generate_batch needs forward(model, batch, sequence, tokens) and forward(model, batch, "
                "tokens), in the namespace of the model");
  static_assert(std::invocable<MakeSampler&, std::size_t>,
                "generate_batch needs a function that makes sample i's sampler: [](std::size_t i) { return "
                "temperature(0.8) | draw(seed, i); }");
  using sampler_type = std::decay_t<std::invoke_result_t<MakeSampler&, std::size_t>>;
  static_assert(sampler<sampler_type>,
                "a sampler must be callable as token_id(candidates&): for example greedy(), or "
                "temperature(0.8) | draw(seed, i)");
  detail::check_samples(batch, num_samples, options);

  const detail::emptied_at_end afterwards(batch);
  const std::size_t first = add(batch);
  forward(model, batch, first, prompt);
  const std::size_t room_after_prompt = batch.capacity() - batch.length(first);
  std::vector<detail::sample<sampler_type>> samples;
  samples.reserve(num_samples);
  for (std::size_t i = 0; i < num_samples; ++i) {
    const std::size_t sequence = i == 0 ? first : fork(batch, first);
    samples.emplace_back(sequence, std::invoke(make_sampler, i), options, detail::eos_token_ids(model));
    samples[i].start(prompt, batch.logits(sequence), room_after_prompt + 1); // the last need not fit
  }

  std::vector<token_id> tokens; // of the next step, in the order of batch.sequences()
  tokens.reserve(num_samples);
  for (bool first_step = true;; first_step = false) {
    tokens.clear();
    for (auto& sample : samples) {
      if (!batch.holds(sample.sequence())) continue;
      if (sample.goes_on(batch.capacity() - batch.length(sample.sequence())))
        tokens.push_back(sample.current().id);
      else
        remove(batch, sample.sequence());
    }
    if (tokens.empty()) break;
    if (!first_step) forward(model, batch, tokens);
    for (std::size_t i = 0; i < num_samples; ++i) {
      auto& sample = samples[i];
      if (!batch.holds(sample.sequence())) continue;
      if (!first_step) sample.prepare(batch.logits(sample.sequence()));
      if (!sample.choose()) continue; // it leaves before the next step
      if constexpr (std::is_void_v<std::invoke_result_t<Callback&, std::size_t, const generated_token&>>)
        std::invoke(callback, i, sample.current());
      else if (!std::invoke(callback, i, sample.current()))
        sample.end_by_callback();
    }
  }

  std::vector<generation_result> results;
  results.reserve(num_samples);
  for (auto& sample : samples) results.push_back(std::move(sample).result());
  return results;
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/generate/impl/batch_generation.hpp>
#endif

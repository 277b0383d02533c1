// How `generate` has a model write: one continuation as it comes, or several at once.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <functional>
#include <iostream>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <common/any_model.hpp>
#include <common/sampling_options.hpp>

#include <transept/generate/batch_generation.hpp>
#include <transept/generate/generation.hpp>
#include <transept/text/stop_matcher.hpp>
#include <transept/text/stream_decoder.hpp>

namespace examples {

using clock_type = std::chrono::steady_clock;

inline double milliseconds(clock_type::duration time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

/// What to write, and in what kind of session.
struct writing_options {
  sampling_options sampling;
  std::size_t max_new_tokens = 100;
  bool ignore_eos = false;
  std::vector<std::string> stop;
  transept::session_options session;
  transept::speculation speculation = {};
};

/// The text of tokens as they come, up to a stop string; without a tokenizer, none.
class text_stream {
public:
  text_stream(const transept::tokenizer* tokenizer, const std::vector<std::string>& stop) : stop_(stop) {
    if (tokenizer) decoder_.emplace(*tokenizer);
  }

  /// What can be shown now.
  std::string_view push(transept::token_id id) {
    return decoder_ ? stop_.push(decoder_->push(id)) : std::string_view();
  }
  /// At the end: what was held back and is no stop string after all.
  std::string rest() {
    if (!decoder_ || stopped()) return {};
    std::string text(stop_.push(decoder_->flush()));
    return text += stop_.flush();
  }
  bool stopped() const { return stop_.stopped(); }

private:
  std::optional<transept::stream_decoder> decoder_;
  transept::stop_matcher stop_;
};

struct continuation {
  std::vector<transept::token_id> ids;
  std::string text;
  transept::finish_reason reason = transept::finish_reason::running;
};

/// What was written at one go, and how long it took.
struct written {
  std::vector<continuation> each = std::vector<continuation>(1);
  std::optional<transept::token_id> pending; // of a session: the last id, where it has not seen it
  double prefill_ms = 0;                     // the prompt
  std::optional<double> decode_ms_per_token; // of the tokens after each one's first; none if there are none
  int threads = 0;
  transept::speculation_counts speculated = {};
};

/// Writes one text on and on.
class writer {
public:
  writer(const writing_options& chosen, const any_model& model, const transept::tokenizer* tokenizer)
      : chosen_(chosen),
        model_(model),
        tokenizer_(tokenizer),
        session_(model.make_session(chosen.session)),
        sampler_(chosen.sampling.sampler(tokenizer)) {}

  transept::session& session() { return session_; }

  /// Continues the session by `prompt` and what the model makes of it. `history`: what the session holds.
  /// `show(id, text)` is called for each token, with the text that is complete by it.
  template <class Show>
  written write(std::span<const transept::token_id> prompt, std::vector<transept::token_id> history,
                Show&& show) {
    const auto begin = clock_type::now();
    auto tokens = transept::generate(model_, session_, prompt, std::ref(sampler_),
                                     {.max_new_tokens = chosen_.max_new_tokens,
                                      .ignore_eos = chosen_.ignore_eos,
                                      .speculation = chosen_.speculation,
                                      .history = std::move(history)});
    written made;
    continuation& text = made.each[0];
    made.threads = session_.threads().size();
    made.prefill_ms = milliseconds(clock_type::now() - begin);

    text_stream stream(tokenizer_, chosen_.stop);
    clock_type::time_point first, last;
    for (const auto& token : tokens) {
      last = clock_type::now();
      if (text.ids.empty()) first = last;
      text.ids.push_back(token.id);
      const std::string_view piece = stream.push(token.id);
      text.text += piece;
      show(token.id, piece);
      if (stream.stopped() || !std::cout) break;
    }
    if (const std::string rest = stream.rest(); !rest.empty()) {
      text.text += rest;
      show(-1, rest);
    }
    if (text.ids.size() > 1)
      made.decode_ms_per_token = milliseconds(last - first) / static_cast<double>(text.ids.size() - 1);
    text.reason = stream.stopped() ? transept::finish_reason::stop_string : tokens.finish_reason();
    made.pending = tokens.pending();
    made.speculated = tokens.speculated();
    return made;
  }

private:
  const writing_options& chosen_;
  const any_model& model_;
  const transept::tokenizer* tokenizer_;
  transept::session session_;
  std::function<transept::token_id(transept::candidates&)> sampler_;
};

/// Several continuations of one prompt, decoded together. Sample i draws from stream i of the seed, so that
/// sample 0 is what a writer would write.
inline written write_samples(const writing_options& chosen, const any_model& model,
                             const transept::tokenizer* tokenizer, std::span<const transept::token_id> prompt,
                             std::size_t num_samples) {
  // Room for no more positions than can be asked for.
  const int capacity = model.capacity_for(prompt.size() + chosen.max_new_tokens);
  transept::batch batch = model.make_batch({.max_sequences = static_cast<int>(num_samples),
                                            .threads = chosen.session.threads,
                                            .capacity = capacity,
                                            .cache_type = chosen.session.cache_type,
                                            .f32_precision = chosen.session.f32_precision});
  written made;
  made.threads = batch.threads().size();
  made.each.resize(num_samples);
  std::vector<text_stream> streams(num_samples, text_stream(tokenizer, chosen.stop));

  const auto begin = clock_type::now();
  clock_type::time_point first, last;
  std::size_t written = 0;
  const auto results = transept::generate_batch(
      model, batch, prompt, num_samples, [&](std::size_t i) { return chosen.sampling.sampler(tokenizer, i); },
      {.max_new_tokens = chosen.max_new_tokens, .ignore_eos = chosen.ignore_eos},
      [&](std::size_t i, const transept::generated_token& token) {
        last = clock_type::now();
        if (written++ == 0) first = last;
        made.each[i].text += streams[i].push(token.id);
        return !streams[i].stopped();
      });

  std::size_t begun = 0;
  for (std::size_t i = 0; i < num_samples; ++i) {
    made.each[i].ids = results[i].ids;
    made.each[i].text += streams[i].rest();
    made.each[i].reason =
        streams[i].stopped() ? transept::finish_reason::stop_string : results[i].finish_reason;
    if (!results[i].ids.empty()) ++begun;
  }
  made.prefill_ms = milliseconds((begun > 0 ? first : clock_type::now()) - begin);
  if (written > begun)
    made.decode_ms_per_token = milliseconds(last - first) / static_cast<double>(written - begun);
  return made;
}

} // namespace examples

// How a program chooses the next token: the options, and the sampler they make.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <random>

#include <CLI/CLI.hpp>

#include <common/checks.hpp>

#include <transept/generate/sampling.hpp>
#include <transept/text/tokenizer.hpp>

namespace examples {

struct sampling_options {
  bool greedy = false;
  double temperature = 1;
  std::int64_t top_k = 0;
  double top_p = 1;
  double min_p = 0;
  double repetition_penalty = 1;
  std::optional<std::uint64_t> seed;

  void add_to(CLI::App& app) {
    const char* const group = "How to choose, in this order (without any: the model's own probabilities)";
    app.add_option("--repetition-penalty", repetition_penalty,
                   "Divide the positive logits of tokens that occurred by P, multiply the negative; 1: off")
        ->type_name("P")
        ->capture_default_str()
        ->group(group);
    app.add_option("--temperature", temperature,
                   "Divide the logits by T: below 1 bolder choices are rarer; 0: as --greedy")
        ->type_name("T")
        ->check(not_negative())
        ->capture_default_str()
        ->group(group);
    app.add_option("--top-k", top_k, "Only the K likeliest tokens; 0: off")
        ->type_name("K")
        ->check(whole_number())
        ->capture_default_str()
        ->group(group);
    app.add_option("--top-p", top_p, "Only the likeliest tokens that together reach probability P; 1: off")
        ->type_name("P")
        ->capture_default_str()
        ->group(group);
    app.add_option("--min-p", min_p, "Only tokens at least P times as likely as the likeliest; 0: off")
        ->type_name("P")
        ->capture_default_str()
        ->group(group);
    app.add_flag("--greedy", greedy, "Always the likeliest token")->group(group);
    app.add_option("--seed", seed, "Same seed, same choices; without one it is random, and told at the end")
        ->type_name("N")
        ->check(whole_number())
        ->group(group);
  }

  bool is_random() const { return !greedy && temperature > 0; }

  /// Chooses a seed where none was given.
  void settle_seed() {
    if (!seed) seed = std::random_device{}();
  }

  /// Throws argument_error for values out of range. Hugging Face's order of filters. Each `stream` of a seed
  /// is a series of random choices of its own. Only tokens that `tokenizer`, if there is one, has are chosen.
  std::function<transept::token_id(transept::candidates&)> sampler(const transept::tokenizer* tokenizer,
                                                                   std::uint64_t stream = 0) const {
    using namespace transept;
    const auto penalty =
        known_tokens(tokenizer ? tokenizer->vocabulary_size() : std::numeric_limits<std::size_t>::max()) |
        transept::repetition_penalty(repetition_penalty);
    const auto p_filters = transept::top_p(top_p) | transept::min_p(min_p);
    if (!is_random()) return penalty | transept::greedy();
    const auto k_filter = transept::top_k(top_k == 0 ? std::numeric_limits<std::int64_t>::max() : top_k);
    return penalty | transept::temperature(temperature) | k_filter | p_filters |
           draw(seed.value_or(0), stream);
  }
};

} // namespace examples

// --speculate: who guesses what comes next.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <common/any_model.hpp>
#include <common/checks.hpp>
#include <common/program.hpp>

#include <transept/core/error.hpp>
#include <transept/generate/speculation.hpp>

namespace examples {

struct speculation_options {
  std::string drafter;
  std::size_t drafts = 8;

  CLI::Option* add_to(CLI::App& app) {
    CLI::Option* const speculate = app.add_option(
        "--speculate", drafter,
        "Guess tokens and check several in one pass: the same text, sooner. lookup: what followed before in "
        "the text; self: the model in int4; a folder: a smaller model of the same vocabulary");
    speculate->type_name("lookup|self|PATH");
    app.add_option("--drafts", drafts, "Guesses of a pass, at most")
        ->type_name("N")
        ->check(whole_number_between(1, transept::most_drafts_of_a_pass))
        ->needs(speculate)
        ->capture_default_str();
    return speculate;
  }
};

/// A drafter as the options have it, with the model that it may need.
class speculator {
public:
  /// `model` is that of `path`, loaded with `loading`, whose session is made with `session`.
  speculator(const speculation_options& chosen, const std::filesystem::path& path,
             transept::load_options loading, const transept::session_options& session,
             const any_model& model) {
    made_.most_drafts = chosen.drafts;
    if (chosen.drafter.empty()) return;
    if (chosen.drafter == "lookup") {
      made_.draft = transept::lookup_drafter();
      return;
    }
    const bool is_self = chosen.drafter == "self";
    if (is_self) loading.type = transept::element_type::q4_0;
    model_ = open_model(is_self ? path : std::filesystem::path(chosen.drafter), loading);
    if (model_->vocab_size() != model.vocab_size())
      throw transept::argument_error("--speculate " + chosen.drafter + ": a vocabulary of " +
                                     std::to_string(model_->vocab_size()) + " tokens; the model has " +
                                     std::to_string(model.vocab_size()));
    auto options = session;
    if (options.capacity > 0)
      options.capacity = model_->capacity_for(static_cast<std::size_t>(options.capacity));
    session_ = std::make_unique<transept::session>(model_->make_session(options));
    made_.draft = transept::model_drafter(*model_, *session_);
  }

  const transept::speculation& made() const { return made_; }

private:
  std::unique_ptr<const any_model> model_;
  std::unique_ptr<transept::session> session_;
  transept::speculation made_;
};

} // namespace examples

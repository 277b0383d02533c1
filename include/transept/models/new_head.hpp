// Another head for an encoder: what fine-tuning begins with.
//
//   const auto tagger = with_head(load<bert<any_bert>>("pretrained"), encoder_head::token_classification,
//                                 {"O", "B-PER", "I-PER"}, seed);
#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/models/encoder.hpp>
#include <transept/models/encoder_head.hpp>
#include <transept/models/initialise.hpp>
#include <transept/tensor/parameters.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The model `from` with a head of another kind, or for other labels. Parameters that both have, of the same
/// extents, are those of `from`, whose memory both share then; the others are drawn as initialise draws them.
/// `labels`: what the outputs of sequence_classification and token_classification mean. Throws argument_error
/// for a head that the family has not, or labels that do not fit it.
template <encoder_model Model>
Model with_head(const Model& from, encoder_head head, std::vector<std::string> labels, std::uint64_t seed,
                const initialise_options& options = {}) {
  using family = typename Model::family;
  const bool is_labelled =
      head == encoder_head::sequence_classification || head == encoder_head::token_classification;
  if (is_labelled == labels.empty())
    throw argument_error(is_labelled ? "with_head: a head that classifies needs labels"
                                     : "with_head: labels are for heads that classify");
  auto shape = from.config;
  auto settings = from.settings;
  settings.head = head;
  settings.labels = std::move(labels);
  settings.problem_type.clear();
  if constexpr (requires { family::heed_head(shape, settings); })
    family::heed_head(shape, settings);
  else if (head == from.settings.head)
    shape.n_labels = static_cast<int>(settings.labels.size());
  else
    throw argument_error("with_head: a " + std::string(family::name) + " has one head");
  Model model = shaped_model<Model>(shape, std::move(settings));
  for_each_parameter_here(
      [&](std::string_view name, auto& leaf) {
        for_each_parameter_here(
            [&](std::string_view other_name, const auto& other) {
              if constexpr (std::same_as<std::remove_cvref_t<decltype(other)>,
                                         std::remove_cvref_t<decltype(leaf)>>)
                if (other_name == name && other.size() == leaf.size()) leaf = other;
            },
            from);
      },
      model);
  model.memory = from.memory;
  initialise_parameters(model, model.memory, seed, 1, options, model.norms().weight_offset);
  return model;
}

} // namespace transept::inline TRANSEPT_ABI

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

namespace detail {

/// Whether two vectors, or matrices, have the same extents.
template <class Leaf>
bool have_same_extents(const Leaf& a, const Leaf& b) {
  if constexpr (Leaf::rank == 1)
    return a.size() == b.size();
  else
    return a.rows() == b.rows() && a.cols() == b.cols();
}

} // namespace detail

/// The model `from` with a head of another kind, or for other labels. Parameters that both have, of the same
/// extents, are those of `from`, whose memory both share then; the others are drawn as initialise draws them,
/// and so is the classifier unless head and labels are the same, in the same order.
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
  if constexpr (requires { family::has_head(from.settings, head); })
    if (!family::has_head(from.settings, head))
      throw argument_error("with_head: a model of type " + std::string(from.settings.model_type) +
                           " has no such head");
  const bool has_same_outputs = head == from.settings.head && labels == from.settings.labels;
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
      [&]<class Leaf>(std::string_view name, Leaf& leaf) {
        if (name.starts_with("classifier.") && !has_same_outputs) return;
        for_each_parameter_here(
            [&]<class Other>(std::string_view other_name, const Other& other) {
              if constexpr (std::same_as<Other, Leaf>)
                if (other_name == name && detail::have_same_extents(leaf, other)) leaf = other;
            },
            from);
      },
      model);
  model.memory = from.memory;
  initialise_parameters(model, model.memory, seed, 1, options, model.norms().weight_offset);
  return model;
}

} // namespace transept::inline TRANSEPT_ABI

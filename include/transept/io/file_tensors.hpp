// The tensors of a model's files: what they are called and shaped there, and which parts of which parameters
// they hold.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/models/decoder.hpp>
#include <transept/tensor/names.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A tensor that holds a parameter, or some outputs of one.
struct file_tensor {
  std::string name = {}; ///< in a Hugging Face folder
  std::string gguf = {}; ///< in a GGUF file
  /// Of what it holds, as the parameter is called: [in, out] of a linear layer.
  std::vector<std::uint64_t> shape = {};
  bool is_linear = false; ///< a linear layer's matrix, which files may keep as [out, in]
  bool is_lookup = false; ///< a table whose rows are only looked up
  /// In which order a Hugging Face file has the outputs (of `heads` heads, query, key and value of
  /// head_width).
  output_order order = output_order::as_here;
  std::size_t heads = 0, head_width = 0;

  std::uint64_t count() const {
    std::uint64_t product = 1;
    for (const std::uint64_t n : shape) product *= n;
    return product;
  }

  /// Where in a Hugging Face file output `output` is.
  std::size_t stored_output(std::size_t output) const {
    if (order == output_order::as_here) return output;
    const std::size_t part = output / (heads * head_width), within = output % (heads * head_width);
    return (within / head_width * 3 + part) * head_width + within % head_width;
  }
};

namespace detail {

/// A model's table of names; none is needed where parameters are called here as in the files.
template <class Model>
constexpr model_names names_of() {
  if constexpr (requires { Model::names; })
    return Model::names;
  else
    return {.inputs_first = true};
}

/// How many outputs each of `parts` tensors has that are one parameter of `outputs`: queries, keys and
/// values, or equal parts.
inline std::vector<std::uint64_t> outputs_of_parts(std::size_t parts, std::uint64_t outputs,
                                                   const decoder_shape& shape) {
  const std::uint64_t queries = shape.n_head * shape.head_width;
  const std::uint64_t keys = shape.n_key_value_head * shape.head_width;
  if (parts == 3 && queries + 2 * keys == outputs) return {queries, keys, keys};
  return std::vector<std::uint64_t>(parts, outputs / parts);
}

} // namespace detail

/// What a walk knows of a parameter's leaf.
struct leaf_description {
  std::vector<std::uint64_t> shape;
  bool is_linear = false, is_lookup = false;

  template <class Leaf>
  static leaf_description of(const Leaf& leaf) {
    leaf_description result;
    for (const extent n : leaf.shape()) result.shape.push_back(static_cast<std::uint64_t>(n));
    if constexpr (Leaf::rank == 2) {
      result.is_linear = Leaf::use == matrix_use::linear;
      result.is_lookup = Leaf::use == matrix_use::lookup;
    }
    return result;
  }
};

/// The tensors that hold the parameter called `here` of a model: one, or several whose outputs lie one behind
/// another.
inline std::vector<file_tensor> tensors_of(const model_names& names, std::string_view here,
                                           const leaf_description& leaf, const decoder_shape& shape) {
  file_tensor whole{.name = std::string(here),
                    .gguf = {},
                    .shape = leaf.shape,
                    .is_linear = leaf.is_linear,
                    .is_lookup = leaf.is_lookup,
                    .heads = shape.n_head,
                    .head_width = shape.head_width};
  const tensor_names* const line = find_names(names, here);
  if (line == nullptr) return {whole};

  const auto parsed = detail::parse_name(here);
  const auto full = [&](std::string_view pattern) {
    return pattern.empty() ? std::string() : detail::in_block(pattern, parsed.block) + parsed.suffix;
  };
  whole.order = line->order;
  const auto here_names = without_braces(full(line->huggingface)),
             gguf_names = without_braces(full(line->gguf));
  const auto outputs = detail::outputs_of_parts(here_names.size(), whole.shape.back(), shape);
  std::vector<file_tensor> tensors(here_names.size(), whole);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    tensors[i].name = here_names[i];
    if (gguf_names.size() == tensors.size()) tensors[i].gguf = gguf_names[i];
    if (tensors.size() > 1) tensors[i].shape.back() = outputs[i];
  }
  return tensors;
}

/// All tensors of a model, in the order of its walk. `model` need have no data.
template <class Model>
std::vector<file_tensor> all_tensors_of(const Model& model) {
  std::vector<file_tensor> all;
  const decoder_shape shape = model.shape();
  for_each_parameter_here(
      [&](std::string_view here, const auto& leaf) {
        for (file_tensor& tensor :
             tensors_of(detail::names_of<Model>(), here, leaf_description::of(leaf), shape))
          all.push_back(std::move(tensor));
      },
      model);
  return all;
}

} // namespace transept::inline TRANSEPT_ABI

// How a parameter is laid over the tensors of a file (io/file_tensors.hpp).
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

#include <transept/io/file_tensors.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION std::uint64_t file_tensor::count() const {
  std::uint64_t product = 1;
  for (const std::uint64_t n : shape) product *= n;
  return product;
}

TRANSEPT_FUNCTION std::uint64_t file_tensor::outputs() const {
  return is_vector ? count() : is_linear ? shape.back() : shape.front();
}

TRANSEPT_FUNCTION std::size_t file_tensor::stored_output(std::size_t output) const {
  if (order == output_order::as_here) return output;
  if (order == output_order::rotary_pairs) {
    const std::size_t number = output % head_width, half = head_width / 2;
    return output - number + (number < half ? 2 * number : 2 * (number - half) + 1);
  }
  // A head of keys stands behind the queries that it serves, and before its values.
  const std::size_t head = output / head_width, sharing = heads / key_value_heads;
  std::size_t group = head / sharing, place = head % sharing;
  if (head >= heads) {
    group = (head - heads) % key_value_heads;
    place = sharing + (head - heads) / key_value_heads;
  }
  return (group * (sharing + 2) + place) * head_width + output % head_width;
}

namespace detail {

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

TRANSEPT_FUNCTION std::vector<file_tensor> tensors_of(const model_names& names, file_naming naming,
                                                      std::string_view here, const leaf_description& leaf,
                                                      const decoder_shape& shape) {
  file_tensor whole{.name = std::string(here),
                    .shape = leaf.shape,
                    .is_linear = leaf.is_linear,
                    .is_lookup = leaf.is_lookup,
                    .is_vector = leaf.shape.size() == 1,
                    .heads = shape.n_head,
                    .key_value_heads = shape.n_key_value_head,
                    .head_width = shape.head_width};
  const tensor_names* const line = find_names(names, here);
  if (line == nullptr) return {whole};

  const bool in_gguf = naming != file_naming::huggingface;
  const std::string pattern = in_gguf ? std::string(line->gguf) : detail::huggingface_pattern(names, *line);
  if (pattern.empty()) return {whole};
  if (naming == file_naming::huggingface) whole.order = line->order;
  if (naming == file_naming::gguf) {
    whole.order = line->gguf_order;
    whole.offset = line->gguf_offset;
  }
  const std::size_t heads = // of a parameter that has a head_width for each
      static_cast<std::size_t>(whole.shape.back()) / std::max<std::size_t>(shape.head_width, 1);
  const auto parsed = detail::parse_name(here);
  const auto file_names = without_braces(
      detail::in_block(pattern, parsed.block, in_gguf ? 1 : names.blocks_of_group) + parsed.suffix, heads);
  const auto outputs = detail::outputs_of_parts(file_names.size(), whole.shape.back(), shape);
  std::vector<file_tensor> tensors(file_names.size(), whole);
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    tensors[i].name = file_names[i];
    if (tensors.size() > 1) tensors[i].shape.back() = outputs[i];
    if (i == 2 && whole.order == output_order::rotary_pairs)
      tensors[i].order = output_order::as_here; // values
  }
  const bool has_one_for_each_head = line->huggingface.find("{}") != std::string_view::npos;
  if (in_gguf && has_one_for_each_head && tensors.size() == 1)
    tensors[0].shape = {heads, whole.shape.back() / std::max<std::size_t>(heads, 1)};
  return tensors;
}

} // namespace transept::inline TRANSEPT_ABI

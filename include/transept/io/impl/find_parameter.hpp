// How a model's tensors are looked for (io/find_parameter.hpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/element_type.hpp>
#include <transept/core/error.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/find_parameter.hpp>
#include <transept/io/stored_blocks.hpp>
#include <transept/io/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION bool stores_outputs_first(const checkpoint& weights, const model_names& names) {
  return weights.is_gguf() || !names.inputs_first;
}

namespace detail {

TRANSEPT_FUNCTION std::string other_name(const model_names& names, std::string_view name) {
  if (names.prefix.empty()) return {};
  return name.starts_with(names.prefix) ? std::string(name.substr(names.prefix.size()))
                                        : std::string(names.prefix) + std::string(name);
}

/// What files of BERT's first years call the weight and bias of a layer norm.
inline std::string older_name(std::string_view name) {
  const auto ending = [&](std::string_view now, std::string_view then) {
    return std::string(name.substr(0, name.size() - now.size())) + std::string(then);
  };
  if (name.ends_with("LayerNorm.weight")) return ending("weight", "gamma");
  return name.ends_with("LayerNorm.bias") ? ending("bias", "beta") : std::string();
}

/// What files call the weight of `tokens` or `output`.
inline std::string table_name(const model_names& names, std::string_view here, bool is_gguf) {
  const tensor_names* const line = find_names(names, std::string(here) + ".weight");
  if (line == nullptr) return {};
  return (is_gguf ? std::string(line->gguf) : huggingface_pattern(names, *line)) + ".weight";
}

} // namespace detail

TRANSEPT_FUNCTION found_parameter find_parameter(const checkpoint& weights, const model_names& names,
                                                 const file_tensor& wanted) {
  const bool is_gguf = weights.is_gguf(), reversed = wanted.is_linear && stores_outputs_first(weights, names);
  std::vector<std::uint64_t> shape = wanted.shape;
  if (reversed) std::ranges::reverse(shape);
  const std::string& called = wanted.name;
  const std::string other = is_gguf ? std::string() : detail::other_name(names, called);
  const stored_tensor* tensor = weights.find(called);
  if (tensor == nullptr && !other.empty()) tensor = weights.find(other);
  if (!is_gguf)
    for (const std::string& older : {detail::older_name(called), detail::older_name(other)})
      if (tensor == nullptr && !older.empty()) tensor = weights.find(older);
  if (tensor == nullptr && names.is_tied && called == detail::table_name(names, "tokens", is_gguf))
    tensor = weights.find(detail::table_name(names, "output", is_gguf));
  if (tensor == nullptr) {
    return {.name = called,
            .problem = "expected " + shape_text(shape) + ", found no tensor of that name",
            .advice = "(" + (other.empty() ? "" : "nor " + other + ", ") + "among " +
                      std::to_string(weights.tensors().size()) + ")" +
                      (called == detail::table_name(names, "output", is_gguf)
                           ? " Where the output is the token embedding, config.json says "
                             "\"tie_word_embeddings\": true."
                           : "")};
  }
  found_parameter found{.tensor = tensor, .name = tensor->name};
  const auto type = element_type_of(tensor->dtype);
  const bool is_in_blocks = type ? is_block_type(*type) : find_stored_blocks(tensor->dtype) != nullptr;
  if (!std::ranges::equal(tensor->shape, shape)) {
    found.problem = "expected shape " + shape_text(shape) + ", found " + shape_text(tensor->shape);
    std::ranges::reverse(shape);
    if (shape.size() == 2 && tensor->shape == shape)
      found.advice = std::string("It looks transposed: ") +
                     (is_gguf               ? "GGUF keeps linear weights as [out, in]."
                      : !names.inputs_first ? "this model keeps linear weights as [out, in]."
                                            : "GPT-2 keeps linear weights as [in, out].");
  } else if (!type && !is_in_blocks) {
    found.problem = std::string("expected F32, F16") +
                    (is_gguf ? ", BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1 or Q2_K to Q6_K" : " or BF16") +
                    ", found " + tensor->dtype;
    if (is_gguf) found.advice = "llama-quantize --pure makes a file of one type.";
  } else if (wanted.is_vector && is_in_blocks) {
    found.problem = "expected F32, F16 or BF16, found " + tensor->dtype;
    found.advice = "Only matrices may be quantized.";
  }
  return found;
}

TRANSEPT_FUNCTION std::vector<const stored_tensor*> surplus_tensors(const checkpoint& weights,
                                                                    const model_names& names,
                                                                    const std::vector<file_tensor>& wanted) {
  std::set<const stored_tensor*> known;
  for (const file_tensor& each : wanted) known.insert(find_parameter(weights, names, each).tensor);
  const std::string output = detail::table_name(names, "output", weights.is_gguf());
  const std::string tokens = detail::table_name(names, "tokens", weights.is_gguf());
  const stored_tensor* table = weights.find(tokens);
  if (table == nullptr) table = weights.find(detail::other_name(names, tokens));
  std::vector<const stored_tensor*> surplus;
  for (const stored_tensor& tensor : weights.tensors()) {
    const std::string_view name = tensor.name;
    const bool is_buffer = name.ends_with(".masked_bias") || name.ends_with(".inv_freq") ||
                           name.ends_with("attn.bias") || name.ends_with("attention.bias") ||
                           name.ends_with(".position_ids") || name.ends_with(".token_type_ids") ||
                           (weights.is_gguf() && name.starts_with("rope_f")); // rotary factors
    const bool is_output = names.is_tied && (name == output || name == detail::other_name(names, output));
    if (known.contains(&tensor) || is_buffer) continue;
    if (is_output && table != nullptr && have_same_elements(tensor, *table)) continue; // a second name
    surplus.push_back(&tensor);
  }
  return surplus;
}

TRANSEPT_FUNCTION const stored_tensor& required_tensor(const checkpoint& weights, const model_names& names,
                                                       const file_tensor& wanted) {
  const found_parameter found = find_parameter(weights, names, wanted);
  if (!found.problem.empty())
    throw shape_error((found.tensor ? found.tensor->source : weights.folder().string()) + ": tensor " +
                      found.name + ": " + found.problem +
                      (found.advice.empty() ? "" : "\n  " + found.advice));
  return *found.tensor;
}

} // namespace transept::inline TRANSEPT_ABI

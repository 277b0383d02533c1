// How a model's tensors are looked for (io/find_parameter.hpp).
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include <transept/core/element_type.hpp>
#include <transept/core/error.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/find_parameter.hpp>
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

} // namespace detail

TRANSEPT_FUNCTION found_parameter find_parameter(const checkpoint& weights, const model_names& names,
                                                 const file_tensor& wanted) {
  const bool is_gguf = weights.is_gguf(), reversed = wanted.is_linear && stores_outputs_first(weights, names);
  std::vector<std::uint64_t> shape = wanted.shape;
  if (reversed) std::ranges::reverse(shape);
  const std::string& called = is_gguf && !wanted.gguf.empty() ? wanted.gguf : wanted.name;
  const std::string other = is_gguf ? std::string() : detail::other_name(names, called);
  const stored_tensor* tensor = weights.find(called);
  if (tensor == nullptr && !other.empty()) tensor = weights.find(other);
  if (tensor == nullptr) {
    return {.name = called,
            .problem = "expected " + shape_text(shape) + ", found no tensor of that name",
            .advice = "(" + (other.empty() ? "" : "nor " + other + ", ") + "among " +
                      std::to_string(weights.tensors().size()) + ")"};
  }
  found_parameter found{.tensor = tensor, .name = tensor->name};
  const auto type = element_type_of(tensor->dtype);
  if (!std::ranges::equal(tensor->shape, shape)) {
    found.problem = "expected shape " + shape_text(shape) + ", found " + shape_text(tensor->shape);
    std::ranges::reverse(shape);
    if (shape.size() == 2 && tensor->shape == shape)
      found.advice = std::string("It looks transposed: ") +
                     (is_gguf               ? "GGUF keeps linear weights as [out, in]."
                      : !names.inputs_first ? "this model keeps linear weights as [out, in]."
                                            : "GPT-2 keeps linear weights as [in, out].");
  } else if (!type) {
    found.problem = std::string("expected F32, F16") + (is_gguf ? ", BF16, Q8_0 or Q4_0" : " or BF16") +
                    ", found " + tensor->dtype;
    if (is_gguf) found.advice = "llama-quantize --pure makes a file of one type.";
  } else if (shape.size() == 1 && is_block_type(*type)) {
    found.problem = "expected F32, F16 or BF16, found " + tensor->dtype;
    found.advice = "Only matrices may be quantized.";
  }
  return found;
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

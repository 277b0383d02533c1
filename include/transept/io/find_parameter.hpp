// A model's parameter among the tensors of its files.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/element_type.hpp>
#include <transept/core/error.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/gguf_names.hpp>
#include <transept/io/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

struct found_parameter {
  const stored_tensor* tensor = nullptr; ///< nullptr: missing
  std::string name;                      ///< the tensor's, in the files
  std::string problem = {};              ///< why the model cannot use it; empty: it can
  std::string advice = {};               ///< what else helps to understand the problem
};

/// Looks for parameter `name`, also under the prefix that a whole language model's file may carry, and checks
/// that it has the parameter's shape and a type that weights may have.
inline found_parameter find_parameter(const checkpoint& weights, std::string_view name,
                                      std::span<const std::uint64_t> parameter_shape) {
  const bool is_gguf = weights.is_gguf();
  std::vector<std::uint64_t> shape(parameter_shape.begin(), parameter_shape.end());
  if (is_gguf && is_linear_weight(name)) std::ranges::reverse(shape);
  const stored_tensor* tensor = weights.find(name);
  if (tensor == nullptr) tensor = weights.find("transformer." + std::string(name));
  if (tensor == nullptr) {
    const std::string called = is_gguf ? gguf_name(name).value_or(std::string(name)) : std::string(name);
    return {.name = called,
            .problem = "expected " + shape_text(shape) + ", found no tensor of that name",
            .advice = "(" + (is_gguf ? "" : "nor transformer." + called + ", ") + "among " +
                      std::to_string(weights.tensors().size()) + ")"};
  }
  found_parameter found{.tensor = tensor, .name = tensor->name};
  const auto type = element_type_of(tensor->dtype);
  if (!std::ranges::equal(tensor->shape, shape)) {
    found.problem = "expected shape " + shape_text(shape) + ", found " + shape_text(tensor->shape);
    std::ranges::reverse(shape);
    if (shape.size() == 2 && tensor->shape == shape)
      found.advice = std::string("It looks transposed: ") + (is_gguf ? "GGUF" : "GPT-2") +
                     " keeps linear weights as " + (is_gguf ? "[out, in]." : "[in, out].");
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

/// The tensor of parameter `name`. Throws shape_error where the model cannot use it.
inline const stored_tensor& required_tensor(const checkpoint& weights, std::string_view name,
                                            std::span<const std::uint64_t> shape) {
  const found_parameter found = find_parameter(weights, name, shape);
  if (!found.problem.empty())
    throw shape_error((found.tensor ? found.tensor->source : weights.folder().string()) + ": tensor " +
                      found.name + ": " + found.problem +
                      (found.advice.empty() ? "" : "\n  " + found.advice));
  return *found.tensor;
}

} // namespace transept::inline TRANSEPT_ABI

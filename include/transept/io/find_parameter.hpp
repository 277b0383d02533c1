// A model's tensors among those of its files.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/element_type.hpp>
#include <transept/core/error.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/file_tensors.hpp>
#include <transept/io/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

struct found_parameter {
  const stored_tensor* tensor = nullptr; ///< nullptr: missing
  std::string name;                      ///< the tensor's, in the files
  std::string problem = {};              ///< why the model cannot use it; empty: it can
  std::string advice = {};               ///< what else helps to understand the problem
};

/// Whether these files keep linear layers as [out, in].
inline bool stores_outputs_first(const checkpoint& weights, const model_names& names) {
  return weights.is_gguf() || !names.inputs_first;
}

namespace detail {

/// The other name that a Hugging Face file may give a tensor: with the prefix, or without it.
inline std::string other_name(const model_names& names, std::string_view name) {
  if (names.prefix.empty()) return {};
  return name.starts_with(names.prefix) ? std::string(name.substr(names.prefix.size()))
                                        : std::string(names.prefix) + std::string(name);
}

} // namespace detail

/// Looks for a tensor, also with or without the prefix that a whole language model's file may carry, and
/// checks that it has its shape and a type that weights may have.
inline found_parameter find_parameter(const checkpoint& weights, const model_names& names,
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

/// The same. Throws shape_error where the model cannot use it.
inline const stored_tensor& required_tensor(const checkpoint& weights, const model_names& names,
                                            const file_tensor& wanted) {
  const found_parameter found = find_parameter(weights, names, wanted);
  if (!found.problem.empty())
    throw shape_error((found.tensor ? found.tensor->source : weights.folder().string()) + ": tensor " +
                      found.name + ": " + found.problem +
                      (found.advice.empty() ? "" : "\n  " + found.advice));
  return *found.tensor;
}

} // namespace transept::inline TRANSEPT_ABI

// A model's tensors among those of its files.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/file_tensors.hpp>
#include <transept/io/stored_tensor.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What find_parameter found in the files.
struct found_parameter {
  const stored_tensor* tensor = nullptr; ///< nullptr: missing
  std::string name;                      ///< the tensor's, in the files
  std::string problem = {};              ///< why the model cannot use it; empty: it can
  std::string advice = {};               ///< what else helps to understand the problem
};

/// Whether these files keep linear layers as [out, in].
TRANSEPT_FUNCTION bool stores_outputs_first(const checkpoint& weights, const model_names& names);

namespace detail {

/// The other name that a Hugging Face file may give a tensor: with the prefix, or without it.
TRANSEPT_FUNCTION std::string other_name(const model_names& names, std::string_view name);

} // namespace detail

/// Looks for a tensor, also with or without the prefix that a whole language model's file may carry, and
/// checks that it has its shape and a type that weights may have.
TRANSEPT_FUNCTION found_parameter find_parameter(const checkpoint& weights, const model_names& names,
                                                 const file_tensor& wanted);

/// The same. Throws shape_error where the model cannot use it.
TRANSEPT_FUNCTION const stored_tensor& required_tensor(const checkpoint& weights, const model_names& names,
                                                       const file_tensor& wanted);

/// The tensors of the files that are no part of a model whose own are `wanted`, but for what is known to lie
/// beside parameters: masks, rotary frequencies, a copy of the embedding under the output's name.
TRANSEPT_FUNCTION std::vector<const stored_tensor*> surplus_tensors(const checkpoint& weights,
                                                                    const model_names& names,
                                                                    const std::vector<file_tensor>& wanted);

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/find_parameter.hpp>
#endif

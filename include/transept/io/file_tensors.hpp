// The tensors of a model's files: what they are called and shaped there, and which parts of which parameters
// they hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <transept/models/decoder.hpp>
#include <transept/tensor/names.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A tensor that holds a parameter, or some outputs of one.
struct file_tensor {
  std::string name = {}; ///< in the files
  /// Of what it holds, as the parameter is called: [in, out] of a linear layer.
  std::vector<std::uint64_t> shape = {};
  bool is_linear = false; ///< a linear layer's matrix, which files may keep as [out, in]
  bool is_lookup = false; ///< a table whose rows are only looked up
  bool is_vector = false; ///< a vector, if only as the rows of a tensor (a row for each head)
  /// In which order the files have the outputs (of `heads` heads of queries, key_value_heads of keys and
  /// values, all of head_width).
  output_order order = output_order::as_here;
  std::size_t heads = 0, key_value_heads = 0, head_width = 0; ///< the model's; `order` alone asks
  float offset = 0.0f;                                        ///< what the files hold is so much more

  std::uint64_t count() const;   ///< its elements
  std::uint64_t outputs() const; ///< of a parameter that it holds: a table's rows, too

  /// Where in the tensor output `output` is.
  std::size_t stored_output(std::size_t output) const;

  /// Whether the files have the numbers that the parameter has, in its order.
  bool is_as_here() const { return order == output_order::as_here && offset == 0.0f; }
};

/// What a walk knows of a parameter's leaf.
struct leaf_description {
  std::vector<std::uint64_t> shape;          ///< [rows, cols], or [size] of a vector
  bool is_linear = false, is_lookup = false; ///< what a matrix is for (matrix_use); a `table` is neither

  /// Of a matrix or vector of weights, whose data is not looked at.
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
TRANSEPT_FUNCTION std::vector<file_tensor> tensors_of(const model_names& names, file_naming naming,
                                                      std::string_view here, const leaf_description& leaf,
                                                      const decoder_shape& shape);

/// All tensors of a model, in the order of its walk. `model` need have no data.
template <class Model>
std::vector<file_tensor> all_tensors_of(const Model& model, file_naming naming) {
  std::vector<file_tensor> all;
  const decoder_shape shape = model.shape();
  const model_names names = names_of(model);
  for_each_parameter_here(
      [&](std::string_view here, const auto& leaf) {
        for (file_tensor& tensor : tensors_of(names, naming, here, leaf_description::of(leaf), shape))
          all.push_back(std::move(tensor));
      },
      model);
  return all;
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/file_tensors.hpp>
#endif

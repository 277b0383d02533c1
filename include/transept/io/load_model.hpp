// From files to a model: a Hugging Face folder as it was downloaded (config.json, and model.safetensors or
// shards), or a GGUF file as llama.cpp writes them.
//
//   auto model = load<gpt2<gpt2_small>>("path/to/gpt2");
//   auto small = load<gpt2<gpt2_small>>("path/to/gpt2", {.type = element_type::q8_0});    // int8
//   auto other = load<gpt2<gpt2_small>>("gpt2-Q8_0.gguf");
//
// Weights stay in the mapped file wherever their address suits their element type (f32, f16 or bf16); biases
// and norm weights that are not f32 are widened once; Q8_0 and Q4_0 are packed once into panels, number for
// number, and their pages of the file let go. The model shares ownership of the mapping.
// A file that another process truncates while it is mapped is out of scope: reading it then ends the process.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/file_tensors.hpp>
#include <transept/io/find_parameter.hpp>
#include <transept/io/model_files.hpp>
#include <transept/models/convert.hpp>
#include <transept/models/decoder.hpp>
#include <transept/runtime/thread_pool.hpp>
#include <transept/tensor/buffer.hpp>
#include <transept/tensor/parameters.hpp>

namespace transept::inline TRANSEPT_ABI {

/// How a model's weights are to lie in memory.
struct load_options {
  /// What matrices are converted to; none: they stay as the file has them, mapped. In a block type, tables
  /// that are only looked up (positions) keep theirs.
  std::optional<element_type> type = std::nullopt;
  /// Whether linear layers are laid out for the kernels (pack_weights) instead of staying mapped: the logits
  /// keep their bits (nearly, where files have linear layers as [out, in]) and come faster, by a fifth or
  /// more where memory is the limit; the whole file is read now, and its memory is not shared with other
  /// processes.
  bool packed = false;
  /// Threads to convert with; 0: one per processor.
  int threads = 0;
  /// Called with what whoever loads should hear: tensors of the files that are no part of the model, numbers
  /// that the type asked for does not reach.
  std::function<void(const std::string& note)> note = {};
};

namespace detail {

class parameter_rows;

/// Gives the matrices and vectors of one model their elements. Whatever a program's shapes are, they are
/// loaded by their run-time views: this is compiled once.
class parameter_loader {
public:
  /// All of these must outlive it.
  parameter_loader(weight_owner& memory, const checkpoint& weights, const model_names& names,
                   const load_options& options)
      : memory_(memory), weights_(weights), names_(names), options_(options) {}

  /// The numbers of the vector that is called `here`, in a model of this shape. Throws shape_error for a
  /// tensor that is missing or of another shape or type than the model needs.
  const float* vector(std::string_view here, const leaf_description& leaf, const decoder_shape& shape);

  /// The same of a matrix.
  kernels::stored_matrix matrix(std::string_view here, const leaf_description& leaf, matrix_use use,
                                const decoder_shape& shape);

private:
  /// Of blocks that files alone have, read piece by piece: Q8_0 unless another type is asked for.
  kernels::stored_matrix in_pieces(const parameter_rows& source, matrix_use use, std::size_t rows,
                                   std::size_t cols);
  /// Q4_K as it is, read piece by piece.
  kernels::stored_matrix q4_k_in_pieces(const parameter_rows& source, std::size_t rows, std::size_t cols);
  /// Of an element type that weights have here.
  kernels::stored_matrix at_once(const parameter_rows& source, matrix_use use, std::size_t rows,
                                 std::size_t cols);
  /// As the file has it, but for blocks, which kernels read in panels.
  kernels::stored_matrix as_stored(const stored_tensor& tensor, element_type type, std::size_t rows,
                                   std::size_t cols, matrix_use use, weight_owner& owner);
  /// Says of a matrix that was made F16 where its numbers are infinite.
  void note_overflows(std::string_view here, const kernels::stored_matrix& made) const;
  /// With elements of `type`, which stand alone, until the next call.
  kernels::stored_matrix in_scratch(const kernels::stored_matrix& stored, matrix_use use, element_type type);

  weight_owner& memory_;
  const checkpoint& weights_;
  const model_names& names_;
  const load_options& options_;
  buffer<std::byte> scratch_;          ///< one for all matrices: many large blocks of passing use leave holes
  std::optional<thread_pool> threads_; ///< started where something is to be converted or packed
};

} // namespace detail

namespace detail {

/// A parameter's elements in its files: a mapped tensor, or one that was put together, which `assembled`
/// owns.
struct found_elements {
  stored_tensor tensor;
  bool is_mapped;
  weight_owner assembled = {};
};

/// In the order that they have here; a linear layer's as its files keep it. Throws shape_error for a tensor
/// that is missing or of another shape or type than the model needs.
TRANSEPT_FUNCTION found_elements find_elements(const checkpoint& weights, const model_names& names,
                                               std::string_view here, const leaf_description& leaf,
                                               const decoder_shape& shape);

/// What to say of numbers that became infinite as F16.
TRANSEPT_FUNCTION std::string overflow_note(std::string_view name, std::uint64_t count);

/// Says how many there are, and names one.
TRANSEPT_FUNCTION void note_surplus(const std::vector<const stored_tensor*>& surplus,
                                    const std::function<void(const std::string&)>& note);

} // namespace detail

/// Fills every parameter of `model` (shaped, without data) from the tensors that hold it.
/// Throws shape_error for a tensor that is missing or of another shape or type than the model needs.
template <class Model>
void load_parameters(Model& model, weight_owner& memory, const checkpoint& weights,
                     const load_options& options = {}) {
  const model_names names = names_of(model);
  detail::parameter_loader loader(memory, weights, names, options);
  const decoder_shape shape = model.shape();
  for_each_parameter_here(
      [&](std::string_view here, auto& leaf) {
        if constexpr (std::remove_cvref_t<decltype(leaf)>::rank == 1)
          leaf = {loader.vector(here, leaf_description::of(leaf), shape), leaf.size()};
        else
          leaf = detail::like(leaf, loader.matrix(here, leaf_description::of(leaf), leaf.use, shape));
      },
      model);
  memory.keep(weights.owner());
}

/// The model of type `Model` in files that were opened before; see below.
template <class Model>
Model load(const model_files& files, const load_options& options = {}) {
  using family = typename Model::family;
  auto config = files.template config<family>();
  if (const std::string difference = detail::shape_difference(config.shape, Model::static_config);
      !difference.empty())
    throw shape_error(files.path().string() + ": the model in this " + (files.gguf() ? "file" : "folder") +
                      " is not of the compiled type: " + difference + "\n  Its own declaration is\n    " +
                      to_declaration<family>(config.shape, "my_model"));
  Model model = shaped_model<Model>(config.shape, std::move(config.settings));
  const checkpoint weights = files.weights();
  load_parameters(model, model.memory, weights, options);
  if (options.note)
    detail::note_surplus(surplus_tensors(weights, names_of(model), all_tensors_of(model, weights.naming())),
                         options.note);
  return model;
}

/// The model of type `Model` in the folder or GGUF file `path`. Throws file_error, format_error,
/// config_error; shape_error where it holds another shape than the type, or tensors that contradict its
/// configuration.
template <class Model>
Model load(const std::filesystem::path& path, const load_options& options = {}) {
  return load<Model>(model_files::open(path), options);
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/load_model.hpp>
#endif

// What a training run needs, beside the weights, to go on as if it had never stopped: a safetensors file.
//
//   save(trainer.model(), folder, element_type::f32);
//   save_training_state(trainer, folder / "optimizer.safetensors", {{"iteration", "500"}});
//
//   trainer trainer(load<Model>(folder), options);           // the same options
//   auto metadata = load_training_state(trainer, folder / "optimizer.safetensors");
//
// Adam's moments of parameter NAME are the tensors NAME.exp_avg and NAME.exp_avg_sq, f32, of the parameter's
// shape (PyTorch's names for them); frozen parameters have none. The counts are metadata.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/train/training.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

/// A moment of one parameter: its name, its shape, where it lies.
struct moment_tensor {
  std::string name;
  std::vector<std::uint64_t> shape;
  float* data;
  std::size_t size;
};

template <decoder_model Model>
std::vector<moment_tensor> moment_tensors(trainer<Model>& trainer) {
  std::vector<moment_tensor> tensors;
  auto span = trainer.layout().spans().begin();
  for_each_parameter(
      [&](std::string_view parameter, const auto& leaf) {
        const parameter_span& place = *span++;
        if (!trainer.layout().is_trained(place)) return;
        const auto extents = leaf.shape();
        const std::vector<std::uint64_t> shape(extents.begin(), extents.end());
        const std::string name(parameter);
        tensors.push_back(
            {name + ".exp_avg", shape, trainer.optimizer_state().first.data() + place.offset, place.size});
        tensors.push_back({name + ".exp_avg_sq", shape,
                           trainer.optimizer_state().second.data() + place.offset, place.size});
      },
      trainer.model());
  return tensors;
}

/// Writes moments, counts and metadata, as save_training_state says.
TRANSEPT_FUNCTION void write_state(const std::filesystem::path& path,
                                   const std::vector<moment_tensor>& moments, std::size_t steps,
                                   std::uint64_t passes, std::map<std::string, std::string> metadata);

/// What a file has beside moments.
struct stored_state {
  std::uint64_t steps, passes;
  std::map<std::string, std::string> metadata;
};

/// Reads moments to where they lie, as load_training_state says: all of them or, where it throws, none.
TRANSEPT_FUNCTION stored_state read_state(const std::filesystem::path& path,
                                          const std::vector<moment_tensor>& moments);

} // namespace detail

/// Writes the optimizer's moments and steps and the count of passes, between two optimizer steps (gradients
/// that are being accumulated are not written), with metadata of the caller's. The file appears whole or not
/// at all. Throws file_error; argument_error for a key of metadata that is taken: format, steps, passes.
template <decoder_model Model>
void save_training_state(trainer<Model>& trainer, const std::filesystem::path& path,
                         std::map<std::string, std::string> metadata = {}) {
  detail::write_state(path, detail::moment_tensors(trainer), trainer.steps(), trainer.passes,
                      std::move(metadata));
}

/// Gives the trainer, whose model has the weights that were saved beside it, the state in the file; returns
/// the file's metadata. Throws file_error, format_error; shape_error for a state of another model, or
/// of other frozen blocks. Then the trainer is as it was.
template <decoder_model Model>
std::map<std::string, std::string> load_training_state(trainer<Model>& trainer,
                                                       const std::filesystem::path& path) {
  detail::stored_state stored = detail::read_state(path, detail::moment_tensors(trainer));
  trainer.optimizer_state().steps = static_cast<std::size_t>(stored.steps);
  trainer.passes = stored.passes;
  return std::move(stored.metadata);
}

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/train/impl/training_state.hpp>
#endif

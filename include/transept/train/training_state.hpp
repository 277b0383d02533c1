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

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/io/safetensors.hpp>
#include <transept/io/safetensors_writer.hpp>
#include <transept/train/training.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

inline constexpr std::string_view state_format = "transept training state 1";

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

/// The whole number that the file's metadata calls `key`.
inline std::uint64_t count_in_metadata(const safetensors_file& file, const std::string& key) {
  const auto found = file.metadata().find(key);
  const std::string text = found == file.metadata().end() ? "nothing" : found->second;
  std::uint64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size())
    throw format_error(file.path().string() + ": __metadata__: key " + quoted(key) +
                       ": expected a whole number, found " + quoted(text));
  return number;
}

} // namespace detail

/// Writes the optimizer's moments and steps and the count of passes, between two optimizer steps (gradients
/// that are being accumulated are not written), with metadata of the caller's. The file appears whole or not
/// at all. Throws file_error; argument_error for a key of metadata that is taken: format, steps, passes.
template <decoder_model Model>
void save_training_state(trainer<Model>& trainer, const std::filesystem::path& path,
                         std::map<std::string, std::string> metadata = {}) {
  for (const auto& [key, value] : {std::pair<const char*, std::string>{"format", detail::state_format},
                                   {"steps", std::to_string(trainer.steps())},
                                   {"passes", std::to_string(trainer.passes)}})
    if (!metadata.emplace(key, value).second)
      throw argument_error("save_training_state: the metadata's key " + quoted(key) + " is taken");
  std::vector<outgoing_tensor> tensors;
  for (const detail::moment_tensor& moment : detail::moment_tensors(trainer))
    tensors.push_back(
        {.name = moment.name,
         .shape = moment.shape,
         .bytes = {reinterpret_cast<const std::byte*>(moment.data), moment.size * sizeof(float)}});
  write_safetensors(path, tensors, metadata);
}

/// Gives the trainer, whose model has the weights that were saved beside it, the state in the file; returns
/// the file's metadata. Throws file_error, format_error; shape_error for a state of another model, or
/// of other frozen blocks. Then the trainer is as it was.
template <decoder_model Model>
std::map<std::string, std::string> load_training_state(trainer<Model>& trainer,
                                                       const std::filesystem::path& path) {
  const auto file = safetensors_file::open(path);
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != detail::state_format)
    throw format_error(path.string() + ": __metadata__: format: expected " + quoted(detail::state_format) +
                       ", found " + (format == file.metadata().end() ? "nothing" : quoted(format->second)));
  const std::uint64_t steps = detail::count_in_metadata(file, "steps");
  const std::uint64_t passes = detail::count_in_metadata(file, "passes");
  const auto moments = detail::moment_tensors(trainer);
  for (const detail::moment_tensor& moment : moments) {
    const stored_tensor* const found = file.find(moment.name);
    if (found == nullptr || found->shape != moment.shape || found->dtype != "F32")
      throw shape_error(
          path.string() + ": tensor " + moment.name + ": expected " + shape_text(moment.shape) +
          " of F32, found " +
          (found ? shape_text(found->shape) + " of " + found->dtype : "no tensor of that name"));
  }
  if (file.tensors().size() != moments.size())
    throw shape_error(path.string() + ": expected the moments of " + std::to_string(moments.size() / 2) +
                      " parameters, found those of " + std::to_string(file.tensors().size() / 2) +
                      "\n  As many blocks must be frozen as when it was saved.");
  for (const detail::moment_tensor& moment : moments)
    std::memcpy(moment.data, file.find(moment.name)->bytes.data(), moment.size * sizeof(float));
  trainer.optimizer_state().steps = static_cast<std::size_t>(steps);
  trainer.passes = passes;
  return file.metadata();
}

} // namespace transept::inline TRANSEPT_ABI

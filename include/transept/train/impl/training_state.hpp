// The file of a training state (train/training_state.hpp).
#pragma once

#include <charconv>
#include <cstddef>
#include <cstring>
#include <system_error>
#include <utility>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/io/safetensors.hpp>
#include <transept/io/safetensors_writer.hpp>
#include <transept/train/training_state.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

inline constexpr std::string_view state_format = "transept training state 1";

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

TRANSEPT_FUNCTION void write_state(const std::filesystem::path& path,
                                   const std::vector<moment_tensor>& moments, std::size_t steps,
                                   std::uint64_t passes, std::map<std::string, std::string> metadata) {
  for (const auto& [key, value] : {std::pair<const char*, std::string>{"format", state_format},
                                   {"steps", std::to_string(steps)},
                                   {"passes", std::to_string(passes)}})
    if (!metadata.emplace(key, value).second)
      throw argument_error("save_training_state: the metadata's key " + quoted(key) + " is taken");
  std::vector<outgoing_tensor> tensors;
  for (const moment_tensor& moment : moments)
    tensors.push_back(
        {.name = moment.name,
         .shape = moment.shape,
         .bytes = {reinterpret_cast<const std::byte*>(moment.data), moment.size * sizeof(float)}});
  write_safetensors(path, tensors, metadata);
}

TRANSEPT_FUNCTION stored_state read_state(const std::filesystem::path& path,
                                          const std::vector<moment_tensor>& moments) {
  const auto file = safetensors_file::open(path);
  const auto format = file.metadata().find("format");
  if (format == file.metadata().end() || format->second != state_format)
    throw format_error(path.string() + ": __metadata__: format: expected " + quoted(state_format) +
                       ", found " + (format == file.metadata().end() ? "nothing" : quoted(format->second)));
  const std::uint64_t steps = count_in_metadata(file, "steps");
  const std::uint64_t passes = count_in_metadata(file, "passes");
  for (const moment_tensor& moment : moments) {
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
  for (const moment_tensor& moment : moments)
    std::memcpy(moment.data, file.find(moment.name)->bytes.data(), moment.size * sizeof(float));
  return {steps, passes, file.metadata()};
}

} // namespace detail

} // namespace transept::inline TRANSEPT_ABI

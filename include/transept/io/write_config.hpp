// A model's configuration written as a config.json, for any family.
#pragma once

#include <filesystem>
#include <string>

#include <transept/core/element_type.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/config_writer.hpp>
#include <transept/io/model_config.hpp>

namespace transept::inline TRANSEPT_ABI {

/// The text of a config.json that Hugging Face and this library read back as `config`, for weights stored as
/// `stored_as`.
template <model_family Family>
std::string to_json(model_config<Family> config, element_type stored_as = element_type::f32) {
  std::string type(Family::model_types.front());
  if constexpr (requires { config.settings.model_type; }) type = config.settings.model_type;
  config_writer writer(type);
  Family::describe(writer, config.shape, config.settings);
  writer.add("torch_dtype", stored_as == element_type::f32   ? "\"float32\""
                            : stored_as == element_type::f16 ? "\"float16\""
                                                             : "\"bfloat16\"");
  return writer.text();
}

/// Writes config.json's text to `path`, whole or not at all. Throws file_error.
template <model_family Family>
void write_config(const std::filesystem::path& path, const model_config<Family>& config,
                  element_type stored_as = element_type::f32) {
  write_text(path, to_json(config, stored_as));
}

} // namespace transept::inline TRANSEPT_ABI

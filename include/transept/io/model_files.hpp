// What a model is loaded from: a Hugging Face folder, or a GGUF file.
#pragma once

#include <filesystem>
#include <optional>
#include <utility>

#include <transept/io/checkpoint.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/gguf_config.hpp>
#include <transept/io/huggingface_config.hpp>
#include <transept/io/model_folder.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A model's configuration, and the way to its weights. Of a folder only config.json is read until the
/// weights are asked for.
class model_files {
public:
  /// Throws file_error, format_error, config_error, and for GGUF shape_error, as read_config does.
  static model_files open(const std::filesystem::path& path) {
    if (!is_gguf(path)) {
      detail::check_folder(path);
      if (!detail::is_there(path / "config.json")) detail::check_weights(path); // a folder of something else
      return {path, read_config(path / "config.json"), std::nullopt};
    }
    auto file = gguf_file::open(path);
    auto config = read_config(file);
    return {path, std::move(config), std::move(file)};
  }

  const std::filesystem::path& path() const { return path_; }
  const huggingface_config& config() const { return config_; }

  /// Throws as checkpoint::open does.
  checkpoint weights() const { return gguf_ ? checkpoint::of(*gguf_) : checkpoint::open(path_); }

  /// The file, where it is GGUF.
  const std::optional<gguf_file>& gguf() const { return gguf_; }

private:
  model_files(std::filesystem::path path, huggingface_config config, std::optional<gguf_file> gguf)
      : path_(std::move(path)), config_(std::move(config)), gguf_(std::move(gguf)) {}

  std::filesystem::path path_;
  huggingface_config config_;
  std::optional<gguf_file> gguf_;
};

} // namespace transept::inline TRANSEPT_ABI

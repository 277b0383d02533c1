// What a model is loaded from: a Hugging Face folder, or a GGUF file.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>

#include <transept/core/display.hpp>
#include <transept/core/json.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/gguf_config.hpp>
#include <transept/io/model_config.hpp>
#include <transept/io/model_folder.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A model's configuration, as the files have it, and the way to its weights. Of a folder only config.json is
/// read until the weights are asked for.
class model_files {
public:
  /// Throws file_error, format_error.
  static model_files open(const std::filesystem::path& path) {
    if (is_gguf(path)) return {path, json(), gguf_file::open(path)};
    detail::check_folder(path);
    if (!detail::is_there(path / "config.json")) detail::check_weights(path); // a folder of something else
    return {path, read_config_json(path / "config.json"), std::nullopt};
  }

  const std::filesystem::path& path() const { return path_; }

  /// Whether a model of this family is in the files; one of a config.json that names no model type may be
  /// any.
  template <model_family Family>
  bool is_of() const {
    if (gguf_) return is_of_family<Family>(*gguf_);
    const auto type = config_.is_object() ? config_.find("model_type") : config_.end();
    return !config_.is_object() || type == config_.end() ||
           (type->is_string() && detail::is_of_family<Family>(type->get_ref<const std::string&>()));
  }

  /// What the files call their kind of model, quoted, or in words where they do not say.
  std::string type_in_words() const {
    if (gguf_) {
      const auto name = gguf_->metadata().text("general.architecture");
      if (name == own_architecture) return quoted(*name) + " with a model_type that is not known";
      return name ? quoted(*name) : "no such key";
    }
    const auto type = config_.find("model_type");
    return type == config_.end() ? "nothing" : described(*type);
  }

  /// The configuration of a model of this family. Throws config_error, and for GGUF shape_error, as
  /// read_config does.
  template <model_family Family>
  model_config<Family> config() const {
    return gguf_ ? read_config<Family>(*gguf_)
                 : parse_config<Family>(config_, (path_ / "config.json").string());
  }

  /// Throws as checkpoint::open does.
  checkpoint weights() const { return gguf_ ? checkpoint::of(*gguf_) : checkpoint::open(path_); }

  /// The file, where it is GGUF.
  const std::optional<gguf_file>& gguf() const { return gguf_; }

private:
  model_files(std::filesystem::path path, json config, std::optional<gguf_file> gguf)
      : path_(std::move(path)), config_(std::move(config)), gguf_(std::move(gguf)) {}

  std::filesystem::path path_;
  json config_;
  std::optional<gguf_file> gguf_;
};

} // namespace transept::inline TRANSEPT_ABI

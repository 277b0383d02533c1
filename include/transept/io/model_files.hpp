// What a model is loaded from: a Hugging Face folder, or a GGUF file.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/core/json_fwd.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/gguf_config.hpp>
#include <transept/io/model_config.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A model's configuration, as the files have it, and the way to its weights. Of a folder only config.json is
/// read until the weights are asked for.
class model_files {
public:
  /// Throws file_error, format_error.
  static model_files open(const std::filesystem::path& path);

  /// Of a folder's files that are in memory: config.json's text, and model.safetensors' bytes. Those must
  /// outlive what is loaded from them, or `owner` keeps them. `name` stands for the folder's in messages.
  /// Throws format_error.
  static model_files of(std::string_view config, std::span<const std::byte> safetensors,
                        const std::string& name = "memory", std::shared_ptr<const void> owner = {});
  /// Of a GGUF file that is in memory.
  static model_files of(std::span<const std::byte> gguf, const std::string& name = "memory",
                        std::shared_ptr<const void> owner = {});

  const std::filesystem::path& path() const { return path_; } ///< of the folder or the GGUF file

  /// Whether a model of this family is in the files; one of a config.json that names no model type may be
  /// any.
  template <model_family Family>
  bool is_of() const {
    return gguf_ ? is_of_family<Family>(*gguf_) : may_be_of(Family::model_types);
  }

  /// Whether the files say which kind of model is in them.
  bool name_a_type() const;

  /// What the files call their kind of model, quoted, or in words where they do not say.
  std::string type_in_words() const;

  /// The configuration of a model of this family. Throws config_error, and for GGUF shape_error, as
  /// read_config does; format_error for a damaged generation_config.json.
  ///
  /// In a folder, generation_config.json's tokens that begin and end a text count, where it is there; and of
  /// a family whose models may lack parameters that config.json says nothing of, which tensors there are.
  template <model_family Family>
  model_config<Family> config() const {
    auto config = gguf_ ? read_config<Family>(*gguf_)
                        : parse_config<Family>(*config_, (path_ / "config.json").string());
    if (!gguf_)
      read_generation_config(config.shape.vocab_size, config.settings.bos_token_id,
                             config.settings.eos_token_ids);
    std::optional<checkpoint> opened;
    const auto has = [&](std::string_view name) {
      if (!opened) opened = weights();
      return opened->find(name) != nullptr;
    };
    if constexpr (requires { Family::heed_tensors(config.shape, config.settings, file_naming{}, has); })
      Family::heed_tensors(config.shape, config.settings, naming(), has);
    return config;
  }

  /// Throws as checkpoint::open does.
  checkpoint weights() const;

  /// Whose names the weights have.
  file_naming naming() const { return gguf_ ? gguf_->naming() : file_naming::huggingface; }

  /// The file, where it is GGUF.
  const std::optional<gguf_file>& gguf() const { return gguf_; }

private:
  model_files(std::filesystem::path path, std::shared_ptr<const json> config, std::optional<gguf_file> gguf);

  bool may_be_of(std::span<const std::string_view> model_types) const;
  void read_generation_config(int vocab_size, std::optional<token_id>& bos, std::vector<token_id>& eos) const;

  std::filesystem::path path_;
  std::shared_ptr<const json> config_; ///< none of a GGUF file
  std::optional<gguf_file> gguf_;
  std::optional<safetensors_file> safetensors_; ///< of a folder that is in memory
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/model_files.hpp>
#endif

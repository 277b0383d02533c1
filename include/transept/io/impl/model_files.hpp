// How a model's files are opened (io/model_files.hpp).
#pragma once

#include <algorithm>
#include <string>
#include <utility>

#include <transept/core/display.hpp>
#include <transept/core/json.hpp>
#include <transept/io/model_files.hpp>
#include <transept/io/model_folder.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION model_files::model_files(std::filesystem::path path, std::shared_ptr<const json> config,
                                           std::optional<gguf_file> gguf)
    : path_(std::move(path)), config_(std::move(config)), gguf_(std::move(gguf)) {}

TRANSEPT_FUNCTION model_files model_files::open(const std::filesystem::path& path) {
  if (transept::is_gguf(path)) return {path, nullptr, gguf_file::open(path)};
  detail::check_folder(path);
  if (!detail::is_there(path / "config.json")) detail::check_weights(path); // a folder of something else
  return {path, read_config_document(path / "config.json"), std::nullopt};
}

TRANSEPT_FUNCTION model_files model_files::of(std::string_view config, std::span<const std::byte> safetensors,
                                              const std::string& name, std::shared_ptr<const void> owner) {
  model_files files(name, parse_json_document(config, (std::filesystem::path(name) / "config.json").string()),
                    std::nullopt);
  files.safetensors_ = safetensors_file::of(
      safetensors, (std::filesystem::path(name) / "model.safetensors").string(), std::move(owner));
  return files;
}

TRANSEPT_FUNCTION model_files model_files::of(std::span<const std::byte> gguf, const std::string& name,
                                              std::shared_ptr<const void> owner) {
  return {name, nullptr, gguf_file::of(gguf, name, std::move(owner))};
}

TRANSEPT_FUNCTION bool model_files::may_be_of(std::span<const std::string_view> model_types) const {
  const auto type = config_->is_object() ? config_->find("model_type") : config_->end();
  return !config_->is_object() || type == config_->end() ||
         (type->is_string() &&
          std::ranges::find(model_types, type->get_ref<const std::string&>()) != model_types.end());
}

TRANSEPT_FUNCTION bool model_files::name_a_type() const {
  return gguf_.has_value() || (config_->is_object() && config_->contains("model_type"));
}

TRANSEPT_FUNCTION std::string model_files::type_in_words() const {
  if (gguf_) {
    const auto name = gguf_->metadata().text("general.architecture");
    if (name == own_architecture) return quoted(*name) + " with a model_type that is not known";
    return name ? quoted(*name) : "no such key";
  }
  const auto type = config_->find("model_type");
  return type == config_->end() ? "nothing" : described(*type);
}

TRANSEPT_FUNCTION void model_files::read_generation_config(int vocab_size, std::optional<token_id>& bos,
                                                           std::vector<token_id>& eos) const {
  const auto file = path_ / "generation_config.json";
  if (safetensors_ || !detail::is_there(file)) return;
  const json root = read_config_json(file);
  const config_reader reader(root, file.string());
  reader.token("bos_token_id", bos, bos, vocab_size);
  reader.tokens("eos_token_id", eos, eos, vocab_size);
}

TRANSEPT_FUNCTION checkpoint model_files::weights() const {
  if (safetensors_) return checkpoint::of(*safetensors_);
  return gguf_ ? checkpoint::of(*gguf_) : checkpoint::open(path_);
}

} // namespace transept::inline TRANSEPT_ABI

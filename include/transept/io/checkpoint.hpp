// The weights of a model: those of a Hugging Face folder (one safetensors file, or shards that an index
// joins), or those of a GGUF file, each under the name that its file gives it.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/error.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/safetensors.hpp>

namespace transept::inline TRANSEPT_ABI {

/// One look-up over all the tensors of a folder or file. Copies share the mappings.
class checkpoint {
public:
  /// Opens `model.safetensors` or, where there is none, the shards of `model.safetensors.index.json`; or the
  /// GGUF file itself. Throws file_error where weights are missing or come only as pickle files, format_error
  /// where a file is damaged.
  static checkpoint open(const std::filesystem::path& folder);

  /// The tensors of a GGUF file.
  static checkpoint of(const gguf_file& file);
  /// The tensors of a safetensors file.
  static checkpoint of(const safetensors_file& file);

  /// All tensors: shards by name, in each the order of its bytes. Tensors of a shard that the index does not
  /// name, or places elsewhere, are not among them.
  const std::vector<stored_tensor>& tensors() const { return *tensors_; }

  /// The tensor of this very name, or nullptr. The pointer lives as long as `owner()` or any copy of this.
  const stored_tensor* find(std::string_view name) const;

  /// The folder, or the GGUF file.
  const std::filesystem::path& folder() const { return folder_; }

  /// Whose names the tensors have.
  file_naming naming() const { return naming_; }

  /// Whether the tensors are a GGUF file's, with its names and element types.
  bool is_gguf() const { return naming_ != file_naming::huggingface; }

  /// Keeps every file mapped and `tensors()` alive: keep a copy wherever a view of a tensor is kept.
  std::shared_ptr<const void> owner() const { return tensors_; }

private:
  /// The list owns the mappings that its spans point into.
  struct tensor_list : std::vector<stored_tensor> {
    std::vector<std::shared_ptr<const void>> mappings;
  };

  explicit checkpoint(const std::filesystem::path& folder)
      : folder_(folder), tensors_(std::make_shared<tensor_list>()) {}

  /// The tensors of a safetensors_file or gguf_file that is_wanted(tensor).
  template <class File, class Filter>
  void add(const File& file, Filter&& is_wanted);

  /// The index names every tensor's shard; a shard lies in the folder itself or below it.
  void read_index(const std::filesystem::path& path);

  /// Relative, below the folder, and fit for a message.
  static bool is_safe_name(const std::string& name);

  std::filesystem::path folder_;
  file_naming naming_ = file_naming::huggingface;
  std::shared_ptr<tensor_list> tensors_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/io/impl/checkpoint.hpp>
#endif

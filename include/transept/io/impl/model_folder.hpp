// How a folder that holds no model is told from one that does (io/model_folder.hpp).
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <system_error>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/model_folder.hpp>

namespace transept::inline TRANSEPT_ABI::detail {

TRANSEPT_FUNCTION bool is_there(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::exists(std::filesystem::symlink_status(path, ignored));
}

TRANSEPT_FUNCTION std::string download_help() {
  return "\n  A folder as downloaded from Hugging Face has all that is needed, for instance:"
         "\n    huggingface-cli download gpt2 config.json model.safetensors vocab.json merges.txt "
         "--local-dir gpt2";
}

TRANSEPT_FUNCTION void check_folder(const std::filesystem::path& folder) {
  std::error_code error;
  const auto status = std::filesystem::status(folder, error);
  if (!std::filesystem::exists(status)) {
    throw file_error(folder.string() + ": no such folder" +
                     "\n  Expected a folder with config.json and model.safetensors." + download_help());
  }
  if (!std::filesystem::is_directory(status)) {
    const auto parent = folder.has_parent_path() ? folder.parent_path() : std::filesystem::path(".");
    throw file_error(folder.string() +
                     ": expected a folder with config.json and model.safetensors, or a GGUF file, found a "
                     "file of another kind" +
                     (folder.extension() == ".safetensors"
                          ? "\n  Give the folder that it lies in: " + parent.string()
                          : ""));
  }
}

/// Of a folder of Hugging Face's cache, which keeps models in folders of their own below it: which of them to
/// give instead. Of any other nothing.
inline std::string cache_hint(const std::filesystem::path& folder) {
  std::error_code error;
  std::vector<std::string> found;
  const auto add_snapshots = [&](const std::filesystem::path& model) {
    for (const auto& entry : std::filesystem::directory_iterator(model / "snapshots", error))
      if (is_there(entry.path() / "config.json")) found.push_back(escaped(entry.path().string(), 400));
  };
  add_snapshots(folder);
  for (const auto& entry : std::filesystem::directory_iterator(folder, error))
    if (entry.path().filename().string().starts_with("models--")) add_snapshots(entry.path());
  if (found.empty()) return {};
  std::ranges::sort(found);
  std::string list;
  for (const std::string& each : std::span(found).first(std::min<std::size_t>(found.size(), 5)))
    list += "\n    " + each;
  return "\n  This is a folder of Hugging Face's cache. Give a model's own folder in it instead:" + list;
}

TRANSEPT_FUNCTION void check_weights(const std::filesystem::path& folder) {
  if (is_there(folder / "model.safetensors") || is_there(folder / "model.safetensors.index.json")) return;
  std::vector<std::string> pickles, gguf_files, others;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const std::string extension = entry.path().extension().string();
    const std::string name = entry.path().filename().string();
    if (extension == ".bin" || extension == ".pt" || extension == ".pth" || extension == ".ckpt" ||
        extension == ".pkl" || name == "pytorch_model.bin.index.json") {
      pickles.push_back(name);
    } else if (is_gguf_name(entry.path())) {
      gguf_files.push_back(name);
    } else if (extension == ".safetensors" || extension == ".h5" || extension == ".msgpack") {
      others.push_back(name);
    }
  }
  const auto first = [](const std::vector<std::string>& names) {
    return escaped(*std::ranges::min_element(names), 80);
  };
  const std::string message =
      folder.string() + ": expected model.safetensors or model.safetensors.index.json, found ";
  if (!gguf_files.empty())
    throw file_error(message + "only " + first(gguf_files) +
                     ", which is opened by its own path\n  Give that instead: " +
                     escaped((folder / *std::ranges::min_element(gguf_files)).string(), 400));
  if (!pickles.empty())
    throw file_error(
        message + "only the pickle file " + first(pickles) +
        ", which is never read\n  Reading a pickle runs whatever program it holds. Use the model's "
        "safetensors instead; where only pickles are\n  published, convert them on a machine you can lose: "
        "\n    python3 -c 'from transformers import AutoModelForCausalLM as M; "
        "M.from_pretrained(\"FOLDER\").save_pretrained(\"OUT\", safe_serialization=True)'" +
        download_help());
  const std::string hint = cache_hint(folder);
  throw file_error(message + (others.empty() ? "neither" : "only " + first(others)) +
                   (hint.empty() ? download_help() : hint));
}

} // namespace transept::inline TRANSEPT_ABI::detail

// How the tensors of a folder or file are gathered (io/checkpoint.hpp).
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/model_folder.hpp>
#include <transept/io/safetensors.hpp>

namespace transept::inline TRANSEPT_ABI {

template <class File, class Filter>
void checkpoint::add(const File& file, Filter&& is_wanted) {
  if (file.owner()) tensors_->mappings.push_back(file.owner());
  for (const stored_tensor& tensor : file.tensors()) {
    if (!is_wanted(tensor)) continue;
    index_.emplace(tensor.name, tensors_->size());
    tensors_->push_back(tensor);
  }
}

TRANSEPT_FUNCTION checkpoint checkpoint::open(const std::filesystem::path& folder) {
  if (transept::is_gguf(folder)) return of(gguf_file::open(folder));
  detail::check_folder(folder);
  detail::check_weights(folder);
  checkpoint result(folder);
  const auto whole = folder / "model.safetensors";
  if (detail::is_there(whole))
    result.add(safetensors_file::open(whole), [](const stored_tensor&) { return true; });
  else
    result.read_index(folder / "model.safetensors.index.json");
  return result;
}

TRANSEPT_FUNCTION checkpoint checkpoint::of(const gguf_file& file) {
  checkpoint result(file.path());
  result.naming_ = file.naming();
  result.add(file, [](const stored_tensor&) { return true; });
  return result;
}

TRANSEPT_FUNCTION checkpoint checkpoint::of(const safetensors_file& file) {
  checkpoint result(file.path());
  result.add(file, [](const stored_tensor&) { return true; });
  return result;
}

TRANSEPT_FUNCTION const stored_tensor* checkpoint::find(std::string_view name) const {
  const auto place = index_.find(name);
  return place == index_.end() ? nullptr : &(*tensors_)[place->second];
}

TRANSEPT_FUNCTION void checkpoint::read_index(const std::filesystem::path& path) {
  const mapped_file file(path);
  const std::string source = path.string();
  const json root = parse_json(file.text(), source);
  const auto fail = [&](const std::string& what) { throw format_error(source + ": " + what); };
  if (!root.is_object()) fail("expected a JSON object, found " + described(root));
  const auto weight_map = root.find("weight_map");
  if (weight_map == root.end()) fail("expected the key \"weight_map\", found none");
  if (!weight_map->is_object()) fail("weight_map: expected an object, found " + described(*weight_map));

  std::map<std::string, std::vector<const std::string*>> shards; // shard -> names of its tensors, sorted
  for (const auto& [name, shard] : weight_map->get_ref<const json::object_t&>()) {
    if (!shard.is_string()) {
      fail("weight_map: tensor " + quoted(name) + ": expected a file name, found " + described(shard));
    }
    const auto& shard_name = shard.get_ref<const std::string&>();
    if (!is_safe_name(shard_name)) {
      fail("weight_map: tensor " + quoted(name) + ": expected a file inside the folder, found the path " +
           quoted(shard_name));
    }
    shards[shard_name].push_back(&name);
  }
  for (const auto& [shard, tensors] : shards) {
    const auto& names = tensors; // no structured binding: clang 14 lets no lambda have one
    if (!detail::is_there(folder_ / shard)) {
      throw file_error((folder_ / shard).string() + ": missing shard: " + source + " places " +
                       std::to_string(names.size()) + (names.size() == 1 ? " tensor" : " tensors") +
                       ", first " + quoted(*names.front()) +
                       ", in it\n  Download all the shards that the index names.");
    }
    const auto opened = safetensors_file::open(folder_ / shard);
    for (const std::string* name : names) {
      if (opened.find(*name) == nullptr) {
        throw format_error((folder_ / shard).string() + ": tensor " + quoted(*name) +
                           ": expected in this shard by " + source + ", found no such tensor");
      }
    }
    add(opened, [&](const stored_tensor& tensor) {
      return std::ranges::binary_search(names, tensor.name, {},
                                        [](const std::string* name) -> const std::string& { return *name; });
    });
  }
}

TRANSEPT_FUNCTION bool checkpoint::is_safe_name(const std::string& name) {
  if (name.empty() || name.find_first_of("\\:") != name.npos) return false;
  if (detail::escaped(name, name.size()) != name) return false;
  const std::filesystem::path path(name);
  if (path.is_absolute() || path.has_root_path() || !path.has_filename()) return false;
  return std::ranges::none_of(path,
                              [](const std::filesystem::path& part) { return part == ".." || part == "."; });
}

} // namespace transept::inline TRANSEPT_ABI

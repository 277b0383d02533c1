// Tiny models with the outputs of Hugging Face transformers: those in tests/fixtures/models, and all of
// ../shared/oracle where that is there.
#pragma once

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <support/npy.hpp>
#include <support/paths.hpp>

#include <transept/core/json.hpp>
#include <transept/core/types.hpp>
#include <transept/io/model_files.hpp>
#include <transept/models/all.hpp>

namespace support {

/// One case: a folder that holds model/, inputs and outputs.
struct oracle_case {
  std::filesystem::path folder;

  std::string name() const { return folder.filename().string(); }
  std::filesystem::path model() const { return folder / "model"; }
  bool has(const std::string& file) const { return std::filesystem::exists(folder / file); }
  npy_array<float> floats(const std::string& file) const { return read_npy<float>(folder / (file + ".npy")); }
  npy_array<std::int64_t> numbers(const std::string& file) const {
    return read_npy<std::int64_t>(folder / (file + ".npy"));
  }
  transept::json meta() const {
    std::ifstream file(folder / "meta.json");
    return transept::json::parse(file);
  }
  /// Rows of token ids: the last axis.
  std::vector<std::vector<transept::token_id>> ids(const std::string& file) const {
    const auto all = numbers(file);
    const std::size_t length = all.shape.back();
    std::vector<std::vector<transept::token_id>> rows(all.values.size() / length);
    for (std::size_t r = 0; r < rows.size(); ++r)
      for (std::size_t t = 0; t < length; ++t)
        rows[r].push_back(static_cast<transept::token_id>(all.values[r * length + t]));
    return rows;
  }
};

namespace detail {

/// Whether the folder is a language model of one of the library's families, and nothing else.
inline bool is_known_decoder(const std::filesystem::path& folder) {
  for (const char* file : {"model/model.safetensors", "logits.npy", "attentions.npy", "greedy_ids.npy"})
    if (!std::filesystem::exists(folder / file)) return false;
  const auto config = transept::read_config_json(folder / "model");
  if (!config.contains("model_type") || config.value("add_cross_attention", false)) return false;
  const std::string architecture = config.at("architectures").at(0);
  if (!architecture.ends_with("LMHeadModel") && !architecture.ends_with("ForCausalLM")) return false;
  const std::string type = config.at("model_type");
  bool known = false;
  for_each_model(transept::all_models{}, [&]<class Model>(std::type_identity<Model>) {
    const auto& types = Model::family::model_types;
    known = known || std::ranges::find(types, type) != types.end();
  });
  return known;
}

} // namespace detail

/// The cases in a folder, by name.
inline std::vector<oracle_case> oracle_cases(const std::filesystem::path& parent) {
  std::vector<oracle_case> cases;
  for (const auto& entry : std::filesystem::directory_iterator(parent))
    if (entry.is_directory() && detail::is_known_decoder(entry.path())) cases.push_back({entry.path()});
  std::ranges::sort(cases, {}, &oracle_case::folder);
  return cases;
}

inline std::vector<oracle_case> fixture_cases() { return oracle_cases(fixture("models")); }

/// Those of ../shared/oracle; none, said so, where it is absent.
inline std::vector<oracle_case> shared_cases() {
  const auto shared = shared_dir();
  return shared ? oracle_cases(*shared / "oracle") : std::vector<oracle_case>();
}

} // namespace support

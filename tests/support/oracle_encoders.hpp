// The encoders among the tiny models of support/oracle.hpp: those in tests/fixtures/encoders, and all of
// ../shared/oracle where that is there.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <support/oracle.hpp>

#include <transept/models/bert/config.hpp>

namespace support {

/// The cases in a folder, by name, whose model is an encoder of the library.
inline std::vector<oracle_case> encoder_cases(const std::filesystem::path& parent) {
  std::vector<oracle_case> cases;
  for (const auto& entry : std::filesystem::directory_iterator(parent)) {
    if (!std::filesystem::exists(entry.path() / "model/model.safetensors")) continue;
    const auto config = transept::read_config_json(entry.path() / "model");
    const auto& types = transept::bert_family::model_types;
    if (std::ranges::find(types, config.value("model_type", std::string())) == types.end()) continue;
    if (!config.value("is_decoder", false)) cases.push_back({entry.path()});
  }
  std::ranges::sort(cases, {}, &oracle_case::folder);
  return cases;
}

inline std::vector<oracle_case> encoder_fixtures() { return encoder_cases(fixture("encoders")); }

/// Those of ../shared/oracle; none, said so, where it is absent.
inline std::vector<oracle_case> shared_encoders() {
  const auto shared = shared_dir();
  return shared ? encoder_cases(*shared / "oracle") : std::vector<oracle_case>();
}

} // namespace support

// The same work for each translation unit. In an unnamed namespace: a shared inline function would break the
// one-definition rule by itself.
#pragma once

#include <string>

#include <transept/core/element_type.hpp>
#include <transept/core/json.hpp>

namespace {

std::string work(const std::string&) {
  const auto value = transept::parse_json("{\"n_embd\": 128}", "work").at("n_embd").get<int>();
  return std::to_string(transept::to_float(transept::to_f16(static_cast<float>(value))));
}

} // namespace

std::string work_for_any_machine(const std::string& folder);
std::string work_for_avx2(const std::string& folder);

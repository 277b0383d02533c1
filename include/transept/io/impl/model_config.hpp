// How a config.json is found, and a declaration written (io/model_config.hpp).
#pragma once

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/model_config.hpp>
#include <transept/io/model_folder.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

TRANSEPT_FUNCTION std::string model_type_of(const config_reader& reader,
                                            std::span<const std::string_view> known) {
  if (const json* const quantized = reader.find("quantization_config", true)) {
    const auto method = quantized->is_object() ? quantized->find("quant_method") : quantized->end();
    const bool is_named = quantized->is_object() && method != quantized->end() && method->is_string();
    reader.fail(
        "quantization_config: expected weights of F32, F16 or BF16, found a checkpoint quantized by " +
        (is_named ? quoted(method->get_ref<const std::string&>()) : "another program") +
        "\n  Take the model that it was made from.");
  }
  const json* const type = reader.find("model_type");
  if (type == nullptr) return std::string(known.front());
  if (std::ranges::find(known, reader.text_of(*type)) == known.end()) {
    std::string list;
    for (const std::string_view each : known)
      list += (list.empty() ? "\"" : ", \"") + std::string(each) + "\"";
    reader.fail("model_type", (known.size() == 1 ? "" : "one of ") + list, *type);
  }
  return std::string(reader.text_of(*type));
}

TRANSEPT_FUNCTION std::string declaration(std::string_view config_name, std::string_view name,
                                          std::string_view initializer) {
  const auto is_word = [](char c) { return c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name.front())) != 0 ||
      !std::ranges::all_of(name, is_word)) {
    throw argument_error("to_declaration: expected a C++ identifier, found " + quoted(name));
  }
  return "inline constexpr transept::" + std::string(config_name) + " " + std::string(name) +
         std::string(initializer) + ";";
}

} // namespace detail

TRANSEPT_FUNCTION std::filesystem::path config_file_of(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error) ? path / "config.json" : path;
}

TRANSEPT_FUNCTION json read_config_json(const std::filesystem::path& path) {
  const auto file_path = config_file_of(path);
  std::error_code error;
  if (!std::filesystem::exists(std::filesystem::symlink_status(file_path, error)))
    throw file_error(file_path.string() + ": no such file" + detail::download_help());
  const mapped_file file(file_path);
  return parse_json(file.text(), file_path.string());
}

TRANSEPT_FUNCTION std::shared_ptr<const json> read_config_document(const std::filesystem::path& path) {
  return std::make_shared<const json>(read_config_json(path));
}

} // namespace transept::inline TRANSEPT_ABI

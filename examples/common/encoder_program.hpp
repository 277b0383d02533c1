// What the programs that run an encoder share: --model, --dtype, --threads, --json, and the lines they read.
#pragma once

#include <algorithm>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <common/any_encoder.hpp>
#include <common/program.hpp>
#include <common/texts.hpp>
#include <common/tokenizer.hpp>

#include <transept/core/json.hpp>
#include <transept/encode/encoder_session.hpp>

namespace examples {

struct encoder_options {
  std::filesystem::path model;
  std::string dtype;
  int threads = 0;
  bool json = false;

  void add_to(CLI::App& app, const std::string& kind) {
    app.add_option("--model", model,
                   "Folder with " + kind + ": config.json, model.safetensors, the vocabulary")
        ->type_name("PATH")
        ->required();
    app.add_option("--dtype", dtype, "Type of the weights in memory (default: as the file has them)")
        ->type_name(element_type_choices)
        ->check(is_element_type());
    app.add_option("--threads", threads, "Threads to compute with; 0: one per processor")
        ->type_name("N")
        ->capture_default_str();
    app.add_flag("--json", json, "JSON in place of lines for people");
  }

  transept::load_options load_options() const {
    return {.type = element_type_named(dtype), .packed = true, .threads = threads, .note = print_note};
  }
  transept::encoder_session session() const { return transept::encoder_session({.threads = threads}); }
};

/// The lines of files, or of standard input where there are none, without line feeds (and without the
/// carriage return before one).
inline std::vector<std::string> read_lines(const std::vector<std::filesystem::path>& paths) {
  std::vector<std::string> lines;
  for (const auto& path : paths.empty() ? std::vector<std::filesystem::path>{"-"} : paths) {
    const std::string text = read_all(path);
    check_encoding(text, path == "-" ? "standard input" : path.string());
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      std::size_t length = end - begin;
      if (length > 0 && text[end - 1] == '\r') --length;
      lines.push_back(text.substr(begin, length));
      begin = end + 1;
    }
  }
  return lines;
}

/// An object on a line of its own; what is no UTF-8 is replaced.
inline void print_json(const transept::json& object) {
  std::cout << object.dump(-1, ' ', false, transept::json::error_handler_t::replace) << "\n";
}

} // namespace examples

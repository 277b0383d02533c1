// What all the programs share: --model, --threads, --help, and how errors are told.
#pragma once

#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>

namespace examples {

/// The options that every program takes.
struct common_options {
  std::filesystem::path model = TRANSEPT_DEFAULT_MODEL;
  int threads = 0;

  void add_to(CLI::App& app) {
    app.add_option("--model", model, "Folder with config.json, model.safetensors and the vocabulary")
        ->type_name("DIR")
        ->capture_default_str();
    app.add_option("--threads", threads, "Threads to compute with; 0: one per processor")
        ->type_name("N")
        ->capture_default_str();
  }
};

/// Parses the command line and runs `body`. Whatever goes wrong is told on stderr, the first line says what;
/// the exit code is then 1.
template <class Body>
int run_program(CLI::App& app, int argc, char** argv, Body&& body) {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::cout << app.help();
    return 0;
  } catch (const CLI::ParseError& error) {
    std::cerr << error.what() << "\n  " << app.get_name() << " --help lists the options\n";
    return 1;
  }
  try {
    std::forward<Body>(body)();
    if (!std::cout.flush()) throw transept::file_error("cannot write to standard output");
    return 0;
  } catch (const std::bad_alloc&) {
    std::cerr << "out of memory\n";
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
  }
  return 1;
}

} // namespace examples

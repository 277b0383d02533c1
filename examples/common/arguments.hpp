// --model, --threads and --help for a program that wants no more and would rather not compile a command-line
// parser for it.
#pragma once

#include <filesystem>
#include <string>

namespace examples {

struct common_arguments {
  std::filesystem::path model; ///< --model PATH
  int threads = 0;             ///< --threads N
};

/// Parses the command line. --help, and an argument that is wrong, end the program.
common_arguments parse_arguments(int argc, char** argv, const std::string& description,
                                 const std::string& name);

} // namespace examples

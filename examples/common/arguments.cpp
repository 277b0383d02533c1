#include <common/arguments.hpp>

#include <cstdlib>

#include <common/program.hpp>

namespace examples {

common_arguments parse_arguments(int argc, char** argv, const std::string& description,
                                 const std::string& name) {
  CLI::App app(description, name);
  common_options common;
  common.add_to(app);
  bool parsed = false;
  const int status = run_program(app, argc, argv, [&] { parsed = true; });
  if (!parsed) std::exit(status);
  return {.model = common.model, .threads = common.threads};
}

} // namespace examples

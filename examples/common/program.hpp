// What all the programs share: --model, --threads, --help, and how errors are told.
#pragma once

#include <exception>
#include <filesystem>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <CLI/CLI.hpp>

#include <common/interruption.hpp>
#include <common/terminal.hpp>

#include <transept/core/error.hpp>
#include <transept/core/types.hpp>
#include <transept/generate/session.hpp>
#include <transept/io/load_model.hpp>

namespace examples {

/// The options that every program takes.
struct common_options {
  std::filesystem::path model = TRANSEPT_DEFAULT_MODEL;
  int threads = 0;

  void add_to(CLI::App& app) {
    app.add_option("--model", model,
                   "Folder with config.json, model.safetensors and the vocabulary; or a GGUF file")
        ->type_name("PATH")
        ->capture_default_str();
    app.add_option("--threads", threads, "Threads to compute with; 0: one per processor")
        ->type_name("N")
        ->capture_default_str();
  }
};

/// How the programs name element types.
inline constexpr const char* element_type_choices = "f32|f16|bf16|int8|int4";

inline std::optional<transept::element_type> element_type_named(std::string_view name) {
  using transept::element_type;
  if (name == "f32") return element_type::f32;
  if (name == "f16") return element_type::f16;
  if (name == "bf16") return element_type::bf16;
  if (name == "int8") return element_type::q8_0;
  if (name == "int4") return element_type::q4_0;
  return std::nullopt;
}

inline CLI::Validator is_element_type() {
  return CLI::IsMember({"f32", "f16", "bf16", "int8", "int4"}).description("");
}

inline constexpr const char* cache_type_choices = "f32|bf16|int8";

inline transept::cache_type cache_type_named(std::string_view name) {
  if (name == "bf16") return transept::cache_type::bf16;
  if (name == "int8") return transept::cache_type::int8;
  return transept::cache_type::f32;
}

inline CLI::Validator is_cache_type() { return CLI::IsMember({"f32", "bf16", "int8"}).description(""); }

/// Adds the option --f32-precision, to which `name` is bound.
inline void add_f32_precision(CLI::App& app, std::string& name) {
  app.add_option("--f32-precision", name,
                 "How prompts are multiplied by f32 or f16 weights: bf16x3 is faster where there is AMX, and "
                 "nearly as exact")
      ->type_name("full|bf16x3")
      ->check(CLI::IsMember({"full", "bf16x3"}).description(""))
      ->capture_default_str();
}

/// "bf16" (training's alone), "bf16x3"; any other name: in full.
inline transept::f32_precision f32_precision_named(std::string_view name) {
  return name == "bf16"     ? transept::f32_precision::bf16
         : name == "bf16x3" ? transept::f32_precision::bf16x3
                            : transept::f32_precision::full;
}

/// The options of every program that runs a model.
struct model_options : common_options {
  std::string dtype; ///< empty: as the file has them
  std::string kv_dtype = "f32";
  std::string f32_precision = "full";
  bool no_packing = false;

  void add_to(CLI::App& app) {
    common_options::add_to(app);
    app.add_option("--dtype", dtype, "Type of the weights in memory (default: as the file has them)")
        ->type_name(element_type_choices)
        ->check(is_element_type());
    app.add_option("--kv-dtype", kv_dtype, "Type of the key/value cache")
        ->type_name(cache_type_choices)
        ->check(is_cache_type())
        ->capture_default_str();
    add_f32_precision(app, f32_precision);
    app.add_flag("--no-packing", no_packing,
                 "Use weights of f32 and 16 bits where they are mapped: starts sooner, decodes slower");
  }

  transept::load_options load_options() const {
    return {.type = element_type_named(dtype), .packed = !no_packing, .threads = threads, .note = print_note};
  }
  transept::session_options session_options() const {
    return {.threads = threads,
            .cache_type = cache_type_named(kv_dtype),
            .f32_precision = f32_precision_named(f32_precision)};
  }
};

/// The arguments as CLI11 takes them, last first. `--prompt=` becomes `--prompt` and an empty text: CLI11 2.1
/// would take the argument that follows.
inline std::vector<std::string> arguments_in_reverse(int argc, char** argv) {
  std::vector<std::string> arguments;
  for (int i = argc - 1; i > 0; --i) {
    std::string argument = argv[i];
    if (argument.size() > 3 && argument.starts_with("--") && argument.ends_with('=') &&
        argument.find('=') == argument.size() - 1) {
      arguments.emplace_back();
      argument.pop_back();
    }
    arguments.push_back(std::move(argument));
  }
  return arguments;
}

/// Parses the command line and runs `body`. Whatever goes wrong is told on stderr, the first line says what;
/// the exit code is then 1, after an interruption that of its signal.
template <class Body>
int run_program(CLI::App& app, int argc, char** argv, Body&& body) {
  try {
    app.parse(arguments_in_reverse(argc, argv));
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
  } catch (const interruption& signal) {
    std::cerr << signal.what() << "\n";
    return signal.exit_code();
  } catch (const std::bad_alloc&) {
    std::cerr << "out of memory\n";
  } catch (const std::exception& error) {
    std::cerr << error.what() << "\n";
  }
  return 1;
}

} // namespace examples

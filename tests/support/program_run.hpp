// Runs an example program as a user does: arguments, standard input; exit code, standard output and error.
#pragma once

#include <csignal>
#include <filesystem>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

extern char** environ;

namespace support {

struct program_run {
  int exit_code; ///< 128 + the signal where one ended it
  std::string out;
  std::string err;

  std::string first_error_line() const { return err.substr(0, err.find('\n')); }
};

/// Where the built programs are; CMake passes it.
inline std::filesystem::path program_path(const std::string& name) {
#ifdef TRANSEPT_EXAMPLES_DIR
  return std::filesystem::path(TRANSEPT_EXAMPLES_DIR) / name;
#else
  return source_dir() / "build" / "release" / "examples" / name;
#endif
}

/// Whether a program was built (a build may leave the examples out); says so in the words ctest reads as
/// "skipped" where not.
inline bool has_program(const std::string& name) {
  if (std::filesystem::exists(program_path(name))) return true;
  std::cout << "SKIPPED: needs the program " << program_path(name).string() << ", which is not built\n";
  return false;
}

/// Whether this build has a sanitizer, under which a text of 47,843 tokens takes hours; says so as "skipped".
inline bool is_too_slow() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  constexpr bool sanitized = true;
#elif defined(__has_feature)
  constexpr bool sanitized = __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
  constexpr bool sanitized = false;
#endif
  if (sanitized) std::cout << "SKIPPED: takes hours under a sanitizer\n";
  return sanitized;
}

/// A program that runs.
class started_program {
public:
  started_program(const std::string& name, const std::vector<std::string>& arguments,
                  std::string_view input = {}) {
    write_file(folder_ / "in", input);
    std::string path = program_path(name).string();
    std::vector<std::string> words = arguments;
    std::vector<char*> argv{path.data()};
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);

    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    const std::string in = (folder_ / "in").string(), out = (folder_ / "out").string(),
                      err = (folder_ / "err").string();
    posix_spawn_file_actions_addopen(&files, 0, in.c_str(), O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
    posix_spawn_file_actions_addopen(&files, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
    const int problem = posix_spawn(&process_, path.c_str(), &files, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&files);
    if (problem != 0) throw std::runtime_error(path + " cannot be started");
  }

  void send(int signal) { kill(process_, signal); }

  /// Waits for its end; once.
  program_run wait() {
    int status = 0;
    while (waitpid(process_, &status, 0) < 0) {
    }
    return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), read_file(folder_ / "out"),
            read_file(folder_ / "err")};
  }

private:
  temporary_folder folder_;
  pid_t process_ = 0;
};

inline program_run run_program(const std::string& name, const std::vector<std::string>& arguments,
                               std::string_view input = {}) {
  return started_program(name, arguments, input).wait();
}

/// The shipped model's folder without its vocabulary, as links.
class folder_without_vocabulary : public temporary_folder {
public:
  folder_without_vocabulary() {
    for (const char* name : {"config.json", "model.safetensors"})
      std::filesystem::create_symlink(std::filesystem::absolute(shipped_model() / name), path() / name);
  }
};

} // namespace support

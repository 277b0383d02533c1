#include <training/run_folder.hpp>

#include <cerrno>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <training/checkpoints.hpp>

#include <transept/core/json.hpp>
#include <transept/io/atomic_file.hpp>
#include <transept/io/atomic_folder.hpp>
#include <transept/io/mapped_file.hpp>
#include <transept/io/vocabulary_writer.hpp>

namespace examples {
namespace {

constexpr const char* settings_file = "train.json";
constexpr const char* announcement_file = "train.json.partial"; // becomes train.json

/// What a run writes into its folder, and would replace.
std::vector<const char*> own_files() {
  std::vector<const char*> names{"config.json",       "model.safetensors", "training.tokens",
                                 "validation.tokens", "training.jsonl",    "validation.jsonl"};
  names.insert(names.end(), transept::vocabulary_file_names.begin(), transept::vocabulary_file_names.end());
  return names;
}

bool is_announced(const std::filesystem::path& folder) {
  return std::filesystem::exists(folder / announcement_file);
}

/// Whether transept::atomic_file gives such names to what it is writing.
bool is_partial_file(std::string_view name) {
  constexpr std::string_view mark = ".partial-";
  const std::size_t at = name.rfind(mark);
  return at != name.npos && name.find_first_not_of("0123456789", at + mark.size()) == name.npos;
}

/// Makes a folder; whether it was not there.
bool make(const std::filesystem::path& folder) {
  std::error_code error;
  const bool is_new = !std::filesystem::exists(folder, error);
  std::filesystem::create_directories(folder, error);
  if (error) throw transept::file_error(folder.string() + ": cannot make the folder: " + error.message());
  return is_new;
}

std::set<std::filesystem::path> entries_of(const std::filesystem::path& folder) {
  std::set<std::filesystem::path> entries;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) entries.insert(entry.path());
  return entries;
}

} // namespace

bool has_run(const std::filesystem::path& folder) { return std::filesystem::exists(folder / settings_file); }

training_settings settings_of_run(const std::filesystem::path& folder, const std::string& preset) {
  if (!has_run(folder)) return preset_named(preset);
  const auto path = folder / settings_file;
  return settings_from_json(transept::parse_json(transept::mapped_file(path).text(), path.string(), 2),
                            path.string());
}

void check_unchanged(const training_settings& begun, const training_settings& now) {
  const transept::json before = to_json(begun), after = to_json(now);
  for (const char* name :
       {"preset",       "task",       "text",    "validation-text", "data",      "validation-data",
        "validation",   "vocabulary", "from",    "architecture",    "layers",    "heads",
        "width",        "positions",  "context", "pooling",         "sinusoids", "next-sentence",
        "train-blocks", "seed"})
    if (before[name] != after[name])
      throw transept::argument_error(std::string("--") + name +
                                     " cannot change in a run that has begun: it is " + before[name].dump() +
                                     "\n  Give --out another folder to begin a new run.");
}

folder_lock::folder_lock(const std::filesystem::path& folder)
    : file_(::open(folder.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (file_ >= 0 && ::flock(file_, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    ::close(file_);
    throw transept::file_error(folder.string() + ": another process trains in this folder");
  }
}

folder_lock::~folder_lock() {
  if (file_ >= 0) ::close(file_);
}

starting_folder::starting_folder(std::filesystem::path folder)
    : folder_(std::move(folder)), made_(make(folder_)), lock_(folder_), before_(entries_of(folder_)) {}

starting_folder::~starting_folder() {
  if (kept_) return;
  std::error_code ignored;
  for (const auto& entry : entries_of(folder_))
    if (!before_.contains(entry)) std::filesystem::remove_all(entry, ignored);
  if (made_) std::filesystem::remove(folder_, ignored);
}

void remove_leftovers(const std::filesystem::path& folder) {
  if (!has_run(folder) && !is_announced(folder)) return; // nothing there is a run's
  for (const auto& entry : entries_of(folder)) {
    const std::string name = entry.filename().string();
    const bool goes =
        std::filesystem::is_directory(entry) ? is_partial_checkpoint(name) : is_partial_file(name);
    if (goes) std::filesystem::remove_all(entry);
  }
}

void announce_run(const std::filesystem::path& folder) {
  if (is_announced(folder)) return;
  const auto refuse = [](const std::filesystem::path& path) {
    throw transept::file_error(path.string() + ": is there already: give --out another folder");
  };
  for (const char* name : own_files())
    if (std::filesystem::exists(folder / name)) refuse(folder / name);
  if (const auto others = checkpoints_in(folder); !others.empty())
    refuse(checkpoint_folder(folder, others.back()));
  transept::write_text(folder / announcement_file, "");
}

void publish_settings(const training_settings& settings, const std::filesystem::path& folder) {
  const auto written = folder / announcement_file;
  transept::write_text(written, to_json(settings).dump(2) + "\n");
  transept::flush_to_disk(written);
  if (!has_run(folder))
    for (const char* name : own_files())
      if (std::filesystem::exists(folder / name)) transept::flush_to_disk(folder / name);
  std::filesystem::rename(written, folder / settings_file);
  transept::flush_to_disk(folder);
}

} // namespace examples

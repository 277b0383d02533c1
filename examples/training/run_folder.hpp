// A run's folder: who may begin in it, who is in it, and how a beginning is made so that it can fail or be
// killed at any moment.
#pragma once

#include <filesystem>
#include <set>
#include <string>

#include <training/settings.hpp>

namespace examples {

/// Whether a run was begun there: it has a train.json, which is written when all else that a run needs is
/// there.
bool has_run(const std::filesystem::path& folder);

/// What a run in this folder was begun with; the defaults of `preset` where none was. Throws
/// transept::argument_error, and format_error where train.json is broken.
training_settings settings_of_run(const std::filesystem::path& folder, const std::string& preset);

/// Throws transept::argument_error for a setting that cannot change in a run that has begun.
void check_unchanged(const training_settings& begun, const training_settings& now);

/// Held while a process trains in a folder, so that no second one does: file_error then.
class folder_lock {
public:
  explicit folder_lock(const std::filesystem::path& folder);
  folder_lock(const folder_lock&) = delete;
  folder_lock& operator=(const folder_lock&) = delete;
  ~folder_lock();

private:
  int file_;
};

/// The folder of a run that starts: made where it is not there, and held. What is not kept is as it was
/// before. Errors: transept::file_error.
class starting_folder {
public:
  explicit starting_folder(std::filesystem::path folder);
  starting_folder(const starting_folder&) = delete;
  starting_folder& operator=(const starting_folder&) = delete;
  ~starting_folder();

  void keep() { kept_ = true; }

private:
  std::filesystem::path folder_;
  bool made_, kept_ = false;
  folder_lock lock_;
  std::set<std::filesystem::path> before_; // what was there; nobody else changes it now
};

/// Removes what a process that was killed left half written.
void remove_leftovers(const std::filesystem::path& folder);

/// Says in a folder that a run is being prepared, so that what is left there, should it be killed, is known
/// to be its own. Throws transept::file_error where files that a run would replace are somebody else's.
void announce_run(const std::filesystem::path& folder);

/// Writes train.json, when all else has reached the disk. Throws transept::file_error.
void publish_settings(const training_settings& settings, const std::filesystem::path& folder);

} // namespace examples

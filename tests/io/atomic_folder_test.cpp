// transept/io/atomic_folder.hpp
#include <support/catch.hpp>

#include <filesystem>

#include <support/temporary_folder.hpp>

#include <transept/io/atomic_folder.hpp>

namespace fs = std::filesystem;

TEST_CASE("an atomic folder appears whole, or not at all") {
  const support::temporary_folder parent;
  const fs::path place = parent / "deep" / "new";
  {
    transept::atomic_folder folder(place);
    support::write_file(folder.path() / "a", "one");
    CHECK_FALSE(fs::exists(place));
  }
  CHECK(fs::is_empty(parent / "deep")); // not committed: nothing is left

  fs::create_directory(place.string() + ".partial");
  support::write_file(fs::path(place.string() + ".partial") / "old", "of a run that was killed");
  {
    transept::atomic_folder folder(place);
    support::write_file(folder.path() / "a", "two");
    folder.commit();
  }
  CHECK(support::read_file(place / "a") == "two");
  CHECK_FALSE(fs::exists(place / "old"));
  CHECK_FALSE(fs::exists(place.string() + ".partial"));
  CHECK_THROWS_AS(transept::atomic_folder(place), transept::file_error); // what is there stays
  CHECK(support::read_file(place / "a") == "two");

  { // of several folders, and called with a slash
    transept::atomic_folder folder(parent / "tree" / "");
    fs::create_directory(folder.path() / "inner");
    support::write_file(folder.path() / "inner" / "a", "three");
    folder.commit();
  }
  CHECK(support::read_file(parent / "tree" / "inner" / "a") == "three");

  support::write_file(parent / "file", "");
  CHECK_THROWS_AS(transept::atomic_folder(parent / "file" / "new"), transept::file_error);
}

// io/mapped_file.hpp and io/atomic_file.hpp.
#include <support/catch.hpp>

#include <string>

#include <support/temporary_folder.hpp>

#include <transept/io/atomic_file.hpp>
#include <transept/io/mapped_file.hpp>

#if TRANSEPT_HAS_MMAP
#include <sys/stat.h>
#endif

using transept::atomic_file;
using transept::file_error;
using transept::mapped_file;

TEST_CASE("a mapped file shows its bytes, and copies share them") {
  const support::temporary_folder folder;
  support::write_file(folder / "f", std::string("a\0b", 3));
  mapped_file copy;
  CHECK(copy.size() == 0);
  {
    const mapped_file file(folder / "f");
    CHECK(file.text() == std::string("a\0b", 3));
    copy = file;
  }
  CHECK(copy.text() == std::string("a\0b", 3));
  CHECK(copy.path() == folder / "f");
}

TEST_CASE("an empty file is fine") {
  const support::temporary_folder folder;
  support::write_file(folder / "f", "");
  CHECK(mapped_file(folder / "f").bytes().empty());
}

TEST_CASE("what is no readable file is a file error that names it") {
  const support::temporary_folder folder;
  const auto message = [](const std::filesystem::path& path) {
    try {
      mapped_file file(path);
    } catch (const file_error& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  CHECK(message(folder / "none") == (folder / "none").string() + ": cannot read: No such file or directory");
  CHECK(message(folder.path()) == folder.path().string() + ": cannot read: it is a folder, expected a file");
  std::filesystem::create_symlink("nowhere", folder / "link");
  CHECK(message(folder / "link") ==
        (folder / "link").string() + ": cannot read: No such file or directory (a dangling symbolic link)");
#if TRANSEPT_HAS_MMAP
  REQUIRE(::mkfifo((folder / "pipe").c_str(), 0600) == 0);
  CHECK(message(folder / "pipe") == (folder / "pipe").string() + ": cannot read: it is no regular file");
#endif
}

#if defined(__unix__)
TEST_CASE("a device is written to, and what a link leads to is replaced: neither device nor link is") {
  {
    atomic_file file("/dev/null");
    file.write("away");
    file.commit();
  }
  CHECK(std::filesystem::is_character_file("/dev/null"));

  const support::temporary_folder folder;
  support::write_file(folder / "real", "old");
  std::filesystem::create_symlink("real", folder / "link");
  {
    atomic_file file(folder / "link");
    file.write("new");
    file.commit();
  }
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(support::read_file(folder / "real") == "new");
}
#endif

TEST_CASE("a file appears when it is committed, not before") {
  const support::temporary_folder folder;
  support::write_file(folder / "f", "old");
  {
    atomic_file file(folder / "f");
    file.write("new");
    CHECK(support::read_file(folder / "f") == "old");
  }
  CHECK(support::read_file(folder / "f") == "old");
  {
    atomic_file file(folder / "f");
    file.write("ne");
    file.write("w");
    file.commit();
    CHECK(support::read_file(folder / "f") == "new");
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

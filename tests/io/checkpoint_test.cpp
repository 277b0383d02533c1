// io/checkpoint.hpp: one file, shards, and the words for folders that cannot be used.
#include <support/catch.hpp>

#include <cstring>
#include <string>
#include <vector>

#include <support/paths.hpp>
#include <support/safetensors_bytes.hpp>
#include <support/temporary_folder.hpp>

#include <transept/core/json.hpp>
#include <transept/io/checkpoint.hpp>
#include <transept/io/gguf.hpp>

using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using support::safetensors_bytes;
using support::temporary_folder;
using support::write_file;
using transept::checkpoint;
using transept::file_error;
using transept::format_error;

namespace {

constexpr const char* index_name = "model.safetensors.index.json";

/// A file with one tensor of one byte.
std::string one_tensor(const std::string& name, char value) {
  return safetensors_bytes("{\"" + name + R"(":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})",
                           {&value, 1});
}

char value_of(const checkpoint& weights, const char* name) {
  const auto* tensor = weights.find(name);
  REQUIRE(tensor != nullptr);
  REQUIRE(tensor->bytes.size() == 1);
  return static_cast<char>(tensor->bytes[0]);
}

/// The message of opening `folder`, without the folder's own name in front, if it is of type Error.
template <class Error>
std::string message_of(const std::filesystem::path& folder) {
  try {
    checkpoint::open(folder);
  } catch (const Error& error) {
    const std::string message = error.what();
    REQUIRE_THAT(message, StartsWith(folder.string()));
    return message.substr(folder.string().size());
  }
  return "accepted";
}

std::string index_verdict(std::string_view index) {
  const temporary_folder folder;
  write_file(folder / "s1", one_tensor("a", '1'));
  write_file(folder / index_name, index);
  const std::string message = message_of<format_error>(folder.path());
  const std::string prefix = "/" + std::string(index_name) + ": ";
  return message.starts_with(prefix) ? message.substr(prefix.size()) : message;
}

} // namespace

TEST_CASE("a folder with one file is opened") {
  const auto weights = checkpoint::open(support::shipped_model());
  CHECK(weights.folder() == support::shipped_model());
  CHECK(weights.tensors().size() == 2 + 4 * 12 + 2);
  REQUIRE(weights.find("h.3.mlp.c_proj.weight") != nullptr);
  CHECK(weights.find("h.3.mlp.c_proj.weight")->shape == std::vector<std::uint64_t>{1024, 256});
  CHECK(weights.find("h.4.mlp.c_proj.weight") == nullptr);
}

TEST_CASE("shards are joined by their index") {
  const temporary_folder folder;
  write_file(folder / "s1", one_tensor("a", '1'));
  write_file(folder / "s2", safetensors_bytes(R"({"b":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
                                              R"("a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},)"
                                              R"("unnamed":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
                                              "23x"));
  std::filesystem::create_directory(folder / "below");
  write_file(folder / "below" / "s3", one_tensor("c", '4'));
  write_file(folder / index_name,
             R"({"metadata":{"total_size":3},"weight_map":{"a":"s1","b":"s2","c":"below/s3"}})");
  const auto weights = checkpoint::open(folder.path());
  CHECK(value_of(weights, "a") == '1');
  CHECK(value_of(weights, "b") == '2');
  CHECK(value_of(weights, "c") == '4');
  CHECK(weights.tensors().size() == 3);
  CHECK(weights.find("unnamed") == nullptr);
  CHECK(weights.find("b")->source == (folder / "s2").string());
}

TEST_CASE("one whole file is preferred to shards") {
  const temporary_folder folder;
  write_file(folder / "model.safetensors", one_tensor("a", 'w'));
  write_file(folder / index_name, "no JSON");
  CHECK(value_of(checkpoint::open(folder.path()), "a") == 'w');
}

TEST_CASE("tensors outlive the checkpoint while its owner is kept") {
  std::shared_ptr<const void> owner;
  const transept::stored_tensor* tensor = nullptr;
  {
    const temporary_folder folder;
    write_file(folder / "model.safetensors", one_tensor("a", 'w'));
    const auto weights = checkpoint::open(folder.path());
    owner = weights.owner();
    tensor = weights.find("a");
  }
  CHECK(tensor->name == "a");
  CHECK(static_cast<char>(tensor->bytes[0]) == 'w');
}

TEST_CASE("an index that is no index is refused") {
  CHECK_THAT(index_verdict("{"), StartsWith("not valid JSON"));
  CHECK(index_verdict("[]") == "expected a JSON object, found an array of 0 values");
  CHECK(index_verdict("{}") == "expected the key \"weight_map\", found none");
  CHECK(index_verdict(R"({"weight_map":["s1"]})") ==
        "weight_map: expected an object, found an array of 1 value");
  CHECK(index_verdict(R"({"weight_map":{"a":1}})") ==
        R"(weight_map: tensor "a": expected a file name, found 1)");
  CHECK(index_verdict(R"({"weight_map":{"a":"s1","a":"s1"}})") == R"(duplicate key "a")");
  CHECK(index_verdict(R"({"weight_map":{"a":"s1"}})") == "accepted");
}

TEST_CASE("paths that leave the folder are refused") {
  for (const char* path : {"../s1", "/etc/passwd", "x/../../s1", "..", ".", "./s1", "", "s1/", "..\\\\s1",
                           "C:s1", "C:\\\\s1", "x/..", "s\\u00001", "s\\u001b1"}) {
    CAPTURE(path);
    CHECK_THAT(index_verdict(R"({"weight_map":{"a":")" + std::string(path) + "\"}}"),
               StartsWith(R"(weight_map: tensor "a": expected a file inside the folder, found the path ")"));
  }
  CHECK(index_verdict(R"({"weight_map":{"a":"../s1"}})") ==
        R"(weight_map: tensor "a": expected a file inside the folder, found the path "../s1")");
}

TEST_CASE("a tensor absent from its shard is refused") {
  const temporary_folder folder;
  write_file(folder / "s1", one_tensor("a", '1'));
  write_file(folder / index_name, R"({"weight_map":{"a":"s1","b":"s1"}})");
  CHECK(message_of<format_error>(folder.path()) == "/s1: tensor \"b\": expected in this shard by " +
                                                       (folder / index_name).string() +
                                                       ", found no such tensor");
}

TEST_CASE("a missing shard is a file error that says which") {
  const temporary_folder folder;
  write_file(folder / "s1", one_tensor("a", '1'));
  write_file(folder / index_name, R"({"weight_map":{"a":"s1","b":"s2","c":"s2"}})");
  CHECK_THAT(message_of<file_error>(folder.path()),
             StartsWith("/s2: missing shard: " + (folder / index_name).string() +
                        R"( places 2 tensors, first "b")") &&
                 ContainsSubstring("Download all the shards"));
}

TEST_CASE("a damaged shard is a format error that says which") {
  const temporary_folder folder;
  write_file(folder / "s1", one_tensor("a", '1') + "x");
  write_file(folder / index_name, R"({"weight_map":{"a":"s1"}})");
  CHECK_THAT(message_of<format_error>(folder.path()), StartsWith("/s1: trailing bytes"));
}

TEST_CASE("a pickle alone is never read, and the error says what to use") {
  for (const char* name : {"pytorch_model.bin", "model.pt", "pytorch_model.bin.index.json"}) {
    const temporary_folder folder;
    write_file(folder / name, "\x80\x02}q.");
    write_file(folder / "config.json", "{}");
    CHECK_THAT(
        message_of<file_error>(folder.path()),
        StartsWith(
            ": expected model.safetensors or model.safetensors.index.json, found only the pickle file " +
            std::string(name) + ", which is never read\n") &&
            ContainsSubstring("safetensors instead") && ContainsSubstring("safe_serialization=True") &&
            ContainsSubstring("huggingface-cli download"));
  }
}

TEST_CASE("a pickle beside safetensors does no harm") {
  const temporary_folder folder;
  write_file(folder / "pytorch_model.bin", "\x80\x02}q.");
  write_file(folder / "model.safetensors", one_tensor("a", 'w'));
  CHECK(value_of(checkpoint::open(folder.path()), "a") == 'w');
}

TEST_CASE("folders without weights say what is missing") {
  const temporary_folder folder;
  CHECK_THAT(message_of<file_error>(folder.path()),
             StartsWith(": expected model.safetensors or model.safetensors.index.json, found neither\n") &&
                 ContainsSubstring("huggingface-cli download gpt2"));
  write_file(folder / "gpt2.gguf", "GGUF");
  CHECK_THAT(message_of<file_error>(folder.path()),
             EndsWith("found only gpt2.gguf, which is opened by its own path\n  Give that instead: " +
                      (folder / "gpt2.gguf").string()));
  CHECK_THAT(message_of<file_error>(folder / "none"), StartsWith(": no such folder\n"));
  write_file(folder / "gpt2.bin", "PK");
  CHECK_THAT(message_of<file_error>(folder / "gpt2.bin"),
             StartsWith(": expected a folder") && EndsWith(", found a file of another kind"));
  write_file(folder / "m.safetensors", "");
  CHECK_THAT(message_of<file_error>(folder / "m.safetensors"),
             EndsWith("\n  Give the folder that it lies in: " + folder.path().string()));
  std::filesystem::remove(folder / "m.safetensors");
  std::filesystem::create_symlink("blob", folder / "model.safetensors");
  CHECK_THAT(message_of<file_error>(folder.path()),
             StartsWith("/model.safetensors: cannot read") && ContainsSubstring("dangling"));
}

TEST_CASE("a folder of Hugging Face's cache is told from the model in it") {
  const temporary_folder folder;
  const auto snapshot = folder / "hub" / "models--gpt2" / "snapshots" / "607a30d7";
  std::filesystem::create_directories(snapshot);
  std::filesystem::create_directories(folder / "hub" / "models--gpt2" / "blobs");
  write_file(snapshot / "config.json", "{}");
  for (const auto& path : {folder / "hub" / "models--gpt2", folder / "hub"})
    CHECK_THAT(
        message_of<file_error>(path),
        EndsWith("found neither\n  This is a folder of Hugging Face's cache. Give a model's own folder in "
                 "it instead:\n    " +
                 snapshot.string()));
}

TEST_CASE("a web page or an LFS pointer in a file's place is called so") {
  const temporary_folder folder;
  for (const char* const page :
       {"<!DOCTYPE html><html><head><title>401</title>", "\n<HTML>", "<html lang=\"en\">"}) {
    write_file(folder / "model.safetensors", page);
    CHECK_THAT(message_of<transept::format_error>(folder.path()),
               ContainsSubstring("\n  This is a web page"));
    CHECK_THROWS_WITH(transept::parse_json(page, "config.json"), ContainsSubstring("\n  This is a web page"));
    write_file(folder / "m.gguf", page);
    CHECK_THROWS_WITH(transept::gguf_file::open(folder / "m.gguf"),
                      ContainsSubstring("\n  This is a web page"));
  }
  CHECK_THROWS_WITH(transept::parse_json("version https://git-lfs.github.com/spec/v1", "config.json"),
                    ContainsSubstring("Git LFS pointer"));
  CHECK_THROWS_WITH(transept::parse_json("<", "config.json"), !ContainsSubstring("web page"));
}

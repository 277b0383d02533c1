// io/safetensors_writer.hpp: what is written is read back, byte for byte, and nothing half-written is left.
#include <support/catch.hpp>

#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include <support/temporary_folder.hpp>

#include <transept/io/safetensors.hpp>
#include <transept/io/safetensors_writer.hpp>

using namespace transept;
using Catch::Matchers::ContainsSubstring;

namespace {

std::span<const std::byte> bytes_of(const std::vector<float>& values) {
  return std::as_bytes(std::span(values));
}

std::vector<float> read_as_float(const stored_tensor& tensor) {
  std::vector<float> values(*element_count(tensor.shape));
  convert_elements(tensor.bytes, *element_type_of(tensor.dtype), std::as_writable_bytes(std::span(values)),
                   element_type::f32);
  return values;
}

std::size_t files_in(const support::temporary_folder& folder) {
  std::size_t count = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) ++count;
  return count;
}

} // namespace

TEST_CASE("written tensors are read back in every element type") {
  const support::temporary_folder folder;
  // More elements than the writer converts at once, all exact in f16 and bf16.
  std::vector<float> many(3 * 50'001);
  for (std::size_t i = 0; i < many.size(); ++i)
    many[i] = static_cast<float>(static_cast<int>(i % 255) - 127) / 16;
  const std::vector<float> one{-1.5f};
  const std::vector<float> none;
  for (const auto type : {element_type::f32, element_type::f16, element_type::bf16}) {
    const std::vector<outgoing_tensor> tensors{
        {"z.many", {3, 50'001}, bytes_of(many), element_type::f32, type},
        {"a.none", {0, 7}, bytes_of(none), element_type::f32, type},
        {"m.\"one\"\n", {}, bytes_of(one), element_type::f32, type}};
    write_safetensors(folder / "f", tensors, {{"format", "pt"}, {"by", "test"}});
    const auto file = safetensors_file::open(folder / "f");
    REQUIRE(file.tensors().size() == 3);
    CHECK(file.metadata().at("by") == "test");
    CHECK(file.tensors()[0].name == "z.many");
    CHECK(file.tensors()[0].dtype == name_of(type));
    CHECK(file.tensors()[0].shape == std::vector<std::uint64_t>{3, 50'001});
    CHECK(read_as_float(file.tensors()[0]) == many);
    CHECK(file.find("a.none")->bytes.empty());
    REQUIRE(file.find("m.\"one\"\n") != nullptr);
    CHECK(read_as_float(*file.find("m.\"one\"\n")) == one);
  }
  CHECK(files_in(folder) == 1);
}

TEST_CASE("the data section begins at a multiple of 64 bytes and equal input gives equal files") {
  const support::temporary_folder folder;
  const std::vector<float> values{1, 2, 3};
  for (int length = 1; length < 70; ++length) {
    const std::vector<outgoing_tensor> tensors{
        {std::string(static_cast<std::size_t>(length), 'x'), {3}, bytes_of(values)}};
    write_safetensors(folder / "a", tensors);
    write_safetensors(folder / "b", tensors);
    const std::string bytes = support::read_file(folder / "a");
    CHECK(bytes == support::read_file(folder / "b"));
    CHECK((bytes.size() - 12) % 64 == 0);
    CHECK(safetensors_file::open(folder / "a").find(tensors[0].name) != nullptr);
  }
}

TEST_CASE("elements convert between all types") {
  const std::vector<float> values{0.0f,     -0.0f,    1.0f,     -2.5f,
                                  65504.0f, 0x1p-14f, 0x1p-24f, std::numeric_limits<float>::infinity()};
  for (const auto through : {element_type::f32, element_type::f16}) {
    std::vector<std::byte> middle(values.size() * size_of(through));
    std::vector<float> back(values.size());
    convert_elements(bytes_of(values), element_type::f32, middle, through);
    convert_elements(middle, through, std::as_writable_bytes(std::span(back)), element_type::f32);
    CHECK(std::memcmp(back.data(), values.data(), values.size() * sizeof(float)) == 0);
  }
  std::vector<std::byte> half(values.size() * 2);
  std::vector<std::byte> brain(values.size() * 2);
  convert_elements(bytes_of(values), element_type::f32, half, element_type::f16);
  convert_elements(half, element_type::f16, brain, element_type::bf16);
  CHECK(std::memcmp(brain.data() + 4, "\x80\x3f", 2) == 0);
  std::vector<std::byte> few(3);
  CHECK_THROWS_AS(convert_elements(bytes_of(values), element_type::f32, few, element_type::f16),
                  argument_error);
}

TEST_CASE("tensors that contradict themselves are not written") {
  const support::temporary_folder folder;
  const std::vector<float> values{1, 2, 3};
  const auto write = [&](std::vector<outgoing_tensor> tensors) { write_safetensors(folder / "f", tensors); };
  CHECK_THROWS_AS(write({{"a", {3}, bytes_of(values)}, {"a", {3}, bytes_of(values)}}), argument_error);
  CHECK_THROWS_AS(write({{"__metadata__", {3}, bytes_of(values)}}), argument_error);
  CHECK_THROWS_WITH(write({{"a", {4}, bytes_of(values)}}),
                    R"(write_safetensors: tensor "a": expected the bytes of [4] of F32, found 12)");
  CHECK_THROWS_AS(write({{"a", {std::uint64_t{1} << 62, 4}, {}}}), argument_error);
  CHECK(files_in(folder) == 0);
}

TEST_CASE("a safetensors stream takes exactly the bytes of its tensors") {
  const support::temporary_folder folder;
  const std::vector<float> values{1, 2, 3};
  const std::vector<tensor_entry> tensors{{"a", {2}, element_type::f32}, {"none", {0}, element_type::f16}};
  {
    safetensors_stream file(folder / "f", tensors);
    CHECK_THROWS_AS(file.write(bytes_of(values)), argument_error);
    file.write(bytes_of(values).first(4));
    CHECK_THROWS_AS(file.commit(), argument_error);
    file.write(bytes_of(values).subspan(4, 4));
    file.commit();
  }
  CHECK(read_as_float(*safetensors_file::open(folder / "f").find("a")) == std::vector<float>{1, 2});
}

TEST_CASE("a file that cannot be written is a file error and leaves nothing") {
  const support::temporary_folder folder;
  const std::vector<float> values{1};
  const std::vector<outgoing_tensor> tensors{{"a", {1}, bytes_of(values)}};
  CHECK_THROWS_AS(write_safetensors(folder / "no" / "f", tensors), file_error);
  std::filesystem::create_directories(folder / "taken" / "x");
  CHECK_THROWS_WITH(write_safetensors(folder / "taken", tensors), ContainsSubstring("cannot write"));
  CHECK(files_in(folder) == 1);
}

TEST_CASE("a mapped file may be replaced by what is made from it") {
  const support::temporary_folder folder;
  const std::vector<float> values{1, 2, 3};
  write_safetensors(folder / "f", std::vector<outgoing_tensor>{{"a", {3}, bytes_of(values)}});
  const auto file = safetensors_file::open(folder / "f");
  const auto& tensor = *file.find("a");
  write_safetensors(folder / "f", std::vector<outgoing_tensor>{
                                      {"b", {3}, tensor.bytes, element_type::f32, element_type::f16}});
  CHECK(read_as_float(tensor) == values);
  const auto replaced = safetensors_file::open(folder / "f");
  REQUIRE(replaced.find("b") != nullptr);
  CHECK(read_as_float(*replaced.find("b")) == values);
}

// io/stored_blocks.hpp: blocks of GGUF files that are only read, against tests/fixtures/gguf/blocks, which
// scripts/oracle/k_quants.py made (and ggml reads the same); and models whose files have them.
#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include <support/compare.hpp>
#include <support/k_quant_file.hpp>
#include <support/npy.hpp>
#include <support/parameter_values.hpp>
#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

#include <transept/core/blocks.hpp>
#include <transept/io/convert_files.hpp>
#include <transept/io/gguf_types.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/stored_blocks.hpp>
#include <transept/models/llama.hpp>

using namespace transept;

namespace {

constexpr const char* formats[] = {"Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K", "Q4_K", "Q5_K", "Q6_K"};

using support::k_quant_file;
constexpr llama_config shape = support::k_quant_shape;

} // namespace

TEST_CASE("blocks are the numbers that GGML makes of them") {
  for (const char* const name : formats) {
    INFO(name);
    const stored_blocks* const format = find_stored_blocks(name);
    REQUIRE(format != nullptr);
    CHECK(format->block_length == support::type_called(name).block_elements);
    CHECK(format->block_bytes == support::type_called(name).block_bytes);
    const std::string base = std::string("gguf/blocks/") + name;
    const std::string blocks = support::read_file(support::fixture(base + ".bin"));
    const auto expected = support::read_npy<float>(support::fixture(base + ".npy"));
    REQUIRE(blocks.size() / format->block_bytes * format->block_length == expected.values.size());
    std::vector<float> found(expected.values.size());
    read_blocks(*format, reinterpret_cast<const std::byte*>(blocks.data()), found.size(), found.data());
    CHECK(found == expected.values);
  }
  CHECK(find_stored_blocks("Q8_0") == nullptr); // which is computed with

  const std::string blocks = support::read_file(support::fixture("gguf/blocks/Q4_K.bin"));
  for (std::size_t at = 0; at < blocks.size(); at += 144) {
    const auto* const block = reinterpret_cast<const std::byte*>(blocks.data()) + at;
    q4_k_block parts[8];
    split_q4_k(block, 256, parts);
    std::vector<float> expected(256), found(256);
    read_blocks(*find_stored_blocks("Q4_K"), block, 256, expected.data());
    for (std::size_t b = 0; b < 8; ++b) dequantize(parts[b], found.data() + 32 * b);
    CHECK(found == expected);
  }
  CHECK(find_stored_blocks("IQ4_NL") == nullptr);
}

TEST_CASE("a file of blocks that are only read is a model of the numbers they stand for") {
  const support::temporary_folder folder;
  k_quant_file("Q6_K", "Q4_K", "Q6_K", "Q4_K").write(folder / "m.gguf");
  k_quant_file("Q3_K", "Q2_K", "Q5_K", "Q5_0").write(folder / "n.gguf");
  k_quant_file("Q4_1", "Q5_1", "Q5_1", "Q4_1").write(folder / "o.gguf");
  for (const char* const name : {"m.gguf", "n.gguf", "o.gguf"}) {
    INFO(name);
    const auto path = folder / name;
    const auto exact = load<llama<shape>>(path, {.type = element_type::f32});
    CHECK(exact.blocks[0].network.down.weight.type() == element_type::f32);
    // The embedding's rows as they stand in the file.
    const auto file = gguf_file::open(path);
    const stored_tensor& table = *file.find("token_embd.weight");
    std::vector<float> rows(256 * 600);
    read_blocks(*find_stored_blocks(table.dtype), table.bytes.data(), rows.size(), rows.data());
    CHECK(support::parameter_values(exact, "model.embed_tokens.weight") == rows);
    // By default 8 bits of them, whatever the number of threads; or what is asked for.
    const auto loaded = load<llama<shape>>(path), alone = load<llama<shape>>(path, {.threads = 1});
    CHECK(loaded.blocks[0].attention.query_key_value.weight.type() == element_type::q8_0);
    const bool is_q4_k = std::string_view(name) == "m.gguf"; // which is computed with as it is
    CHECK(loaded.blocks[0].network.down.weight.type() == (is_q4_k ? element_type::q4_k : element_type::q8_0));
    if (is_q4_k) {
      const char* const parameter = "model.layers.0.mlp.down_proj.weight";
      CHECK(support::parameter_values(loaded, parameter) == support::parameter_values(exact, parameter));
    }
    const auto packed = load<llama<shape>>(path, {.type = element_type::f32, .packed = true});
    CHECK(packed.blocks[0].network.down.weight.layout() == matrix_layout::panels);
    const auto halves = load<llama<shape>>(path, {.type = element_type::bf16});
    // Another way to the same numbers: through a folder.
    convert_to_folder<llama_family>(model_files::open(path), folder / "folder", {});
    const auto through = load<llama<shape>>(folder / "folder");
    for (const auto& parameter : support::parameter_names(exact)) {
      INFO(parameter);
      const auto values = support::parameter_values(exact, parameter);
      CHECK(support::parameter_values(through, parameter) == values);
      CHECK(support::parameter_values(packed, parameter) == values);
      CHECK(support::compare(support::parameter_values(loaded, parameter), values) <= 0.005);
      CHECK(support::parameter_values(alone, parameter) == support::parameter_values(loaded, parameter));
      CHECK(support::compare(support::parameter_values(halves, parameter), values) <= 0.004);
    }
    std::filesystem::remove_all(folder / "folder");
  }
}

TEST_CASE("a file of blocks that are only read becomes files of other types") {
  const support::temporary_folder folder;
  const auto path = folder / "m.gguf";
  k_quant_file("Q6_K", "Q4_K", "Q6_K", "Q5_K").write(path);
  const auto done = convert_to_gguf<llama_family>(model_files::open(path), folder / "q8.gguf",
                                                  {.type = element_type::q8_0});
  CHECK(done.front().from == "Q6_K");
  CHECK(done.front().to == element_type::q8_0);
  CHECK((done.front().relative_error > 0 && done.front().relative_error < 0.01));
  const auto found = load<llama<shape>>(folder / "q8.gguf"), expected = load<llama<shape>>(path);
  for (const auto& parameter : support::parameter_names(expected))
    CHECK(support::parameter_values(found, parameter) == support::parameter_values(expected, parameter));
}

TEST_CASE("numbers of blocks that F16 does not reach are told of") {
  const support::temporary_folder folder;
  k_quant_file file("Q6_K", "Q5_K", "Q5_K", "Q5_K");
  // The scale of the first block of ffn_down, behind which lie three norms.
  const f16 largest = to_f16(65504);
  std::memcpy(file.parts.data.data() + file.parts.data.size() - 3 * 1024 - 512 * 176, &largest,
              sizeof largest);
  file.write(folder / "m.gguf");
  const auto exact =
      support::parameter_values(load<llama<shape>>(folder / "m.gguf", {.type = element_type::f32}),
                                "model.layers.0.mlp.down_proj.weight");
  const auto count = std::ranges::count_if(exact, [](float x) { return std::abs(x) >= 65520; });
  REQUIRE(count > 1);
  const std::string expected = "blocks.0.network.down.weight: " + std::to_string(count) +
                               " numbers are beyond what F16 holds (65504), and infinite there";
  for (const bool is_packed : {false, true}) {
    std::vector<std::string> notes;
    load<llama<shape>>(folder / "m.gguf", {.type = element_type::f16,
                                           .packed = is_packed,
                                           .note = [&](const std::string& note) { notes.push_back(note); }});
    CHECK(notes == std::vector<std::string>{expected});
  }
}

// io/stored_blocks.hpp: blocks of GGUF files that are only read, against tests/fixtures/gguf/blocks, which
// scripts/oracle/k_quants.py made (and ggml reads the same); and models whose files have them.
#include <support/catch.hpp>

#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <support/compare.hpp>
#include <support/gguf_bytes.hpp>
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

const ggml_type& type_called(std::string_view name) {
  return *std::ranges::find(ggml_types, name, &ggml_type::name);
}

/// Blocks of random numbers between −0.1 and 0.1 or so.
std::string random_blocks(const stored_blocks& format, std::size_t count, std::mt19937& random) {
  std::string bytes(count * format.block_bytes, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  // The f16 scales: at the beginning, but for formats that have them at the end.
  const std::string_view name = format.name;
  const std::size_t at = name == "Q2_K" ? 80 : name == "Q3_K" ? 108 : name == "Q6_K" ? 208 : 0;
  const float largest = name.ends_with("_K") ? 0.002f : 0.01f;
  const bool has_least = name != "Q5_0" && name != "Q3_K" && name != "Q6_K";
  for (std::size_t block = 0; block < count; ++block)
    for (std::size_t i = 0; i < (has_least ? 2u : 1u); ++i) {
      const f16 scale = to_f16(largest * static_cast<float>(random() % 1000) / 1000);
      std::memcpy(bytes.data() + block * format.block_bytes + at + 2 * i, &scale, sizeof scale);
    }
  return bytes;
}

constexpr llama_config shape{.n_embd = 256,
                             .n_layer = 1,
                             .n_head = 4,
                             .vocab_size = 600, // more rows than columns
                             .n_positions = 16,
                             .n_inner = 512,
                             .tie_word_embeddings = true,
                             .n_key_value_head = 2};

/// A LLaMA whose matrices have these formats: the embedding, queries and keys, values, everything else.
struct mixed_file {
  std::vector<std::string> keys{support::gguf_key("general.architecture", "llama"),
                                support::gguf_key("llama.block_count", 1u),
                                support::gguf_key("llama.context_length", 16u),
                                support::gguf_key("llama.embedding_length", 256u),
                                support::gguf_key("llama.feed_forward_length", 512u),
                                support::gguf_key("llama.attention.head_count", 4u),
                                support::gguf_key("llama.attention.head_count_kv", 2u),
                                support::gguf_key("llama.attention.layer_norm_rms_epsilon", 1e-5f)};
  support::gguf_parts parts;
  std::mt19937 random{7};

  void add(const std::string& name, const std::vector<std::uint64_t>& dimensions, std::uint32_t type,
           const std::string& data) {
    parts.tensors.push_back(support::gguf_tensor(name, dimensions, type, parts.data.size()));
    parts.data += data;
    parts.data.resize((parts.data.size() + 31) / 32 * 32);
  }
  void matrix(const std::string& name, std::uint64_t inputs, std::uint64_t outputs, const char* format) {
    const stored_blocks& of = *find_stored_blocks(format);
    add(name + ".weight", {inputs, outputs}, type_called(format).id,
        random_blocks(of, inputs * outputs / of.block_length, random));
  }
  void write(const std::filesystem::path& path) {
    parts.keys = keys;
    support::write_file(path, support::gguf_bytes(parts));
  }

  explicit mixed_file(const char* table, const char* keys_format, const char* values, const char* others) {
    matrix("token_embd", 256, 600, table);
    matrix("blk.0.attn_q", 256, 256, keys_format);
    matrix("blk.0.attn_k", 256, 128, keys_format);
    matrix("blk.0.attn_v", 256, 128, values);
    for (const char* const name : {"blk.0.ffn_gate", "blk.0.ffn_up"}) matrix(name, 256, 512, others);
    matrix("blk.0.attn_output", 256, 256, others);
    matrix("blk.0.ffn_down", 512, 256, others);
    std::string ones;
    for (int i = 0; i < 256; ++i) ones += support::number_bytes(1.0f);
    for (const char* const name : {"blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"})
      add(std::string(name) + ".weight", {256}, 0, ones);
  }
};

} // namespace

TEST_CASE("blocks are the numbers that GGML makes of them") {
  for (const char* const name : formats) {
    INFO(name);
    const stored_blocks* const format = find_stored_blocks(name);
    REQUIRE(format != nullptr);
    CHECK(format->block_length == type_called(name).block_elements);
    CHECK(format->block_bytes == type_called(name).block_bytes);
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
    split_q4_k(block, parts);
    std::vector<float> expected(256), found(256);
    read_blocks(*find_stored_blocks("Q4_K"), block, 256, expected.data());
    for (std::size_t b = 0; b < 8; ++b) dequantize(parts[b], found.data() + 32 * b);
    CHECK(found == expected);
  }
  CHECK(find_stored_blocks("IQ4_NL") == nullptr);
}

TEST_CASE("a file of blocks that are only read is a model of the numbers they stand for") {
  const support::temporary_folder folder;
  mixed_file("Q6_K", "Q4_K", "Q6_K", "Q4_K").write(folder / "m.gguf");
  mixed_file("Q3_K", "Q2_K", "Q5_K", "Q5_0").write(folder / "n.gguf");
  mixed_file("Q4_1", "Q5_1", "Q5_1", "Q4_1").write(folder / "o.gguf");
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
    if (is_q4_k)
      for (const char* const parameter : {"model.layers.0.mlp.down_proj.weight"})
        CHECK(support::parameter_values(loaded, parameter) == support::parameter_values(exact, parameter));
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
  mixed_file("Q6_K", "Q4_K", "Q6_K", "Q5_K").write(path);
  const auto done = convert_to_gguf<llama_family>(model_files::open(path), folder / "q8.gguf",
                                                  {.type = element_type::q8_0});
  CHECK(done.front().from == "Q6_K");
  CHECK(done.front().to == element_type::q8_0);
  CHECK((done.front().relative_error > 0 && done.front().relative_error < 0.01));
  const auto found = load<llama<shape>>(folder / "q8.gguf"), expected = load<llama<shape>>(path);
  for (const auto& parameter : support::parameter_names(expected))
    CHECK(support::parameter_values(found, parameter) == support::parameter_values(expected, parameter));
}

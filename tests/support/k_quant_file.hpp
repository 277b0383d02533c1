// GGUF files of K-quants, of random blocks: the library reads them, and writes none.
#pragma once

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <support/gguf_bytes.hpp>
#include <support/temporary_folder.hpp>

#include <transept/core/element_type.hpp>
#include <transept/io/gguf_types.hpp>
#include <transept/io/stored_blocks.hpp>
#include <transept/models/llama.hpp>

namespace support {

inline const transept::ggml_type& type_called(std::string_view name) {
  return *std::ranges::find(transept::ggml_types, name, &transept::ggml_type::name);
}

/// Blocks of random numbers between −0.1 and 0.1 or so.
inline std::string random_blocks(const transept::stored_blocks& format, std::size_t count,
                                 std::mt19937& random) {
  std::string bytes(count * format.block_bytes, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  // The f16 scales: at the beginning, but for formats that have them at the end.
  const std::string_view name = format.name;
  const std::size_t at = name == "Q2_K" ? 80 : name == "Q3_K" ? 108 : name == "Q6_K" ? 208 : 0;
  const float largest = name.ends_with("_K") ? 0.002f : 0.01f;
  const bool has_least = name != "Q5_0" && name != "Q3_K" && name != "Q6_K";
  for (std::size_t block = 0; block < count; ++block)
    for (std::size_t i = 0; i < (has_least ? 2u : 1u); ++i) {
      const transept::f16 scale = transept::to_f16(largest * static_cast<float>(random() % 1000) / 1000);
      std::memcpy(bytes.data() + block * format.block_bytes + at + 2 * i, &scale, sizeof scale);
    }
  return bytes;
}

/// Of the model in such a file.
inline constexpr transept::llama_config k_quant_shape{.n_embd = 256,
                                                      .n_layer = 1,
                                                      .n_head = 4,
                                                      .vocab_size = 600, // more rows than columns
                                                      .n_positions = 16,
                                                      .n_inner = 512,
                                                      .tie_word_embeddings = true,
                                                      .n_key_value_head = 2};

/// A LLaMA whose matrices have these formats: the embedding, queries and keys, values, everything else.
struct k_quant_file {
  std::vector<std::string> keys{gguf_key("general.architecture", "llama"),
                                gguf_key("llama.block_count", 1u),
                                gguf_key("llama.context_length", 16u),
                                gguf_key("llama.embedding_length", 256u),
                                gguf_key("llama.feed_forward_length", 512u),
                                gguf_key("llama.attention.head_count", 4u),
                                gguf_key("llama.attention.head_count_kv", 2u),
                                gguf_key("llama.attention.layer_norm_rms_epsilon", 1e-5f)};
  gguf_parts parts;
  std::mt19937 random{7};

  void add(const std::string& name, const std::vector<std::uint64_t>& dimensions, std::uint32_t type,
           const std::string& data) {
    parts.tensors.push_back(gguf_tensor(name, dimensions, type, parts.data.size()));
    parts.data += data;
    parts.data.resize((parts.data.size() + 31) / 32 * 32);
  }
  void matrix(const std::string& name, std::uint64_t inputs, std::uint64_t outputs, const char* format) {
    const transept::stored_blocks& of = *transept::find_stored_blocks(format);
    add(name + ".weight", {inputs, outputs}, type_called(format).id,
        random_blocks(of, inputs * outputs / of.block_length, random));
  }
  void write(const std::filesystem::path& path) {
    parts.keys = keys;
    write_file(path, gguf_bytes(parts));
  }

  explicit k_quant_file(const char* table, const char* keys_format, const char* values, const char* others) {
    matrix("token_embd", 256, 600, table);
    matrix("blk.0.attn_q", 256, 256, keys_format);
    matrix("blk.0.attn_k", 256, 128, keys_format);
    matrix("blk.0.attn_v", 256, 128, values);
    for (const char* const name : {"blk.0.ffn_gate", "blk.0.ffn_up"}) matrix(name, 256, 512, others);
    matrix("blk.0.attn_output", 256, 256, others);
    matrix("blk.0.ffn_down", 512, 256, others);
    std::string ones;
    for (int i = 0; i < 256; ++i) ones += number_bytes(1.0f);
    for (const char* const name : {"blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"})
      add(std::string(name) + ".weight", {256}, 0, ones);
  }
};

} // namespace support

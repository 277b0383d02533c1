// Thousands of damaged folders: each either opens, with every byte it promises readable, or throws
// transept::error. Anything else (another exception, a crash, a sanitizer's report) fails.
// tests/fuzz/load_damaged.cpp does the same for as long as one likes.
#include <support/catch.hpp>

#include <cstddef>
#include <string>
#include <vector>

#include <support/damage.hpp>
#include <support/safetensors_bytes.hpp>
#include <support/temporary_folder.hpp>

#include <transept/io/checkpoint.hpp>
#include <transept/io/model_config.hpp>
#include <transept/io/npy.hpp>
#include <transept/io/write_config.hpp>
#include <transept/models/gpt2/config.hpp>

using namespace transept;

namespace {

/// Sums all bytes, so that a sanitizer sees each of them read.
unsigned sum_of(const std::vector<stored_tensor>& tensors) {
  unsigned sum = 0;
  for (const auto& tensor : tensors) {
    const auto bits = detail::bits_of_stored(tensor.dtype);
    const auto count = element_count(tensor.shape);
    if (!bits || !count || *count * *bits / 8 != tensor.bytes.size())
      FAIL("a tensor that contradicts itself");
    for (const std::byte value : tensor.bytes) sum += std::to_integer<unsigned>(value);
  }
  return sum;
}

struct outcomes {
  int opened = 0;
  int refused = 0;
};

/// Runs `open` on `count` damaged copies of `valid`, and counts what it does.
template <class Open>
outcomes try_damaged(const std::string& valid, std::uint64_t seed, int count, Open&& open) {
  support::damage damage(seed);
  outcomes result;
  for (int i = 0; i < count; ++i) {
    const std::string bytes = damage.apply(valid, 300);
    CAPTURE(seed, i, bytes);
    try {
      open(bytes);
      ++result.opened;
    } catch (const error& refusal) {
      if (std::string_view(refusal.what()).empty()) FAIL("an error without words");
      ++result.refused;
    } catch (const std::exception& other) {
      FAIL("expected transept::error, found: " << other.what());
    }
  }
  return result;
}

/// Every prefix of `valid` but the whole.
template <class Open>
void try_truncated(const std::string& valid, Open&& open) {
  for (std::size_t size = 0; size < valid.size(); ++size) {
    CAPTURE(size);
    CHECK_THROWS_AS(open(valid.substr(0, size)), error);
  }
}

std::string valid_safetensors() {
  return support::safetensors_bytes(R"({"__metadata__":{"format":"pt"},)"
                                    R"("wte.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},)"
                                    R"("h.0.b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]},)"
                                    R"("none":{"dtype":"I64","shape":[0,9],"data_offsets":[32,32]}})",
                                    std::string(32, '\x3f'));
}

const std::string valid_config =
    R"({"model_type":"gpt2","n_embd":24,"n_layer":2,"n_head":3,"head_dim":8,"vocab_size":50,"n_positions":9,)"
    R"("n_inner":null,"layer_norm_epsilon":1e-05,"activation_function":"gelu_new","bos_token_id":49,)"
    R"("eos_token_id":[48,49],"tie_word_embeddings":true,"scale_attn_weights":true})";

} // namespace

TEST_CASE("damaged safetensors files open soundly or are refused") {
  const support::temporary_folder folder;
  const auto open = [&](const std::string& bytes) {
    support::write_file(folder / "f", bytes);
    return sum_of(safetensors_file::open(folder / "f").tensors());
  };
  open(valid_safetensors());
  try_truncated(valid_safetensors(), open);
  const auto result = try_damaged(valid_safetensors(), 1, 4000, open);
  CHECK(result.opened > 50);
  CHECK(result.refused > 1000);
}

TEST_CASE("damaged headers whose length is right again open soundly or are refused") {
  const support::temporary_folder folder;
  const std::string valid = valid_safetensors();
  const std::string header = valid.substr(8, valid.size() - 8 - 32);
  const auto open = [&](const std::string& damaged_header) {
    support::write_file(folder / "f", support::safetensors_bytes(damaged_header, std::string(32, '\x3f')));
    return sum_of(safetensors_file::open(folder / "f").tensors());
  };
  open(header);
  const auto result = try_damaged(header, 2, 4000, open);
  CHECK(result.opened > 20);
  CHECK(result.refused > 1000);
}

TEST_CASE("damaged shard indices open soundly or are refused") {
  const support::temporary_folder folder;
  support::write_file(folder / "s1", valid_safetensors());
  support::write_file(folder / "s2", support::safetensors_bytes("{}", ""));
  const std::string valid =
      R"({"metadata":{"total_size":32},"weight_map":{"wte.weight":"s1","h.0.b":"s1","none":"s1"}})";
  const auto open = [&](const std::string& bytes) {
    support::write_file(folder / "model.safetensors.index.json", bytes);
    return sum_of(checkpoint::open(folder.path()).tensors());
  };
  open(valid);
  try_truncated(valid, open);
  const auto result = try_damaged(valid, 3, 3000, open);
  CHECK(result.opened > 50);
  CHECK(result.refused > 1000);
}

TEST_CASE("damaged config.json files are read as a model that can be, or refused") {
  const auto open = [](const std::string& bytes) {
    const auto config = parse_config<gpt2_family>(bytes, "config.json");
    const auto& shape = config.shape;
    for (const int count : {shape.n_embd, shape.n_layer, shape.n_head, shape.head_width, shape.vocab_size,
                            shape.n_positions, shape.n_inner}) {
      if (count < 1) FAIL("a count that is not positive");
    }
    if (!(config.settings.layer_norm_epsilon > 0)) FAIL("an epsilon that is not positive");
    if (to_declaration<gpt2_family>(shape, "name").empty()) FAIL("no declaration");
    if (parse_config<gpt2_family>(to_json(config), "config.json") != config) FAIL("not read back as written");
  };
  open(valid_config);
  try_truncated(valid_config, open);
  const auto result = try_damaged(valid_config, 4, 6000, open);
  CHECK(result.opened > 50);
  CHECK(result.refused > 1000);
}

TEST_CASE("damaged .npy files are read or refused") {
  const support::temporary_folder folder;
  write_npy(folder / "f", std::vector<float>(6, 1.0f), std::vector<std::size_t>{2, 3});
  const std::string valid = support::read_file(folder / "f");
  const auto open = [&](const std::string& bytes) {
    support::write_file(folder / "f", bytes);
    const auto array = read_npy(folder / "f");
    std::size_t count = 1;
    for (const std::size_t n : array.shape) count *= n;
    if (count != array.values.size()) FAIL("values that are not as many as the shape says");
  };
  try_truncated(valid, open);
  const auto result = try_damaged(valid, 5, 2000, open);
  CHECK(result.opened > 20);
  CHECK(result.refused > 500);
}

// Models and tokenizers from GGUF files: the fixtures were written by scripts/oracle/gguf_file.py, which
// shares no code with the library; the expected logits were computed in float64 from the numbers that each
// file holds.
#include <support/catch.hpp>

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <support/compare.hpp>
#include <support/gguf_bytes.hpp>
#include <support/parameter_values.hpp>
#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

#include <transept/core/blocks.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/io/save_model.hpp>
#include <transept/io/visit_model.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/text/byte_alphabet.hpp>

using namespace transept;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::EndsWith;
using Catch::Matchers::StartsWith;
using support::gguf_key;

namespace {

constexpr gpt2_config small{.n_embd = 32, .n_layer = 2, .n_head = 4, .vocab_size = 272, .n_positions = 24};
constexpr gpt2_config wider{.n_embd = 64, .n_layer = 2, .n_head = 4};

std::filesystem::path fixture(const std::string& name) { return support::fixture("gguf/" + name); }

/// A file of the fixture's shape whose keys and tensors a test changes: F32, all elements zero.
struct made_file {
  std::vector<std::pair<std::string, std::string>> keys{
      {"general.architecture", gguf_key("general.architecture", "gpt2")},
      {"gpt2.block_count", gguf_key("gpt2.block_count", 1u)},
      {"gpt2.context_length", gguf_key("gpt2.context_length", 4u)},
      {"gpt2.embedding_length", gguf_key("gpt2.embedding_length", 32u)},
      {"gpt2.feed_forward_length", gguf_key("gpt2.feed_forward_length", 128u)},
      {"gpt2.attention.head_count", gguf_key("gpt2.attention.head_count", 2u)},
      {"gpt2.attention.layer_norm_epsilon", gguf_key("gpt2.attention.layer_norm_epsilon", 1e-5f)}};
  struct tensor {
    std::string name;
    std::vector<std::uint64_t> dimensions; // innermost first
    std::uint32_t type = 0;
    std::string data = {};
  };
  std::vector<tensor> tensors{{"token_embd.weight", {32, 7}}, {"position_embd.weight", {32, 4}}};

  made_file() {
    for (const char* norm : {"blk.0.attn_norm", "blk.0.ffn_norm", "output_norm"})
      for (const char* part : {".weight", ".bias"}) tensors.push_back({std::string(norm) + part, {32}});
    const auto linear = [&](const std::string& name, std::uint64_t in, std::uint64_t out) {
      tensors.push_back({name + ".weight", {in, out}});
      tensors.push_back({name + ".bias", {out}});
    };
    linear("blk.0.attn_qkv", 32, 96);
    linear("blk.0.attn_output", 32, 32);
    linear("blk.0.ffn_up", 32, 128);
    linear("blk.0.ffn_down", 128, 32);
  }

  /// Replaces a key's entry, or adds one; no entry removes it.
  made_file& key(const std::string& name, const std::string& entry) {
    std::erase_if(keys, [&](const auto& each) { return each.first == name; });
    if (!entry.empty()) keys.emplace_back(name, entry);
    return *this;
  }

  tensor& named(std::string_view name) { return *std::ranges::find(tensors, name, &tensor::name); }

  void write(const std::filesystem::path& path) const {
    support::gguf_parts parts;
    for (const auto& [name, entry] : keys) parts.keys.push_back(entry);
    for (const auto& [name, dimensions, type, data] : tensors) {
      std::uint64_t size = find_ggml_type(type)->block_bytes;
      for (const std::uint64_t n : dimensions) size *= n;
      size /= find_ggml_type(type)->block_elements;
      parts.tensors.push_back(support::gguf_tensor(name, dimensions, type, parts.data.size()));
      parts.data += data.empty() ? std::string(size, '\0') : data;
      parts.data.resize((parts.data.size() + 31) / 32 * 32);
    }
    support::write_file(path, support::gguf_bytes(parts));
  }
};

constexpr gpt2_config made{.n_embd = 32, .n_layer = 1, .n_head = 2, .vocab_size = 7, .n_positions = 4};

/// What loading `file` says, without the path; "accepted". Another type than `Error` fails the test.
template <class Error>
std::string verdict(const made_file& file) {
  const support::temporary_folder folder;
  const auto path = folder / "m.gguf";
  file.write(path);
  try {
    load<gpt2<made>>(path);
  } catch (const Error& error) {
    const std::string message = error.what();
    REQUIRE_THAT(message, StartsWith(path.string() + ": "));
    return message.substr(path.string().size() + 2);
  }
  return "accepted";
}

} // namespace

TEST_CASE("a GGUF file's configuration is that of the same model's folder") {
  const auto expected = read_config<gpt2_family>(fixture("folder"));
  for (const char* name : {"f32.gguf", "f16.gguf", "bf16.gguf", "q8_0.gguf", "q4_0.gguf"}) {
    CAPTURE(name);
    CHECK(model_files::open(fixture(name)).config<gpt2_family>() == expected);
  }
}

TEST_CASE("a file is GGUF by its name in any case, or by what it begins with") {
  const support::temporary_folder folder;
  support::write_file(folder / "by_content", "GGUF");
  support::write_file(folder / "text", "GGU");
  std::filesystem::create_directory(folder / "folder.gguf");
  CHECK(is_gguf(folder / "by_content"));
  CHECK_FALSE(is_gguf(folder / "text"));
  CHECK_FALSE(is_gguf(folder / "folder.gguf"));
  for (const char* name : {"m.gguf", "m.GGUF", "m.Gguf"}) CHECK(is_gguf(folder / name));
  for (const char* name : {"m", "gguf", "m.ggu", "m.ggufx", "m.ggUg"}) CHECK_FALSE(is_gguf(folder / name));
}

TEST_CASE("a path that is no model says what it is before its config.json is asked for") {
  const support::temporary_folder folder;
  const std::string path = folder.path().string();
  const auto message_of = [](const std::filesystem::path& model) -> std::string {
    try {
      model_files::open(model);
    } catch (const file_error& error) {
      return error.what();
    }
    return "accepted";
  };
  CHECK_THAT(message_of(folder.path()), StartsWith(path + ": expected model.safetensors or "));
  std::filesystem::copy(fixture("q8_0.gguf"), folder / "m.gguf");
  CHECK(message_of(folder.path()) ==
        path +
            ": expected model.safetensors or model.safetensors.index.json, found only m.gguf, which is "
            "opened by its own path\n  Give that instead: " +
            path + "/m.gguf");
  CHECK_THAT(message_of(folder / "none"), StartsWith(path + "/none: no such folder\n"));
  support::write_file(folder / "t.txt", "text");
  CHECK(message_of(folder / "t.txt") ==
        path + "/t.txt: expected a folder with config.json and model.safetensors, or a GGUF file, found a "
               "file of another kind");
  std::filesystem::copy(fixture("folder") / "model.safetensors", folder / "model.safetensors");
  CHECK_THAT(message_of(folder.path()), StartsWith(path + "/config.json: no such file\n"));
}

TEST_CASE("an F32 GGUF file holds the folder's parameters, used in place and transposed") {
  const auto expected = load<gpt2<small>>(fixture("folder"));
  const auto model = load<gpt2<small>>(fixture("f32.gguf"));
  const auto names = support::parameter_names(model);
  CHECK(names.size() == 2 + 2 * 12 + 2);
  for (const auto& name : names) {
    CAPTURE(name);
    CHECK(support::parameter_values(model, name) == support::parameter_values(expected, name));
  }
  CHECK(model.blocks[0].attention.query_key_value.weight.layout() == matrix_layout::transposed);
  CHECK(model.tokens.weight.layout() == matrix_layout::row_major);
}

TEST_CASE("F16 and BF16 files hold the folder's parameters rounded") {
  const auto exact = load<gpt2<small>>(fixture("folder"));
  for (const auto type : {element_type::f16, element_type::bf16}) {
    const auto model = load<gpt2<small>>(fixture(type == element_type::f16 ? "f16.gguf" : "bf16.gguf"));
    for (const auto& name : support::parameter_names(model)) {
      CAPTURE(name);
      auto expected = support::parameter_values(exact, name);
      if (expected.size() > 200 && name != "wpe.weight")
        for (float& x : expected) x = type == element_type::f16 ? to_float(to_f16(x)) : to_float(to_bf16(x));
      CHECK(support::parameter_values(model, name) == expected);
    }
    CHECK(model.tokens.weight.type() == type);
    CHECK(model.positions.weight.type() == element_type::f32);
  }
}

TEST_CASE("Q8_0 and Q4_0 files are packed into panels number for number") {
  const auto exact = load<gpt2<small>>(fixture("folder"));
  for (const bool q8 : {true, false}) {
    const auto path = fixture(q8 ? "q8_0.gguf" : "q4_0.gguf");
    const auto model = load<gpt2<small>>(path);
    CHECK(model.blocks[1].network.down.weight.type() == (q8 ? element_type::q8_0 : element_type::q4_0));
    const auto weights = checkpoint::open(path);
    for (const auto& name : support::parameter_names(model)) {
      CAPTURE(name);
      const auto values = support::parameter_values(model, name),
                 expected = support::parameter_values(exact, name);
      const auto parameter = support::tensor_called(model, name);
      const auto* tensor = weights.find(parameter.gguf);
      REQUIRE(tensor != nullptr);
      if (tensor->dtype == "F32") {
        CHECK(values == expected);
        continue;
      }
      CHECK(support::compare(values, expected) <= (q8 ? 0.005 : 0.13));
      // The file's first block: inputs 0 to 31 of output 0.
      std::vector<float> block(32), first(32);
      if (q8)
        dequantize(*reinterpret_cast<const q8_0_block*>(tensor->bytes.data()), block.data());
      else
        dequantize(*reinterpret_cast<const q4_0_block*>(tensor->bytes.data()), block.data());
      const std::size_t outputs = tensor->shape[0];
      for (std::size_t i = 0; i < 32; ++i) first[i] = values[parameter.is_linear ? i * outputs : i];
      CHECK(first == block);
    }
  }
}

TEST_CASE("the door opens GGUF files, or says what to declare") {
  const auto layers = [](const auto& model) { return static_cast<int>(model.blocks.size()); };
  CHECK(visit_model<gpt2<wider>, gpt2<small.any_vocabulary()>>(fixture("q4_0.gguf"), layers) == 2);
  CHECK_THROWS_WITH(
      (visit_model<gpt2<wider>>(fixture("f32.gguf"), layers)),
      ContainsSubstring("no compiled model has the shape of this file") &&
          ContainsSubstring("my_model{.n_embd = 32, .n_layer = 2, .n_head = 4, .vocab_size = 272, "
                            ".n_positions = 24};") &&
          !ContainsSubstring("config.json"));
  CHECK_THROWS_WITH(
      load<gpt2<wider>>(fixture("f32.gguf")),
      ContainsSubstring("the model in this file is not of the compiled type: n_embd is 32, not 64"));
}

TEST_CASE("the door names the architectures that it knows") {
  const support::temporary_folder folder;
  const auto none = [](const auto&) { return 0; };
  made_file().key("general.architecture", gguf_key("general.architecture", "bert")).write(folder / "m.gguf");
  CHECK_THROWS_AS((visit_model<gpt2<wider>, gpt2<any_gpt2>>(folder / "m.gguf", none)), config_error);
  CHECK_THROWS_WITH((visit_model<gpt2<wider>, gpt2<any_gpt2>>(folder / "m.gguf", none)),
                    (folder / "m.gguf").string() +
                        ": key \"general.architecture\": expected \"gpt2\", found \"bert\"");
  made_file().key("general.architecture", "").write(folder / "m.gguf");
  CHECK_THROWS_WITH((visit_model<gpt2<any_gpt2>>(folder / "m.gguf", none)),
                    EndsWith("expected \"gpt2\", found no such key"));
  made_file()
      .key("general.architecture", gguf_key("general.architecture", "transept"))
      .write(folder / "m.gguf");
  CHECK_THROWS_WITH((visit_model<gpt2<any_gpt2>>(folder / "m.gguf", none)),
                    EndsWith("found \"transept\" with a model_type that is not known"));
}

TEST_CASE("an output that is a copy of the embedding is tied, any other is not") {
  made_file file;
  CHECK(verdict<error>(file) == "accepted");
  file.tensors.push_back({"output.weight", {32, 7}});
  CHECK(verdict<error>(file) == "accepted");
  file.tensors.back().data = std::string(7 * 32 * 4, '\1');
  CHECK_THAT(verdict<shape_error>(file), ContainsSubstring("tie_word_embeddings is false, not true"));
  file.tensors.back() = {"output.weight", {32, 7}, 1};
  CHECK_THAT(verdict<shape_error>(file), ContainsSubstring("tie_word_embeddings is false, not true"));
  CHECK(model_files::open(fixture("f16.gguf")).gguf()->find("output.weight") != nullptr);
  load<gpt2<small>>(fixture("f16.gguf"));

  constexpr gpt2_config untied{.n_embd = 32,
                               .n_layer = 1,
                               .n_head = 2,
                               .vocab_size = 7,
                               .n_positions = 4,
                               .tie_word_embeddings = false};
  const support::temporary_folder folder;
  file.write(folder / "m.gguf");
  CHECK(load<gpt2<untied>>(folder / "m.gguf").output.weight.type() == element_type::f16);
}

TEST_CASE("each tensor may have a type of its own, and tensors that GPT-2 has not are ignored") {
  made_file file;
  file.named("blk.0.attn_qkv.weight").type = 8;
  file.named("blk.0.ffn_up.weight").type = 2;
  file.named("blk.0.ffn_down.weight").type = 30;
  file.named("output_norm.bias").type = 1;
  auto& positions = file.named("position_embd.weight"); // four blocks of 1.0 · 5
  positions.type = 8;
  for (int i = 0; i < 4; ++i) positions.data += std::string("\0\x3c", 2) + std::string(32, '\5');
  file.tensors.push_back({"rope_freqs.weight", {256}, 12});
  file.tensors.push_back({"blk.00.attn_qkv.weight", {1}, 0});
  const support::temporary_folder folder;
  file.write(folder / "m.gguf");
  const auto model = load<gpt2<made>>(folder / "m.gguf");
  CHECK(model.blocks[0].attention.query_key_value.weight.type() == element_type::q8_0);
  CHECK(model.blocks[0].network.up.weight.type() == element_type::q4_0);
  CHECK(model.blocks[0].network.down.weight.type() == element_type::bf16);
  CHECK(model.blocks[0].attention.output.weight.type() == element_type::f32);
  CHECK(model.positions.weight.type() == element_type::f32); // only looked up: never in blocks
  CHECK(support::parameter_values(model, "wpe.weight") == std::vector<float>(128, 5.0f));
}

TEST_CASE("keys that are missing, of the wrong type or impossible are refused by name") {
  const auto without = [](const std::string& key) { return verdict<config_error>(made_file().key(key, "")); };
  CHECK(without("general.architecture") ==
        "key \"general.architecture\": expected \"gpt2\", found no such key");
  CHECK(without("gpt2.block_count") ==
        "key \"gpt2.block_count\": expected a whole number from 1 to 16384, found no such key");
  CHECK_THAT(without("gpt2.context_length"), StartsWith("key \"gpt2.context_length\": expected"));
  CHECK_THAT(without("gpt2.embedding_length"), StartsWith("key \"gpt2.embedding_length\": expected"));
  CHECK_THAT(without("gpt2.attention.head_count"), StartsWith("key \"gpt2.attention.head_count\": expected"));
  CHECK(without("gpt2.attention.layer_norm_epsilon") == "key \"gpt2.attention.layer_norm_epsilon\": expected "
                                                        "a number above 0 and at most 1, found no such key");
  CHECK(without("gpt2.feed_forward_length") == "accepted"); // four times the width

  const auto with = [](const std::string& name, auto value) {
    return verdict<config_error>(made_file().key(name, gguf_key(name, value)));
  };
  CHECK(with("general.architecture", "llama") ==
        "key \"general.architecture\": expected \"gpt2\", found \"llama\"");
  CHECK(with("gpt2.block_count", 0u) ==
        "key \"gpt2.block_count\": expected a whole number from 1 to 16384, found 0");
  CHECK(with("gpt2.embedding_length", 0xffffffffu) ==
        "key \"gpt2.embedding_length\": expected a whole number from 1 to 1048576, found 4294967295");
  CHECK(with("gpt2.attention.head_count", 3u) ==
        "key \"gpt2.embedding_length\": expected a multiple of head_count (3), found 32");
  CHECK(with("gpt2.attention.head_count_kv", 1u) ==
        "key \"gpt2.attention.head_count_kv\": expected the head_count, 2, found 1");
  CHECK(with("gpt2.attention.layer_norm_epsilon", 0.0f) ==
        "key \"gpt2.attention.layer_norm_epsilon\": expected a number above 0 and at most 1, found 0");
  CHECK_THAT(with("gpt2.attention.layer_norm_epsilon", std::numeric_limits<float>::quiet_NaN()),
             ContainsSubstring("found nan"));
  CHECK(with("gpt2.attention.key_length", 2000000u) ==
        "key \"gpt2.attention.key_length\": expected a whole number from 1 to 1048576, found 2000000");

  CHECK(verdict<format_error>(made_file().key("gpt2.block_count", gguf_key("gpt2.block_count", 1.0f))) ==
        "key \"gpt2.block_count\": expected a whole number, found float32");
  CHECK(verdict<config_error>(made_file().key(
            "tokenizer.ggml.tokens", gguf_key("tokenizer.ggml.tokens", 9, support::gguf_strings({"a"})))) ==
        "key \"tokenizer.ggml.tokens\": expected an array of 7 strings, one per row of token_embd.weight, "
        "found 1");
}

TEST_CASE("a head width of its own is read") {
  const support::temporary_folder folder;
  made_file()
      .key("gpt2.attention.key_length", gguf_key("gpt2.attention.key_length", 5u))
      .write(folder / "m.gguf");
  CHECK(model_files::open(folder / "m.gguf").config<gpt2_family>().shape.head_width == 5);
}

TEST_CASE("tensors that are missing or of another shape are refused, transposed ones called so") {
  made_file complete;
  for (std::size_t i = 0; i < complete.tensors.size(); ++i) {
    made_file file;
    const std::string name = file.tensors[i].name;
    file.tensors.erase(file.tensors.begin() + static_cast<std::ptrdiff_t>(i));
    CAPTURE(name);
    CHECK_THAT(verdict<shape_error>(file), StartsWith("tensor " + name + ": expected [") &&
                                               ContainsSubstring("], found no tensor of that name"));
  }
  const auto with_dimensions = [](std::string_view name, std::vector<std::uint64_t> dimensions) {
    made_file file;
    file.named(name).dimensions = std::move(dimensions);
    return verdict<shape_error>(file);
  };
  CHECK(with_dimensions("blk.0.attn_qkv.weight", {96, 32}) ==
        "tensor blk.0.attn_qkv.weight: expected shape [96, 32], found [32, 96]\n"
        "  It looks transposed: GGUF keeps linear weights as [out, in].");
  CHECK(with_dimensions("position_embd.weight", {32, 5}) ==
        "tensor position_embd.weight: expected shape [4, 32], found [5, 32]");
  CHECK(with_dimensions("output_norm.bias", {31}) ==
        "tensor output_norm.bias: expected shape [32], found [31]");
  CHECK(with_dimensions("token_embd.weight", {32}) ==
        "tensor token_embd.weight: expected [vocab_size, n_embd], found [32]");
}

TEST_CASE("element types that this library does not compute with are refused by name") {
  made_file file;
  file.named("blk.0.ffn_down.weight") = {"blk.0.ffn_down.weight", {128, 32}, 20};
  CHECK_THAT(verdict<shape_error>(file),
             StartsWith("tensor blk.0.ffn_down.weight: expected F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1 "
                        "or Q2_K to Q6_K, found IQ4_NL\n"));
  file = {};
  file.named("output_norm.bias").type = 8;
  CHECK_THAT(verdict<shape_error>(file),
             StartsWith("tensor output_norm.bias: expected F32, F16 or BF16, found Q8_0\n"));
}

TEST_CASE("a GGUF file's tokenizer is that of the same model's folder") {
  const auto expected = load_tokenizer(fixture("folder"));
  const auto tokenizer = load_tokenizer(fixture("q8_0.gguf"));
  REQUIRE(tokenizer.vocabulary_size() == expected.vocabulary_size());
  for (token_id id = 0; id < 272; ++id) CHECK(tokenizer.bytes(id) == expected.bytes(id));
  const std::string text = "the tower stands over the crossing\n\xff 😁<|endoftext|> aaaa";
  for (const auto special : {special_tokens::as_text, special_tokens::allowed})
    CHECK(tokenizer.encode(text, special) == expected.encode(text, special));
  CHECK(tokenizer.decode(tokenizer.encode(text)) == text);
  CHECK(tokenizer.end_of_text() == 271);
}

TEST_CASE("vocabularies in GGUF files that are missing or contradict themselves are refused") {
  // 256 bytes, "aa", a control token and a user-defined one.
  std::vector<std::string> tokens;
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    tokens.push_back(to_byte_alphabet({&c, 1}));
  }
  for (const char* token : {"aa", "<|end|>", "Transept lib"}) tokens.emplace_back(token);
  struct parts {
    std::vector<std::string> tokens;
    std::string kinds;
    std::vector<std::string> merges{"a a"};
    std::vector<std::string> more = {};
  };
  const auto kinds_of = [](std::size_t normal, std::vector<int> rest) {
    std::string elements;
    for (std::size_t i = 0; i < normal; ++i) elements += support::number_bytes(1);
    for (const int kind : rest) elements += support::number_bytes(kind);
    return support::gguf_array(5, normal + rest.size(), elements);
  };
  const support::temporary_folder folder;
  const auto path = folder / "v.gguf";
  const auto open = [&](const parts& from) {
    support::gguf_parts file;
    file.keys = from.more;
    file.keys.push_back(gguf_key("tokenizer.ggml.tokens", 9, support::gguf_strings(from.tokens)));
    file.keys.push_back(gguf_key("tokenizer.ggml.token_type", 9, from.kinds));
    file.keys.push_back(gguf_key("tokenizer.ggml.merges", 9, support::gguf_strings(from.merges)));
    support::write_file(path, support::gguf_bytes(file));
    return load_tokenizer(path);
  };
  const auto verdict = [&](const parts& from) -> std::string {
    try {
      open(from);
    } catch (const tokenizer_error& error) {
      return std::string(error.what()).substr(path.string().size() + 2);
    }
    return "accepted";
  };
  const std::string kinds_good = kinds_of(257, {3, 4});
  const auto good = open({tokens, kinds_good});
  CHECK(good.encode("aaa<|end|>Transept lib") ==
        std::vector<token_id>{256, 97, 60, 124, 101, 110, 100, 124, 62, 258});
  CHECK(good.encode("<|end|>", special_tokens::allowed) == std::vector<token_id>{257});

  auto twice = tokens;
  twice[256] = "b";
  CHECK(verdict({twice, kinds_good}) == "token \"b\" has two ids, 98 and 256");
  auto empty = tokens;
  empty[256].clear();
  CHECK(verdict({empty, kinds_good}) == "a token is empty");
  CHECK(verdict({tokens, kinds_of(1, {})}) == "expected as many token types as tokens, 259, found 1");
  CHECK(verdict({tokens, kinds_of(257, {3, 9})}) ==
        "token \"Transept lib\": expected a type from 1 to 6, found 9");
  CHECK(verdict({tokens, kinds_good, {"a b"}}) == "merge 0: \"ab\" is not a token of " + path.string());
  CHECK(verdict({tokens, kinds_good, {"a a", "a a"}}) ==
        "merge 1: the merge of \"a\" and \"a\" was given before");
  CHECK(verdict({tokens, kinds_good, {"aa"}}) ==
        "merge 0: expected two tokens with a space between, found \"aa\"");
  CHECK_THAT(verdict({tokens, kinds_good, {"a a"}, {gguf_key("tokenizer.ggml.model", "rwkv")}}),
             StartsWith("key \"tokenizer.ggml.model\": expected") && EndsWith("found \"rwkv\""));
  CHECK_THAT(
      verdict({tokens, kinds_good, {"a a"}, {gguf_key("tokenizer.ggml.pre", "none")}}),
      StartsWith(
          "key \"tokenizer.ggml.pre\": expected a splitting that is known (gpt-2, llama-bpe, qwen2, …), "
          "found \"none\""));
  CHECK_THAT(verdict({{tokens.begin() + 1, tokens.end()}, kinds_of(256, {3, 4})}), StartsWith("accepted"));

  auto no_utf8 = tokens;
  no_utf8[256] = "a\xff";
  CHECK_THROWS_AS(open({no_utf8, kinds_good}), format_error);
  CHECK_THROWS_WITH(open({no_utf8, kinds_good}),
                    EndsWith("key \"tokenizer.ggml.tokens\": token 256: expected UTF-8, found \"a\\xff\""));

  support::write_file(path, support::gguf_bytes({}));
  CHECK_THROWS_AS(load_tokenizer(path), file_error);
  CHECK_THROWS_WITH(load_tokenizer(path), EndsWith("no tokenizer here: no key tokenizer.ggml.tokens"));
  support::write_file(
      path, support::gguf_bytes({.keys = {gguf_key("tokenizer.ggml.tokens", 9, support::gguf_array(5, 0, "")),
                                          gguf_key("tokenizer.ggml.merges", 9, support::gguf_strings({}))}}));
  CHECK_THROWS_AS(load_tokenizer(path), format_error);
}

// io/file_tensors.hpp: which tensors of a file hold which outputs of a parameter; and that loading and saving
// undo each other where one parameter is several tensors, lies as [out, in] or has its outputs head by head.
#include <support/catch.hpp>

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <vector>

#include <support/parameter_values.hpp>
#include <support/temporary_folder.hpp>

#include <transept/io/file_tensors.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/safetensors.hpp>
#include <transept/io/save_model.hpp>
#include <transept/layers/linear.hpp>
#include <transept/models/gpt2.hpp>

using namespace transept;

namespace {

constexpr std::size_t heads = 2, head_width = 3, inputs = 4;
constexpr extent width = inputs, outputs = 3 * heads * head_width;

/// One linear layer, found in files as `Line` says.
template <output_order Order, bool InputsFirst, bool IsSplit>
struct one_layer {
  static constexpr std::array<tensor_names, 1> table{
      {{"qkv", IsSplit ? "{q,k,v}_proj" : "query_key_value", "attn_qkv", Order}}};
  static constexpr model_names names{.tensors = table, .inputs_first = InputsFirst};

  linear<width, outputs> qkv = linear<width, outputs>::shaped();
  static constexpr auto members = members_of(member{"qkv", &one_layer::qkv});

  decoder_shape shape() const {
    return {.n_layer = 1,
            .n_head = heads,
            .head_width = head_width,
            .n_embd = inputs,
            .n_inner = 1,
            .vocab_size = 1,
            .n_positions = 1};
  }
};

/// Element (input, output) of the weight is 100 · input + output, element `output` of the bias 1000 + output.
struct numbers {
  std::vector<float> weight, bias;
  numbers() : weight(inputs * outputs), bias(outputs) {
    for (std::size_t i = 0; i < inputs; ++i)
      for (std::size_t o = 0; o < outputs; ++o) weight[i * outputs + o] = static_cast<float>(100 * i + o);
    std::iota(bias.begin(), bias.end(), 1000.0f);
  }
};

std::vector<float> values_of(const stored_tensor& tensor) {
  std::vector<float> values(tensor.bytes.size() / 4);
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

/// Saves the layer and loads it again; gives back the file.
template <class Model>
safetensors_file written(const std::filesystem::path& folder) {
  const numbers given;
  Model model;
  model.qkv.weight = {given.weight.data(), element_type::f32, width, outputs};
  model.qkv.bias = {given.bias.data(), outputs};
  save_parameters(model, folder / "model.safetensors");
  Model loaded;
  weight_owner memory;
  load_parameters(loaded, memory, checkpoint::open(folder));
  CHECK(support::matrix_values(loaded.qkv.weight, true) == given.weight);
  CHECK(std::equal(given.bias.begin(), given.bias.end(), loaded.qkv.bias.data()));
  return safetensors_file::open(folder / "model.safetensors");
}

} // namespace

TEST_CASE("an output of queries, keys and values is found where a file keeps it head by head") {
  const file_tensor as_here{.heads = heads, .head_width = head_width};
  const file_tensor by_head{
      .order = output_order::by_head, .heads = heads, .key_value_heads = heads, .head_width = head_width};
  std::vector<std::size_t> places;
  for (std::size_t output = 0; output < outputs; ++output) {
    CHECK(as_here.stored_output(output) == output);
    places.push_back(by_head.stored_output(output));
  }
  // Queries of both heads, then keys, then values; stored: query, key, value of head 0, then of head 1.
  CHECK(places == std::vector<std::size_t>{0, 1, 2, 9, 10, 11, 3, 4, 5, 12, 13, 14, 6, 7, 8, 15, 16, 17});
}

TEST_CASE("a head of keys stands behind the queries that share it, where a file keeps them head by head") {
  const auto places_of = [](std::size_t queries, std::size_t keys) {
    const file_tensor tensor{
        .order = output_order::by_head, .heads = queries, .key_value_heads = keys, .head_width = 1};
    std::vector<std::size_t> places;
    for (std::size_t output = 0; output < queries + 2 * keys; ++output)
      places.push_back(tensor.stored_output(output));
    return places;
  };
  CHECK(places_of(4, 2) == std::vector<std::size_t>{0, 1, 4, 5, 2, 6, 3, 7}); // q q k v, q q k v
  CHECK(places_of(3, 1) == std::vector<std::size_t>{0, 1, 2, 3, 4});          // as here
}

TEST_CASE("outputs that lie head by head are put in order by loading and back by saving") {
  const support::temporary_folder folder;
  const auto file = written<one_layer<output_order::by_head, false, false>>(folder.path());
  REQUIRE(file.find("query_key_value.weight") != nullptr);
  CHECK(file.find("query_key_value.weight")->shape == std::vector<std::uint64_t>{outputs, inputs});
  const auto weight = values_of(*file.find("query_key_value.weight"));
  const auto bias = values_of(*file.find("query_key_value.bias"));
  const std::vector<float> order{0, 1, 2, 6, 7,  8,  12, 13, 14,
                                 3, 4, 5, 9, 10, 11, 15, 16, 17}; // of what is here
  for (std::size_t row = 0; row < outputs; ++row) {
    CHECK(bias[row] == 1000 + order[row]);
    for (std::size_t i = 0; i < inputs; ++i)
      CHECK(weight[row * inputs + i] == static_cast<float>(100 * i) + order[row]);
  }
}

TEST_CASE("a parameter that files have as three tensors is put together and taken apart") {
  const support::temporary_folder folder;
  const auto file = written<one_layer<output_order::as_here, false, true>>(folder.path());
  CHECK(file.tensors().size() == 6);
  for (std::size_t part = 0; part < 3; ++part) {
    const std::string name = std::array{"q", "k", "v"}[part] + std::string("_proj");
    const auto* const weight = file.find(name + ".weight");
    REQUIRE(weight != nullptr);
    CHECK(weight->shape == std::vector<std::uint64_t>{outputs / 3, inputs});
    CHECK(values_of(*weight)[inputs + 2] == static_cast<float>(200 + part * outputs / 3 + 1));
    CHECK(values_of(*file.find(name + ".bias"))[5] == static_cast<float>(1000 + part * outputs / 3 + 5));
  }
}

TEST_CASE("a layer of one tensor is written as its files have it") {
  const support::temporary_folder folder;
  const auto file = written<one_layer<output_order::as_here, true, false>>(folder.path());
  CHECK(file.find("query_key_value.weight")->shape == std::vector<std::uint64_t>{inputs, outputs});
  CHECK(values_of(*file.find("query_key_value.weight")) == numbers().weight);
}

TEST_CASE("queries, keys and values have as many outputs as their heads, other parts equal ones") {
  decoder_shape shape{.n_layer = 1,
                      .n_head = 4,
                      .head_width = 8,
                      .n_embd = 4,
                      .n_inner = 6,
                      .vocab_size = 1,
                      .n_positions = 1,
                      .n_key_value_head = 2};
  constexpr std::array<tensor_names, 2> table{
      {{"blocks.*.attention.query_key_value", "layers.*.self_attn.{q,k,v}_proj", "blk.*.attn_{q,k,v}"},
       {"blocks.*.network.up", "layers.*.mlp.{gate,up}_proj", "blk.*.ffn_{gate,up}"}}};
  const model_names names{.tensors = table};
  const auto grouped = linear<4, 64>::shaped();
  const auto tensors =
      tensors_of(names, file_naming::huggingface, "blocks.3.attention.query_key_value.weight",
                 leaf_description::of(grouped.weight), shape);
  REQUIRE(tensors.size() == 3);
  CHECK(tensors[0].name == "layers.3.self_attn.q_proj.weight");
  CHECK(tensors[2].name == "layers.3.self_attn.v_proj.weight");
  CHECK(tensors_of(names, file_naming::gguf, "blocks.3.attention.query_key_value.weight",
                   leaf_description::of(grouped.weight), shape)[1]
            .name == "blk.3.attn_k.weight");
  CHECK(tensors[0].shape == std::vector<std::uint64_t>{4, 32});
  CHECK(tensors[1].shape == std::vector<std::uint64_t>{4, 16});
  CHECK(tensors[2].shape == std::vector<std::uint64_t>{4, 16});
  CHECK((tensors[0].is_linear && !tensors[0].is_lookup));
  const auto biases = tensors_of(names, file_naming::huggingface, "blocks.3.attention.query_key_value.bias",
                                 leaf_description::of(grouped.bias), shape);
  REQUIRE(biases.size() == 3);
  CHECK(biases[0].shape == std::vector<std::uint64_t>{32});
  CHECK_FALSE(biases[0].is_linear);
  const auto gated = linear<4, 12>::shaped();
  const auto parts = tensors_of(names, file_naming::huggingface, "blocks.0.network.up.weight",
                                leaf_description::of(gated.weight), shape);
  REQUIRE(parts.size() == 2);
  CHECK(parts[1].name == "layers.0.mlp.up_proj.weight");
  CHECK(parts[1].shape == std::vector<std::uint64_t>{4, 6});
  const auto own =
      tensors_of(names, file_naming::huggingface, "own.weight", leaf_description::of(gated.weight), shape);
  REQUIRE(own.size() == 1);
  CHECK(own[0].name == "own.weight");
}

TEST_CASE("all tensors of a GPT-2 are listed with the names of a file of its kind") {
  const auto model = gpt2<any_gpt2>::shaped({.n_embd = 8,
                                             .n_layer = 2,
                                             .n_head = 2,
                                             .vocab_size = 11,
                                             .n_positions = 5,
                                             .tie_word_embeddings = false});
  const auto tensors = all_tensors_of(model, file_naming::huggingface);
  REQUIRE(tensors.size() == 2 + 2 * 12 + 3);
  CHECK(tensors[1].name == "wpe.weight");
  CHECK(tensors[1].is_lookup);
  CHECK(tensors[16].name == "h.1.attn.c_attn.weight");
  CHECK(tensors[16].shape == std::vector<std::uint64_t>{8, 24});
  CHECK(tensors[16].is_linear);
  CHECK(tensors.back().name == "lm_head.weight");
  CHECK_FALSE(tensors.back().is_linear);
  for (const file_naming naming : {file_naming::gguf, file_naming::own_gguf}) {
    const auto in_gguf = all_tensors_of(model, naming);
    REQUIRE(in_gguf.size() == tensors.size());
    CHECK(in_gguf[16].name == "blk.1.attn_qkv.weight");
    CHECK(in_gguf.back().name == "output.weight");
  }
}

TEST_CASE("llama.cpp's files have the numbers that are turned together side by side, values as they are") {
  const decoder_shape shape{.n_layer = 1,
                            .n_head = 2,
                            .head_width = 4,
                            .n_embd = 4,
                            .n_inner = 6,
                            .vocab_size = 1,
                            .n_positions = 1,
                            .n_key_value_head = 1};
  constexpr std::array<tensor_names, 2> table{
      {{"blocks.*.qkv", "{q,k,v}_proj", "blk.*.attn_{q,k,v}", output_order::as_here,
        output_order::rotary_pairs},
       {"blocks.*.norms", "norms.{}", "blk.*.norms", output_order::as_here, output_order::as_here, 1.0f}}};
  const model_names names{.tensors = table};
  const leaf_description qkv{.shape = {4, 16}, .is_linear = true}, norms{.shape = {8}};
  const auto places_of = [](const file_tensor& tensor) {
    std::vector<std::size_t> places;
    for (std::size_t o = 0; o < tensor.outputs(); ++o) places.push_back(tensor.stored_output(o));
    return places;
  };
  const auto tensors = tensors_of(names, file_naming::gguf, "blocks.0.qkv.weight", qkv, shape);
  REQUIRE(tensors.size() == 3);
  CHECK(places_of(tensors[0]) == std::vector<std::size_t>{0, 2, 1, 3, 4, 6, 5, 7});
  CHECK(places_of(tensors[1]) == std::vector<std::size_t>{0, 2, 1, 3});
  CHECK(places_of(tensors[2]) == std::vector<std::size_t>{0, 1, 2, 3});
  for (const file_naming naming : {file_naming::huggingface, file_naming::own_gguf})
    CHECK(places_of(tensors_of(names, naming, "blocks.0.qkv.weight", qkv, shape)[0]) ==
          std::vector<std::size_t>{0, 1, 2, 3, 4, 5, 6, 7});

  const auto stacked = tensors_of(names, file_naming::gguf, "blocks.0.norms.weight", norms, shape);
  REQUIRE(stacked.size() == 1);
  CHECK(stacked[0].name == "blk.0.norms.weight");
  CHECK(stacked[0].shape == std::vector<std::uint64_t>{2, 4});
  CHECK(stacked[0].is_vector);
  CHECK(stacked[0].offset == 1.0f);
  const auto each = tensors_of(names, file_naming::huggingface, "blocks.0.norms.weight", norms, shape);
  REQUIRE(each.size() == 2);
  CHECK(each[1].name == "norms.1.weight");
  CHECK(each[1].shape == std::vector<std::uint64_t>{4});
  CHECK(each[1].offset == 0.0f);
}

// tensor/names.hpp: tables of names, their stars and braces, and the walk over a model in Hugging Face's
// words.
#include <support/catch.hpp>

#include <array>
#include <string>
#include <vector>

#include <transept/tensor/names.hpp>
#include <transept/tensor/parameters.hpp>
#include <transept/tensor/weights.hpp>

using namespace transept;

namespace {

constexpr std::array<tensor_names, 5> table{{
    {"tokens", "embed_tokens", "token_embd"},
    {"blocks.*.attention.query_key_value", "layers.*.self_attn.{q,k,v}_proj", "blk.*.attn_{q,k,v}"},
    {"blocks.*.attention.output", "layers.*.self_attn.o_proj", "blk.*.attn_output"},
    {"blocks.*.network.up", "layers.*.mlp.{gate,up}_proj", "blk.*.ffn_{gate,up}"},
    {"norm", "norm", ""},
}};
constexpr model_names table_of_names{.tensors = table, .prefix = "model."};

using names_list = std::vector<std::string>;

} // namespace

TEST_CASE("a name is found in the table whatever its block, and nothing else is") {
  const auto here = [](std::string_view name) -> std::string {
    const tensor_names* const found = find_names(table_of_names, name);
    return found ? std::string(found->here) : "none";
  };
  CHECK(here("tokens.weight") == "tokens");
  CHECK(here("norm.bias") == "norm");
  CHECK(here("blocks.0.attention.output.weight") == "blocks.*.attention.output");
  CHECK(here("blocks.123.attention.output.bias") == "blocks.*.attention.output");
  for (const char* name :
       {"", ".", "token.weight", "blocks.attention.output.weight", "blocks.00.attention.output.weight",
        "blocks.+1.attention.output.weight", "blocks.-1.attention.output.weight",
        "blocks.99999999999.attention.output.weight", "blocks.1x.attention.output.weight",
        "blocks.*.attention.output.weight.weight", "blocks.1.2.attention.output.weight",
        "blocks..attention.output.weight", "blk.0.attn_output.weight"}) {
    CAPTURE(name);
    CHECK(here(name) == "none");
  }
}

TEST_CASE("braces stand for as many names as they list") {
  CHECK(without_braces("h.0.attn.c_attn.weight") == names_list{"h.0.attn.c_attn.weight"});
  CHECK(without_braces("") == names_list{""});
  CHECK(without_braces("a.{q,k,v}_proj.bias") ==
        names_list{"a.q_proj.bias", "a.k_proj.bias", "a.v_proj.bias"});
  CHECK(without_braces("{gate,up}") == names_list{"gate", "up"});
  CHECK(without_braces("x{one}") == names_list{"xone"});
  CHECK(without_braces("x{,s}y") == names_list{"xy", "xsy"});
  CHECK(without_braces("open{a,b") == names_list{"open{a,b"});
}

TEST_CASE("names are translated with the block's number and the last part") {
  CHECK(huggingface_name(table_of_names, "tokens.weight") == "embed_tokens.weight");
  CHECK(huggingface_name(table_of_names, "blocks.12.attention.output.bias") ==
        "layers.12.self_attn.o_proj.bias");
  CHECK(huggingface_name(table_of_names, "blocks.0.network.up.weight") ==
        "layers.0.mlp.{gate,up}_proj.weight");
  CHECK(huggingface_name(table_of_names, "my_own.weight") == "my_own.weight");
}

namespace {

struct part {
  weight_vector<2> weight;
  weight_vector<0> bias;
  static constexpr auto members = members_of(member{"weight", &part::weight}, member{"bias", &part::bias});
};
struct attention_part {
  part output;
  static constexpr auto members = members_of(member{"output", &attention_part::output});
};
struct block_part {
  attention_part attention;
  part mine;
  static constexpr auto members =
      members_of(member{"attention", &block_part::attention}, member{"mine", &block_part::mine});
};
struct whole {
  part tokens;
  std::vector<block_part> blocks;
  part norm;
  static constexpr model_names names = table_of_names;
  static constexpr auto members = members_of(member{"tokens", &whole::tokens},
                                             member{"blocks", &whole::blocks}, member{"norm", &whole::norm});
};

} // namespace

TEST_CASE("a model is walked in Hugging Face's words or in those of here, without what has no elements") {
  whole model;
  model.blocks.resize(2);
  names_list here, theirs;
  for_each_parameter_here([&](std::string_view name, const auto&) { here.emplace_back(name); }, model);
  for_each_parameter([&](std::string_view name, const auto&) { theirs.emplace_back(name); }, model);
  CHECK(here == names_list{"tokens.weight", "blocks.0.attention.output.weight", "blocks.0.mine.weight",
                           "blocks.1.attention.output.weight", "blocks.1.mine.weight", "norm.weight"});
  CHECK(theirs == names_list{"embed_tokens.weight", "layers.0.self_attn.o_proj.weight",
                             "blocks.0.mine.weight", "layers.1.self_attn.o_proj.weight",
                             "blocks.1.mine.weight", "norm.weight"});
}

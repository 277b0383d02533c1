// io/model_config.hpp: what config.json may say, and the words for what it may not.
#include <support/catch.hpp>

#include <string>
#include <vector>

#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

#include <transept/io/model_config.hpp>
#include <transept/io/write_config.hpp>
#include <transept/models/gpt2/config.hpp>

using namespace transept;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

using gpt2_model_config = model_config<gpt2_family>;

gpt2_model_config parsed(std::string_view text) { return parse_config<gpt2_family>(text, "config.json"); }

/// The message of a config_error, without the file's name.
std::string verdict(std::string_view text) {
  try {
    parsed(text);
  } catch (const config_error& error) {
    const std::string message = error.what();
    REQUIRE_THAT(message, StartsWith("config.json: "));
    return message.substr(13);
  }
  return "accepted";
}

} // namespace

TEST_CASE("an empty config.json is Hugging Face's GPT2Config") {
  const auto config = parsed("{}");
  CHECK(config == gpt2_model_config{});
  CHECK(config.shape == gpt2_small);
  CHECK(config.shape.n_embd == 768);
  CHECK(config.shape.n_layer == 12);
  CHECK(config.shape.n_head == 12);
  CHECK(config.shape.head_width == 64);
  CHECK(config.shape.vocab_size == 50257);
  CHECK(config.shape.n_positions == 1024);
  CHECK(config.shape.n_inner == 3072);
  CHECK(bool(config.shape.tie_word_embeddings));
  CHECK(config.settings.layer_norm_epsilon == 1e-5f);
  CHECK(config.settings.activation == activation_type::gelu_tanh);
  CHECK(config.settings.scale_attn_weights);
  CHECK_FALSE(config.settings.scale_attn_by_inverse_layer_idx);
  CHECK(config.settings.bos_token_id == 50256);
  CHECK(config.settings.eos_token_ids == std::vector<token_id>{50256});
}

TEST_CASE("GPT-2's published config.json is read") {
  const auto config = parsed(R"({
    "activation_function": "gelu_new", "architectures": ["GPT2LMHeadModel"], "attn_pdrop": 0.1,
    "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256, "initializer_range": 0.02,
    "layer_norm_epsilon": 1e-05, "model_type": "gpt2", "n_ctx": 1024, "n_embd": 1600, "n_head": 25, "n_layer": 48,
    "n_positions": 1024, "output_past": true, "resid_pdrop": 0.1, "summary_activation": null,
    "task_specific_params": {"text-generation": {"do_sample": true, "max_length": 50}}, "vocab_size": 50257})");
  CHECK(config.shape.n_embd == 1600);
  CHECK(config.shape.n_head == 25);
  CHECK(config.shape.n_layer == 48);
  CHECK(config.shape.head_width == 64);
  CHECK(config.shape.n_inner == 6400);
}

TEST_CASE("the shipped model's config.json is read from its folder or by its name") {
  const auto config = read_config<gpt2_family>(support::shipped_model());
  CHECK(config == read_config<gpt2_family>(support::shipped_model() / "config.json"));
  CHECK(config.shape.vocab_size == 1024);
  CHECK(config.settings.eos_token_ids == std::vector<token_id>{1023});
}

TEST_CASE("every member is honoured") {
  const auto config = parsed(R"({"n_embd": 24, "n_layer": 2, "n_head": 5, "head_dim": 7, "vocab_size": 50,
    "n_positions": 9, "n_ctx": 8, "n_inner": 33, "tie_word_embeddings": false, "layer_norm_epsilon": 0.25,
    "activation_function": "gelu", "scale_attn_weights": false, "scale_attn_by_inverse_layer_idx": true,
    "reorder_and_upcast_attn": true, "bos_token_id": null, "eos_token_id": [3, 4], "add_cross_attention": false})");
  CHECK(config == gpt2_model_config{.shape = {.n_embd = 24,
                                              .n_layer = 2,
                                              .n_head = 5,
                                              .vocab_size = 50,
                                              .n_positions = 9,
                                              .n_inner = 33,
                                              .head_width = 7,
                                              .tie_word_embeddings = false},
                                    .settings = {.layer_norm_epsilon = 0.25f,
                                                 .activation = activation_type::gelu_erf,
                                                 .scale_attn_weights = false,
                                                 .scale_attn_by_inverse_layer_idx = true,
                                                 .bos_token_id = std::nullopt,
                                                 .eos_token_ids = {3, 4}}});
}

TEST_CASE("other names of the same members are read where GPT-2's own are absent") {
  const auto config = parsed(R"({"hidden_size": 24, "num_hidden_layers": 2, "num_attention_heads": 3,
                                 "max_position_embeddings": 9})");
  CHECK(config.shape.n_embd == 24);
  CHECK(config.shape.n_layer == 2);
  CHECK(config.shape.n_head == 3);
  CHECK(config.shape.n_positions == 9);
  CHECK(parsed(R"({"n_ctx": 8})").shape.n_positions == 8);
  CHECK(parsed(R"({"n_ctx": 8, "n_positions": 9})").shape.n_positions == 9);
}

TEST_CASE("a head width may be null, given, or follow from the width") {
  CHECK(parsed(R"({"n_embd": 24, "n_head": 3, "head_dim": null})").shape.head_width == 8);
  CHECK(parsed(R"({"n_embd": 24, "n_head": 3, "head_dim": 16})").shape.head_width == 16);
  CHECK(parsed(R"({"n_embd": 24, "n_head": 5, "head_dim": 16})").shape.head_width == 16);
  CHECK(verdict(R"({"n_embd": 24, "n_head": 5})") ==
        "n_embd: expected a multiple of n_head (5) unless head_dim is given, found 24");
  CHECK(verdict(R"({"n_embd": 24, "n_head": 48})") ==
        "n_embd: expected a multiple of n_head (48) unless head_dim is given, found 24");
  CHECK(verdict(R"({"n_embd": 24, "n_head": 3, "head_dim": 0})") ==
        "head_dim: expected a whole number from 1 to 1048576, found 0");
  CHECK(verdict(R"({"n_head": 1048576, "n_embd": 1048576, "head_dim": 1048576})") ==
        "n_head: expected n_head * head_dim at most 1048576, found 1048576 * 1048576");
}

TEST_CASE("all of Hugging Face's names for the known activations are known") {
  const auto of = [](const std::string& name) {
    return parsed(R"({"activation_function": ")" + name + "\"}").settings.activation;
  };
  for (const char* name : {"gelu_new", "gelu_pytorch_tanh", "gelu_fast"})
    CHECK(of(name) == activation_type::gelu_tanh);
  CHECK(of("gelu") == activation_type::gelu_erf);
  CHECK(of("relu") == activation_type::relu);
  CHECK(of("silu") == activation_type::silu);
  CHECK(of("swish") == activation_type::silu);
  CHECK(of("quick_gelu") == activation_type::quick_gelu);
  CHECK(of("tanh") == activation_type::tanh);
  CHECK(of("sigmoid") == activation_type::sigmoid);
  for (const char* name : {"gelu_new", "gelu", "relu", "silu", "quick_gelu", "tanh", "sigmoid"})
    CHECK(name_of(of(name)) == name);
  CHECK(verdict(R"({"activation_function": "geglu"})") ==
        "activation_function: expected one of gelu_new, gelu_pytorch_tanh, gelu_fast, gelu_accurate, "
        "gelu_python_tanh, gelu, "
        "gelu_python, relu, silu, swish, quick_gelu, tanh, sigmoid, found \"geglu\"");
  CHECK_THAT(verdict(R"({"activation_function": null})"), ContainsSubstring("found null"));
  CHECK_THAT(verdict(R"({"activation_function": ""})"), ContainsSubstring("found \"\""));
}

TEST_CASE("counts that are zero, negative, huge, fractional or no numbers are refused") {
  for (const std::string key :
       {"n_embd", "n_layer", "n_head", "vocab_size", "n_positions", "n_ctx", "n_inner", "head_dim",
        "hidden_size", "num_hidden_layers", "num_attention_heads"}) {
    CAPTURE(key);
    for (const std::string value : {"0", "-1", "2147483648", "4294967297", "18446744073709551615", "1e300",
                                    "12.5", "12.0", "\"12\"", "true", "[12]", "{}"}) {
      CAPTURE(value);
      CHECK_THAT(verdict("{\"" + key + "\": " + value + "}"),
                 StartsWith(key + ": expected a whole number from 1 to "));
    }
  }
  CHECK(verdict(R"({"n_embd": 0})") == "n_embd: expected a whole number from 1 to 1048576, found 0");
  CHECK(verdict(R"({"n_layer": -3})") == "n_layer: expected a whole number from 1 to 16384, found -3");
  CHECK(verdict(R"({"vocab_size": 16777217})") ==
        "vocab_size: expected a whole number from 1 to 16777216, found 16777217");
  for (const std::string key : {"n_embd", "n_layer", "n_head", "vocab_size", "n_positions"}) {
    CHECK_THAT(verdict("{\"" + key + "\": null}"),
               StartsWith(key + ": expected") && ContainsSubstring("found null"));
  }
}

TEST_CASE("an epsilon that is no small positive number is refused") {
  for (const char* value :
       {"0", "-1e-5", "0.0", "-0.0", "1e-60", "1e39", "1.5", "\"1e-5\"", "null", "[]", "true"}) {
    CAPTURE(value);
    CHECK_THAT(verdict(R"({"layer_norm_epsilon": )" + std::string(value) + "}"),
               StartsWith("layer_norm_epsilon: expected a number above 0 and at most 1, found "));
  }
  CHECK(parsed(R"({"layer_norm_epsilon": 1e-12})").settings.layer_norm_epsilon == 1e-12f);
  CHECK(parsed(R"({"layer_norm_epsilon": 1})").settings.layer_norm_epsilon == 1.0f);
  // Python writes NaN, which is no JSON.
  CHECK_THROWS_AS(parsed(R"({"layer_norm_epsilon": NaN})"), format_error);
  CHECK_THROWS_AS(parsed(R"({"layer_norm_epsilon": Infinity})"), format_error);
}

TEST_CASE("models of another kind are refused by name") {
  CHECK(verdict(R"({"model_type": "llama"})") == "model_type: expected \"gpt2\", found \"llama\"");
  CHECK(verdict(R"({"model_type": 2})") == "model_type: expected \"gpt2\", found 2");
  CHECK(verdict(R"({"model_type": "gpt2"})") == "accepted");
  CHECK(verdict(R"({"add_cross_attention": true})") ==
        "add_cross_attention: expected false (cross-attention is not supported), found true");
}

TEST_CASE("flags that are no booleans are refused") {
  for (const std::string key :
       {"tie_word_embeddings", "scale_attn_weights", "scale_attn_by_inverse_layer_idx",
        "reorder_and_upcast_attn", "add_cross_attention"}) {
    CHECK(verdict("{\"" + key + "\": 1}") == key + ": expected true or false, found 1");
    CHECK(verdict("{\"" + key + "\": \"false\"}") == key + ": expected true or false, found \"false\"");
  }
}

TEST_CASE("token ids outside the vocabulary are left out, other things refused") {
  CHECK(parsed(R"({"vocab_size": 100})").settings.bos_token_id == std::nullopt);
  CHECK(parsed(R"({"vocab_size": 100})").settings.eos_token_ids.empty());
  CHECK(parsed(R"({"vocab_size": 100, "eos_token_id": 100})").settings.eos_token_ids.empty());
  CHECK(parsed(R"({"vocab_size": 100, "eos_token_id": 99})").settings.eos_token_ids ==
        std::vector<token_id>{99});
  CHECK(parsed(R"({"eos_token_id": -1})").settings.eos_token_ids.empty());
  CHECK(parsed(R"({"eos_token_id": [18446744073709551615, 5]})").settings.eos_token_ids ==
        std::vector<token_id>{5});
  CHECK(parsed(R"({"eos_token_id": null})").settings.eos_token_ids.empty());
  CHECK(verdict(R"({"eos_token_id": "x"})") ==
        "eos_token_id: expected a token id, a list of token ids or null, found \"x\"");
  CHECK_THAT(verdict(R"({"bos_token_id": 1.5})"), StartsWith("bos_token_id: expected"));
  CHECK_THAT(verdict(R"({"eos_token_id": [[1]]})"), StartsWith("eos_token_id: expected"));
}

TEST_CASE("what is no JSON object is refused") {
  CHECK(verdict("[]") == "expected a JSON object, found an array of 0 values");
  CHECK_THROWS_AS(parsed(""), format_error);
  CHECK_THROWS_AS(parsed("{"), format_error);
  CHECK_THROWS_AS(parsed(R"({"n_embd": 4, "n_embd": 8})"), format_error);
  CHECK_THROWS_AS(parsed(R"({"a": "\xff"})"
                         "\xff"),
                  format_error);
}

TEST_CASE("a folder without config.json says what to download") {
  const support::temporary_folder folder;
  CHECK_THROWS_AS(read_config<gpt2_family>(folder.path()), file_error);
  CHECK_THROWS_WITH(read_config<gpt2_family>(folder.path()),
                    StartsWith((folder / "config.json").string() + ": no such file\n") &&
                        ContainsSubstring("huggingface-cli download"));
}

TEST_CASE("a config is read back from what was written") {
  const support::temporary_folder folder;
  const gpt2_model_config plain;
  const gpt2_model_config odd{.shape = {.n_embd = 24,
                                        .n_layer = 2,
                                        .n_head = 5,
                                        .vocab_size = 50,
                                        .n_positions = 9,
                                        .n_inner = 33,
                                        .head_width = 7,
                                        .tie_word_embeddings = false},
                              .settings = {.layer_norm_epsilon = 1.00000001e-7f,
                                           .activation = activation_type::quick_gelu,
                                           .scale_attn_weights = false,
                                           .scale_attn_by_inverse_layer_idx = true,
                                           .bos_token_id = std::nullopt,
                                           .eos_token_ids = {3, 4}}};
  gpt2_model_config silent = odd;
  silent.settings.eos_token_ids.clear();
  silent.settings.bos_token_id = 49;
  for (const auto& config : {plain, odd, silent}) {
    write_config(folder / "config.json", config, element_type::bf16);
    CHECK(read_config<gpt2_family>(folder.path()) == config);
  }
  CHECK_THAT(to_json(plain, element_type::f16), ContainsSubstring("\"torch_dtype\": \"float16\""));
}

TEST_CASE("GPT-3's bands are read from layer_types and sliding_window, and written so") {
  const auto config = parsed(R"({"n_layer": 3, "sliding_window": 128,
    "layer_types": ["full_attention", "sliding_attention", "sliding_attention"]})");
  CHECK(config.settings.windows == layer_windows{128, {false, true, true}});
  CHECK(visibility_of(config.settings.windows, 1) == sliding_window(128));
  CHECK(visibility_of(config.settings.windows, 0) == causal);
  CHECK(in_turn(3, 128) == layer_windows{128, {false, true, false}});

  const support::temporary_folder folder;
  gpt2_model_config banded{.shape = gpt3_small};
  banded.settings.windows = in_turn(12, 128);
  for (const auto& each : {config, banded, gpt2_model_config{}}) {
    write_config(folder / "config.json", each);
    CHECK(read_config<gpt2_family>(folder.path()) == each);
  }
  CHECK_THAT(to_json(banded),
             ContainsSubstring("\"sliding_window\": 128") && ContainsSubstring("\"sliding_attention\""));
  CHECK_THAT(to_json(gpt2_model_config{}),
             !ContainsSubstring("sliding") && !ContainsSubstring("layer_types"));

  // What makes no band.
  for (const char* text : {R"({"sliding_window": 128})", R"({"sliding_window": null})",
                           R"({"n_layer": 1, "layer_types": ["full_attention"]})",
                           R"({"n_layer": 1, "sliding_window": 9, "layer_types": ["full_attention"]})",
                           R"({"layer_types": null})"})
    CHECK(parsed(text).settings.windows == layer_windows{});
  CHECK(parsed(R"({"n_layer": 1, "layer_types": ["sliding_attention"]})").settings.windows ==
        layer_windows{128, {true}}); // GPT-3's
}

TEST_CASE("bands that contradict the layers or themselves are refused") {
  CHECK(verdict(R"({"n_layer": 2, "sliding_window": 4, "layer_types": ["sliding_attention"]})") ==
        "layer_types: expected an array of 2 names, one for each layer, found an array of 1 value");
  CHECK(verdict(R"({"n_layer": 1, "sliding_window": 4, "layer_types": ["chunked_attention"]})") ==
        "layer_types: expected \"full_attention\" or \"sliding_attention\", found \"chunked_attention\"");
  CHECK(verdict(R"({"n_layer": 1, "sliding_window": null, "layer_types": ["sliding_attention"]})") ==
        "sliding_window: expected a whole number, since layer_types has \"sliding_attention\"");
  CHECK(verdict(R"({"n_layer": 1, "sliding_window": 0, "layer_types": ["sliding_attention"]})") ==
        "sliding_window: expected a whole number from 1 to 16777216, found 0");
  CHECK_THAT(verdict(R"({"layer_types": "full_attention"})"),
             StartsWith("layer_types: expected an array of 12"));
}

TEST_CASE("a declaration names only what differs from the defaults") {
  CHECK(to_declaration<gpt2_family>(parsed("{}").shape, "gpt2_small") ==
        "inline constexpr transept::gpt2_config gpt2_small{.n_embd = 768, .n_layer = 12, .n_head = 12};");
  CHECK(to_declaration<gpt2_family>(read_config<gpt2_family>(support::shipped_model()).shape, "my_model") ==
        "inline constexpr transept::gpt2_config my_model{.n_embd = 256, .n_layer = 4, .n_head = 4, "
        ".vocab_size = 1024, .n_positions = 256};");
  CHECK(to_declaration<gpt2_family>(
            parsed(R"({"n_embd": 24, "n_layer": 2, "n_head": 5, "head_dim": 4, "n_inner": 33,
                                  "tie_word_embeddings": false})")
                .shape,
            "odd") ==
        "inline constexpr transept::gpt2_config odd{.n_embd = 24, .n_layer = 2, .n_head = 5, .n_inner = 33, "
        ".head_width = 4, .tie_word_embeddings = false};");
  for (const char* name : {"", "1a", "a-b", "a b", "x;y", "\xc3\xa9"}) {
    CHECK_THROWS_AS(to_declaration<gpt2_family>(gpt2_small, name), argument_error);
  }
}

TEST_CASE("a declaration means the shape that config.json told") {
  // What to_declaration printed in the test above, as the compiler reads it.
  constexpr gpt2_config my_model{
      .n_embd = 256, .n_layer = 4, .n_head = 4, .vocab_size = 1024, .n_positions = 256};
  const auto config = read_config<gpt2_family>(support::shipped_model());
  CHECK(my_model == config.shape);
}

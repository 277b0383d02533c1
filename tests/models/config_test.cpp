// What transformers' configs say where a file says nothing, or says it twice, and what is refused.
#include <string>
#include <vector>

#include <support/catch.hpp>

#include <transept/io/model_config.hpp>
#include <transept/io/write_config.hpp>
#include <transept/models/all.hpp>
#include <transept/models/initialise.hpp>

using namespace transept;
using Catch::Matchers::ContainsSubstring;

namespace {

/// A small file of the usual names, with more members.
std::string file_of(std::string_view model_type, const std::string& more) {
  return R"({"model_type": ")" + std::string(model_type) +
         R"(", "vocab_size": 97, "hidden_size": 24, "intermediate_size": 37, "num_hidden_layers": 3,)" +
         R"("num_attention_heads": 4, "max_position_embeddings": 48)" + (more.empty() ? "" : ", ") + more +
         "}";
}

template <class Family>
model_config<Family> config_of(std::string_view model_type, const std::string& more = {}) {
  return parse_config<Family>(file_of(model_type, more), "config.json");
}

template <class Family>
std::string verdict(std::string_view model_type, const std::string& more) {
  try {
    config_of<Family>(model_type, more);
    return "read";
  } catch (const error& error) {
    return error.what();
  }
}

/// The same after it was written and read again.
template <class Family>
void check_round_trip(const model_config<Family>& config) {
  CHECK(parse_config<Family>(to_json(config), "written") == config);
}

using flags = std::vector<bool>;

} // namespace

TEST_CASE("layers slide as each kind has it where layer_types says nothing") {
  const auto gemma = config_of<gemma2_family>("gemma2", R"("sliding_window": 3)");
  CHECK(gemma.settings.windows == layer_windows{3, flags{true, false, true}});
  check_round_trip(gemma);

  const auto of_llama = [](std::string_view type, const std::string& more) {
    const auto config = config_of<llama_family>(type, more);
    check_round_trip(config);
    return config.settings.windows;
  };
  const std::string on = R"("use_sliding_window": true, "sliding_window": 4, "num_key_value_heads": 2)";
  CHECK(of_llama("mistral", R"("sliding_window": 4, "num_key_value_heads": 4)") ==
        layer_windows{4, flags{true, true, true}});
  CHECK(of_llama("mistral", R"("sliding_window": null, "num_key_value_heads": 4)") == layer_windows{});
  CHECK(of_llama("qwen2", on) == layer_windows{}); // the first 28 see everything
  CHECK(of_llama("qwen2", on + R"(, "max_window_layers": 1)") == layer_windows{4, flags{false, true, true}});
  CHECK(of_llama("qwen2", R"("sliding_window": 4)") == layer_windows{}); // not switched on
  CHECK(of_llama("smollm3", on + R"(, "no_rope_layers": [0, 1, 0])") ==
        layer_windows{4, flags{true, false, true}});
  CHECK(of_llama("smollm3", on + R"(, "no_rope_layers": [1, 1, 0, 1, 1])") ==
        layer_windows{4, flags{false, false, true}});
  CHECK(of_llama("smollm3", on + R"(, "no_rope_layer_interval": 2)") ==
        layer_windows{4, flags{false, true, false}});
  CHECK(of_llama("llama", R"("sliding_window": 4)") == layer_windows{});
}

TEST_CASE("keys that are not read for a file's layers must be sound, too") {
  const std::string types = R"("layer_types": ["full_attention", "full_attention", "sliding_attention"], )"
                            R"("sliding_window": 4, "use_sliding_window": true, )";
  for (const char* value : {"-1", "\"24\"", "24.5", "null", "[]"})
    CHECK_THAT(verdict<llama_family>("qwen2", types + "\"max_window_layers\": " + value),
               ContainsSubstring("max_window_layers: expected a whole number from 0"));
  for (const char* value : {"0", "-1", "\"2\"", "2.5"})
    CHECK_THAT(verdict<llama_family>("smollm3", R"("num_key_value_heads": 2, "no_rope_layers": [1, 0, 1], )"
                                                R"("no_rope_layer_interval": )" +
                                                    std::string(value)),
               ContainsSubstring("no_rope_layer_interval: expected a whole number from 1"));
  CHECK_THAT(verdict<llama_family>("smollm3", R"("num_key_value_heads": 2, "no_rope_layers": [1, 0])"),
             ContainsSubstring("no_rope_layers: expected an array of 3 times 0 or 1"));
}

TEST_CASE("heads of keys and values are as many as a kind's config says by itself") {
  const auto shared = [](std::string_view type, const std::string& more = {}) {
    return config_of<llama_family>(type, more).shape.n_key_value_head;
  };
  CHECK(shared("llama") == 4);
  CHECK(shared("qwen2") == 4);
  CHECK(parse_config<llama_family>(
            R"({"model_type": "qwen2", "hidden_size": 128, "num_attention_heads": 64})", "config.json")
            .shape.n_key_value_head == 32);
  CHECK(shared("qwen3", R"("num_key_value_heads": null)") == 4);
}

TEST_CASE("rotary positions are read where each kind has them") {
  const auto rotary = [](std::string_view type, const std::string& more) {
    const auto config = config_of<llama_family>(type, more);
    check_round_trip(config);
    return config.settings.rotary;
  };
  // The older form wins, as it does in transformers, and its base is the file's.
  const auto both = rotary("llama", R"("rope_theta": 100, "rope_scaling": {"type": "linear", "factor": 4}, )"
                                    R"("rope_parameters": {"rope_type": "default", "rope_theta": 7})");
  CHECK((both.scaling == rotary_scaling::linear && both.base == 100));
  CHECK(rotary("llama", R"("rope_theta": 100, "rope_scaling": {}, "rope_parameters": {"rope_theta": 7})")
            .base == 7);
  // LLaMA's line turns whole heads, and nothing of the object's stands outside of it.
  CHECK(rotary("llama", R"("partial_rotary_factor": 0.5)").width == 6);
  CHECK(rotary("llama", R"("rope_parameters": {"rope_theta": 7, "partial_rotary_factor": 0.5})").width == 6);
  CHECK(rotary("llama", R"("type": "x", "factor": 3)").scaling == rotary_scaling::none);

  const auto part = [](const std::string& more) {
    const auto config = config_of<neox_family>("gpt_neox", more);
    check_round_trip(config);
    return config.settings.rotary;
  };
  CHECK(part(R"("rotary_pct": 0.7, "rotary_emb_base": 300)").width == 4);
  CHECK(part(R"("rotary_emb_base": 300)").base == 300);
  CHECK(part(R"("rope_theta": 300)").base == 10000);
  CHECK(part(R"("partial_rotary_factor": 1.0, "rotary_pct": 0.34)").width == 2);
  CHECK(part(R"("rope_parameters": {"partial_rotary_factor": 1.0})").width == 6);
  // An odd part: the numbers of one pair more are turned, by the odd part's frequencies.
  const auto odd = part(R"("rotary_pct": 0.5)");
  CHECK((odd.width == 4 && odd.exponents() == 3));
}

TEST_CASE("what rotary positions or attention cannot be is refused, by its name in the file") {
  const auto llama = [](const std::string& more) { return verdict<llama_family>("llama", more); };
  CHECK(llama(R"("rope_scaling": 5)") == "config.json: rope_scaling: expected an object or null, found 5");
  CHECK_THAT(llama(R"("head_dim": 7)"), ContainsSubstring("head_dim: expected an even number"));
  CHECK_THAT(llama(R"("rope_parameters": {"full_attention": {"rope_theta": 3}})"),
             ContainsSubstring("rope_parameters: expected numbers and names, the same for all layers"));
  CHECK_THAT(llama(R"("rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1})"),
             ContainsSubstring("rope_scaling: rope_type llama3 expects high_freq_factor, found none"));
  CHECK_THAT(verdict<neox_family>("gpt_neox", R"("rotary_pct": 2)"),
             ContainsSubstring("rotary_pct: expected a number above 0 and at most 1, found 2"));
  CHECK_THAT(verdict<gemma_family>("gemma", R"("use_bidirectional_attention": true)"),
             ContainsSubstring("use_bidirectional_attention: expected false"));
  CHECK(verdict<gemma_family>("gemma", R"("use_bidirectional_attention": null)") ==
        verdict<gemma_family>("gemma", ""));
  CHECK(verdict<llama_family>("llama", R"("rms_norm_eps": 1e999)") ==
        "config.json: not valid JSON at byte 187: number overflow parsing '1e999'");
}

TEST_CASE("Gemma 2 knows no hidden_act") {
  CHECK(config_of<gemma2_family>("gemma2", R"("hidden_act": "silu")").settings.activation ==
        activation_type::gelu_tanh);
  CHECK(config_of<gemma2_family>("gemma2", R"("hidden_activation": "silu")").settings.activation ==
        activation_type::silu);
}

TEST_CASE("a type of static shape whose positions are rotated needs nothing but a seed") {
  constexpr llama_config mine{.n_embd = 32, .n_layer = 1, .n_head = 4, .vocab_size = 50, .n_positions = 16};
  const auto model = initialise<llama<mine>>(1);
  CHECK(model.settings.rotary.width == 8);
  CHECK(model.settings.rotary.max_position_embeddings == 16);
  CHECK(model.settings.eos_token_ids == std::vector<token_id>{2});
}

TEST_CASE("what the later decoders' files say is written as it was read") {
  const auto gptj = parse_config<gptj_family>(
      R"({"model_type": "gptj", "vocab_size": 97, "n_positions": 48, "n_embd": 24, "n_layer": 3, "n_head": 2,)"
      R"("n_inner": 50, "rotary_dim": 6, "activation_function": "relu", "layer_norm_epsilon": 1e-3})",
      "config.json");
  CHECK(gptj.shape.n_inner == 50);
  CHECK(gptj.settings.rotary.width == 6);
  check_round_trip(gptj);
  CHECK_THAT(
      verdict<gptj_family>("gptj", R"("n_embd": 24, "n_head": 2, "rotary_dim": 5)"),
      ContainsSubstring("rotary_dim: expected an even number up to the width of a head (12), found 5"));

  const auto phi = config_of<phi_family>("phi", R"("partial_rotary_factor": 0.34, "num_key_value_heads": 2)");
  CHECK(phi.shape.n_key_value_head == 2);
  CHECK(phi.settings.rotary.width == 2);
  check_round_trip(phi);
  CHECK_THAT(verdict<phi_family>("phi", R"("qk_layernorm": true)"), ContainsSubstring("qk_layernorm"));

  const auto stablelm = config_of<stablelm_family>(
      "stablelm", R"("num_key_value_heads": 2, "qk_layernorm": true, "use_parallel_residual": true)");
  CHECK(bool(stablelm.shape.head_norms));
  CHECK_FALSE(bool(stablelm.shape.second_norm));
  check_round_trip(stablelm);

  const auto phi3 = config_of<llama_family>("phi3", R"("sliding_window": 7, "partial_rotary_factor": 0.67)");
  CHECK(phi3.settings.windows == layer_windows{7, flags{true, true, true}});
  CHECK(phi3.settings.rotary.width == 4);
  check_round_trip(phi3);

  const auto starcoder =
      config_of<starcoder2_family>("starcoder2", R"("use_bias": false, "sliding_window": 5)");
  CHECK_FALSE(bool(starcoder.shape.mlp_bias));
  check_round_trip(starcoder);
  check_round_trip(config_of<starcoder2_family>("starcoder2"));
  check_round_trip(config_of<olmo2_family>("olmo2", R"("attention_bias": true, "num_key_value_heads": 1)"));
}

TEST_CASE("MPT's attention is an object of its own") {
  const auto mpt = [](const std::string& attention) {
    return R"({"model_type": "mpt", "vocab_size": 97, "max_seq_len": 48, "d_model": 24, "n_layers": 3, "n_heads": 4)" +
           (attention.empty() ? "" : R"(, "attn_config": )" + attention) + "}";
  };
  const auto usual = parse_config<mpt_family>(mpt(""), "config.json");
  CHECK(usual.settings.clip_qkv == 0.0f);
  check_round_trip(usual);
  const auto config = parse_config<mpt_family>(
      mpt(R"({"alibi": true, "alibi_bias_max": 16, "clip_qkv": 6, "softmax_scale": 0.25})"), "config.json");
  CHECK(config.settings.alibi_bias_max == 16.0f);
  CHECK(config.settings.clip_qkv == 6.0f);
  CHECK(config.settings.softmax_scale == 0.25f);
  check_round_trip(config);
  CHECK_THROWS_WITH(parse_config<mpt_family>(mpt(R"({"alibi": false})"), "config.json"),
                    ContainsSubstring("config.json: attn_config: alibi: expected true"));
  CHECK_THROWS_WITH(parse_config<mpt_family>(mpt("7"), "config.json"),
                    ContainsSubstring("attn_config: expected an object or null, found 7"));
}

TEST_CASE("the generations of Falcon are told by their flags") {
  const auto falcon = [](const std::string& more) { return config_of<falcon_family>("falcon", more); };
  const auto seven = falcon("");
  CHECK(seven.shape.n_key_value_head == 1);
  CHECK_FALSE(bool(seven.shape.second_norm));
  const auto forty = falcon(R"("new_decoder_architecture": true, "num_kv_heads": 2)");
  CHECK(forty.shape.n_key_value_head == 2);
  CHECK(bool(forty.shape.second_norm));
  const auto eleven =
      falcon(R"("new_decoder_architecture": true, "num_kv_heads": 2, "num_ln_in_parallel_attn": 1)");
  CHECK_FALSE(bool(eleven.shape.second_norm));
  const auto rw = falcon(R"("alibi": true, "multi_query": false, "parallel_attn": false, "bias": true)");
  CHECK(rw.shape.n_key_value_head == 4);
  CHECK(bool(rw.shape.second_norm));
  for (const auto& each : {seven, forty, eleven, rw}) check_round_trip(each);
  CHECK_THAT(verdict<falcon_family>("falcon", R"("new_decoder_architecture": true, "parallel_attn": false)"),
             ContainsSubstring("parallel_attn: expected true"));
}

TEST_CASE("GPT-Neo's and GPT-BigCode's attention is told by kinds and flags") {
  const auto neo = [](const std::string& more) {
    return R"({"model_type": "gpt_neo", "vocab_size": 97, "max_position_embeddings": 48, "hidden_size": 24,)"
           R"("num_layers": 3, "num_heads": 4)" +
           more + "}";
  };
  const auto config = parse_config<gpt_neo_family>(
      neo(R"(, "attention_types": [[["local"], 2], [["global"], 1]], "window_size": 4)"), "config.json");
  CHECK(config.settings.windows == layer_windows{4, flags{true, true, false}});
  check_round_trip(config);
  CHECK(parse_config<gpt_neo_family>(neo(""), "config.json").settings.windows ==
        layer_windows{256, flags{false, true, false}});
  for (const char* wrong :
       {R"([[["local"], 2]])", R"([[["local"], 4]])", R"([["local", 3]])", R"([[["x"], 3]])",
        R"([[["local"], -3]])", R"("local")", R"([[["local"], 18446744073709551615]])"})
    CHECK_THROWS_AS(parse_config<gpt_neo_family>(neo(R"(, "attention_types": )" + std::string(wrong)), "c"),
                    config_error);

  const auto bigcode = config_of<bigcode_family>("gpt_bigcode", R"("multi_query": false, "n_head": 4)");
  CHECK(bigcode.shape.n_key_value_head == 4);
  check_round_trip(bigcode);
  check_round_trip(config_of<bigcode_family>("gpt_bigcode", R"("n_head": 4)"));
}

TEST_CASE("a checkpoint that was quantized by another program is called so") {
  CHECK_THAT(verdict<llama_family>("llama", R"("quantization_config": {"quant_method": "gptq", "bits": 4})"),
             ContainsSubstring("quantization_config") && ContainsSubstring("\"gptq\""));
  CHECK(verdict<llama_family>("llama", R"("quantization_config": null)") == "read");
}

TEST_CASE("named shapes have the published numbers of parameters") {
  const auto count = []<class Family>(std::type_identity<Family>, const typename Family::config& shape) {
    return count_parameters(any_shape<Family>::shaped(shape));
  };
  CHECK(count(std::type_identity<gptj_family>{}, gptj_6b) == 6'050'882'784u);
  CHECK(count(std::type_identity<phi_family>{}, phi_1_5) == 1'418'270'720u);
  CHECK(count(std::type_identity<phi_family>{}, phi_2) == 2'779'683'840u);
  CHECK(count(std::type_identity<stablelm_family>{}, stablelm_3b) == 2'795'443'200u);
  CHECK(count(std::type_identity<mpt_family>{}, mpt_7b) == 6'649'286'656u);
  CHECK(count(std::type_identity<falcon_family>{}, falcon_7b) == 6'921'720'704u);
  CHECK(count(std::type_identity<falcon_family>{}, falcon_40b) == 41'303'293'952u);
  CHECK(count(std::type_identity<bigcode_family>{}, starcoder) == 15'517'456'384u);
  CHECK(count(std::type_identity<gpt_neo_family>{}, gpt_neo_125m) == 125'198'592u);
  CHECK(count(std::type_identity<gpt_neo_family>{}, gpt_neo_1_3b) == 1'315'575'808u);
  CHECK(count(std::type_identity<starcoder2_family>{}, starcoder2_3b) == 3'030'371'328u);
  CHECK(count(std::type_identity<olmo2_family>{}, olmo2_7b) == 7'298'617'344u);
}

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

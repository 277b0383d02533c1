// io/load_model.hpp, io/save_model.hpp and io/visit_model.hpp, over a GPT-2 of a few hundred numbers.
#include <support/catch.hpp>

#include <algorithm>
#include <cstring>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <support/paths.hpp>
#include <support/safetensors_bytes.hpp>
#include <support/temporary_folder.hpp>

#include <transept/io/convert_files.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/safetensors.hpp>
#include <transept/io/save_model.hpp>
#include <transept/io/visit_model.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>
#include <transept/models/llama.hpp>

using namespace transept;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

constexpr gpt2_config tiny{.n_embd = 8, .n_layer = 2, .n_head = 2, .vocab_size = 11, .n_positions = 5};
constexpr gpt2_config tiny_untied{
    .n_embd = 8, .n_layer = 2, .n_head = 2, .vocab_size = 11, .n_positions = 5, .tie_word_embeddings = false};
constexpr gpt2_config wider{.n_embd = 12, .n_layer = 2, .n_head = 2, .vocab_size = 11, .n_positions = 5};

/// A folder with a valid model of shape `Config`.
template <gpt2_config Config = tiny>
struct model_folder : support::temporary_folder {
  model_folder() { save(initialise<gpt2<Config>>(7), path()); }

  std::filesystem::path weights() const { return path() / "model.safetensors"; }

  /// Writes the weights again, after `change` was made to the list of tensors.
  void rewrite(const std::function<void(std::vector<outgoing_tensor>&)>& change) const {
    const auto file = safetensors_file::open(weights());
    std::vector<outgoing_tensor> tensors;
    for (const auto& tensor : file.tensors()) {
      const auto type = *element_type_of(tensor.dtype);
      tensors.push_back({tensor.name, tensor.shape, tensor.bytes, type, type});
    }
    change(tensors);
    write_safetensors(weights(), tensors);
  }
};

outgoing_tensor& named(std::vector<outgoing_tensor>& tensors, std::string_view name) {
  const auto place = std::ranges::find(tensors, name, &outgoing_tensor::name);
  REQUIRE(place != tensors.end());
  return *place;
}

template <class Model, class Error = shape_error>
std::string message_of(const std::filesystem::path& folder) {
  try {
    load<Model>(folder);
  } catch (const Error& error) {
    return error.what();
  }
  return "accepted";
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t place = text.find(from);
  REQUIRE(place != text.npos);
  return text.replace(place, from.size(), to);
}

/// Every parameter's values as f32, one after the other.
template <class Model>
std::vector<float> values_of(const Model& model) {
  std::vector<float> all;
  for_each_parameter(
      [&](std::string_view, const auto& leaf) {
        const auto count = static_cast<std::size_t>(leaf.size());
        std::vector<float> values(count);
        convert_elements({reinterpret_cast<const std::byte*>(leaf.data()), count * size_of(leaf.type())},
                         leaf.type(), std::as_writable_bytes(std::span(values)), element_type::f32);
        all.insert(all.end(), values.begin(), values.end());
      },
      model);
  return all;
}

} // namespace

TEST_CASE("a saved model is loaded with the same bits") {
  auto model = initialise<gpt2<tiny>>(7);
  model.settings.bos_token_id = 10;
  model.settings.eos_token_ids = {10};
  const support::temporary_folder folder;
  save(model, folder / "a" / "b");
  const auto loaded = load<gpt2<tiny>>(folder / "a" / "b");
  CHECK(values_of(loaded) == values_of(model));
  CHECK(values_of(loaded).size() == gpt2<tiny>::parameter_count);
  save(loaded, folder / "c");
  for (const char* name : {"config.json", "model.safetensors"}) {
    CHECK(support::read_file(folder / "c" / name) == support::read_file(folder / "a" / "b" / name));
  }
}

TEST_CASE("a model may be saved over the folder that it is mapped from") {
  const model_folder folder;
  const auto loaded = load<gpt2<tiny>>(folder.path());
  const auto before = values_of(loaded);
  save(loaded, folder.path(), element_type::f16);
  CHECK(values_of(loaded) == before);
  CHECK(load<gpt2<tiny>>(folder.path()).tokens.weight.type() == element_type::f16);
}

TEST_CASE("settings come from config.json and go back into it") {
  auto model = initialise<gpt2<tiny>>(7);
  model.settings = {.layer_norm_epsilon = 1e-6f,
                    .activation = activation_type::relu,
                    .scale_attn_weights = false,
                    .scale_attn_by_inverse_layer_idx = true,
                    .bos_token_id = std::nullopt,
                    .eos_token_ids = {1, 2}};
  const support::temporary_folder folder;
  save(model, folder.path());
  const auto settings = load<gpt2<tiny>>(folder.path()).settings;
  CHECK(settings.layer_norm_epsilon == 1e-6f);
  CHECK(settings.activation == activation_type::relu);
  CHECK_FALSE(settings.scale_attn_weights);
  CHECK(settings.scale_attn_by_inverse_layer_idx);
  CHECK(settings.bos_token_id == std::nullopt);
  CHECK(settings.eos_token_ids == std::vector<token_id>{1, 2});
}

TEST_CASE("names with the prefix, mask buffers and tensors of other models are accepted") {
  const model_folder folder;
  const auto expected = values_of(load<gpt2<tiny>>(folder.path()));
  const std::vector<float> mask(25, 1.0f);
  folder.rewrite([&](auto& tensors) {
    for (auto& tensor : tensors) tensor.name = "transformer." + tensor.name;
    const auto bytes = std::as_bytes(std::span(mask));
    tensors.push_back({"transformer.h.0.attn.bias", {1, 1, 5, 5}, bytes});
    tensors.push_back({"transformer.h.0.attn.masked_bias", {}, bytes.first(4)});
    tensors.push_back({"empty", {0, 3}, {}});
    tensors.push_back({"lm_head.weight", {5, 5}, bytes}); // of another shape even: tied models ignore it
  });
  CHECK(values_of(load<gpt2<tiny>>(folder.path())) == expected);
}

TEST_CASE("a tied model's table may have the output's name") {
  const model_folder folder;
  const auto expected = values_of(load<gpt2<tiny>>(folder.path()));
  folder.rewrite([](auto& tensors) { named(tensors, "wte.weight").name = "lm_head.weight"; });
  CHECK(values_of(load<gpt2<tiny>>(folder.path())) == expected);
}

TEST_CASE("tensors that are no part of the model are told of; masks and a copy of the table are not") {
  const model_folder folder;
  const std::vector<float> more(25, 1.0f);
  folder.rewrite([&](auto& tensors) {
    tensors.push_back({"h.0.attn.bias", {1, 1, 5, 5}, std::as_bytes(std::span(more))});
    tensors.push_back({"lm_head.weight", {11, 8}, named(tensors, "wte.weight").bytes});
  });
  std::vector<std::string> notes;
  const load_options options{.note = [&](const std::string& note) { notes.push_back(note); }};
  load<gpt2<tiny>>(folder.path(), options);
  CHECK(notes.empty());
  folder.rewrite([&](auto& tensors) {
    tensors.push_back({"h.2.ln_1.weight", {25}, std::as_bytes(std::span(more))});
    tensors.push_back({"h.2.ln_1.bias", {25}, std::as_bytes(std::span(more))});
  });
  load<gpt2<tiny>>(folder.path(), options);
  REQUIRE(notes.size() == 1);
  CHECK_THAT(notes.front(), StartsWith("h.2.ln_1.") && ContainsSubstring("and 1 more tensors"));
  folder.rewrite([&](auto& tensors) {
    std::erase_if(tensors, [](auto& t) { return t.name.starts_with("h.2."); });
    named(tensors, "lm_head.weight").bytes = named(tensors, "h.0.mlp.c_proj.weight").bytes.first(11 * 8 * 4);
  });
  load<gpt2<tiny>>(folder.path(), options);
  REQUIRE(notes.size() == 2);
  CHECK_THAT(notes.back(), StartsWith("lm_head.weight of"));
}

TEST_CASE("the tokens that end a text are generation_config.json's, where it is there") {
  const model_folder folder;
  const auto ends = [&] { return load<gpt2<tiny>>(folder.path()).settings.eos_token_ids; };
  const auto of_config = ends();
  support::write_file(folder / "generation_config.json", R"({"bos_token_id": 3, "eos_token_id": [4, 5]})");
  CHECK(ends() == std::vector<token_id>{4, 5});
  CHECK(load<gpt2<tiny>>(folder.path()).settings.bos_token_id == 3);
  support::write_file(folder / "generation_config.json", R"({"temperature": 0.5})");
  CHECK(ends() == of_config);
  support::write_file(folder / "generation_config.json", R"({"eos_token_id": "x"})");
  CHECK_THAT((message_of<gpt2<tiny>, config_error>(folder.path())),
             ContainsSubstring("generation_config.json: eos_token_id: expected a token id"));
  support::write_file(folder / "generation_config.json", "{");
  CHECK_THROWS_AS(load<gpt2<tiny>>(folder.path()), format_error);
}

TEST_CASE("a model is loaded from files that are in memory, and its bytes stay as they are") {
  const model_folder folder;
  const auto expected = load<gpt2<tiny>>(folder.path());
  const std::string config = support::read_file(folder / "config.json");
  for (const std::size_t shift : {0u, 1u}) { // any address
    const std::string storage = std::string(shift, ' ') + support::read_file(folder.weights());
    const std::string before = storage;
    const auto bytes = std::as_bytes(std::span(storage)).subspan(shift);
    const auto files = model_files::of(config, bytes, "inside");
    CHECK(values_of(load<gpt2<tiny>>(files)) == values_of(expected));
    CHECK(values_of(load<gpt2<tiny>>(files, {.packed = true})).size() == values_of(expected).size());
    load<gpt2<tiny>>(files, {.type = element_type::q8_0});
    CHECK(storage == before);
    CHECK(visit_model(model_list<gpt2<tiny>>{}, files, {},
                      [](const auto& model) { return model.blocks.size(); }) == 2);
  }
  // With an owner the bytes live as long as the model.
  std::optional<gpt2<tiny>> model;
  {
    const auto owned = std::make_shared<const std::string>(support::read_file(folder.weights()));
    model = load<gpt2<tiny>>(model_files::of(config, std::as_bytes(std::span(*owned)), "inside", owned));
  }
  CHECK(values_of(*model) == values_of(expected));
  CHECK_THROWS_WITH(load<gpt2<tiny>>(model_files::of(config, {}, "inside")),
                    StartsWith("inside/model.safetensors: no safetensors file"));
  CHECK_THROWS_WITH(model_files::of("[", {}, "inside"), StartsWith("inside/config.json: not valid JSON"));

  const std::string gguf = support::read_file(support::fixture("gguf/q8_0.gguf")), copy = gguf;
  const auto from_gguf = model_files::of(std::as_bytes(std::span(gguf)));
  CHECK(load<gpt2<any_gpt2>>(from_gguf).config.n_embd == 32);
  CHECK(gguf == copy);
  CHECK_THROWS_WITH(model_files::of(std::as_bytes(std::span(gguf)).first(100), "part"), StartsWith("part: "));
}

TEST_CASE("numbers that F16 does not reach are told of, and not saved as infinities") {
  const model_folder folder;
  std::vector<float> large(8 * 32, 1.0f);
  large[3] = 1e6f;
  large[9] = -7e4f;
  folder.rewrite([&](std::vector<outgoing_tensor>& tensors) {
    named(tensors, "h.1.mlp.c_fc.weight").bytes = std::as_bytes(std::span(large));
  });
  std::vector<std::string> notes;
  const load_options options{.type = element_type::f16,
                             .note = [&](const std::string& note) { notes.push_back(note); }};
  const auto model = load<gpt2<tiny>>(folder.path(), options);
  const std::string expected =
      "blocks.1.network.up.weight: 2 numbers are beyond what F16 holds (65504), and infinite there";
  CHECK(notes == std::vector<std::string>{expected});
  notes.clear();
  load<gpt2<tiny>>(folder.path(), {.type = element_type::bf16, .note = options.note});
  CHECK(notes.empty());
  load<gpt2<tiny>>(folder.path(), {.type = element_type::f16, .packed = true, .note = options.note});
  CHECK(notes == std::vector<std::string>{expected});

  const support::temporary_folder out;
  CHECK_THROWS_WITH(
      save(load<gpt2<tiny>>(folder.path()), out / "f16", element_type::f16),
      "blocks.1.network.up.weight: 2 numbers are beyond what F16 holds (65504): save as f32 or bf16");
  CHECK_FALSE(std::filesystem::exists(out / "f16" / "model.safetensors"));
  save(model, out / "again", element_type::f16); // which it has already
  notes.clear();
  const auto done = convert_to_folder<gpt2_family>(model_files::open(folder.path()), out / "converted",
                                                   {.type = element_type::f16, .note = options.note});
  CHECK(notes == std::vector<std::string>{
                     "h.1.mlp.c_fc.weight: 2 numbers are beyond what F16 holds (65504), and infinite there"});
  CHECK(std::ranges::count_if(done, [](const auto& each) { return each.overflows != 0; }) == 1);
}

TEST_CASE("an untied output is read from lm_head.weight") {
  const model_folder<tiny_untied> folder;
  const auto model = load<gpt2<tiny_untied>>(folder.path());
  CHECK(values_of(model).size() == gpt2<tiny>::parameter_count + 11 * 8);
  CHECK(values_of(model) == values_of(initialise<gpt2<tiny_untied>>(7)));
  folder.rewrite(
      [](auto& tensors) { std::erase_if(tensors, [](auto& t) { return t.name == "lm_head.weight"; }); });
  CHECK_THAT(message_of<gpt2<tiny_untied>>(folder.path()),
             ContainsSubstring("tensor lm_head.weight: expected [11, 8]"));
}

TEST_CASE("a data section at any address is accepted") {
  const model_folder folder;
  const auto expected = values_of(load<gpt2<tiny>>(folder.path()));
  const std::string whole = support::read_file(folder.weights());
  std::uint64_t length = 0;
  std::memcpy(&length, whole.data(), sizeof length);
  const std::string data = whole.substr(8 + length);
  for (std::size_t padding = 0; padding < 5; ++padding) {
    support::write_file(folder.weights(), support::safetensors_bytes(
                                              whole.substr(8, length) + std::string(padding, ' '), data));
    CHECK(values_of(load<gpt2<tiny>>(folder.path())) == expected);
  }
}

TEST_CASE("halves load as what they are, and their vectors are widened") {
  const auto model = initialise<gpt2<tiny>>(7);
  const auto expected = values_of(model);
  for (const auto type : {element_type::f16, element_type::bf16}) {
    const support::temporary_folder folder;
    save(model, folder.path(), type);
    const auto loaded = load<gpt2<tiny>>(folder.path());
    CHECK(loaded.tokens.weight.type() == type);
    const auto values = values_of(loaded);
    REQUIRE(values.size() == expected.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      const float rounded =
          type == element_type::f16 ? to_float(to_f16(expected[i])) : to_float(to_bf16(expected[i]));
      if (values[i] != rounded) FAIL("value " << i << " is " << values[i] << ", not " << rounded);
    }
  }
}

TEST_CASE("every parameter is needed, and the error names the one that is missing") {
  const model_folder folder;
  std::vector<std::string> names;
  folder.rewrite([&](auto& tensors) {
    for (const auto& tensor : tensors) names.push_back(tensor.name);
  });
  REQUIRE(names.size() == 2 + 2 * 12 + 2);
  for (const auto& name : names) {
    const model_folder damaged;
    damaged.rewrite([&](auto& tensors) { std::erase_if(tensors, [&](auto& t) { return t.name == name; }); });
    CHECK_THAT(message_of<gpt2<tiny>>(damaged.path()),
               StartsWith(damaged.path().string() + ": tensor " + name + ": expected [") &&
                   ContainsSubstring("], found no tensor of that name"));
  }
}

TEST_CASE("tensors of the wrong shape are refused, and transposed ones called so") {
  const auto message_after = [](std::string_view name, std::vector<std::uint64_t> shape) {
    const model_folder damaged;
    damaged.rewrite([&](auto& tensors) { named(tensors, name).shape = shape; });
    const std::string prefix = damaged.weights().string() + ": tensor " + std::string(name) + ": ";
    const std::string message = message_of<gpt2<tiny>>(damaged.path());
    REQUIRE_THAT(message, StartsWith(prefix));
    return message.substr(prefix.size());
  };
  CHECK_THAT(message_after("h.0.attn.c_attn.weight", {24, 8}),
             StartsWith("expected shape [8, 24], found [24, 8]\n") && ContainsSubstring("transposed"));
  CHECK(message_after("h.1.mlp.c_fc.weight", {16, 16}) == "expected shape [8, 32], found [16, 16]");
  CHECK(message_after("wte.weight", {88}) == "expected shape [11, 8], found [88]");
  CHECK(message_after("wte.weight", {1, 11, 8}) == "expected shape [11, 8], found [1, 11, 8]");
  CHECK(message_after("ln_f.bias", {8, 1}) == "expected shape [8], found [8, 1]");
}

TEST_CASE("tensors of other types than F32, F16 and BF16 are refused") {
  for (const char* name : {"wte.weight", "ln_f.bias"}) {
    const model_folder damaged;
    const std::string entry = "\"" + std::string(name) + "\":{\"dtype\":\"";
    support::write_file(damaged.weights(),
                        replaced(support::read_file(damaged.weights()), entry + "F32", entry + "I32"));
    CHECK(message_of<gpt2<tiny>>(damaged.path()) ==
          damaged.weights().string() + ": tensor " + name + ": expected F32, F16 or BF16, found I32");
  }
}

TEST_CASE("a config.json that disagrees with the compiled type is refused with the declaration to use") {
  const model_folder folder;
  const auto message = message_of<gpt2<wider>>(folder.path());
  CHECK_THAT(message,
             StartsWith(folder.path().string() + ": ") && ContainsSubstring("n_embd is 8, not 12") &&
                 ContainsSubstring("transept::gpt2_config my_model{.n_embd = 8, .n_layer = 2, .n_head = 2, "
                                   ".vocab_size = 11, .n_positions = 5};"));
  CHECK_THAT(message_of<gpt2<tiny_untied>>(folder.path()),
             ContainsSubstring("tie_word_embeddings is true, not false"));
}

TEST_CASE("a config.json that disagrees with the tensors is refused") {
  const model_folder folder;
  const auto config = folder / "config.json";
  support::write_file(config,
                      replaced(support::read_file(config), "\"vocab_size\": 11", "\"vocab_size\": 12"));
  CHECK(message_of<gpt2<tiny.any_vocabulary()>>(folder.path()) ==
        folder.weights().string() + ": tensor wte.weight: expected shape [12, 8], found [11, 8]");
}

TEST_CASE("the door finds the type of a folder, or says what to declare") {
  const model_folder folder;
  const auto rows = [](const auto& model) { return static_cast<int>(model.tokens.weight.cols()); };
  CHECK(visit_model<gpt2<wider>, gpt2<tiny>>(folder.path(), rows) == 8);
  CHECK(visit_model<gpt2<wider>, gpt2<tiny.any_vocabulary()>>(folder.path(), rows) == 8);
  try {
    visit_model<gpt2<wider>, gpt2<tiny_untied>>(folder.path(), rows);
    FAIL("no type in the list has this shape");
  } catch (const shape_error& error) {
    CHECK_THAT(error.what(),
               ContainsSubstring("no compiled model has the shape of this folder") &&
                   ContainsSubstring("my_model{.n_embd = 8, .n_layer = 2, .n_head = 2, .vocab_size = 11, "
                                     ".n_positions = 5};") &&
                   ContainsSubstring("n_embd is 8, not 12") &&
                   ContainsSubstring("tie_word_embeddings is true, not false"));
  }
}

TEST_CASE("the door opens for the family that the folder names, or says which are known") {
  const model_folder folder;
  const auto family = [](const auto& model) {
    return std::string(std::remove_cvref_t<decltype(model)>::family::name);
  };
  CHECK(visit_model<llama<any_llama>, gpt2<any_gpt2>>(folder.path(), family) == "GPT-2");
  const auto config = folder / "config.json";
  support::write_file(config, replaced(support::read_file(config), "\"gpt2\"", "\"bert\""));
  CHECK_THROWS_AS((visit_model<gpt2<tiny>, gpt2<any_gpt2>>(folder.path(), family)), config_error);
  CHECK_THROWS_WITH((visit_model<gpt2<tiny>, gpt2<any_gpt2>>(folder.path(), family)),
                    config.string() + ": model_type: expected \"gpt2\", found \"bert\"");
  CHECK_THROWS_WITH((visit_model<gpt2<any_gpt2>, llama<any_llama>>(folder.path(), family)),
                    ContainsSubstring("model_type: expected one of \"gpt2\", \"llama\"") &&
                        ContainsSubstring(", found \"bert\""));
  CHECK(message_of<gpt2<any_gpt2>, config_error>(folder.path()) ==
        config.string() + ": model_type: expected \"gpt2\", found \"bert\"");
  support::write_file(config, replaced(support::read_file(config), "\"bert\"", "12"));
  CHECK_THROWS_WITH((visit_model<gpt2<any_gpt2>>(folder.path(), family)),
                    config.string() + ": model_type: expected \"gpt2\", found 12");
}

TEST_CASE(
    "a folder that names no model type is one of the first family in the list, as Hugging Face's GPT-2 was") {
  const model_folder folder;
  const auto config = folder / "config.json";
  support::write_file(config, replaced(support::read_file(config), "\"model_type\": \"gpt2\",", ""));
  CHECK(visit_model<gpt2<any_gpt2>, llama<any_llama>>(
            folder.path(), [](const auto& model) { return static_cast<int>(model.shape().n_embd); }) == 8);
}

TEST_CASE("bands of GPT-3 come from config.json and go back into it") {
  auto model = initialise<gpt2<tiny>>(7);
  model.settings.windows = in_turn(2, 3);
  const support::temporary_folder folder;
  save(model, folder.path());
  CHECK(load<gpt2<tiny>>(folder.path()).settings == model.settings);
  CHECK(load<gpt2<any_gpt2>>(folder.path()).settings == model.settings);
}

TEST_CASE(
    "a model of run-time shape has the parameters of its folder, and is saved as one of compiled shape") {
  const model_folder<tiny_untied> untied;
  const model_folder tied;
  for (const auto& path : {untied.path(), tied.path()}) {
    const auto model = load<gpt2<any_gpt2>>(path);
    CHECK(model.config == (path == tied.path() ? tiny : tiny_untied));
    const support::temporary_folder out;
    save(model, out.path());
    for (const char* name : {"config.json", "model.safetensors"})
      CHECK(support::read_file(out / name) == support::read_file(path / name));
  }
  CHECK(values_of(load<gpt2<any_gpt2>>(tied.path())) == values_of(load<gpt2<tiny>>(tied.path())));
}

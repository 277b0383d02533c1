// io/convert_files.hpp, io/gguf_writer.hpp, io/vocabulary_writer.hpp: what is written is what was read,
// rounded or quantized, and the errors told are the errors made.
#include <support/catch.hpp>

#include <cmath>
#include <string>
#include <vector>

#include <support/gguf_bytes.hpp>
#include <support/parameter_values.hpp>
#include <support/paths.hpp>
#include <support/temporary_folder.hpp>

#include <transept/core/json.hpp>
#include <transept/io/convert_files.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/load_tokenizer.hpp>
#include <transept/io/save_model.hpp>
#include <transept/io/vocabulary_writer.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>
#include <transept/models/llama.hpp>

using namespace transept;
using Catch::Matchers::ContainsSubstring;
using Catch::Matchers::StartsWith;

namespace {

constexpr gpt2_config small{.n_embd = 32, .n_layer = 2, .n_head = 4, .vocab_size = 272, .n_positions = 24};

std::filesystem::path fixture(const std::string& name) { return support::fixture("gguf/" + name); }

std::string file_name(element_type type) {
  switch (type) {
  case element_type::f16:
    return "f16.gguf";
  case element_type::bf16:
    return "bf16.gguf";
  case element_type::q8_0:
    return "q8_0.gguf";
  case element_type::q4_0:
    return "q4_0.gguf";
  default:
    return "f32.gguf";
  }
}

constexpr std::array all_types{element_type::f32, element_type::f16, element_type::bf16, element_type::q8_0,
                               element_type::q4_0};

/// A float as the type holds it, for types without blocks.
float rounded(float x, element_type type) {
  return type == element_type::f16    ? to_float(to_f16(x))
         : type == element_type::bf16 ? to_float(to_bf16(x))
                                      : x;
}

void check_same_tokenizer(const std::filesystem::path& actual, const std::filesystem::path& expected) {
  const auto a = load_tokenizer(actual), e = load_tokenizer(expected);
  REQUIRE(a.vocabulary_size() == e.vocabulary_size());
  for (token_id id = 0; id < static_cast<token_id>(e.vocabulary_size()); ++id)
    CHECK(a.bytes(id) == e.bytes(id));
  for (const auto special : {special_tokens::as_text, special_tokens::allowed}) {
    const std::string text = "the tower stands\n 😁 <|endoftext|> \xff aaaa";
    CHECK(a.encode(text, special) == e.encode(text, special));
  }
}

} // namespace

TEST_CASE("a folder becomes the GGUF file that llama.cpp's converter makes of it") {
  const support::temporary_folder out;
  const auto folder = model_files::open(fixture("folder"));
  for (const auto type : all_types) {
    const auto path = out / file_name(type);
    convert_to_gguf<gpt2_family>(folder, path, {.type = type, .threads = 2});
    const auto made = gguf_file::open(path), expected = gguf_file::open(fixture(file_name(type)));
    CHECK(made.tensors().size() == 2 + 2 * 12 + 2);
    for (const stored_tensor& tensor : made.tensors()) {
      CAPTURE(tensor.name);
      const stored_tensor* const other = expected.find(tensor.name);
      REQUIRE(other != nullptr);
      CHECK(tensor.dtype == other->dtype);
      CHECK(tensor.shape == other->shape);
      if (!is_block_type(*element_type_of(tensor.dtype)))
        CHECK(std::ranges::equal(tensor.bytes, other->bytes));
    }
    for (const auto& [key, value] : expected.metadata().values()) {
      CAPTURE(key);
      if (key == "general.name" || key == "tokenizer.ggml.add_bos_token") continue;
      const gguf_value* const mine = made.metadata().find(key);
      REQUIRE(mine != nullptr);
      CHECK(mine->type == value.type);
      CHECK(mine->bytes == value.bytes);
    }
    CHECK(model_files::open(path).config<gpt2_family>() == folder.config<gpt2_family>());
    check_same_tokenizer(path, fixture("folder"));
  }
}

TEST_CASE("a GGUF file becomes a folder with the same parameters and vocabulary") {
  const auto exact = load<gpt2<small>>(fixture("folder"));
  for (const auto type : {element_type::f32, element_type::f16, element_type::bf16}) {
    const support::temporary_folder out;
    convert_to_folder<gpt2_family>(model_files::open(fixture("f32.gguf")), out / "a" / "b", {.type = type});
    const auto model = load<gpt2<small>>(out / "a" / "b");
    CHECK(model.tokens.weight.type() == type);
    for (const auto& name : support::parameter_names(exact)) {
      CAPTURE(name);
      auto expected = support::parameter_values(exact, name);
      for (float& x : expected) x = rounded(x, type);
      CHECK(support::parameter_values(model, name) == expected);
    }
    CHECK(read_config<gpt2_family>(out / "a" / "b") == read_config<gpt2_family>(fixture("folder")));
    check_same_tokenizer(out / "a" / "b", fixture("folder"));
  }
}

TEST_CASE("quantized files become folders of the numbers they stand for") {
  for (const char* name : {"q8_0.gguf", "q4_0.gguf"}) {
    const support::temporary_folder out;
    convert_to_folder<gpt2_family>(model_files::open(fixture(name)), out.path(), {.type = element_type::f32});
    const auto model = load<gpt2<small>>(out.path()), expected = load<gpt2<small>>(fixture(name));
    for (const auto& parameter : support::parameter_names(expected)) {
      CAPTURE(parameter);
      CHECK(support::parameter_values(model, parameter) == support::parameter_values(expected, parameter));
    }
  }
}

TEST_CASE("a GGUF file of the type that is asked for keeps its bytes and its keys") {
  for (const auto type : all_types) {
    const support::temporary_folder out;
    const auto source = gguf_file::open(fixture(file_name(type)));
    const auto results = convert_to_gguf<gpt2_family>(model_files::open(fixture(file_name(type))),
                                                      out / "m.gguf", {.type = type});
    const auto made = gguf_file::open(out / "m.gguf");
    for (const stored_tensor& tensor : made.tensors())
      CHECK(std::ranges::equal(tensor.bytes, source.find(tensor.name)->bytes));
    for (const auto& [key, value] : source.metadata().values()) {
      REQUIRE(made.metadata().find(key) != nullptr);
      CHECK(made.metadata().find(key)->bytes == value.bytes);
    }
    for (const auto& result : results) CHECK((result.relative_error == 0 && result.largest_error == 0));
  }
}

TEST_CASE("the errors told are those between what was read and what was written") {
  const support::temporary_folder out;
  const auto exact = load<gpt2<small>>(fixture("folder"));
  for (const auto type : all_types) {
    const auto path = out / file_name(type);
    const auto results =
        convert_to_gguf<gpt2_family>(model_files::open(fixture("folder")), path, {.type = type});
    const auto model = load<gpt2<small>>(path);
    for (const auto& result : results) {
      CAPTURE(result.name);
      const auto name = support::tensor_called(model, result.name).name;
      const auto x = support::parameter_values(exact, name), y = support::parameter_values(model, name);
      double squares = 0, errors = 0, largest = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        const double difference = double{y[i]} - double{x[i]};
        squares += double{x[i]} * double{x[i]};
        errors += difference * difference;
        largest = std::max(largest, std::abs(difference));
      }
      CHECK(result.relative_error == Approx(std::sqrt(errors / squares)).epsilon(1e-9).margin(1e-12));
      CHECK(result.largest_error == largest);
      CHECK(result.from == "F32");
      const bool is_matrix = result.shape.size() == 2 && name != "wpe.weight";
      CHECK(result.to == (is_matrix ? type : element_type::f32));
      CHECK(result.bytes_before == x.size() * 4);
      CHECK(result.bytes_after == bytes_of(result.to, x.size()));
      if (is_matrix && type == element_type::q8_0) CHECK(result.relative_error < 0.01);
      if (is_matrix && type == element_type::q4_0) CHECK(result.relative_error < 0.1);
    }
  }
}

TEST_CASE("files do not depend on the number of threads, and progress ends with all") {
  const support::temporary_folder out;
  const auto files = model_files::open(support::shipped_model());
  std::uint64_t last = 0, all = 0;
  const auto progress = [&](std::uint64_t done, std::uint64_t total) {
    CHECK(done >= last);
    last = done;
    all = total;
  };
  convert_to_gguf<gpt2_family>(files, out / "1.gguf",
                               {.type = element_type::q4_0, .threads = 1, .progress = progress});
  CHECK(last == 3487232);
  CHECK(all == 3487232);
  convert_to_gguf<gpt2_family>(files, out / "3.gguf", {.type = element_type::q4_0, .threads = 3});
  CHECK(support::read_file(out / "1.gguf") == support::read_file(out / "3.gguf"));
}

TEST_CASE("matrices of many pieces are transposed rightly") {
  constexpr gpt2_config wide{.n_embd = 544, .n_layer = 1, .n_head = 1, .vocab_size = 5, .n_positions = 2};
  const auto model = initialise<gpt2<wide>>(3);
  const support::temporary_folder out;
  save(model, out / "a");
  convert_to_gguf<gpt2_family>(model_files::open(out / "a"), out / "b.gguf", {.type = element_type::f32});
  convert_to_folder<gpt2_family>(model_files::open(out / "b.gguf"), out / "c", {.type = element_type::f32});
  const auto back = load<gpt2<wide>>(out / "c"), between = load<gpt2<wide>>(out / "b.gguf");
  for (const auto& name : support::parameter_names(model)) {
    CAPTURE(name);
    const auto expected = support::parameter_values(model, name);
    CHECK((support::parameter_values(back, name) == expected));
    CHECK((support::parameter_values(between, name) == expected));
  }
  CHECK(support::read_file(out / "a" / "model.safetensors") ==
        support::read_file(out / "c" / "model.safetensors"));
}

TEST_CASE("an untied output is written, a tied one's copy is not") {
  constexpr gpt2_config untied{.n_embd = 32,
                               .n_layer = 1,
                               .n_head = 2,
                               .vocab_size = 7,
                               .n_positions = 3,
                               .tie_word_embeddings = false};
  const auto model = initialise<gpt2<untied>>(5);
  const support::temporary_folder out;
  save(model, out / "a");
  convert_to_gguf<gpt2_family>(model_files::open(out / "a"), out / "b.gguf", {.type = element_type::f32});
  const auto loaded = load<gpt2<untied>>(out / "b.gguf");
  CHECK(support::parameter_values(loaded, "lm_head.weight") ==
        support::parameter_values(model, "lm_head.weight"));
  convert_to_gguf<gpt2_family>(model_files::open(fixture("f16.gguf")), out / "c.gguf",
                               {.type = element_type::f16});
  CHECK(gguf_file::open(out / "c.gguf").find("output.weight") == nullptr);
}

TEST_CASE("vocabularies that are smaller than the model are filled up, larger ones refused") {
  const support::temporary_folder out;
  for (const char* name : {"config.json", "model.safetensors", "vocab.json", "merges.txt"})
    std::filesystem::copy_file(fixture("folder") / name, out / name);
  const auto without = [&](const std::string& text, const std::string& entry) {
    const std::size_t place = text.find(entry);
    REQUIRE(place != text.npos);
    return std::string(text).erase(place, entry.size());
  };
  const std::string whole = support::read_file(out / "vocab.json");
  support::write_file(out / "vocab.json", without(whole, ", \"<|endoftext|>\": 271"));
  convert_to_gguf<gpt2_family>(model_files::open(out.path()), out / "m.gguf", {});
  const auto tokenizer = load_tokenizer(out / "m.gguf");
  CHECK(tokenizer.vocabulary_size() == 272);
  CHECK(tokenizer.bytes(271) == "[PAD271]");
  support::write_file(out / "added_tokens.json", R"({"<more>": 271, "<most>": 272})");
  CHECK_THROWS_AS(convert_to_gguf<gpt2_family>(model_files::open(out.path()), out / "n.gguf", {}),
                  config_error);
  CHECK_THROWS_WITH(
      convert_to_gguf<gpt2_family>(model_files::open(out.path()), out / "n.gguf", {}),
      ContainsSubstring("vocab_size: expected at least the vocabulary's 273 tokens, found 272"));
  CHECK_FALSE(std::filesystem::exists(out / "n.gguf"));
}

TEST_CASE("a LLaMA's vocabulary goes into a GGUF file and comes out as a tokenizer.json") {
  constexpr llama_config shape{.n_embd = 32,
                               .n_layer = 1,
                               .n_head = 2,
                               .vocab_size = 512,
                               .n_positions = 16,
                               .n_inner = 32,
                               .n_key_value_head = 1};
  const support::temporary_folder place;
  save(initialise<llama<shape>>(3), place / "model");
  json vocabulary =
      parse_json(support::read_file(support::fixture("text/trained/byte_fallback_bpe/tokenizer.json")),
                 "tokenizer.json");
  vocabulary["post_processor"] = {{"type", "BertProcessing"}, {"cls", {"<s>", 1}}, {"sep", {"</s>", 2}}};
  support::write_file(place / "model" / "tokenizer.json", vocabulary.dump());
  convert_to_gguf<llama_family>(model_files::open(place / "model"), place / "m.gguf", {});
  convert_to_folder<llama_family>(model_files::open(place / "m.gguf"), place / "again", {});
  CHECK_FALSE(std::filesystem::exists(place / "again" / "vocab.json"));
  check_same_tokenizer(place / "again", place / "m.gguf");
  const auto before = load_tokenizer(place / "model"), after = load_tokenizer(place / "again");
  const std::string text = "a text, with é, ж and   spaces\n";
  CHECK(after.encode_prompt(text) == before.encode_prompt(text));
  CHECK(after.decode(before.encode(text)) == before.decode(before.encode(text)));
  const json config = parse_json(support::read_file(place / "again" / "tokenizer_config.json"), "config");
  CHECK(config["tokenizer_class"] == "PreTrainedTokenizerFast");
  CHECK(config["bos_token"] == "<s>");
  CHECK(config["eos_token"] == "</s>");
  CHECK(support::parameter_values(load<llama<shape>>(place / "again"), "model.embed_tokens.weight") ==
        support::parameter_values(load<llama<shape>>(place / "model"), "model.embed_tokens.weight"));
}

TEST_CASE("a GPT-2 that llama.cpp has no key for becomes a file of our own architecture") {
  const support::temporary_folder out;
  auto banded = initialise<gpt2<small>>(1);
  banded.settings.windows = in_turn(small.n_layer, 8);
  save(banded, out / "banded");
  const std::pair<std::filesystem::path, const char*> folders[] = {
      {support::fixture("gpt2/relu"), "activation_function: expected \"gelu_new\", found \"relu\""},
      {support::fixture("gpt2/inverse_layer_scale"), "expected false, found true"},
      {support::fixture("gpt2/unscaled_attention"), "expected true, found false"},
      {out / "banded", "sliding_window: expected none, found 8"}};
  for (const auto& [folder, why] : folders) {
    INFO(folder.string());
    std::string note;
    const auto files = model_files::open(folder);
    convert_to_gguf<gpt2_family>(files, out / "m.gguf",
                                 {.note = [&](const std::string& text) { note = text; }});
    CHECK_THAT(note, ContainsSubstring(why));
    const auto made = model_files::open(out / "m.gguf");
    CHECK(made.gguf()->metadata().text("general.architecture") == "transept");
    CHECK(made.config<gpt2_family>() == files.config<gpt2_family>());
    convert_to_folder<gpt2_family>(made, out / "back", {});
    const auto expected = load<gpt2<any_gpt2>>(folder), found = load<gpt2<any_gpt2>>(out / "back");
    for (const auto& name : support::parameter_names(expected))
      CHECK(support::parameter_values(found, name) == support::parameter_values(expected, name));
    std::filesystem::remove(out / "m.gguf");
    std::filesystem::remove_all(out / "back");
  }
}

TEST_CASE("what the format cannot hold is refused before anything is written") {
  const support::temporary_folder out;
  const auto convert = [&](const char* name, element_type type) {
    convert_to_gguf<gpt2_family>(model_files::open(support::fixture("gpt2/" + std::string(name))),
                                 out / "m.gguf", {.type = type});
  };
  convert("head_width", element_type::f16);
  CHECK(model_files::open(out / "m.gguf").config<gpt2_family>().shape.head_width == 20);
  convert("inner_width", element_type::f16);
  CHECK(model_files::open(out / "m.gguf").config<gpt2_family>().shape.n_inner == 50);
  CHECK_THROWS_AS(convert_to_folder<gpt2_family>(model_files::open(fixture("f32.gguf")), out / "f",
                                                 {.type = element_type::q4_0}),
                  argument_error);
  CHECK_THROWS_WITH(convert_to_folder<gpt2_family>(model_files::open(fixture("f32.gguf")), out / "f",
                                                   {.type = element_type::q4_0}),
                    ContainsSubstring("a Hugging Face folder holds F32, F16 or BF16, not Q4_0"));
  CHECK_FALSE(std::filesystem::exists(out / "f"));
}

TEST_CASE("a matrix whose inputs are no whole number of blocks becomes F16, and that is told") {
  constexpr gpt2_config shape{.n_embd = 40, .n_layer = 3, .n_head = 4, .vocab_size = 101, .n_positions = 48};
  const auto source = support::fixture("gpt2/tied_f32");
  const auto exact = load<gpt2<shape>>(source);
  for (const auto type : all_types) {
    const support::temporary_folder out;
    std::vector<std::string> kept;
    const auto results = convert_to_gguf<gpt2_family>(
        model_files::open(source), out / "m.gguf",
        {.type = type, .kept_f16 = [&](const std::string& name, std::uint64_t inputs) {
           CHECK(inputs == 40);
           kept.push_back(name);
         }});
    const auto model = load<gpt2<shape>>(out / "m.gguf");
    for (const auto& result : results) {
      CAPTURE(result.name);
      const auto tensor = support::tensor_called(exact, result.name);
      const bool is_matrix = tensor.shape.size() == 2 && !tensor.is_lookup;
      const bool fits = !is_block_type(type) || tensor.name.ends_with("mlp.c_proj.weight"); // of 160 inputs
      CHECK(result.to == (!is_matrix ? element_type::f32 : fits ? type : element_type::f16));
      if (is_block_type(type) && is_matrix)
        CHECK((std::ranges::find(kept, result.name) != kept.end()) == !fits);
      if (is_matrix && !fits) {
        auto expected = support::parameter_values(exact, tensor.name);
        for (float& x : expected) x = rounded(x, element_type::f16);
        CHECK(support::parameter_values(model, tensor.name) == expected);
      }
    }
    CHECK(kept.size() == (is_block_type(type) ? 1 + 3 * 3 : 0));
    CHECK(model.blocks[2].network.down.weight.type() == type);
  }
}

TEST_CASE("a GGUF stream takes exactly the bytes of its tensors") {
  const support::temporary_folder out;
  gguf_keys keys;
  keys.add("a", std::uint32_t{1});
  CHECK_THROWS_AS(keys.add("a", "x"), argument_error);
  CHECK_THROWS_AS(keys.add("", "x"), argument_error);
  gguf_keys others;
  others.add("_", 1.0f);
  others.add("a", "x");
  CHECK_THROWS_AS(keys.append(others), argument_error);
  CHECK((keys.size() == 1 && !keys.contains("_"))); // nothing has changed
  const std::vector<tensor_entry> tensors{
      {"a", {2, 3}, element_type::f32}, {"none", {0}, element_type::f16}, {"b", {1, 32}, element_type::q8_0}};
  const std::vector<std::byte> bytes(34, std::byte{7});
  const auto path = out / "m.gguf";
  {
    gguf_stream file(path, keys, tensors);
    file.write(std::span(bytes).first(20));
    file.write(std::span(bytes).first(4));
    CHECK_THROWS_AS(file.commit(), argument_error);
    file.write(bytes);
    CHECK_THROWS_AS(file.write(bytes), argument_error);
    file.commit();
  }
  CHECK(gguf_file::open(path).find("b")->bytes.size() == 34);
  CHECK(gguf_file::open(path).find("a")->shape == std::vector<std::uint64_t>{2, 3});
  const auto refuse = [&](const tensor_entry& entry) {
    CHECK_THROWS_AS(gguf_stream(out / "n.gguf", keys, std::vector<tensor_entry>{entry, {"z", {1}, {}}}),
                    argument_error);
  };
  refuse({"z", {1}, element_type::f32});
  refuse({"", {1}, element_type::f32});
  refuse({std::string(64, 'n'), {1}, element_type::f32});
  refuse({"a", {33}, element_type::q4_0});
  refuse({"a", {1, 1, 1, 1, 1}, element_type::f32});
  CHECK_FALSE(std::filesystem::exists(out / "n.gguf"));
}

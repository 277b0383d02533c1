// GGUF files of llama.cpp's architectures: tests/fixtures/models/*/model.gguf, which
// scripts/oracle/gguf_families.py made of the folders beside them as llama.cpp's converter does.
#include <support/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

#include <support/compare.hpp>
#include <support/oracle.hpp>
#include <support/parameter_values.hpp>
#include <support/temporary_folder.hpp>

#include <transept/generate/inspection.hpp>
#include <transept/io/convert_files.hpp>
#include <transept/io/save_model.hpp>
#include <transept/io/visit_model.hpp>

using namespace transept;
using Catch::Matchers::ContainsSubstring;

namespace {

template <class Model>
std::vector<float> logits_of(const Model& model, std::span<const token_id> ids) {
  session session(model, {.capacity = static_cast<int>(ids.size())});
  const auto seen = inspect(model, session, ids, {.logits = true});
  return {seen.logits.data(), seen.logits.data() + seen.logits.size()};
}

/// Calls f(case, model of its GGUF file, model of its folder) for each case that has both.
template <class F>
void for_each_pair(F&& f) {
  for (const auto& each : support::fixture_cases()) {
    if (!std::filesystem::exists(each.folder / "model.gguf")) continue;
    INFO(each.name());
    visit_model(all_models{}, each.folder / "model.gguf", {}, [&](const auto& model) {
      auto expected = load<std::remove_cvref_t<decltype(model)>>(each.model());
      // llama.cpp has no key of it: it is the head width of all but the 27B.
      if constexpr (requires { expected.settings.query_pre_attn_scalar; })
        expected.settings.query_pre_attn_scalar = static_cast<float>(expected.config.head_width);
      f(each, model, expected);
    });
  }
}

/// The parameters of two models, of which one went through norms with 1 added.
template <class Model>
void check_same_parameters(const Model& found, const Model& expected) {
  for (const auto& name : support::parameter_names(expected)) {
    INFO(name);
    const auto values = support::parameter_values(found, name);
    if (expected.norms().weight_offset == 0)
      CHECK(values == support::parameter_values(expected, name));
    else
      CHECK(support::compare(values, support::parameter_values(expected, name)) <= 1e-6);
  }
}

} // namespace

TEST_CASE("a file of each of llama.cpp's architectures is the model of the folder that it was made of") {
  std::size_t count = 0;
  for_each_pair([&](const auto& each, const auto& model, const auto& expected) {
    ++count;
    CHECK(model.config == expected.config);
    check_same_parameters(model, expected);
    const auto ids = each.ids("input_ids")[0];
    CHECK(support::compare(logits_of(model, ids), logits_of(expected, ids)) <= 1e-5);
  });
  CHECK(count == 14);
}

TEST_CASE("a folder becomes the file that llama.cpp's converter makes of it, and the file a folder again") {
  for_each_pair([&](const auto& each, const auto& model, const auto& expected) {
    using Model = std::remove_cvref_t<decltype(model)>;
    using family = typename Model::family;
    const support::temporary_folder out;
    std::string note;
    const auto hear = [&](const std::string& text) { note = text; };
    save(expected, out / "folder");
    convert_to_gguf<family>(model_files::open(out / "folder"), out / "m.gguf", {.note = hear});
    CHECK(note == "");
    const auto made = gguf_file::open(out / "m.gguf"), wanted = gguf_file::open(each.folder / "model.gguf");
    const auto architecture = wanted.metadata().text("general.architecture");
    REQUIRE(made.metadata().text("general.architecture") == architecture);
    CHECK(made.tensors().size() == wanted.tensors().size());
    for (const stored_tensor& tensor : wanted.tensors()) {
      INFO(tensor.name);
      const stored_tensor* const found = made.find(tensor.name);
      REQUIRE(found != nullptr);
      CHECK(found->shape == tensor.shape);
      if (tensor.name != "rope_freqs.weight") CHECK(std::ranges::equal(found->bytes, tensor.bytes));
    }
    for (const auto& [key, value] : made.metadata().values()) {
      const gguf_value* const other = wanted.metadata().find(key);
      if (!key.starts_with(*architecture) || other == nullptr) continue;
      INFO(key);
      CHECK((value.type == other->type && value.bytes == other->bytes));
    }
    const auto back = load<Model>(out / "m.gguf");
    CHECK(back.config == model.config);
    const auto ids = each.ids("input_ids")[0];
    CHECK(support::compare(logits_of(back, ids), logits_of(model, ids)) <= 1e-5);
    convert_to_folder<family>(model_files::open(out / "m.gguf"), out / "again", {});
    const auto again = load<Model>(out / "again");
    CHECK(again.config == expected.config);
    check_same_parameters(again, expected);
    CHECK(support::compare(logits_of(again, ids), logits_of(expected, ids)) <= 1e-5);
  });
}

TEST_CASE("what llama.cpp's architectures have no key for is told, and kept in a file of our own") {
  const support::temporary_folder out;
  const auto files = model_files::open(support::fixture("models/gemma2/model"));
  std::string note;
  convert_to_gguf<gemma2_family>(files, out / "m.gguf",
                                 {.note = [&](const std::string& text) { note = text; }});
  CHECK(note ==
        "GGUF's gemma2 has no key for query_pre_attn_scalar: expected 12, found 20; only Transept will "
        "read the file");
  const auto made = model_files::open(out / "m.gguf");
  CHECK(made.gguf()->metadata().text("general.architecture") == "transept");
  CHECK(made.config<gemma2_family>() == files.config<gemma2_family>());
}

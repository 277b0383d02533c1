// What the library promises of decoding, for every family: the same bits whole, in chunks, token by token, in
// a batch, packed, for any number of threads; no allocation; folders and GGUF files that hold what was saved.
#include <support/catch.hpp>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>
#include <span>
#include <vector>

#include <support/allocation_count.hpp>
#include <support/compare.hpp>
#include <support/oracle.hpp>
#include <support/temporary_folder.hpp>

#include <transept/generate/batch.hpp>
#include <transept/generate/inspection.hpp>
#include <transept/io/convert_files.hpp>
#include <transept/io/save_model.hpp>
#include <transept/io/visit_model.hpp>

using namespace transept;

namespace {

/// Calls f(model, ids of a prompt) for each of the fixtures, whose name is told.
template <class F>
void for_each_case(const load_options& options, F&& f) {
  for (const auto& each : support::fixture_cases()) {
    INFO(each.name());
    visit_model(all_models{}, each.model(), options,
                [&](const auto& model) { f(model, each.ids("input_ids")[0]); });
  }
}

template <class Model>
std::vector<float> logits_of(const Model& model, std::span<const token_id> ids,
                             session_options options = {}) {
  if (options.capacity == 0) options.capacity = static_cast<int>(ids.size());
  session session(model, options);
  const auto seen = inspect(model, session, ids, {.logits = true});
  return {seen.logits.data(), seen.logits.data() + seen.logits.size()};
}

/// Of the root mean square of what is expected. (Random models have rows in which rounding moves the sharpest
/// attention; the largest difference says little.)
double root_mean_square_error(const std::vector<float>& actual, const std::vector<float>& expected) {
  REQUIRE(actual.size() == expected.size());
  double error = 0, scale = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double difference = double{actual[i]} - double{expected[i]};
    error += difference * difference;
    scale += double{expected[i]} * double{expected[i]};
  }
  return std::sqrt(error / scale);
}

} // namespace

TEST_CASE("every family gives the same bits whole, in chunks, token by token, on any threads, and packed") {
  for_each_case({}, [](const auto& model, const std::vector<token_id>& ids) {
    const auto whole = logits_of(model, ids, {.threads = 1});
    for (const int threads : {2, 3}) CHECK(logits_of(model, ids, {.threads = threads}) == whole);
    for (const int chunk : {1, 2, 5}) CHECK(logits_of(model, ids, {.prompt_chunk = chunk}) == whole);
    // Mapped matrices of [out, in] are summed in another order than panels; those of [in, out] in the same.
    CHECK(support::compare(logits_of(pack_weights(model), ids), whole) <= 1e-4);
    if (model.names.inputs_first) CHECK(logits_of(pack_weights(model), ids) == whole);
  });
}

TEST_CASE("every family gives each sequence of a batch the bits that it would have alone") {
  for_each_case({}, [](const auto& model, const std::vector<token_id>& ids) {
    const int capacity = static_cast<int>(ids.size());
    batch texts(model, {.max_sequences = 3, .threads = 2, .capacity = capacity});
    const std::vector<std::vector<token_id>> prompts{{ids.begin(), ids.begin() + 3},
                                                     {ids.begin() + 2, ids.begin() + 7}};
    std::vector<std::size_t> numbers;
    for (const auto& prompt : prompts) {
      numbers.push_back(add(texts));
      forward(model, texts, numbers.back(), prompt);
    }
    const std::vector<token_id> next{ids[4], ids[5]};
    forward(model, texts, next);
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      session alone(model, {.capacity = capacity});
      forward(model, alone, prompts[i]);
      const auto expected = forward(model, alone, std::span(&next[i], 1));
      const auto found = texts.logits(numbers[i]);
      CHECK(std::memcmp(found.data(), expected.data(), expected.size_bytes()) == 0);
    }
  });
}

TEST_CASE("every family decodes and reads prompts without an allocation") {
  if (!support::counts_allocations) {
    std::puts("SKIPPED: allocations cannot be counted under this sanitizer");
    return;
  }
  for_each_case({.packed = true}, [](const auto& model, const std::vector<token_id>& ids) {
    session session(model, {.threads = 2, .capacity = static_cast<int>(ids.size()), .prompt_chunk = 4});
    const std::span all(ids);
    const support::allocation_count allocations;
    forward(model, session, all.first(6));
    for (std::size_t i = 6; i < ids.size(); ++i) forward(model, session, all.subspan(i, 1));
    const long made = allocations.so_far();
    CHECK(made == 0);
  });
}

TEST_CASE("every family is saved as a folder, and through GGUF, with the bits that it has") {
  for (const auto& each : support::fixture_cases()) {
    INFO(each.name());
    const support::temporary_folder folder;
    const auto ids = each.ids("input_ids")[0];
    const auto expected = visit_model(all_models{}, each.model(), {}, [&](const auto& model) {
      save(model, folder.path() / "saved");
      return logits_of(model, ids);
    });
    const auto logits_in = [&](const std::filesystem::path& path) {
      return visit_model(all_models{}, path, {}, [&](const auto& model) { return logits_of(model, ids); });
    };
    CHECK(logits_in(folder.path() / "saved") == expected);
    const auto convert = [&](const std::filesystem::path& from, const std::filesystem::path& to,
                             element_type type) {
      const auto files = model_files::open(from);
      visit_config(all_models{}, files, [&]<class Model>(std::type_identity<Model>, const auto&) {
        using family = typename Model::family;
        if (to.extension() == ".gguf")
          convert_to_gguf<family>(files, to, {.type = type});
        else
          convert_to_folder<family>(files, to, {.type = type});
      });
    };
    const auto gguf = folder.path() / "model.gguf";
    convert(each.model(), gguf, element_type::f32);
    // What a folder has as [in, out] lies as [out, in] there, and is summed in another order.
    // Of LLaMA 3's frequencies it has the factors.
    const bool same_order =
        each.name() != "gpt2" && each.name() != "openai_gpt" && each.name() != "llama_rope_llama3";
    CHECK(support::compare(logits_in(gguf), expected) <= 1e-5);
    if (same_order) CHECK(logits_in(gguf) == expected);
    convert(gguf, folder.path() / "back", element_type::f32);
    if (each.name() != "llama_rope_llama3") CHECK(logits_in(folder.path() / "back") == expected);
    CHECK(support::compare(logits_in(folder.path() / "back"), expected) <= 1e-5);
    convert(each.model(), folder.path() / "int8.gguf", element_type::q8_0);
    CHECK(root_mean_square_error(logits_in(folder.path() / "int8.gguf"), expected) <= 0.1);
  }
}

TEST_CASE("every family runs from int8, int4 and bf16 weights nearly as from f32") {
  for (const auto& [type, tolerance] :
       {std::pair{element_type::bf16, 0.03}, {element_type::q8_0, 0.15}, {element_type::q4_0, 0.6}}) {
    INFO(name_of(type));
    for (const auto& each : support::fixture_cases()) {
      INFO(each.name());
      const auto ids = each.ids("input_ids")[0];
      const auto in_type = [&](std::optional<element_type> wanted) {
        return visit_model(all_models{}, each.model(), {.type = wanted},
                           [&](const auto& model) { return logits_of(model, ids); });
      };
      CHECK(root_mean_square_error(in_type(type), in_type(std::nullopt)) <= tolerance);
    }
  }
}

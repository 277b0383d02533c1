// Small random GPT-2 folders against PyTorch's results for them (scripts/make_fixtures.py).
#include <support/catch.hpp>

#include <algorithm>
#include <string>
#include <tuple>
#include <vector>

#include <support/compare.hpp>
#include <support/fixture_configs.hpp>
#include <support/npy.hpp>
#include <support/paths.hpp>

#include <transept/generate/inspection.hpp>
#include <transept/generate/session.hpp>
#include <transept/io/load_model.hpp>
#include <transept/kernels/bf16_products.hpp>
#include <transept/models/gpt2.hpp>

using namespace transept;

namespace {

using support::plain, support::untied, support::wide_heads, support::narrow_inner, support::odd_sizes,
    support::tiny;
constexpr gpt2_config deeper{.n_embd = 40, .n_layer = 3, .n_head = 4, .vocab_size = 101, .n_positions = 48};
constexpr gpt2_config shakespeare{
    .n_embd = 256, .n_layer = 4, .n_head = 4, .vocab_size = 1024, .n_positions = 256};

std::vector<token_id> read_ids(const std::filesystem::path& path) {
  const auto file = support::read_npy<std::int64_t>(path);
  return {file.values.begin(), file.values.end()};
}

token_id likeliest(std::span<const float> logits) {
  return static_cast<token_id>(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

/// What the model in `folder` makes of `ids`.
template <class Model>
inspection seen_in(const std::filesystem::path& folder, const std::vector<token_id>& ids,
                   const load_options& options) {
  const auto model = load<Model>(folder, options);
  session session(model, {.threads = 2});
  return inspect(model, session, ids, {.hidden_states = true, .attentions = true, .logits = true});
}

/// A type whose shape is told at run time gives the bits of one that has it compiled in.
template <gpt2_config Config>
void check_same_at_run_time(const std::filesystem::path& folder, const std::vector<token_id>& ids) {
  for (const bool packed : {false, true}) {
    const auto compiled = seen_in<gpt2<Config>>(folder, ids, {.packed = packed});
    const auto told = seen_in<gpt2<any_gpt2>>(folder, ids, {.packed = packed});
    CHECK((told.logits == compiled.logits));
    CHECK((told.hidden_states == compiled.hidden_states));
    CHECK((told.attentions == compiled.attentions));
  }
}

/// The model in `folder` against logits, hidden states, attentions and greedy ids in `expected`.
template <gpt2_config Config>
void check(const std::filesystem::path& folder, const std::filesystem::path& expected) {
  INFO(folder.string());
  const auto model = load<gpt2<Config>>(folder);
  const auto ids = read_ids(expected / "ids.npy");
  check_same_at_run_time<Config>(folder, ids);
  // Tiles of bf16 round activations. So that everything can be compared closely, too few tokens for it at
  // once.
  const bool rounds =
      kernels::runs_in_tiles(model.blocks[0].attention.query_key_value.weight.type(), ids.size());
  const int chunk = rounds ? static_cast<int>(kernels::tiled_rows) - 1 : 512;
  for (int threads : {1, 2}) {
    session session(model, {.threads = threads, .prompt_chunk = chunk});
    const auto seen =
        inspect(model, session, ids, {.hidden_states = true, .attentions = true, .logits = true});
    const auto against = [&](const char* name, const auto& actual) {
      INFO(name);
      const auto reference = support::read_npy<float>(expected / (std::string(name) + ".npy"));
      CHECK(std::equal(reference.shape.begin(), reference.shape.end(), actual.shape().begin(),
                       actual.shape().end()));
      CHECK(support::compare(std::span(actual.data(), actual.size()), reference.values) <= 1e-5);
    };
    against("logits", seen.logits);
    against("hidden_states", seen.hidden_states);
    against("attentions", seen.attentions);
    if (rounds) {
      transept::session whole(model, {.threads = threads});
      const auto near = inspect(model, whole, ids, {.logits = true}).logits;
      CHECK(support::compare(std::span(near.data(), near.size()),
                             std::span(seen.logits.data(), near.size())) <= 0.03);
    }

    const auto greedy = read_ids(expected / "greedy.npy");
    REQUIRE(greedy.size() > 5);
    reset(session);
    std::vector<token_id> generated;
    token_id next = likeliest(forward(model, session, std::span(ids).first(5)));
    while (generated.size() < greedy.size()) {
      generated.push_back(next);
      if (generated.size() < greedy.size()) next = likeliest(forward(model, session, std::span(&next, 1)));
    }
    CHECK(generated == greedy);
  }
}

template <gpt2_config Config>
void check(const std::string& variant) {
  check<Config>(support::fixture("gpt2/" + variant), support::fixture("gpt2/" + variant));
}

} // namespace

TEST_CASE("a tied model agrees with PyTorch, from f32, f16 and bf16 files") {
  check<deeper>("tied_f32");
  check<plain>("tied_f16");
  check<plain>("tied_bf16");
  check<plain.any_vocabulary()>("tied_bf16");
}

TEST_CASE("an untied model agrees with PyTorch, from f32, f16 and bf16 files, at odd addresses too") {
  check<untied>("untied_f32");
  check<untied>("untied_f16");
  check<untied>("untied_bf16");
}

TEST_CASE("a tied model ignores an lm_head in its file") { check<plain>("tied_with_head"); }

TEST_CASE("shards are read as one model") { check<plain>("sharded"); }

TEST_CASE("names with a prefix and mask buffers are read, at an odd address") {
  check<untied>("prefix_and_masks");
}

TEST_CASE("head width may differ from width / heads, and n_inner from 4 · width") {
  check<wide_heads>("head_width");
  check<narrow_inner>("inner_width");
}

TEST_CASE("sizes that no vector divides, a full context, and heads of width 1 agree with PyTorch") {
  check<odd_sizes>("odd_sizes");
  check<tiny>("tiny");
}

TEST_CASE("config.json's activation, attention scaling and epsilon are honoured") {
  check<plain>("gelu");
  check<plain>("relu");
  check<plain>("inverse_layer_scale");
  check<plain>("unscaled_attention");
  check<plain>("epsilon");
}

TEST_CASE("the shipped model agrees with PyTorch") {
  check<shakespeare>(support::shipped_model(), support::fixture("gpt2/shakespeare"));
}

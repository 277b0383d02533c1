// Models whose linear layers are laid out for the kernels: the same model in every way.
#include "logits_of.hpp"

#include <support/catch.hpp>

#include <vector>

#include <support/allocation_count.hpp>
#include <support/parameter_values.hpp>
#include <support/temporary_folder.hpp>

#include <transept/generate/session.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/save_model.hpp>
#include <transept/models/convert.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>

using namespace transept;

namespace {

// Sizes that fill no panel of 16 outputs, and more inputs than a cache block has.
constexpr gpt2_config odd{
    .n_embd = 36, .n_layer = 2, .n_head = 4, .vocab_size = 211, .n_positions = 150, .n_inner = 265};
using model_type = gpt2<odd>;

model_type original(element_type type = element_type::f32, bool packed = false) {
  return initialise<model_type>(11, {.type = type, .packed = packed, .standard_deviation = 0.2f});
}

void check_same_numbers(const model_type& a, const model_type& b) {
  for (const auto& name : support::parameter_names(a)) {
    CAPTURE(name);
    CHECK(support::parameter_values(a, name) == support::parameter_values(b, name));
  }
}

} // namespace

TEST_CASE("packing changes how linear layers lie, no number, and no bit of the logits") {
  const auto type = GENERATE(element_type::f32, element_type::f16, element_type::bf16);
  const auto model = original(type);
  const auto packed = pack_weights(model, 2);
  CHECK(packed.blocks[1].network.up.weight.layout() == matrix_layout::panels);
  CHECK(packed.blocks[1].network.up.weight.type() == type);
  CHECK(packed.tokens.weight.data() == model.tokens.weight.data());
  check_same_numbers(packed, model);

  for (const int chunk : {1, 2, 13, 64, 512}) { // bf16 may round more in large ones
    const auto expected = logits_of(model, {.threads = 1, .prompt_chunk = chunk});
    for (const int threads : {1, 2, 3})
      CHECK(logits_of(packed, {.threads = threads, .prompt_chunk = chunk}) == expected);
  }

  const auto again = pack_weights(packed);
  CHECK(again.blocks[0].attention.query_key_value.weight.data() ==
        packed.blocks[0].attention.query_key_value.weight.data());
  const auto made = original(type, true);
  CHECK(made.blocks[0].attention.query_key_value.weight.layout() == matrix_layout::panels);
  check_same_numbers(made, model);
}

TEST_CASE("a packed model converts to every type as the model itself does") {
  const auto type = GENERATE(element_type::f32, element_type::bf16, element_type::q8_0, element_type::q4_0);
  const auto from = GENERATE(element_type::f32, element_type::f16);
  const auto model = original(from);
  const auto expected = convert_weights(model, type);
  const auto converted = convert_weights(pack_weights(model), type);
  check_same_numbers(converted, expected);
  CHECK(logits_of(converted) == logits_of(expected));
}

TEST_CASE("loading packed is loading, then packing; saving writes the same file") {
  const auto type = GENERATE(element_type::f32, element_type::bf16, element_type::q8_0);
  const support::temporary_folder folder, other;
  save(original(), folder.path());
  const auto packed = load<model_type>(folder.path(), {.type = type, .packed = true, .threads = 2});
  CHECK(packed.blocks[0].attention.query_key_value.weight.layout() == matrix_layout::panels);
  CHECK(packed.blocks[0].attention.query_key_value.weight.type() == type);
  const auto mapped = load<model_type>(folder.path(), {.type = type});
  check_same_numbers(packed, mapped);
  CHECK(logits_of(packed) == logits_of(mapped));

  save(packed, other.path());
  check_same_numbers(load<model_type>(other.path()), mapped);
}

TEST_CASE("with packed weights a session allocates nothing after it is made") {
  if (!support::counts_allocations) SUCCEED("a sanitizer has its own allocator");
  const auto model = original(element_type::bf16, true);
  session session(model, {.threads = 2});
  const auto tokens = some_tokens(100);
  const std::vector<token_id> next = {5};
  const support::allocation_count count;
  forward(model, session, tokens);
  for (int i = 0; i < 20; ++i) forward(model, session, next);
  const auto made = count.so_far();
  CHECK(made == 0);
}

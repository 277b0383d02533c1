// transept/train/training_state.hpp: a run that goes on is the run that never stopped.
#include <support/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include <support/temporary_folder.hpp>

#include <transept/io/load_model.hpp>
#include <transept/io/save_model.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>
#include <transept/train/training_state.hpp>

using namespace transept;
using Catch::ContainsSubstring;

namespace {

constexpr gpt2_config small{.n_embd = 24, .n_layer = 2, .n_head = 2, .vocab_size = 50, .n_positions = 16};
using small_model = gpt2<small>;

training_options dropping() {
  return {.dropout = {.embedding = 0.1f, .attention = 0.1f, .residual = 0.1f, .seed = 5}, .threads = 1};
}

void make_steps(trainer<small_model>& trainer, int first, int last) {
  std::vector<token_id> ids(2 * 16 + 1);
  for (int step = first; step < last; ++step) {
    for (std::size_t i = 0; i < ids.size(); ++i)
      ids[i] = static_cast<token_id>((i * i + static_cast<std::size_t>(7 * step)) % 50);
    training_step(trainer, {ids.data(), 2, 16}, {ids.data() + 1, 2, 16}, 1e-2);
  }
}

std::vector<float> weights_of(trainer<small_model>& trainer) {
  return {trainer.parameters().data(), trainer.parameters().data() + trainer.parameters().size()};
}

} // namespace

TEST_CASE("a resumed run ends with the bits of one that never stopped") {
  const support::temporary_folder folder;
  const auto state = folder / "optimizer.safetensors";
  const auto model = initialise<small_model>(1);
  trainer whole(model, dropping());
  make_steps(whole, 0, 3);
  save(whole.model(), folder.path(), element_type::f32);
  save_training_state(whole, state, {{"note", "after three"}});
  make_steps(whole, 3, 6);

  trainer resumed(load<small_model>(folder.path()), dropping());
  const auto metadata = load_training_state(resumed, state);
  CHECK(metadata.at("note") == "after three");
  CHECK(resumed.steps() == 3);
  CHECK(resumed.passes == 3);
  make_steps(resumed, 3, 6);
  CHECK(weights_of(resumed) == weights_of(whole));

  // What is restored matters: neither moments nor passes may be left out.
  trainer forgetful(load<small_model>(folder.path()), dropping());
  load_training_state(forgetful, state);
  forgetful.passes = 0;
  make_steps(forgetful, 3, 6);
  CHECK(weights_of(forgetful) != weights_of(whole));
}

TEST_CASE("the moments carry the parameters' names and shapes, as PyTorch calls them") {
  const support::temporary_folder folder;
  trainer trainer(initialise<small_model>(1), dropping());
  make_steps(trainer, 0, 1);
  save_training_state(trainer, folder / "state");
  const auto file = safetensors_file::open(folder / "state");
  const stored_tensor* const first = file.find("h.1.attn.c_attn.weight.exp_avg");
  REQUIRE(first != nullptr);
  CHECK(first->shape == std::vector<std::uint64_t>{24, 72});
  const stored_tensor* const second = file.find("h.1.attn.c_attn.weight.exp_avg_sq");
  REQUIRE(second != nullptr);
  // After one step m = (1 - β₁) g and v = (1 - β₂) g².
  const auto* const m = reinterpret_cast<const float*>(first->bytes.data());
  const auto* const v = reinterpret_cast<const float*>(second->bytes.data());
  for (const std::size_t i : {0u, 100u, 1000u}) CHECK(v[i] == Approx(0.05 * (m[i] / 0.1) * (m[i] / 0.1)));
  CHECK(file.metadata().at("steps") == "1");
  CHECK_THROWS_AS(save_training_state(trainer, folder / "other", {{"steps", "9"}}), argument_error);
  CHECK_FALSE(std::filesystem::exists(folder / "other"));
}

TEST_CASE("a state that is none, or of another model, changes nothing") {
  const support::temporary_folder folder;
  trainer trainer(initialise<small_model>(1), dropping());
  make_steps(trainer, 0, 2);
  const auto moments = [&] {
    const auto& first = trainer.optimizer_state().first;
    return std::vector<float>(first.data(), first.data() + first.size());
  };
  const auto before = moments();
  const auto refuses = [&](const char* name, auto matcher) {
    CAPTURE(name);
    CHECK_THROWS_WITH(load_training_state(trainer, folder / name), matcher);
    CHECK(moments() == before);
    CHECK(trainer.steps() == 2);
  };

  constexpr gpt2_config other{.n_embd = 24, .n_layer = 2, .n_head = 2, .vocab_size = 51, .n_positions = 16};
  transept::trainer wider(initialise<gpt2<other>>(1), dropping());
  save_training_state(wider, folder / "wider");
  refuses("wider", ContainsSubstring("wte.weight.exp_avg: expected [50, 24] of F32, found [51, 24] of F32"));

  save(trainer.model(), folder.path());
  refuses("model.safetensors",
          ContainsSubstring("format: expected \"transept training state 1\", found \"pt\""));
  refuses("absent", ContainsSubstring("absent"));

  auto freezing = dropping();
  freezing.frozen_blocks = 1;
  transept::trainer tuned(initialise<small_model>(1), freezing);
  save_training_state(tuned, folder / "tuned");
  refuses("tuned",
          ContainsSubstring("wte.weight.exp_avg: expected [50, 24] of F32, found no tensor of that name"));
  save_training_state(trainer, folder / "whole");
  CHECK_THROWS_WITH(load_training_state(tuned, folder / "whole"),
                    ContainsSubstring("expected the moments of 14 parameters, found those of 28") &&
                        ContainsSubstring("frozen"));

  write_safetensors(folder / "uncounted", std::vector<outgoing_tensor>{},
                    {{"format", "transept training state 1"}, {"steps", "-1"}, {"passes", "0"}});
  refuses("uncounted", ContainsSubstring("key \"steps\": expected a whole number, found \"-1\""));
  write_safetensors(folder / "empty", std::vector<outgoing_tensor>{},
                    {{"format", "transept training state 1"}, {"steps", "1"}, {"passes", "0"}});
  refuses("empty",
          ContainsSubstring("wte.weight.exp_avg: expected [50, 24] of F32, found no tensor of that name"));

  save_training_state(trainer, folder / "cut");
  std::filesystem::resize_file(folder / "cut", std::filesystem::file_size(folder / "cut") / 2);
  refuses("cut", ContainsSubstring("cut short"));
}

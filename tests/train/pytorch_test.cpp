// Gradients and optimizer steps against PyTorch's for the same folders (scripts/oracle/training_fixtures.py).
#include <support/catch.hpp>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include <support/compare.hpp>
#include <support/fixture_configs.hpp>
#include <support/npy.hpp>
#include <support/paths.hpp>

#include <transept/core/json.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/safetensors.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/train/schedules.hpp>
#include <transept/train/training.hpp>

using namespace transept;

namespace {

using support::plain, support::untied, support::wide_heads, support::narrow_inner, support::odd_sizes,
    support::tiny;

struct id_rows {
  explicit id_rows(const std::filesystem::path& path) : file(support::read_npy<std::int64_t>(path)) {
    ids.assign(file.values.begin(), file.values.end());
  }
  operator token_rows() const {
    return {ids.data(), static_cast<extent>(file.shape[0]), static_cast<extent>(file.shape[1])};
  }
  support::npy_array<std::int64_t> file;
  std::vector<token_id> ids;
};

json settings() {
  std::ifstream file(support::fixture("training/settings.json"));
  return json::parse(file);
}

/// Every gradient against PyTorch's, `tolerance` relative to the largest of its parameter's.
template <gpt2_config Config>
void check_gradients(const std::string& variant, double tolerance = 1e-5) {
  INFO(variant);
  const auto folder = support::fixture("training/" + variant);
  const id_rows tokens(folder / "tokens.npy"), targets(folder / "targets.npy");
  const auto expected = safetensors_file::open(folder / "gradients.safetensors");
  const auto smoothing = settings().at("label_smoothing").template get<float>();
  trainer trainer(load<gpt2<Config>>(support::fixture("gpt2/" + variant)), {.label_smoothing = smoothing});
  accumulate_gradients(trainer, tokens, targets);
  std::size_t compared = 0;
  for_each_parameter(
      [&](std::string_view name, const auto& gradient) {
        INFO(name);
        const auto* tensor = expected.find(name);
        REQUIRE(tensor != nullptr);
        std::vector<float> values(static_cast<std::size_t>(gradient.size()));
        REQUIRE(tensor->bytes.size() == values.size() * sizeof(float));
        std::memcpy(values.data(), tensor->bytes.data(), tensor->bytes.size());
        CHECK(support::compare(std::span(gradient.data(), values.size()), values) <= tolerance);
        ++compared;
      },
      trainer.gradient());
  CHECK(compared == expected.tensors().size());
}

template <gpt2_config Config>
void check_ten_steps(const std::string& variant) {
  INFO(variant);
  const auto folder = support::fixture("training/" + variant);
  const id_rows tokens(folder / "tokens.npy"), targets(folder / "targets.npy");
  const auto expected = support::read_npy<double>(folder / "losses.npy").values;
  const json from = settings();
  const auto number = [&](const char* key) { return from.at(key).template get<double>(); };
  const auto steps = [&](const char* key) { return from.at(key).template get<std::size_t>(); };
  trainer trainer(load<gpt2<Config>>(support::fixture("gpt2/" + variant)),
                  {.optimizer = {.beta_1 = number("beta_1"),
                                 .beta_2 = number("beta_2"),
                                 .epsilon = number("epsilon"),
                                 .weight_decay = number("weight_decay")},
                   .clip_norm = number("clip_norm")});
  const cosine_rate rate{number("rate"), number("least_rate"), steps("steps"), steps("warmup")};
  for (std::size_t step = 0; step < expected.size(); ++step) {
    INFO("step " << step);
    const auto result = training_step(trainer, tokens, targets, rate(step));
    CHECK(result.loss == Approx(expected[step]).margin(1e-4).epsilon(0));
  }
}

} // namespace

TEST_CASE("the gradient of every parameter is PyTorch's") {
  check_gradients<untied>("untied_f32");
  check_gradients<odd_sizes>("odd_sizes");
  check_gradients<odd_sizes.any_vocabulary()>("odd_sizes");
  check_gradients<wide_heads>("head_width");
  check_gradients<narrow_inner>("inner_width");
  check_gradients<tiny>("tiny", 1e-4); // a norm of two numbers is nearly a step function
  check_gradients<plain>("gelu");
  check_gradients<plain>("relu");
  check_gradients<plain>("inverse_layer_scale");
  check_gradients<plain>("unscaled_attention", 3e-5); // larger scores, rounded coarser
}

TEST_CASE("ten steps of AdamW follow PyTorch's losses, with clipping, decay of matrices and a schedule") {
  check_ten_steps<untied>("untied_f32");
  check_ten_steps<odd_sizes>("odd_sizes");
  check_ten_steps<wide_heads>("head_width");
  check_ten_steps<narrow_inner>("inner_width");
  check_ten_steps<plain>("gelu");
  check_ten_steps<plain>("relu");
  check_ten_steps<plain>("inverse_layer_scale");
  check_ten_steps<plain>("unscaled_attention");
}

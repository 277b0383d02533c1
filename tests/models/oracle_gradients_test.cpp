// Every family's gradients against PyTorch's, for the folders of ../shared/oracle (manifest.json says how
// they were made): by Hugging Face's names, whatever parts and order a file has of what is one parameter
// here.
#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include <support/compare.hpp>
#include <support/oracle.hpp>
#include <support/oracle_gradients.hpp>

#include <transept/io/safetensors.hpp>
#include <transept/io/visit_model.hpp>
#include <transept/train/training.hpp>

using namespace transept;

namespace {

/// Rows of token ids, and as targets the labels of the next positions; -100 does not count.
struct oracle_batch {
  explicit oracle_batch(const support::oracle_case& of) {
    const auto ids = of.ids("input_ids"), labels = of.ids("labels");
    REQUIRE((ids.size() == labels.size() && ids[0].size() == labels[0].size()));
    rows = static_cast<extent>(ids.size());
    cols = static_cast<extent>(ids[0].size());
    for (std::size_t r = 0; r < ids.size(); ++r) {
      tokens.insert(tokens.end(), ids[r].begin(), ids[r].end());
      for (std::size_t t = 1; t <= ids[r].size(); ++t)
        targets.push_back(t == ids[r].size() || labels[r][t] == -100 ? no_target : labels[r][t]);
    }
  }

  std::vector<token_id> tokens, targets;
  extent rows, cols;
};

template <class Model>
void check_gradients(const Model& model, const support::oracle_case& of) {
  const oracle_batch batch(of);
  const auto expected = safetensors_file::open(of.folder / "grads.safetensors");
  const auto expected_loss = static_cast<double>(of.floats("loss").values.at(0));
  trainer trainer(model);
  const double loss = accumulate_gradients(trainer, token_rows(batch.tokens.data(), batch.rows, batch.cols),
                                           token_rows(batch.targets.data(), batch.rows, batch.cols));
  CHECK(loss == Approx(expected_loss).epsilon(1e-5));

  support::check_gradients(model, trainer.gradient(), expected);
}

} // namespace

TEST_CASE("the gradients of every family are PyTorch's") {
  for (const auto& each : support::shared_cases()) {
    if (!each.has("grads.safetensors")) continue;
    INFO(each.name());
    visit_model(all_models{}, each.model(), {}, [&](const auto& model) { check_gradients(model, each); });
  }
}

TEST_CASE("along a parameter's gradient the loss of every family rises as steeply as the gradient says") {
  for (const auto& each : support::fixture_cases()) {
    INFO(each.name());
    visit_model(all_models{}, each.model(), {}, [&](auto model) {
      if constexpr (requires { model.settings.clip_qkv; }) model.settings.clip_qkv = 1.0f; // no folder's is
      const auto ids = each.ids("input_ids");
      std::vector<token_id> tokens, targets;
      for (const auto& row : ids) {
        tokens.insert(tokens.end(), row.begin(), row.end() - 1);
        targets.insert(targets.end(), row.begin() + 1, row.end());
      }
      const auto rows = static_cast<extent>(ids.size()), cols = static_cast<extent>(ids[0].size() - 1);
      const token_rows inputs(tokens.data(), rows, cols), outputs(targets.data(), rows, cols);
      trainer trainer(model);
      accumulate_gradients(trainer, inputs, outputs);
      float* const parameters = trainer.parameters().data();
      for_each_parameter(
          [&](std::string_view name, const auto& leaf, const auto& gradient) {
            INFO(name);
            const auto first = static_cast<const float*>(leaf.data()) - parameters;
            const std::span values(parameters + first, static_cast<std::size_t>(leaf.size()));
            const std::vector<float> before(values.begin(), values.end());
            double squares = 0;
            for (std::size_t i = 0; i < values.size(); ++i)
              squares += double{gradient.data()[i]} * double{gradient.data()[i]};
            const double slope = std::sqrt(squares), step = 3e-3;
            const auto loss_at = [&](double distance) {
              for (std::size_t i = 0; i < values.size(); ++i)
                values[i] =
                    static_cast<float>(double{before[i]} + distance * double{gradient.data()[i]} / slope);
              return evaluate(trainer, inputs, outputs);
            };
            if (slope < 1e-4) return; // a bias of keys
            const double found = (loss_at(step) - loss_at(-step)) / (2 * step);
            CHECK(std::abs(found - slope) <= 0.02 * slope + 5e-4);
            std::copy(before.begin(), before.end(), values.begin());
          },
          trainer.model(), trainer.gradient());
    });
  }
}

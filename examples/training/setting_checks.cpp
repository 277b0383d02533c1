#include <training/setting_checks.hpp>

#include <cstddef>
#include <set>
#include <string>

#include <common/checks.hpp>

namespace examples {
namespace {

CLI::Validator one_of(std::set<std::string> choices) {
  return CLI::IsMember(std::move(choices)).description("");
}

} // namespace

std::vector<std::pair<const char*, CLI::Validator>> setting_checks() {
  constexpr std::size_t most = 1'000'000'000;
  std::vector<std::pair<const char*, CLI::Validator>> checks;
  for (const char* name : {"layers", "heads", "width", "context", "iterations", "batch", "accumulate",
                           "evaluate-every", "checkpoint-every", "keep"})
    checks.emplace_back(name, whole_number_between(1, most));
  for (const char* name : {"positions", "warmup", "evaluate-batches", "sample-tokens", "train-blocks"})
    checks.emplace_back(name, whole_number_between(0, most));
  checks.emplace_back("seed", whole_number());
  for (const char* name : {"learning-rate", "least-learning-rate", "weight-decay", "clip"})
    checks.emplace_back(name, not_negative());
  for (const char* name : {"validation", "label-smoothing"}) checks.emplace_back(name, from_0_to_1());
  for (const char* name : {"beta1", "beta2", "dropout", "word-dropout"})
    checks.emplace_back(name, from_0_below_1());
  checks.emplace_back("task", one_of({"generation", "masked", "classification", "tagging", "answers"}));
  checks.emplace_back("pooling", one_of({"max", "mean"}));
  checks.emplace_back("schedule", one_of({"cosine", "linear", "inverse-sqrt", "constant"}));
  checks.emplace_back("products", one_of({"f32", "bf16", "bf16x3"}));
  checks.emplace_back("dtype", one_of({"f32", "f16", "bf16"}));
  return checks;
}

} // namespace examples

// The compiled library's choice of kernels. That every instruction set computes what the readable twins say
// is tested by running all tests with TRANSEPT_ISA (scripts/matrix.sh); here, that the choice is one.
#include <support/catch.hpp>

#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include <support/program_run.hpp>

#include <transept/core/error.hpp>
#include <transept/kernels/matmul.hpp>
#include <transept/runtime/instruction_set.hpp>

using namespace transept;
using Catch::ContainsSubstring;

namespace {

/// x [rows, 100] · w [100, 33] by the instruction set in use.
std::vector<float> product(std::size_t rows) {
  constexpr std::size_t inner = 100, outputs = 33;
  std::vector<float> x(rows * inner), w(inner * outputs), y(rows * outputs);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i));
  for (std::size_t i = 0; i < w.size(); ++i) w[i] = std::cos(static_cast<float>(i));
  thread_pool threads(2);
  workspace memory;
  compute_context context{threads, memory};
  kernels::matmul(context, {x.data(), rows, inner}, {w.data(), element_type::f32, inner, outputs}, y.data(),
                  {});
  return y;
}

/// Puts back what was in use.
struct instruction_set_kept {
  std::string before{instruction_set()};
  ~instruction_set_kept() { use_instruction_set(before); }
};

} // namespace

TEST_CASE("each instruction set that is here can be used, and computes the same but for rounding") {
  const instruction_set_kept kept;
  const auto names = instruction_sets();
  REQUIRE_FALSE(names.empty());
  for (const std::size_t rows : {1u, 7u, 60u}) {
    use_instruction_set(names.back());
    const auto expected = product(rows);
    for (const auto name : names) {
      use_instruction_set(name);
      CHECK(instruction_set() == name);
      const auto found = product(rows);
      float most = 0;
      for (std::size_t i = 0; i < found.size(); ++i) most = std::max(most, std::abs(found[i] - expected[i]));
      INFO(name);
      CHECK(most < 1e-5f);
      CHECK(product(rows) == found);
    }
  }
}

TEST_CASE("without TRANSEPT_ISA the best instruction set is used, with it the one it names") {
  const char* const wanted = std::getenv("TRANSEPT_ISA");
  CHECK(instruction_set() ==
        (wanted && *wanted ? std::string(wanted) : std::string(instruction_sets().front())));
}

TEST_CASE("programs refuse a TRANSEPT_ISA that is not here before any thread of theirs meets it") {
  if (!support::has_program("quantize")) return;
  const std::string before{
      instruction_set()}; // this process's own, whatever the environment says from here on
  const char* const wanted = std::getenv("TRANSEPT_ISA");
  const std::string kept = wanted ? wanted : "";
  setenv("TRANSEPT_ISA", "avx9", 1);
  const support::temporary_folder folder;
  const auto run = support::run_program(
      "quantize", {support::shipped_model().string(), (folder / "x.gguf").string(), "--dtype", "int8"});
  setenv("TRANSEPT_ISA", kept.c_str(), 1);
  CHECK(run.exit_code == 1);
  CHECK_THAT(run.err, ContainsSubstring("TRANSEPT_ISA: no instruction set \"avx9\""));
  CHECK_FALSE(std::filesystem::exists(folder / "x.gguf"));
  CHECK(instruction_set() == before);
}

TEST_CASE("an instruction set that is not here is refused by a list of those that are") {
  const std::string before{instruction_set()};
  CHECK_THROWS_WITH(use_instruction_set("avx9"),
                    ContainsSubstring("\"avx9\"") &&
                        ContainsSubstring(std::string(instruction_sets().back())));
  CHECK_THROWS_AS(use_instruction_set(""), argument_error);
  CHECK(instruction_set() == before);
}

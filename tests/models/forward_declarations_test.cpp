// The forward declarations agree with the definitions, whichever comes first.
#include <transept/fwd.hpp>

#include <cstddef>

namespace {
inline constexpr transept::gpt2_config tiny{.n_embd = 8, .n_layer = 1, .n_head = 2, .vocab_size = 11};
using tiny_model = transept::gpt2<tiny, transept::inference_weights>;
std::size_t tokens_in(const transept::session& session);
std::size_t parameters_of(const tiny_model& model, const transept::load_options* options);
bool is_about(const transept::error& problem, const transept::tokenizer* tokenizer);
} // namespace

#include <transept/transept.hpp>

#include <support/catch.hpp>

namespace {
std::size_t tokens_in(const transept::session& session) { return session.length(); }
std::size_t parameters_of(const tiny_model& model, const transept::load_options*) {
  return transept::count_parameters(model);
}
bool is_about(const transept::error& problem, const transept::tokenizer*) {
  return std::string(problem.what()) == "nothing";
}
} // namespace

TEST_CASE("what fwd.hpp declares is what the library defines") {
  const auto model = transept::initialise<transept::gpt2<tiny>>(1);
  STATIC_REQUIRE(std::is_same_v<transept::gpt2<tiny>, tiny_model>);
  CHECK(parameters_of(model, nullptr) == tiny_model::parameter_count);
  CHECK(tokens_in(transept::session(model)) == 0);
  CHECK(is_about(transept::argument_error("nothing"), nullptr));
}

// expect: generate needs forward(model, session, std::span<const token_id>), in the namespace of the model
#include <vector>

#include "../generate/fake_model.hpp"

#include <transept/generate/generation.hpp>

struct no_model {};

void run(const fake::model& model, fake::session& session) {
#ifdef TRANSEPT_CONTROL
  auto& chosen = model;
#else
  const no_model chosen;
  (void)model;
#endif
  auto tokens = transept::generate(chosen, session, std::vector<transept::token_id>{1}, transept::greedy());
}

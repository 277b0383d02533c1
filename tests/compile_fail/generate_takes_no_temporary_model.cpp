// expect: generate keeps a reference to the model: pass a variable, not a temporary
#include <vector>

#include "../generate/fake_model.hpp"

#include <transept/generate/generation.hpp>

void run(fake::session& session) {
#ifdef TRANSEPT_CONTROL
  const auto model = fake::counting_model();
  auto tokens = transept::generate(model, session, std::vector<transept::token_id>{1}, transept::greedy());
#else
  auto tokens = transept::generate(fake::counting_model(), session, std::vector<transept::token_id>{1},
                                   transept::greedy());
#endif
}

// expect: generate keeps a reference to the session and changes it: pass a variable that is not const
#include <vector>

#include "../generate/fake_model.hpp"

#include <transept/generate/generation.hpp>

void run(const fake::model& model) {
#ifdef TRANSEPT_CONTROL
  fake::session session;
  auto tokens = transept::generate(model, session, std::vector<transept::token_id>{1}, transept::greedy());
#else
  auto tokens =
      transept::generate(model, fake::session(), std::vector<transept::token_id>{1}, transept::greedy());
#endif
}

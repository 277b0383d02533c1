// expect: the sampler has filters but no final choice: end it with | greedy() or | draw(seed)
#include <vector>

#include "../generate/fake_model.hpp"

#include <transept/generate/generation.hpp>

void run(const fake::model& model, fake::session& session) {
#ifdef TRANSEPT_CONTROL
  auto sampler = transept::top_k(40) | transept::draw(1);
#else
  auto sampler = transept::top_k(40) | transept::top_p(0.9);
#endif
  for (auto token : transept::generate(model, session, std::vector<transept::token_id>{1}, sampler))
    (void)token;
}

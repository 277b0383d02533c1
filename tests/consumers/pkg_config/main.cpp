// A program whose flags come from pkg-config: it loads the shipped model and generates three tokens.
#include <iostream>
#include <vector>

#include <transept/generate/generation.hpp>
#include <transept/generate/sampling.hpp>
#include <transept/generate/session.hpp>
#include <transept/io/load_model.hpp>
#include <transept/models/gpt2.hpp>

int main(int, char** argv) {
  const auto model = transept::load<transept::gpt2<transept::any_gpt2>>(argv[1]);
  transept::session session(model);
  const std::vector<transept::token_id> prompt{1, 2, 3};
  int tokens = 0;
  for ([[maybe_unused]] const auto& token :
       transept::generate(model, session, prompt, transept::greedy(), {.max_new_tokens = 3}))
    ++tokens;
  std::cout << (tokens == 3 ? "consumer: ok\n" : "consumer: too few tokens\n");
}

// What a package must be able to do: a model with random weights generates two tokens.
#include <iostream>
#include <vector>

#include <transept/generate/generation.hpp>
#include <transept/generate/sampling.hpp>
#include <transept/generate/session.hpp>
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>

constexpr transept::gpt2_config tiny{
    .n_embd = 32, .n_layer = 1, .n_head = 2, .vocab_size = 64, .n_positions = 16};

int main() {
  const auto model = transept::initialise<transept::gpt2<tiny>>(1);
  transept::session session(model);
  const std::vector<transept::token_id> prompt{1, 2, 3};
  for (const auto& token :
       transept::generate(model, session, prompt, transept::greedy(), {.max_new_tokens = 2}))
    std::cout << token << "\n";
}

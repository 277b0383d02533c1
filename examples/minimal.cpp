// A GPT-2 writes: ten lines. `minimal [FOLDER]`; for another folder than the shipped model's, its shape goes
// into `mine`. The published ones have names: transept::gpt2_small, gpt2_medium, gpt2_large, gpt2_xl.
#include <iostream>

#include <transept/transept.hpp>

int main(int argc, char** argv) try {
  constexpr transept::gpt2_config mine{
      .n_embd = 256, .n_layer = 4, .n_head = 4, .vocab_size = 1024, .n_positions = 256};
  const char* const folder = argc > 1 ? argv[argc - 1] : TRANSEPT_DEFAULT_MODEL;

  const auto model = transept::load<transept::gpt2<mine>>(folder);
  const auto tokenizer = transept::load_tokenizer(folder);
  auto session = transept::session(model);
  auto sampler = transept::temperature(0.8) | transept::top_k(40) | transept::draw(/*seed*/ 1);
  transept::generate_text(model, session, tokenizer, "ROMEO:\n", sampler, {.max_new_tokens = 100},
                          [](std::string_view text) { std::cout << text << std::flush; });
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}

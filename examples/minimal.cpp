// A GPT-2 writes: ten lines. For another folder than the shipped model's, its shape goes into `mine`; the
// published ones have names: transept::gpt2_small, gpt2_medium, gpt2_large, gpt2_xl.
#include <iostream>

#include <common/arguments.hpp>

#include <transept/transept.hpp>

constexpr transept::gpt2_config mine{
    .n_embd = 256, .n_layer = 4, .n_head = 4, .vocab_size = 1024, .n_positions = 256};

int main(int argc, char** argv) try {
  const auto [folder, threads] = examples::parse_arguments(argc, argv, "A GPT-2 writes", "minimal");

  const auto model = transept::load<transept::gpt2<mine>>(folder);
  const auto tokenizer = transept::load_tokenizer(folder);
  auto session = transept::session(model, {.threads = threads});
  auto sampler = transept::temperature(0.8) | transept::top_k(40) | transept::draw(/*seed*/ 1);
  transept::generate_text(model, session, tokenizer, "ROMEO:\n", sampler, {.max_new_tokens = 100},
                          [](std::string_view text) { std::cout << text << std::flush; });
  std::cout << "\n";
} catch (const std::exception& error) {
  std::cerr << error.what() << "\n";
  return 1;
}

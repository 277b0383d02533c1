#include <training/encoder_of_run.hpp>

#include <optional>

#include <training/data.hpp>
#include <training/task.hpp>

namespace examples {

std::unique_ptr<encoder_trainer> encoder_of_run(const training_settings& s,
                                                const transept::tokenizer& tokenizer,
                                                const std::filesystem::path& checkpoint, new_encoder wanted,
                                                int threads) {
  if (!checkpoint.empty()) return open_encoder_trainer(checkpoint, options_for(checkpoint, s, threads));
  if (s.from.empty()) {
    wanted.padding = padding_token(tokenizer);
    return make_encoder_trainer(model_of(s, tokenizer.vocabulary_size(), std::nullopt), wanted,
                                options_of(s, s.layers, threads));
  }
  auto trainer = open_encoder_trainer(s.from, wanted.head, s.seed, options_for(s.from, s, threads));
  check_vocabulary(s, tokenizer, trainer->shape().vocab_size);
  return trainer;
}

} // namespace examples

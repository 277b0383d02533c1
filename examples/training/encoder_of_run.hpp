// The encoder that a run trains.
#pragma once

#include <filesystem>
#include <memory>

#include <training/encoder_trainer.hpp>
#include <training/settings.hpp>

#include <transept/text/tokenizer.hpp>

namespace examples {

/// That of a checkpoint; where there is none, a new one, or that of --from with the wanted head. Throws
/// transept::argument_error for settings that do not fit it, and what opening and making it do.
std::unique_ptr<encoder_trainer> encoder_of_run(const training_settings& settings,
                                                const transept::tokenizer& tokenizer,
                                                const std::filesystem::path& checkpoint, new_encoder wanted,
                                                int threads);

} // namespace examples

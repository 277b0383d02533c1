// The trainer of a model whose type was chosen at run time, behind one interface, so that the program is
// compiled without knowing any model: decoder_trainer.cpp and encoder_trainer.cpp instantiate each once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <transept/core/element_type.hpp>
#include <transept/core/types.hpp>
#include <transept/models/decoder_base.hpp>
#include <transept/models/encoder_head.hpp>
#include <transept/runtime/thread_pool.hpp>

namespace examples {

/// A model to begin with from nothing.
struct new_model {
  std::string architecture; ///< config.json's model_type, or the family's name in C++: "neox"
  std::size_t layers, heads, width;
  std::size_t vocabulary, context;
  std::optional<transept::token_id> end_of_text;
  std::uint64_t seed;
};

/// What a model of any kind can do while it learns.
class any_trainer {
public:
  virtual ~any_trainer() = default;

  virtual transept::decoder_shape shape() const = 0;
  virtual std::size_t parameter_count() const = 0;
  /// Floating-point operations of a step with so many sequences of this length, for this model and what of it
  /// is trained.
  virtual double operations(double sequences, double length) const = 0;
  virtual transept::thread_pool& threads() = 0;

  /// optimizer_step of transept/train/training.hpp.
  virtual double update(double rate) = 0;

  /// save, save_training_state, load_training_state.
  virtual void save_model(const std::filesystem::path& folder, transept::element_type type) const = 0;
  virtual void save_state(const std::filesystem::path& file,
                          const std::map<std::string, std::string>& metadata) = 0;
  virtual std::map<std::string, std::string> load_state(const std::filesystem::path& file) = 0;
};

} // namespace examples

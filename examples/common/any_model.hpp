// A model whose type was chosen at run time, behind one interface, so that the programs are compiled without
// knowing any model: models.cpp instantiates each once. The library's own functions run on it as on any
// model: generate(model, session, …), forward(model, session, …), inspect(model, session, …),
// generate_batch(model, batch, …).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <transept/generate/batch.hpp>
#include <transept/generate/inspection.hpp>
#include <transept/io/load_model.hpp>

namespace examples {

/// One line of a parameter table.
struct parameter_row {
  std::string name;
  std::vector<transept::extent> shape;
  transept::element_type stored_as;
  std::size_t count;
};

class any_model {
public:
  virtual ~any_model() = default;

  /// Of the model's own settings, those that generation heeds.
  struct {
    std::optional<transept::token_id> bos_token_id;
    std::vector<transept::token_id> eos_token_ids;
  } settings;

  virtual transept::decoder_shape shape() const = 0;
  virtual std::vector<parameter_row> parameters() const = 0;

  std::size_t vocab_size() const { return shape().vocab_size; }
  std::size_t n_positions() const { return shape().n_positions; }
  /// The capacity of a session for so many tokens, as far as the model has positions for them.
  int capacity_for(std::size_t tokens) const {
    return static_cast<int>(std::clamp<std::size_t>(tokens, 1, shape().most_positions()));
  }
  transept::session make_session(transept::session_options options) const {
    return transept::session(shape(), std::move(options));
  }
  transept::batch make_batch(transept::batch_options options) const {
    return transept::batch(shape(), std::move(options));
  }

  friend std::span<const float> forward(const any_model& model, transept::session& session,
                                        std::span<const transept::token_id> tokens) {
    return model.run(session, tokens);
  }
  friend std::span<const float> forward(const any_model& model, transept::session& session,
                                        std::span<const transept::token_id> tokens,
                                        transept::matrix_view<float, transept::dyn, transept::dyn> logits) {
    return model.run(session, tokens, logits);
  }
  friend std::span<const float> forward(const any_model& model, transept::batch& batch, std::size_t sequence,
                                        std::span<const transept::token_id> tokens) {
    return model.run(batch, sequence, tokens);
  }
  friend void forward(const any_model& model, transept::batch& batch,
                      std::span<const transept::token_id> tokens) {
    model.run(batch, tokens);
  }
  friend transept::inspection inspect(const any_model& model, transept::session& session,
                                      std::span<const transept::token_id> tokens,
                                      const transept::inspection_request& request) {
    return model.look(session, tokens, request);
  }

protected:
  using tokens_view = std::span<const transept::token_id>;
  using logits_view = transept::matrix_view<float, transept::dyn, transept::dyn>;
  virtual std::span<const float> run(transept::session&, tokens_view) const = 0;
  virtual std::span<const float> run(transept::session&, tokens_view, logits_view) const = 0;
  virtual std::span<const float> run(transept::batch&, std::size_t, tokens_view) const = 0;
  virtual void run(transept::batch&, tokens_view) const = 0;
  virtual transept::inspection look(transept::session&, tokens_view,
                                    const transept::inspection_request&) const = 0;
};

/// Whether any of its parameters is stored so.
inline bool has_type(const any_model& model, transept::element_type type) {
  const auto rows = model.parameters();
  return std::any_of(rows.begin(), rows.end(), [&](const auto& row) { return row.stored_as == type; });
}

/// Loads the model in `folder`, of any family and shape. Throws what transept::visit_model does.
std::unique_ptr<const any_model> open_model(const std::filesystem::path& folder,
                                            const transept::load_options& options = {});

} // namespace examples

// An encoder whose type was chosen at run time, behind one interface, as any_model is for decoders. The
// library's own functions run on it: encode(model, session, …), inspect(model, session, …).
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <transept/encode/encode.hpp>
#include <transept/io/load_model.hpp>

namespace examples {

class any_encoder {
public:
  virtual ~any_encoder() = default;

  /// Of the model's own settings, those that tasks heed.
  struct {
    transept::encoder_head head;
    std::string problem_type;
    std::vector<std::string> labels;
  } settings;

  virtual transept::decoder_shape shape() const = 0;

  friend transept::encoder_output encode(const any_encoder& model, transept::encoder_session& session,
                                         const transept::encoder_input& texts,
                                         const transept::encoder_request& request) {
    return model.run(session, texts, request);
  }
  friend transept::inspection inspect(const any_encoder& model, transept::encoder_session& session,
                                      const transept::encoder_input& text,
                                      const transept::inspection_request& request) {
    return model.look(session, text, request);
  }

protected:
  virtual transept::encoder_output run(transept::encoder_session&, const transept::encoder_input&,
                                       const transept::encoder_request&) const = 0;
  virtual transept::inspection look(transept::encoder_session&, const transept::encoder_input&,
                                    const transept::inspection_request&) const = 0;
};

/// Whether what is in the folder or file is an encoder. Throws as transept::model_files::open.
bool is_encoder(const std::filesystem::path& path);

/// Loads the encoder in `folder`, of any family and shape. Throws what transept::visit_model does.
std::unique_ptr<const any_encoder> open_encoder(const std::filesystem::path& folder,
                                                const transept::load_options& options = {});

} // namespace examples

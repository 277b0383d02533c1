// The one place where the programs' encoders are instantiated.
#include <common/any_encoder.hpp>

#include <utility>

#include <transept/io/visit_model.hpp>
#include <transept/models/all_encoders.hpp>

namespace examples {
namespace {

template <class Model>
class loaded_encoder final : public any_encoder {
public:
  explicit loaded_encoder(Model model) : model_(std::move(model)) {
    settings = {model_.settings.head, model_.settings.problem_type, model_.settings.labels};
  }

  transept::decoder_shape shape() const override { return model_.shape(); }

private:
  transept::encoder_output run(transept::encoder_session& session, const transept::encoder_input& texts,
                               const transept::encoder_request& request) const override {
    return encode(model_, session, texts, request);
  }
  transept::inspection look(transept::encoder_session& session, const transept::encoder_input& text,
                            const transept::inspection_request& request) const override {
    return inspect(model_, session, text, request);
  }

  Model model_;
};

} // namespace

bool is_encoder(const std::filesystem::path& path) {
  const auto files = transept::model_files::open(path);
  bool is_one = false;
  for_each_model(transept::all_encoders{}, [&]<class Model>(std::type_identity<Model>) {
    is_one = is_one || (files.is_of<typename Model::family>() && files.name_a_type());
  });
  return is_one;
}

std::unique_ptr<const any_encoder> open_encoder(const std::filesystem::path& folder,
                                                const transept::load_options& options) {
  return transept::visit_model(
      transept::all_encoders{}, folder, options, [](auto model) -> std::unique_ptr<const any_encoder> {
        return std::make_unique<const loaded_encoder<decltype(model)>>(std::move(model));
      });
}

} // namespace examples

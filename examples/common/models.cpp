// The one place where the programs' models are instantiated.
#include <common/any_model.hpp>

#include <utility>

#include <common/model_list.hpp>

#include <transept/io/visit_model.hpp>

namespace examples {
namespace {

template <class Model>
class loaded_model final : public any_model {
public:
  explicit loaded_model(Model model) : model_(std::move(model)) {
    settings = {model_.settings.bos_token_id, model_.settings.eos_token_ids};
  }

  transept::decoder_shape shape() const override { return model_.shape(); }

  std::vector<parameter_row> parameters() const override {
    std::vector<parameter_row> rows;
    transept::for_each_parameter(
        [&](std::string_view name, const auto& leaf) {
          const auto extents = leaf.shape();
          rows.push_back({std::string(name),
                          {extents.begin(), extents.end()},
                          leaf.type(),
                          static_cast<std::size_t>(leaf.size())});
        },
        model_);
    return rows;
  }

private:
  std::span<const float> run(transept::session& session, tokens_view tokens) const override {
    return forward(model_, session, tokens);
  }
  std::span<const float> run(transept::session& session, tokens_view tokens,
                             logits_view logits) const override {
    return forward(model_, session, tokens, logits);
  }
  std::span<const float> run(transept::batch& batch, std::size_t sequence,
                             tokens_view tokens) const override {
    return forward(model_, batch, sequence, tokens);
  }
  void run(transept::batch& batch, tokens_view tokens) const override { forward(model_, batch, tokens); }
  transept::inspection look(transept::session& session, tokens_view tokens,
                            const transept::inspection_request& request) const override {
    return inspect(model_, session, tokens, request);
  }

  Model model_;
};

} // namespace

std::unique_ptr<const any_model> open_model(const std::filesystem::path& folder,
                                            const transept::load_options& options) {
  return transept::visit_model(
      known_models{}, folder, options, [](auto model) -> std::unique_ptr<const any_model> {
        return std::make_unique<const loaded_model<decltype(model)>>(std::move(model));
      });
}

} // namespace examples

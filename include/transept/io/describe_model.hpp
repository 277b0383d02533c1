// What a model's files hold, for a program that lists it, whatever the family.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include <transept/core/activation.hpp>
#include <transept/io/file_tensors.hpp>
#include <transept/io/model_files.hpp>
#include <transept/io/visit_model.hpp>
#include <transept/io/write_config.hpp>
#include <transept/models/decoder.hpp>
#include <transept/models/encoder_head.hpp>
#include <transept/models/list.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What describe_model tells. No weight is read for it.
struct model_description {
  std::string family;               ///< "GPT-2"
  std::string declaration;          ///< the C++ line that declares its shape as `my_model`
  std::string config;               ///< config.json, as this library writes it
  decoder_shape shape = {};         ///< its extents, as a session needs them
  activation_type activation;       ///< of its networks
  bool is_tied;                     ///< the output is the token embedding
  std::string head;                 ///< an encoder's, as `architectures` ends: "ForMaskedLM"; else empty
  model_names names;                ///< how its tensors are found
  std::vector<file_tensor> tensors; ///< all that it needs

  /// Elements of all tensors; those of a tied output count once.
  std::uint64_t parameter_count() const {
    std::uint64_t count = 0;
    for (const file_tensor& tensor : tensors) count += tensor.count();
    return count;
  }
};

/// The model in `files`, of one of the families in the list. Throws as visit_config does.
template <class... Models>
model_description describe_model(model_list<Models...> models, const model_files& files) {
  return visit_config(models, files, [&]<class Model>(std::type_identity<Model>, const auto& config) {
    using family = typename Model::family;
    const auto model = shaped_model<any_shape<family>>(config.shape, config.settings);
    std::string head;
    if constexpr (requires { config.settings.head; }) {
      const bool detects = config.settings.head == encoder_head::replaced_tokens; // ELECTRA's ForPreTraining
      for (const named_encoder_head& each : encoder_head_names)
        if (each.head == (detects ? encoder_head::pretraining : config.settings.head)) head = each.suffix;
    }
    return model_description{.family = std::string(family::name),
                             .declaration = to_declaration<family>(config.shape, "my_model"),
                             .config = to_json(config),
                             .shape = model.shape(),
                             .activation = config.settings.activation,
                             .is_tied = bool(config.shape.tie_word_embeddings),
                             .head = head,
                             .names = names_of(model),
                             .tensors = all_tensors_of(model, files.naming())};
  });
}

} // namespace transept::inline TRANSEPT_ABI

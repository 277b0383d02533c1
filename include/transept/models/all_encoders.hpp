// Every encoder of the library, as a type whose shape is told at run time. A new family is a line here.
#pragma once

#include <transept/models/bert.hpp>
#include <transept/models/list.hpp>
#include <transept/models/text_classifier.hpp>

namespace transept::inline TRANSEPT_ABI {

/// As all_models, for encoders: `visit_model(all_encoders{}, folder, {}, f)`.
using all_encoders = model_list<any_shape<bert_family>, any_shape<text_classifier_family>>;

} // namespace transept::inline TRANSEPT_ABI

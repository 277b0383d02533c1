// A model's gradients against those that PyTorch has written by Hugging Face's names, whatever parts and
// order a file has of what is one parameter here.
#pragma once

#include <support/catch.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <span>
#include <string_view>
#include <vector>

#include <support/compare.hpp>

#include <transept/io/file_tensors.hpp>
#include <transept/io/find_parameter.hpp>
#include <transept/io/safetensors.hpp>

namespace support {

using namespace transept;

/// What a file with the names of `part` would hold of `values` [inputs, all outputs], from output `first` on.
inline std::vector<float> as_stored(const file_tensor& part, bool inputs_first, std::span<const float> values,
                                    std::size_t all_outputs, std::size_t first) {
  const auto outputs = static_cast<std::size_t>(part.shape.back());
  const std::size_t inputs = static_cast<std::size_t>(part.count()) / outputs;
  std::vector<float> stored(inputs * outputs);
  for (std::size_t i = 0; i < inputs; ++i)
    for (std::size_t o = 0; o < outputs; ++o) {
      const std::size_t place = part.stored_output(o);
      stored[part.is_linear && !inputs_first ? place * inputs + i : i * outputs + place] =
          values[i * all_outputs + first + o];
    }
  return stored;
}

/// Each parameter's gradient is that of the file, within 1e-4 of its scale, or 0 where the file has none; the
/// file has no others.
template <class Model, class Gradient>
void check_gradients(const Model& model, const Gradient& gradients, const safetensors_file& expected) {
  float largest = 0;
  for_each_parameter(
      [&](std::string_view, const auto& leaf) {
        for (extent i = 0; i < leaf.size(); ++i) largest = std::max(largest, std::abs(leaf.data()[i]));
      },
      gradients);
  std::size_t compared = 0;
  for_each_parameter_here(
      [&](std::string_view here, const auto& leaf, const auto& gradient) {
        const std::span values(gradient.data(), static_cast<std::size_t>(gradient.size()));
        const auto outputs = static_cast<std::size_t>(leaf.shape().back());
        std::size_t first = 0;
        for (const file_tensor& part : tensors_of(names_of(model), file_naming::huggingface, here,
                                                  leaf_description::of(leaf), model.shape())) {
          INFO(part.name);
          const stored_tensor* tensor = expected.find(part.name);
          if (tensor == nullptr)
            tensor = expected.find(transept::detail::other_name(names_of(model), part.name));
          if (tensor == nullptr && here == "output.weight")
            tensor = expected.find("lm_head.weight"); // NeoX's, in memory
          if (tensor == nullptr) {                    // of what the loss does not depend on
            CHECK(std::ranges::count(values, 0.0f) == gradient.size());
            continue;
          }
          REQUIRE(tensor->bytes.size() == part.count() * sizeof(float));
          std::vector<float> wanted(static_cast<std::size_t>(part.count()));
          std::memcpy(wanted.data(), tensor->bytes.data(), tensor->bytes.size());
          // A gradient that is 0 but for rounding (a bias of keys) is held to the others' scale.
          wanted.push_back(1e-2f * largest);
          auto found = as_stored(part, names_of(model).inputs_first, values, outputs, first);
          found.push_back(wanted.back());
          CHECK(support::compare(found, wanted) <= 1e-4);
          first += static_cast<std::size_t>(part.shape.back());
          ++compared;
        }
      },
      model, gradients);
  CHECK(compared == expected.tensors().size());
}

} // namespace support

// The parameters of a GPT-2 whose shape is known only at run time.
//
// The names and the order are those of gpt2 itself: a small gpt2 is walked whose sizes are all different, and
// each size is then replaced by the model's. So nothing here repeats what the layers say.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <transept/io/huggingface_config.hpp>
#include <transept/models/gpt2.hpp>

namespace transept::inline TRANSEPT_ABI {

struct expected_parameter {
  std::string name; // "h.0.attn.c_attn.weight"
  std::vector<std::uint64_t> shape;
  std::uint64_t count() const {
    std::uint64_t product = 1;
    for (const std::uint64_t n : shape) product *= n;
    return product;
  }
};

namespace detail {

template <bool Tied>
std::vector<expected_parameter> expected_parameters(const huggingface_config& config) {
  constexpr gpt2_config stand_in{.n_embd = 2,
                                 .n_layer = 1,
                                 .n_head = 1,
                                 .vocab_size = 3,
                                 .n_positions = 5,
                                 .n_inner = 7,
                                 .head_width = 11,
                                 .tie_word_embeddings = Tied};
  const auto size = [](int n) { return static_cast<std::uint64_t>(n); };
  const std::uint64_t heads = size(config.n_head) * size(config.head_width);
  const std::map<extent, std::uint64_t> sizes{{2, size(config.n_embd)},
                                              {3, size(config.vocab_size)},
                                              {5, size(config.n_positions)},
                                              {7, size(config.n_inner)},
                                              {11, heads},
                                              {3 * 11, 3 * heads}};

  std::vector<expected_parameter> before, block, after;
  const auto model = gpt2<stand_in>::shaped();
  for_each_parameter(
      [&](std::string_view name, const auto& leaf) {
        expected_parameter parameter{std::string(name), {}};
        for (const extent n : leaf.shape()) parameter.shape.push_back(sizes.at(n));
        auto& part = name.starts_with("h.0.") ? block : block.empty() ? before : after;
        part.push_back(std::move(parameter));
      },
      model);

  std::vector<expected_parameter> all = std::move(before);
  for (int layer = 0; layer < config.n_layer; ++layer) {
    for (expected_parameter parameter : block) {
      parameter.name.replace(0, 4, "h." + std::to_string(layer) + ".");
      all.push_back(std::move(parameter));
    }
  }
  all.insert(all.end(), after.begin(), after.end());
  return all;
}

} // namespace detail

/// Every parameter of the model that `config` describes, in the order of the walk.
inline std::vector<expected_parameter> expected_parameters(const huggingface_config& config) {
  return config.tie_word_embeddings ? detail::expected_parameters<true>(config)
                                    : detail::expected_parameters<false>(config);
}

} // namespace transept::inline TRANSEPT_ABI

// The shapes that the programs know.
#pragma once

#include <array>
#include <cstddef>
#include <utility>

#include <example_configs.hpp>

#include <transept/models/gpt2_config.hpp>

namespace examples {

/// models/shakespeare; nanoGPT's models of characters, for a CPU and for a GPU; the published ones. Each
/// takes any vocabulary and context: a fine-tuned folder often has a token more. -DTRANSEPT_EXAMPLE_CONFIG
/// adds more.
inline constexpr std::array compiled_in{transept::gpt2_config{.n_embd = 256, .n_layer = 4, .n_head = 4},
                                        transept::gpt2_config{.n_embd = 128, .n_layer = 4, .n_head = 4},
                                        transept::gpt2_config{.n_embd = 384, .n_layer = 6, .n_head = 6},
                                        transept::distilgpt2,
                                        transept::gpt2_small,
                                        transept::gpt2_medium,
                                        transept::gpt2_large,
                                        transept::gpt2_xl};

namespace detail {
template <std::size_t... I, std::size_t... J>
constexpr auto joined(std::index_sequence<I...>, std::index_sequence<J...>) {
  return std::array<transept::gpt2_config, sizeof...(I) + sizeof...(J)>{compiled_in[I]...,
                                                                        example_configs[J]...};
}
} // namespace detail

/// compiled_in and those of the option.
inline constexpr auto known_shapes = detail::joined(std::make_index_sequence<compiled_in.size()>{},
                                                    std::make_index_sequence<example_configs.size()>{});

} // namespace examples

// The shapes of the random GPT-2 folders in tests/fixtures that scripts/make_fixtures.py makes.
#pragma once

#include <transept/models/gpt2/config.hpp>

namespace support {

using transept::gpt2_config;

inline constexpr gpt2_config plain{
    .n_embd = 24, .n_layer = 2, .n_head = 3, .vocab_size = 101, .n_positions = 40};
inline constexpr gpt2_config untied{.n_embd = 24,
                                    .n_layer = 2,
                                    .n_head = 3,
                                    .vocab_size = 101,
                                    .n_positions = 40,
                                    .tie_word_embeddings = false};
inline constexpr gpt2_config wide_heads{
    .n_embd = 24, .n_layer = 2, .n_head = 3, .vocab_size = 101, .n_positions = 40, .head_width = 20};
inline constexpr gpt2_config narrow_inner{
    .n_embd = 24, .n_layer = 2, .n_head = 3, .vocab_size = 101, .n_positions = 40, .n_inner = 50};
inline constexpr gpt2_config odd_sizes{
    .n_embd = 36, .n_layer = 1, .n_head = 3, .vocab_size = 97, .n_positions = 37};
inline constexpr gpt2_config tiny{
    .n_embd = 2, .n_layer = 2, .n_head = 2, .vocab_size = 101, .n_positions = 40};

} // namespace support

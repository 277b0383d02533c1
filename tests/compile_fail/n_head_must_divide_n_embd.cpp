// expect: a model's n_embd must be divisible by n_head unless head_width is given
#include <transept/models/gpt2.hpp>

#ifdef TRANSEPT_CONTROL
constexpr transept::gpt2_config config{.n_embd = 100, .n_layer = 2, .n_head = 3, .head_width = 33};
#else
constexpr transept::gpt2_config config{.n_embd = 100, .n_layer = 2, .n_head = 3};
#endif

transept::gpt2<config> model;

// expect: a model's n_layer must be positive
#include <transept/models/gpt2.hpp>

#ifdef TRANSEPT_CONTROL
constexpr transept::gpt2_config config{.n_embd = 64, .n_layer = 1, .n_head = 4};
#else
constexpr transept::gpt2_config config{.n_embd = 64, .n_layer = 0, .n_head = 4};
#endif

transept::gpt2<config> model;

// expect: a model's vocab_size must be positive, or transept::dyn
#include <transept/models/gpt2.hpp>

#ifdef TRANSEPT_CONTROL
constexpr transept::gpt2_config config{.n_embd = 64, .n_layer = 1, .n_head = 4, .vocab_size = transept::dyn};
#else
constexpr transept::gpt2_config config{.n_embd = 64, .n_layer = 1, .n_head = 4, .vocab_size = 0};
#endif

transept::gpt2<config> model;

// expect: needs a model whose extents are all static, but for vocab_size and n_positions
#include <transept/models/gpt2.hpp>
#include <transept/models/initialise.hpp>

#ifdef TRANSEPT_CONTROL
constexpr transept::gpt2_config config{.n_embd = 64, .n_layer = 1, .n_head = 4, .vocab_size = transept::dyn};
#else
constexpr transept::gpt2_config config = transept::any_gpt2;
#endif

const auto model = transept::initialise<transept::gpt2<config>>(1);

// expect: a config must list every member beside the eight that all have
#include <transept/models/family.hpp>

struct my_config {
  int n_embd, n_layer, n_head;
  int vocab_size = 1, n_positions = 1, n_inner = 1, head_width = 1;
  transept::choice tie_word_embeddings = true;
  int window = 0;

#ifdef TRANSEPT_CONTROL
  static constexpr auto own_members = transept::members_of(transept::member{"window", &my_config::window});
#endif
};

constexpr my_config any = transept::any_of(my_config{.n_embd = 1, .n_layer = 1, .n_head = 1});
static_assert(any.n_embd == transept::dyn);

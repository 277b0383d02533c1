// expect: batch needs a model whose forward takes any key_value_cache
#include <transept/generate/batch.hpp>

struct decoder {
  static constexpr transept::extent width = 8;
  transept::decoder_shape shape() const {
    return {.n_layer = 1,
            .n_head = 1,
            .head_width = 8,
            .n_embd = 8,
            .n_inner = 8,
            .vocab_size = 8,
            .n_positions = 8};
  }
};

template <class Observer>
void forward(const decoder&, transept::compute_context&, std::span<const transept::token_id>,
#ifdef TRANSEPT_CONTROL
             transept::key_value_cache auto&,
#else
             transept::kv_cache&,
#endif
             transept::activations<8>, Observer&&) {
}
void final_norm(const decoder&, transept::compute_context&, transept::activations<8>,
                transept::activations<8>) {}
void project(const decoder&, transept::compute_context&, transept::activations<8>, float*) {}

void run(const decoder& model) { const transept::batch batch(model); }

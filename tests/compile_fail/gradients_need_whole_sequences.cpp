// expect: attention: gradients flow through whole sequences
#include <transept/layers/attention.hpp>

#ifdef TRANSEPT_CONTROL
using cache = transept::whole_sequences;
#else
using cache = transept::kv_cache;
#endif

void run(const transept::multi_head_attention<64, 4>& layer, transept::compute_context& context,
         transept::activations<64> x, cache& keys_and_values, transept::tape& tape) {
  forward(layer, context, x, x, keys_and_values, 0, {.scale = 1.0f}, tape);
}

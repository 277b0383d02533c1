// expect: block: the input's width must equal the block's
#include <transept/layers/block.hpp>

#ifdef TRANSEPT_CONTROL
constexpr transept::extent width = 64;
#else
constexpr transept::extent width = 96;
#endif

void run(const transept::pre_norm_block<64, 4>& block, transept::compute_context& context,
         transept::activations<width> x, transept::kv_cache& cache) {
  forward(block, context, x, cache, 0, {});
}

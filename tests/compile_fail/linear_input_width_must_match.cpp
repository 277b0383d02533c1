// expect: linear: the input's width must equal the layer's In
#include <transept/layers/linear.hpp>

#ifdef TRANSEPT_CONTROL
constexpr transept::extent width = 768;
#else
constexpr transept::extent width = 1024;
#endif

void run(const transept::linear<768, 3072>& layer, transept::compute_context& context,
         transept::activations<width> x, transept::activations<3072> y) {
  forward(layer, context, x, y);
}

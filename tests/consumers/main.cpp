// What a stranger's program does first: include the library, name a shape, touch a value.
#include <cstdio>

#include <transept/core/element_type.hpp>
#include <transept_configs/shipped_shape.hpp>

static_assert(shipped_shape.n_embd == 256 && shipped_shape.n_layer == 4);

int main() {
  if (transept::to_float(transept::to_bf16(1.5f)) != 1.5f) return 1;
  std::puts("consumer: ok");
}

// Every kernel, for the instruction set that this file is compiled for; the build compiles it once for each,
// with TRANSEPT_ISA its name. Whatever is compiled here must carry that name or be used nowhere else: the
// linker keeps one copy of an inline function, and it might keep one that a processor cannot run.
// tests/compiled/symbols.cmake looks.
#include "kernel_table.hpp"

#include <transept/kernels/vector/activation_backward.hpp>
#include <transept/kernels/vector/adamw.hpp>
#include <transept/kernels/vector/add.hpp>
#include <transept/kernels/vector/attention.hpp>
#include <transept/kernels/vector/cache_store.hpp>
#include <transept/kernels/vector/column_sums.hpp>
#include <transept/kernels/vector/cross_entropy.hpp>
#include <transept/kernels/vector/dropout.hpp>
#include <transept/kernels/vector/embedding.hpp>
#include <transept/kernels/vector/embedding_backward.hpp>
#include <transept/kernels/vector/float_panels.hpp>
#include <transept/kernels/vector/gated_activation.hpp>
#include <transept/kernels/vector/layer_norm.hpp>
#include <transept/kernels/vector/layer_norm_backward.hpp>
#include <transept/kernels/vector/matmul.hpp>
#include <transept/kernels/vector/panels.hpp>
#include <transept/kernels/vector/peak.hpp>
#include <transept/kernels/vector/product.hpp>
#include <transept/kernels/vector/quantize.hpp>
#include <transept/kernels/vector/rms_norm.hpp>
#include <transept/kernels/vector/rotary.hpp>
#include <transept/kernels/vector/sequence_attention.hpp>
#include <transept/kernels/vector/sequence_attention_backward.hpp>
#include <transept/kernels/vector/soft_cap.hpp>
#include <transept/kernels/vector/softmax.hpp>
#include <transept/kernels/vector/x86/bf16_unit.hpp>

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

extern const kernel_table table;
#define TRANSEPT_ENTRY(name) .name = &name,
constinit const kernel_table table{TRANSEPT_FOR_EACH_KERNEL(TRANSEPT_ENTRY)};

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

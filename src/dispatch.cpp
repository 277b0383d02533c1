// The functions that kernels/ declares, for whoever links the compiled library: each goes to the table of the
// instruction set in use (instruction_set.cpp).
#include "kernels_in_use.hpp"

namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA {

void activate(compute_context& context, activation_type type, const float* x, std::size_t count, float* y) {
  return kernels_in_use().activate(context, type, x, count, y);
}

void activate_backward(compute_context& context, activation_type type, const float* x, std::size_t count,
                       float* y, float* d) {
  return kernels_in_use().activate_backward(context, type, x, count, y, d);
}

void gated_activation(compute_context& context, activation_type type, const float* gate_up, std::size_t rows,
                      std::size_t inner, float* out) {
  return kernels_in_use().gated_activation(context, type, gate_up, rows, inner, out);
}

void gated_activation_backward(compute_context& context, activation_type type, const float* gate_up,
                               std::size_t rows, std::size_t inner, const float* dout, float* out,
                               float* dgate_up) {
  return kernels_in_use().gated_activation_backward(context, type, gate_up, rows, inner, dout, out, dgate_up);
}

void add(compute_context& context, const float* x, std::size_t count, float* y) {
  return kernels_in_use().add(context, x, count, y);
}

void add_column_sums(compute_context& context, std::size_t rows, std::size_t cols, const float* x,
                     float* sums) {
  return kernels_in_use().add_column_sums(context, rows, cols, x, sums);
}

double cross_entropy_backward(float* z, std::size_t count, std::size_t target, float smoothing, float weight,
                              float cap) {
  return kernels_in_use().cross_entropy_backward(z, count, target, smoothing, weight, cap);
}

double cross_entropy(const float* z, std::size_t count, std::size_t target) {
  return kernels_in_use().cross_entropy(z, count, target);
}

void dropout_factors(const dropout_mask& mask, std::size_t row, std::size_t count, float* out,
                     std::size_t first) {
  return kernels_in_use().dropout_factors(mask, row, count, out, first);
}

void drop(compute_context& context, const dropout_mask& mask, const float* x, std::size_t rows,
          std::size_t cols, float* y, bool add_to_output) {
  return kernels_in_use().drop(context, mask, x, rows, cols, y, add_to_output);
}

void copy_row(stored_matrix w, std::size_t index, float* y) { return kernels_in_use().copy_row(w, index, y); }

void copy_input_row(stored_matrix w, std::size_t index, float* y) {
  return kernels_in_use().copy_input_row(w, index, y);
}

void add_row(stored_matrix w, std::size_t index, float* y) { return kernels_in_use().add_row(w, index, y); }

void scatter_rows(compute_context& context, const float* dx, std::size_t rows, std::size_t cols, float* table,
                  function_ref<std::size_t(std::size_t)> of_row) {
  return kernels_in_use().scatter_rows(context, dx, rows, cols, table, of_row);
}

void layer_norm(compute_context& context, rows_of_floats x, const float* weight, const float* bias,
                float epsilon, float* y) {
  return kernels_in_use().layer_norm(context, x, weight, bias, epsilon, y);
}

void layer_norm_backward(compute_context& context, rows_of_floats x, const float* weight, float epsilon,
                         const float* dy, float* dx, float* dweight, float* dbias) {
  return kernels_in_use().layer_norm_backward(context, x, weight, epsilon, dy, dx, dweight, dbias);
}

std::size_t matmul_scratch_bytes(std::size_t rows, std::size_t inner, std::size_t added, std::size_t outputs,
                                 std::size_t threads) {
  return kernels_in_use().matmul_scratch_bytes(rows, inner, added, outputs, threads);
}

void matmul(compute_context& context, rows_of_floats x, stored_matrix w, float* y, epilogue finish) {
  return kernels_in_use().matmul(context, x, w, y, finish);
}

void matmul_transposed(compute_context& context, rows_of_floats x, stored_matrix w, float* y,
                       epilogue finish) {
  return kernels_in_use().matmul_transposed(context, x, w, y, finish);
}

void pack_panels(thread_pool& threads, element_type type, const void* blocks, std::size_t inputs,
                 std::size_t outputs, void* packed) {
  return kernels_in_use().pack_panels(threads, type, blocks, inputs, outputs, packed);
}

void pack_float_panels(thread_pool& threads, stored_matrix w, void* packed) {
  return kernels_in_use().pack_float_panels(threads, w, packed);
}

void multiply(compute_context& context, product_shape shape, float_matrix a, float_matrix b, float* y,
              std::size_t stride, const epilogue& finish, bool continued) {
  return kernels_in_use().multiply(context, shape, a, b, y, stride, finish, continued);
}

void quantize_blocks(element_type type, const float* x, std::size_t count, void* out) {
  return kernels_in_use().quantize_blocks(type, x, count, out);
}

void quantize_panels(thread_pool& threads, stored_matrix w, bool outputs_are_rows, element_type type,
                     void* packed) {
  return kernels_in_use().quantize_panels(threads, w, outputs_are_rows, type, packed);
}

void rms_norm(compute_context& context, rows_of_floats x, const float* weight, float weight_offset,
              float epsilon, float* y) {
  return kernels_in_use().rms_norm(context, x, weight, weight_offset, epsilon, y);
}

void rms_norm_backward(compute_context& context, rows_of_floats x, const float* weight, float weight_offset,
                       float epsilon, const float* dy, float* dx, float* dweight) {
  return kernels_in_use().rms_norm_backward(context, x, weight, weight_offset, epsilon, dy, dx, dweight);
}

void rms_norm_heads(compute_context& context, head_rows where, const float* x, const float* weight,
                    float weight_offset, float epsilon, float* y) {
  return kernels_in_use().rms_norm_heads(context, where, x, weight, weight_offset, epsilon, y);
}

void rms_norm_heads_backward(compute_context& context, head_rows where, const float* x, const float* weight,
                             float weight_offset, float epsilon, float* dy_to_dx, float* dweight) {
  return kernels_in_use().rms_norm_heads_backward(context, where, x, weight, weight_offset, epsilon, dy_to_dx,
                                                  dweight);
}

void rotate(compute_context& context, head_rows where, const float* angles, std::size_t rotary_width,
            rotary_pairing pairing, float* x, bool backwards) {
  return kernels_in_use().rotate(context, where, angles, rotary_width, pairing, x, backwards);
}

void attend_whole_sequences(compute_context& context, const sequence_attention& problem, float* out,
                            float* log_sums) {
  return kernels_in_use().attend_whole_sequences(context, problem, out, log_sums);
}

void attend_whole_sequences_backward(compute_context& context, const sequence_attention& problem,
                                     const sequence_attention_gradient& gradient) {
  return kernels_in_use().attend_whole_sequences_backward(context, problem, gradient);
}

void soft_cap(compute_context& context, float* x, std::size_t count, float cap) {
  return kernels_in_use().soft_cap(context, x, count, cap);
}

void soft_cap_row(float* x, std::size_t count, float cap) {
  return kernels_in_use().soft_cap_row(x, count, cap);
}

void soft_cap_backward(compute_context& context, const float* y, float* dx, std::size_t count, float cap) {
  return kernels_in_use().soft_cap_backward(context, y, dx, count, cap);
}

float greatest(const float* x, std::size_t count) { return kernels_in_use().greatest(x, count); }

void softmax(float* x, std::size_t count) { return kernels_in_use().softmax(x, count); }

double log_sum_exp(const float* x, std::size_t count) { return kernels_in_use().log_sum_exp(x, count); }

void exponentials(float* x, std::size_t count) { return kernels_in_use().exponentials(x, count); }

void attend(compute_context& context, const attention_problem& problem, keys_and_values cache, float* out) {
  return kernels_in_use().attend(context, problem, cache, out);
}

void attend_sequences(compute_context& context, const attention_problem& problem,
                      function_ref<sequence_row(std::size_t)> of_row, float* out) {
  return kernels_in_use().attend_sequences(context, problem, of_row, out);
}

void attention_weights(const attention_problem& problem, keys_and_values cache, float* weights,
                       std::size_t head_rows, std::size_t row_length) {
  return kernels_in_use().attention_weights(problem, cache, weights, head_rows, row_length);
}

void store_positions(const head_storage& head, std::size_t first, const float* keys, const float* values,
                     std::size_t rows, std::size_t row_stride, std::size_t head_width) {
  return kernels_in_use().store_positions(head, first, keys, values, rows, row_stride, head_width);
}

void adamw(const adamw_factors& step, float keep, std::size_t begin, std::size_t end, float* p, float* g,
           float* m, float* v) {
  return kernels_in_use().adamw(step, keep, begin, end, p, g, m, v);
}

double sum_of_squares(const float* x, std::size_t count) { return kernels_in_use().sum_of_squares(x, count); }

double multiply_in_registers(std::size_t steps) { return kernels_in_use().multiply_in_registers(steps); }

bool runs_in_tiles(element_type type, std::size_t rows, f32_precision precision) {
  return kernels_in_use().runs_in_tiles(type, rows, precision);
}

} // namespace transept::inline TRANSEPT_ABI::kernels::inline TRANSEPT_ISA

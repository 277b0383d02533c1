// From files to files: a model's folder or GGUF file in, the same model in another element type out, as GGUF
// or as a Hugging Face folder. Tensor by tensor and piece by piece: memory is bounded whatever the model's
// size.
//
// What stays f32 in GGUF is what llama.cpp keeps so: vectors, and the position embedding. In a folder all
// tensors have the one type. A tensor that needs no conversion is copied bit by bit.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include <transept/core/blocks.hpp>
#include <transept/core/error.hpp>
#include <transept/io/file_tensors.hpp>
#include <transept/io/find_parameter.hpp>
#include <transept/io/gguf_metadata.hpp>
#include <transept/io/gguf_writer.hpp>
#include <transept/io/load_model.hpp>
#include <transept/io/model_files.hpp>
#include <transept/io/safetensors_writer.hpp>
#include <transept/io/tensor_rows.hpp>
#include <transept/io/vocabulary_writer.hpp>
#include <transept/io/write_config.hpp>
#include <transept/runtime/thread_pool.hpp>

namespace transept::inline TRANSEPT_ABI {

/// What convert_to_gguf and convert_to_folder are asked for.
struct conversion_options {
  element_type type = element_type::f32; ///< of matrices, and in a folder of all tensors
  int threads = 0;                       ///< 0: one per processor
  /// Called as the work goes on, with the elements converted so far and all of them.
  std::function<void(std::uint64_t, std::uint64_t)> progress = {};
  /// Called with what whoever converts should hear.
  std::function<void(const std::string& note)> note = {};
  /// Called for a matrix that becomes F16, since its inputs, so many, are no whole number of blocks.
  std::function<void(const std::string& name, std::uint64_t inputs)> kept_f16 = {};
};

/// What became of one tensor.
struct converted_tensor {
  std::string name;                        ///< in the output
  std::vector<std::uint64_t> shape;        ///< in the output
  std::string from;                        ///< its type's name in the files
  element_type to;                         ///< in the output
  std::uint64_t bytes_before, bytes_after; ///< in the files, and in the output
  double relative_error;                   ///< √(Σ (y − x)² / Σ x²), 0 where nothing changed
  double largest_error;                    ///< max |y − x|
  std::uint64_t overflows; ///< finite numbers that the output's type does not reach: infinite there
};

namespace detail {

/// One tensor on its way.
struct conversion {
  stored_tensor source;
  bool transposed = false; // the output is the transpose of what is stored
  tensor_entry entry = {};
  std::vector<std::size_t> rows = {};             // where each row of the output is; empty: in its own place
  float offset = 0.0f;                            // added to all elements
  std::shared_ptr<const weight_owner> owner = {}; // of a source that was put together

  /// Whether the output has the source's elements in the source's order.
  bool is_as_stored() const { return !transposed && rows.empty() && offset == 0.0f; }
};

/// out = `count` rows from `first` on, of the output.
inline void read_rows(const conversion& work, const tensor_rows& source, std::size_t first, std::size_t count,
                      float* out) {
  if (work.rows.empty()) {
    source.read(first, count, out);
  } else {
    for (std::size_t r = 0; r < count; ++r) source.read(work.rows[first + r], 1, out + r * source.cols());
  }
  if (work.offset == 0.0f) return;
  for (std::size_t i = 0; i < count * source.cols(); ++i) out[i] += work.offset;
}

/// Sums of one row of the output, so that the whole does not depend on the number of threads.
struct row_error {
  double squares = 0, error_squares = 0, largest = 0;
  std::uint64_t overflows = 0;
};

inline void add_errors(row_error& sum, const float* x, const float* y, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const double difference = double{y[i]} - double{x[i]};
    sum.squares += double{x[i]} * double{x[i]};
    sum.error_squares += difference * difference;
    // Written so that a NaN stays one.
    if (!(std::abs(difference) <= sum.largest)) sum.largest = std::abs(difference);
    sum.overflows += std::isinf(y[i]) && std::isfinite(x[i]);
  }
}

/// Converts one tensor and writes it to `file`, piece by piece.
template <class File, class Progress>
converted_tensor convert_tensor(const conversion& work, thread_pool& threads, File& file,
                                Progress&& progress) {
  const tensor_rows source(work.source, work.transposed);
  const std::size_t cols = source.cols();
  const element_type type = work.entry.type;
  converted_tensor result{work.entry.name,
                          work.entry.shape,
                          work.source.dtype,
                          type,
                          work.source.bytes.size(),
                          bytes_of(type, source.rows() * cols),
                          0,
                          0,
                          0};
  const bool copied = result.from == name_of(type) && work.is_as_stored();
  // Rows of a piece: about a million elements, and whole blocks of a transpose.
  const std::size_t piece_rows = std::max<std::size_t>(1, (1u << 20) / (cols * block_length)) * block_length;
  std::vector<float> x, y;
  std::vector<std::byte> bytes;
  std::vector<row_error> errors;
  row_error sum;
  for (std::size_t first = 0; first < source.rows(); first += piece_rows) {
    const std::size_t rows = std::min(piece_rows, source.rows() - first);
    const std::size_t size = bytes_of(type, rows * cols);
    if (copied) {
      file.write(work.source.bytes.subspan(bytes_of(type, first * cols), size));
    } else {
      x.resize(rows * cols);
      y.resize(rows * cols);
      bytes.resize(size);
      errors.assign(rows, {});
      parallel_for(threads, rows, block_length, [&](std::size_t begin, std::size_t end, int) {
        read_rows(work, source, first + begin, end - begin, x.data() + begin * cols);
        for (std::size_t r = begin; r < end; ++r) {
          std::byte* const out = bytes.data() + bytes_of(type, r * cols);
          write_elements(x.data() + r * cols, cols, type, out);
          read_elements(out, type, cols, y.data() + r * cols);
          add_errors(errors[r], x.data() + r * cols, y.data() + r * cols, cols);
        }
      });
      for (const row_error& row : errors) {
        sum.squares += row.squares;
        sum.error_squares += row.error_squares;
        if (!(row.largest <= sum.largest)) sum.largest = row.largest;
        sum.overflows += row.overflows;
      }
      file.write(std::span<const std::byte>(bytes));
    }
    progress(rows * cols);
  }
  work.source.release();
  result.relative_error = sum.error_squares == 0 ? 0 : std::sqrt(sum.error_squares / sum.squares);
  result.largest_error = sum.largest;
  result.overflows = sum.overflows;
  return result;
}

template <class File>
std::vector<converted_tensor> convert_tensors(std::span<const conversion> all,
                                              const conversion_options& options, File& file) {
  thread_pool threads(options.threads);
  std::uint64_t total = 0, done = 0;
  for (const conversion& work : all) total += *element_count(work.entry.shape);
  std::vector<converted_tensor> results;
  for (const conversion& work : all) {
    results.push_back(convert_tensor(work, threads, file, [&](std::size_t elements) {
      done += elements;
      if (options.progress) options.progress(done, total);
    }));
    if (results.back().overflows != 0 && options.note)
      options.note(overflow_note(results.back().name, results.back().overflows));
  }
  file.commit();
  return results;
}

/// Where the rows of one tensor are in another that holds the same outputs; empty: in the same places.
inline std::vector<std::size_t> rows_among(const file_tensor& to, const file_tensor& from) {
  if (to.order == from.order) return {};
  std::vector<std::size_t> rows(static_cast<std::size_t>(to.outputs()));
  for (std::size_t output = 0; output < rows.size(); ++output)
    rows[to.stored_output(output)] = from.stored_output(output);
  return rows;
}

/// How one parameter of a model becomes the tensors `to` of the output. They and those of the files are
/// pairs, or else (a norm for each head, and all as rows of one tensor) put together first.
inline std::vector<conversion> plan_conversion(const checkpoint& weights, const model_names& names,
                                               std::span<const file_tensor> to, std::string_view here,
                                               const leaf_description& leaf, const decoder_shape& shape) {
  const auto from = tensors_of(names, weights.naming(), here, leaf, shape);
  std::vector<conversion> plan;
  if (to.size() == from.size()) {
    for (std::size_t i = 0; i < to.size(); ++i)
      plan.push_back({.source = required_tensor(weights, names, from[i]),
                      .rows = rows_among(to[i], from[i]),
                      .offset = to[i].offset - from[i].offset});
    return plan;
  }
  const auto found = std::make_shared<found_elements>(find_elements(weights, names, here, leaf, shape));
  const std::uint64_t outputs = leaf.shape.back();
  std::uint64_t first = 0;
  for (const file_tensor& tensor : to) {
    stored_tensor part = found->tensor;
    const std::size_t row = part.bytes.size() / static_cast<std::size_t>(outputs);
    part.bytes = part.bytes.subspan(static_cast<std::size_t>(first) * row,
                                    static_cast<std::size_t>(tensor.outputs()) * row);
    part.shape = tensor.is_vector ? std::vector<std::uint64_t>{tensor.outputs()}
                                  : std::vector<std::uint64_t>{tensor.outputs(), leaf.shape.front()};
    plan.push_back({.source = part,
                    .rows = rows_among(tensor, {}),
                    .offset = tensor.offset,
                    .owner = std::shared_ptr<const weight_owner>(found, &found->assembled)});
    first += tensor.outputs();
  }
  return plan;
}

/// The tensors of all the model's parameters, checked; `entry_of(tensor, shape)` says how each is to be
/// written.
template <class Family, class EntryOf>
std::vector<conversion> plan_conversions(const model_files& files, const checkpoint& weights,
                                         file_naming naming,
                                         const std::function<void(const std::string&)>& note,
                                         EntryOf&& entry_of) {
  auto config = files.template config<Family>();
  const auto model = shaped_model<any_shape<Family>>(config.shape, std::move(config.settings));
  const model_names names = names_of(model);
  const bool stored_reversed = stores_outputs_first(weights, names);
  const bool wanted_reversed = naming != file_naming::huggingface || !names.inputs_first;
  if (note) note_surplus(surplus_tensors(weights, names, all_tensors_of(model, weights.naming())), note);
  std::vector<conversion> all;
  for_each_parameter_here(
      [&](std::string_view here, const auto& leaf) {
        const auto description = leaf_description::of(leaf);
        const auto wanted = tensors_of(names, naming, here, description, model.shape());
        auto plan = plan_conversion(weights, names, wanted, here, description, model.shape());
        for (std::size_t i = 0; i < plan.size(); ++i) {
          std::vector<std::uint64_t> shape = wanted[i].shape;
          if (wanted[i].is_linear && wanted_reversed) std::ranges::reverse(shape);
          plan[i].transposed = (wanted[i].is_linear && stored_reversed != wanted_reversed) ||
                               (wanted[i].is_vector && !plan[i].rows.empty()); // as rows of one number
          plan[i].entry = entry_of(wanted[i], std::move(shape));
          all.push_back(std::move(plan[i]));
        }
      },
      model);
  return all;
}

} // namespace detail

/// Writes the model as a GGUF file, with the vocabulary if there is one. Where a block type is asked for, a
/// matrix whose inputs are no whole number of blocks becomes F16, of which options.kept_f16 hears. Throws
/// what opening its files does; file_error where the file cannot be written.
template <model_family Family>
std::vector<converted_tensor> convert_to_gguf(const model_files& files, const std::filesystem::path& output,
                                              const conversion_options& options) {
  const checkpoint weights = files.weights();
  const gguf_header header = gguf_header_of<Family>(files, options.type, options.note);
  const auto all =
      detail::plan_conversions<Family>(files, weights, header.naming, options.note,
                                       [&](const file_tensor& tensor, std::vector<std::uint64_t> shape) {
                                         const bool is_kept = tensor.is_vector || tensor.is_lookup;
                                         element_type type = is_kept ? element_type::f32 : options.type;
                                         if (is_block_type(type) && shape.back() % block_length != 0) {
                                           type = element_type::f16;
                                           if (options.kept_f16) options.kept_f16(tensor.name, shape.back());
                                         }
                                         return tensor_entry{tensor.name, std::move(shape), type};
                                       });
  std::vector<tensor_entry> entries;
  for (const auto& [name, values] : header.vectors)
    entries.push_back({name, {values.size()}, element_type::f32});
  for (const auto& work : all) entries.push_back(work.entry);
  gguf_stream file(output, header.keys, entries);
  for (const auto& [name, values] : header.vectors) file.write(std::as_bytes(std::span(values)));
  return detail::convert_tensors(all, options, file);
}

/// Writes the model as a Hugging Face folder, with the vocabulary's files if there is one. Throws what
/// opening its files does; argument_error for a block type, which safetensors does not have; file_error where
/// the folder cannot be written. A folder that was not there is gone again after an exception.
template <model_family Family>
std::vector<converted_tensor> convert_to_folder(const model_files& files, const std::filesystem::path& output,
                                                const conversion_options& options) {
  if (is_block_type(options.type))
    throw argument_error(output.string() + ": a Hugging Face folder holds F32, F16 or BF16, not " +
                         std::string(name_of(options.type)) +
                         "\n  A name that ends in .gguf makes a GGUF file.");
  const checkpoint weights = files.weights();
  const auto all =
      detail::plan_conversions<Family>(files, weights, file_naming::huggingface, options.note,
                                       [&](const file_tensor& tensor, std::vector<std::uint64_t> shape) {
                                         return tensor_entry{tensor.name, std::move(shape), options.type};
                                       });
  std::error_code failure;
  const bool is_new = std::filesystem::create_directories(output, failure);
  if (failure) throw file_error(output.string() + ": cannot make the folder: " + failure.message());
  std::vector<tensor_entry> entries;
  for (const auto& work : all) entries.push_back(work.entry);
  try {
    safetensors_stream file(output / "model.safetensors", entries);
    auto results = detail::convert_tensors(all, options, file);
    write_vocabulary_files(files, output);
    write_config(output / "config.json", files.config<Family>(), options.type);
    return results;
  } catch (...) {
    if (is_new) std::filesystem::remove_all(output, failure);
    throw;
  }
}

} // namespace transept::inline TRANSEPT_ABI

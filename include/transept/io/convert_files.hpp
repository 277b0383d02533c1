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
#include <span>
#include <string>
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
  element_type from, to;                   ///< in the files, and in the output
  std::uint64_t bytes_before, bytes_after; ///< in the files, and in the output
  double relative_error;                   ///< √(Σ (y − x)² / Σ x²), 0 where nothing changed
  double largest_error;                    ///< max |y − x|
};

namespace detail {

/// One tensor on its way.
struct conversion {
  const stored_tensor* source;
  bool transposed; // the output is the transpose of what is stored
  tensor_entry entry;
  std::function<std::size_t(std::size_t)> row_of = {}; // where an output's row is; none: in its own place
};

/// out = `count` rows from `first` on, of the output.
inline void read_rows(const conversion& work, const tensor_rows& source, std::size_t first, std::size_t count,
                      float* out) {
  if (!work.row_of) return source.read(first, count, out);
  for (std::size_t r = 0; r < count; ++r) source.read(work.row_of(first + r), 1, out + r * source.cols());
}

/// Sums of one row of the output, so that the whole does not depend on the number of threads.
struct row_error {
  double squares = 0, error_squares = 0, largest = 0;
};

inline void add_errors(row_error& sum, const float* x, const float* y, std::size_t count) {
  for (std::size_t i = 0; i < count; ++i) {
    const double difference = double{y[i]} - double{x[i]};
    sum.squares += double{x[i]} * double{x[i]};
    sum.error_squares += difference * difference;
    // Written so that a NaN stays one.
    if (!(std::abs(difference) <= sum.largest)) sum.largest = std::abs(difference);
  }
}

/// Converts one tensor and writes it to `file`, piece by piece.
template <class File, class Progress>
converted_tensor convert_tensor(const conversion& work, thread_pool& threads, File& file,
                                Progress&& progress) {
  const tensor_rows source(*work.source, work.transposed);
  const std::size_t cols = source.cols();
  const element_type type = work.entry.type;
  converted_tensor result{work.entry.name,
                          work.entry.shape,
                          *element_type_of(work.source->dtype),
                          type,
                          work.source->bytes.size(),
                          bytes_of(type, source.rows() * cols),
                          0,
                          0};
  const bool copied = result.from == type && !work.transposed && !work.row_of;
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
      file.write(work.source->bytes.subspan(bytes_of(type, first * cols), size));
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
      }
      file.write(std::span<const std::byte>(bytes));
    }
    progress(rows * cols);
  }
  release_pages(work.source->bytes);
  result.relative_error = sum.error_squares == 0 ? 0 : std::sqrt(sum.error_squares / sum.squares);
  result.largest_error = sum.largest;
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
  }
  file.commit();
  return results;
}

/// The tensors of all the model's parameters, checked; `entry_of(tensor, shape)` says how each is to be
/// written.
template <class Family, class EntryOf>
std::vector<conversion> plan_conversions(const model_files& files, const checkpoint& weights, bool as_gguf,
                                         const std::function<void(const std::string&)>& note,
                                         EntryOf&& entry_of) {
  auto config = files.template config<Family>();
  const auto model = shaped_model<any_shape<Family>>(config.shape, std::move(config.settings));
  const model_names names = names_of(model);
  const bool stored_reversed = stores_outputs_first(weights, names);
  const bool wanted_reversed = as_gguf || !names.inputs_first;
  std::vector<conversion> all;
  const std::vector<file_tensor> tensors = all_tensors_of(model);
  if (note) note_surplus(surplus_tensors(weights, names, tensors), note);
  for (const file_tensor& tensor : tensors) {
    const stored_tensor& source = required_tensor(weights, names, tensor);
    std::vector<std::uint64_t> shape = tensor.shape;
    if (tensor.is_linear && wanted_reversed) std::ranges::reverse(shape);
    conversion work{&source, tensor.is_linear && stored_reversed != wanted_reversed,
                    entry_of(tensor, std::move(shape))};
    if (tensor.order != output_order::as_here && weights.is_gguf() != as_gguf) {
      std::vector<std::size_t> place(static_cast<std::size_t>(tensor.shape.back()));
      for (std::size_t output = 0; output < place.size(); ++output) {
        const std::size_t stored = tensor.stored_output(output);
        as_gguf ? place[output] = stored : place[stored] = output;
      }
      work.row_of = [place = std::move(place)](std::size_t row) { return place[row]; };
      work.transposed =
          work.transposed || tensor.shape.size() == 1; // a bias by outputs, as rows of one number
    }
    all.push_back(std::move(work));
  }
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
  const auto all = detail::plan_conversions<Family>(
      files, weights, true, options.note, [&](const file_tensor& tensor, std::vector<std::uint64_t> shape) {
        const bool is_kept = shape.size() == 1 || tensor.is_lookup;
        element_type type = is_kept ? element_type::f32 : options.type;
        if (is_block_type(type) && shape.back() % block_length != 0) {
          type = element_type::f16;
          if (options.kept_f16) options.kept_f16(tensor.name, shape.back());
        }
        return tensor_entry{tensor.gguf.empty() ? tensor.name : tensor.gguf, std::move(shape), type};
      });
  std::vector<tensor_entry> entries;
  for (const auto& work : all) entries.push_back(work.entry);
  gguf_stream file(output, gguf_metadata_of<Family>(files, options.type, options.note), entries);
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
  const auto all = detail::plan_conversions<Family>(
      files, weights, false, options.note, [&](const file_tensor& tensor, std::vector<std::uint64_t> shape) {
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

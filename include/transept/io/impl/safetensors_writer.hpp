// How safetensors files are written and elements converted (io/safetensors_writer.hpp).
#pragma once

#include <algorithm>
#include <cstring>
#include <set>
#include <string_view>
#include <type_traits>
#include <utility>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/core/json_fwd.hpp>
#include <transept/io/safetensors_writer.hpp>

namespace transept::inline TRANSEPT_ABI {

TRANSEPT_FUNCTION void convert_elements(std::span<const std::byte> input, element_type from,
                                        std::span<std::byte> output, element_type to) {
  const std::size_t count = input.size() / size_of(from);
  if (count * size_of(from) != input.size() || count * size_of(to) != output.size()) {
    throw argument_error("convert_elements: expected spans of equally many elements, found " +
                         std::to_string(input.size()) + " bytes of " + std::string(name_of(from)) + " and " +
                         std::to_string(output.size()) + " bytes of " + std::string(name_of(to)));
  }
  if (count == 0) return;
  if (from == to) {
    std::memcpy(output.data(), input.data(), input.size());
    return;
  }
  with_element_type(from, [&](auto source_zero) {
    using Source = decltype(source_zero);
    with_element_type(to, [&](auto target_zero) {
      using Target = decltype(target_zero);
      for (std::size_t i = 0; i < count; ++i) {
        Source element;
        std::memcpy(&element, input.data() + i * sizeof element, sizeof element);
        const float value = to_float(element);
        Target result;
        if constexpr (std::is_same_v<Target, float>)
          result = value;
        else if constexpr (std::is_same_v<Target, f16>)
          result = to_f16(value);
        else
          result = to_bf16(value);
        std::memcpy(output.data() + i * sizeof result, &result, sizeof result);
      }
    });
  });
}

/// JSON padded with spaces, so that the data begins at a multiple of 64; and how many bytes of data there
/// are.
struct safetensors_stream::header {
  std::string text;
  std::uint64_t bytes;
};

TRANSEPT_FUNCTION safetensors_stream::header safetensors_stream::header_of(
    std::span<const tensor_entry> tensors, const std::map<std::string, std::string>& metadata) {
  std::string header = "{";
  const auto separate = [&] {
    if (header.back() != '{') header += ',';
  };
  if (!metadata.empty()) {
    header += "\"__metadata__\":{";
    for (const auto& [key, value] : metadata) {
      separate();
      header += json_literal(key) + ":" + json_literal(value);
    }
    header += '}';
  }
  std::set<std::string_view> names{"__metadata__"};
  std::uint64_t position = 0;
  for (const tensor_entry& tensor : tensors) {
    const std::string where = "write_safetensors: tensor " + quoted(tensor.name) + ": ";
    if (!names.insert(tensor.name).second) throw argument_error(where + "a name that is taken");
    if (is_block_type(tensor.type))
      throw argument_error(where + "expected F32, F16 or BF16, found " + std::string(name_of(tensor.type)));
    const auto count = element_count(tensor.shape);
    if (!count) throw argument_error(where + "shape: " + shape_text(tensor.shape) + " overflows 64 bits");
    const std::uint64_t end = position + *count * size_of(tensor.type);
    separate();
    header += json_literal(tensor.name) + ":{\"dtype\":\"" + std::string(name_of(tensor.type)) +
              "\",\"shape\":" + shape_text(tensor.shape) + ",\"data_offsets\":[" + std::to_string(position) +
              "," + std::to_string(end) + "]}";
    position = end;
  }
  header += '}';
  header.resize((8 + header.size() + 63) / 64 * 64 - 8, ' ');
  return {std::move(header), position};
}

TRANSEPT_FUNCTION safetensors_stream::safetensors_stream(const std::filesystem::path& path,
                                                         std::span<const tensor_entry> tensors,
                                                         const std::map<std::string, std::string>& metadata)
    : safetensors_stream(path, header_of(tensors, metadata)) {}

TRANSEPT_FUNCTION safetensors_stream::safetensors_stream(const std::filesystem::path& path,
                                                         const header& from)
    : left_(from.bytes), file_(path) {
  std::string length;
  for (unsigned shift = 0; shift < 64; shift += 8) {
    length += static_cast<char>(static_cast<unsigned char>(std::uint64_t{from.text.size()} >> shift));
  }
  file_.write(length);
  file_.write(from.text);
}

TRANSEPT_FUNCTION void safetensors_stream::write(std::span<const std::byte> bytes) {
  if (bytes.size() > left_) throw argument_error("safetensors_stream: more bytes than the tensors have");
  file_.write(bytes);
  left_ -= bytes.size();
}

TRANSEPT_FUNCTION void safetensors_stream::commit() {
  if (left_ != 0) throw argument_error("safetensors_stream: fewer bytes than the tensors have");
  file_.commit();
}

TRANSEPT_FUNCTION void write_safetensors(const std::filesystem::path& path,
                                         std::span<const outgoing_tensor> tensors,
                                         const std::map<std::string, std::string>& metadata) {
  std::vector<tensor_entry> entries;
  for (const outgoing_tensor& tensor : tensors) {
    const auto count = element_count(tensor.shape);
    if (!count || tensor.bytes.size() % size_of(tensor.type) != 0 ||
        *count != tensor.bytes.size() / size_of(tensor.type)) {
      throw argument_error("write_safetensors: tensor " + quoted(tensor.name) + ": expected the bytes of " +
                           shape_text(tensor.shape) + " of " + std::string(name_of(tensor.type)) +
                           ", found " + std::to_string(tensor.bytes.size()));
    }
    entries.push_back({tensor.name, tensor.shape, tensor.stored_as});
  }
  safetensors_stream file(path, entries, metadata);
  constexpr std::size_t piece_elements = 64 * 1024;
  std::vector<std::byte> converted;
  for (const outgoing_tensor& tensor : tensors) {
    if (tensor.type == tensor.stored_as) {
      file.write(tensor.bytes);
      continue;
    }
    const std::size_t piece = piece_elements * size_of(tensor.type);
    for (std::size_t begin = 0; begin < tensor.bytes.size(); begin += piece) {
      const auto input = tensor.bytes.subspan(begin, std::min(piece, tensor.bytes.size() - begin));
      converted.resize(input.size() / size_of(tensor.type) * size_of(tensor.stored_as));
      convert_elements(input, tensor.type, converted, tensor.stored_as);
      file.write(std::span<const std::byte>(converted));
    }
  }
  file.commit();
}

} // namespace transept::inline TRANSEPT_ABI

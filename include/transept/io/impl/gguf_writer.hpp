// How a GGUF file is laid out and written (io/gguf_writer.hpp).
#pragma once

#include <cstring>
#include <utility>

#include <transept/core/display.hpp>
#include <transept/core/error.hpp>
#include <transept/io/gguf.hpp>
#include <transept/io/gguf_types.hpp>
#include <transept/io/gguf_writer.hpp>

namespace transept::inline TRANSEPT_ABI {

namespace detail {

template <class T>
void append_number(std::string& bytes, T value) {
  const std::size_t begin = bytes.size();
  bytes.resize(begin + sizeof value);
  std::memcpy(bytes.data() + begin, &value, sizeof value);
}

TRANSEPT_FUNCTION void append_string(std::string& bytes, std::string_view text) {
  append_number(bytes, std::uint64_t{text.size()});
  bytes += text;
}

} // namespace detail

TRANSEPT_FUNCTION void gguf_keys::begin(std::string_view key, gguf_type type) {
  if (key.empty() || key.size() > gguf_metadata::longest_key)
    throw argument_error("gguf_keys: expected a key of 1 to " + std::to_string(gguf_metadata::longest_key) +
                         " bytes, found " + std::to_string(key.size()));
  if (!names_.emplace(key).second)
    throw argument_error("gguf_keys: key " + quoted(key) + ": expected once, found twice");
  detail::append_string(bytes_, key);
  detail::append_number(bytes_, static_cast<std::uint32_t>(type));
}

TRANSEPT_FUNCTION void gguf_keys::begin_array(std::string_view key, gguf_type type, std::size_t count) {
  begin(key, gguf_type::array);
  detail::append_number(bytes_, static_cast<std::uint32_t>(type));
  detail::append_number(bytes_, std::uint64_t{count});
}

TRANSEPT_FUNCTION void gguf_keys::add(std::string_view key, std::uint32_t value) {
  begin(key, gguf_type::uint32);
  detail::append_number(bytes_, value);
}

TRANSEPT_FUNCTION void gguf_keys::add(std::string_view key, float value) {
  begin(key, gguf_type::float32);
  detail::append_number(bytes_, value);
}

TRANSEPT_FUNCTION void gguf_keys::add(std::string_view key, std::string_view value) {
  begin(key, gguf_type::string);
  detail::append_string(bytes_, value);
}

TRANSEPT_FUNCTION void gguf_keys::add(std::string_view key, std::span<const std::string> values) {
  begin_array(key, gguf_type::string, values.size());
  for (const std::string& value : values) detail::append_string(bytes_, value);
}

TRANSEPT_FUNCTION void gguf_keys::add(std::string_view key, std::span<const std::int32_t> values) {
  begin_array(key, gguf_type::int32, values.size());
  for (const std::int32_t value : values) detail::append_number(bytes_, value);
}

TRANSEPT_FUNCTION void gguf_keys::add(std::string_view key, std::span<const float> values) {
  begin_array(key, gguf_type::float32, values.size());
  for (const float value : values) detail::append_number(bytes_, value);
}

TRANSEPT_FUNCTION void gguf_keys::add(std::string_view key, const gguf_value& value) {
  begin(key, value.type);
  bytes_ += value.bytes;
}

TRANSEPT_FUNCTION void gguf_keys::append(const gguf_keys& other) {
  for (const std::string& name : other.names_)
    if (names_.contains(name))
      throw argument_error("gguf_keys: key " + quoted(name) + ": expected once, found twice");
  names_.insert(other.names_.begin(), other.names_.end());
  bytes_ += other.bytes_;
}

struct gguf_stream::header {
  std::string bytes;
  std::vector<std::uint64_t> sizes;
};

TRANSEPT_FUNCTION gguf_stream::gguf_stream(const std::filesystem::path& path, const gguf_keys& keys,
                                           std::span<const tensor_entry> tensors)
    : gguf_stream(path, header_of(keys, tensors)) {}

TRANSEPT_FUNCTION gguf_stream::gguf_stream(const std::filesystem::path& path, header from)
    : sizes_(std::move(from.sizes)), file_(path) {
  file_.write(from.bytes);
}

TRANSEPT_FUNCTION void gguf_stream::write(std::span<const std::byte> bytes) {
  if (bytes.empty()) return;
  while (next_ < sizes_.size() && sizes_[next_] == 0) ++next_; // tensors of no bytes
  if (next_ == sizes_.size() || bytes.size() > sizes_[next_] - written_)
    throw argument_error("gguf_stream: more bytes than the tensors have");
  file_.write(bytes);
  written_ += bytes.size();
  if (written_ < sizes_[next_]) return;
  file_.write(std::string(padding(written_), '\0'));
  written_ = 0;
  ++next_;
}

TRANSEPT_FUNCTION void gguf_stream::commit() {
  while (next_ < sizes_.size() && sizes_[next_] == 0) ++next_;
  if (next_ != sizes_.size()) throw argument_error("gguf_stream: fewer bytes than the tensors have");
  file_.commit();
}

TRANSEPT_FUNCTION std::size_t gguf_stream::padding(std::uint64_t size) {
  constexpr std::uint64_t alignment = gguf_file::default_alignment;
  return static_cast<std::size_t>((alignment - size % alignment) % alignment);
}

TRANSEPT_FUNCTION gguf_stream::header gguf_stream::header_of(const gguf_keys& keys,
                                                             std::span<const tensor_entry> tensors) {
  header result;
  result.bytes = "GGUF";
  detail::append_number(result.bytes, std::uint32_t{3});
  detail::append_number(result.bytes, std::uint64_t{tensors.size()});
  detail::append_number(result.bytes, std::uint64_t{keys.size()});
  result.bytes += keys.bytes();
  std::set<std::string_view> names;
  std::uint64_t offset = 0;
  for (const tensor_entry& tensor : tensors) {
    const std::string where = "gguf_stream: tensor " + quoted(tensor.name) + ": ";
    const ggml_type& type = ggml_type_of(tensor.type);
    if (tensor.name.empty() || tensor.name.size() >= gguf_file::longest_name)
      throw argument_error(where + "expected a name of 1 to " + std::to_string(gguf_file::longest_name - 1) +
                           " bytes");
    if (!names.insert(tensor.name).second) throw argument_error(where + "a name that is taken");
    const auto count = element_count(tensor.shape);
    if (!count || tensor.shape.size() > gguf_file::max_rank)
      throw argument_error(where + "no such shape: " + shape_text(tensor.shape));
    if (!tensor.shape.empty() && tensor.shape.back() % type.block_elements != 0)
      throw argument_error(where + "expected a multiple of " + std::to_string(type.block_elements) +
                           " as last dimension of " + std::string(type.name) + ", found " +
                           shape_text(tensor.shape));
    detail::append_string(result.bytes, tensor.name);
    detail::append_number(result.bytes, static_cast<std::uint32_t>(tensor.shape.size()));
    for (std::size_t i = tensor.shape.size(); i-- > 0;) detail::append_number(result.bytes, tensor.shape[i]);
    detail::append_number(result.bytes, type.id);
    detail::append_number(result.bytes, offset);
    result.sizes.push_back(*count / type.block_elements * type.block_bytes);
    offset += result.sizes.back() + padding(result.sizes.back());
  }
  result.bytes.append(padding(result.bytes.size()), '\0');
  return result;
}

} // namespace transept::inline TRANSEPT_ABI

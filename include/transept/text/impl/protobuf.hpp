// Reads the wire format of protocol buffers, field by field and bounds-checked; what a field means is its
// reader's business. (Encoding: protobuf.dev/programming-guides/encoding.)
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <transept/core/error.hpp>

namespace transept::inline TRANSEPT_ABI {
namespace detail {

/// A message's fields, in the order they lie in.
class protobuf_reader {
public:
  protobuf_reader(std::string_view bytes, const std::string& source) : rest_(bytes), source_(source) {}

  /// Goes to the next field; false at the end. Throws format_error where the bytes are no message.
  bool next() {
    if (rest_.empty()) return false;
    const std::uint64_t tag = varint();
    wire_ = static_cast<unsigned>(tag & 7u);
    if (tag >> 3 == 0 || tag >> 3 > 0x1fffffffu) fail("a field has a number that no field has");
    field_ = static_cast<std::uint32_t>(tag >> 3);
    switch (wire_) {
    case 0:
      number_ = varint();
      break;
    case 1:
      bytes_ = take(8);
      break;
    case 2:
      bytes_ = take(varint());
      break;
    case 5:
      bytes_ = take(4);
      break;
    default:
      fail("a field of wire type " + std::to_string(wire_));
    }
    return true;
  }

  /// The number of the field.
  std::uint32_t field() const { return field_; }

  /// What it holds; each throws format_error where it is of another wire type.
  std::uint64_t number() const {
    expect(0);
    return number_;
  }
  bool boolean() const { return number() != 0; }
  std::string_view bytes() const {
    expect(2);
    return bytes_;
  }
  float real() const {
    expect(5);
    std::uint32_t bits = 0;
    for (std::size_t i = 4; i-- > 0;) bits = bits << 8 | static_cast<unsigned char>(bytes_[i]);
    return std::bit_cast<float>(bits);
  }

  [[noreturn]] void fail(const std::string& what) const { throw format_error(source_ + ": " + what); }

private:
  void expect(unsigned wire) const {
    if (wire_ != wire)
      fail("field " + std::to_string(field_) + " has wire type " + std::to_string(wire_) + ", expected " +
           std::to_string(wire));
  }

  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) fail("the file is cut off");
      const auto byte = static_cast<unsigned char>(rest_[0]);
      rest_.remove_prefix(1);
      value |= std::uint64_t{byte & 0x7fu} << shift;
      if (byte < 0x80) return value;
    }
    fail("a number has more than 64 bits");
  }

  std::string_view take(std::uint64_t count) {
    if (count > rest_.size()) fail("the file is cut off");
    const std::string_view taken = rest_.substr(0, static_cast<std::size_t>(count));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  std::string_view rest_;
  const std::string& source_;
  std::uint32_t field_ = 0;
  unsigned wire_ = 0;
  std::uint64_t number_ = 0;
  std::string_view bytes_;
};

} // namespace detail
} // namespace transept::inline TRANSEPT_ABI

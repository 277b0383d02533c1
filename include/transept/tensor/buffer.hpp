// Owned memory for numbers: aligned to a cache line, never initialised behind the caller's back.
#pragma once

#include <cstddef>
#include <cstring>
#include <memory>
#include <new>
#include <span>
#include <type_traits>
#include <utility>

#include <transept/core/version.hpp>

namespace transept::inline TRANSEPT_ABI {

/// Alignment of everything the library allocates for kernels: one cache line, one AVX-512 vector.
inline constexpr std::size_t buffer_alignment = 64;

/// A fixed number of elements on the heap, uninitialised; movable, not copyable.
/// Throws std::bad_alloc, also where the size in bytes would overflow.
template <class T>
class buffer {
  static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

  struct release {
    void operator()(T* data) const { ::operator delete (data, std::align_val_t{buffer_alignment}); }
  };

public:
  buffer() = default;
  /// Leaves the other without elements.
  buffer(buffer&& other) noexcept : data_(std::move(other.data_)), size_(std::exchange(other.size_, 0)) {}
  /// The same.
  buffer& operator=(buffer&& other) noexcept {
    data_ = std::move(other.data_);
    size_ = std::exchange(other.size_, 0);
    return *this;
  }

  /// Room for `size` elements; none for 0.
  explicit buffer(std::size_t size) : size_(size) {
    if (size == 0) return;
    if (size > static_cast<std::size_t>(-1) / 2 / sizeof(T)) throw std::bad_alloc();
    data_.reset(static_cast<T*>(::operator new (size * sizeof(T), std::align_val_t{buffer_alignment})));
  }

  T* data() { return data_.get(); }               ///< null where there are no elements
  const T* data() const { return data_.get(); }   ///< null where there are no elements
  std::size_t size() const { return size_; }      ///< elements, not bytes
  std::span<T> span() { return {data(), size_}; } ///< all of them; moving the buffer leaves it valid
  std::span<const T> span() const { return {data(), size_}; } ///< the same, read-only

private:
  std::unique_ptr<T[], release> data_;
  std::size_t size_ = 0;
};

} // namespace transept::inline TRANSEPT_ABI

// Scratch memory of a session: a stack of 64-byte aligned blocks, taken in a scope and given back at its end.
//
//   workspace memory(bytes);
//   {
//     workspace::scope scope(memory);
//     auto hidden = scope.take<3072>(rows);      // activations<3072> of `rows` rows, uninitialised
//   }                                            // given back
//
// It grows where it was made too small (a new chunk; nothing moves) and keeps what it has grown to, so the
// second time through the same code allocates nothing; a session makes it large enough from the start.
#pragma once

#include <cstddef>
#include <deque>

#include <transept/tensor/buffer.hpp>
#include <transept/tensor/view.hpp>

namespace transept::inline TRANSEPT_ABI {

/// A stack of scratch memory, in chunks that never move. One thread at a time takes from it.
class workspace {
public:
  /// Room for `bytes` at once, counting each block rounded up to 64 bytes.
  explicit workspace(std::size_t bytes = 0);

  /// A block of `count` elements costs this much room.
  template <class T = float>
  static constexpr std::size_t room_for(std::size_t count) {
    return round_up(count * sizeof(T));
  }

  /// Bytes held, used or not.
  std::size_t capacity() const;

  /// Gives back at its end everything that was taken through it. Scopes nest like blocks of code.
  class scope {
  public:
    /// Of `memory`, which must outlive it.
    explicit scope(workspace& memory) : memory_(memory), chunk_(memory.chunk_), used_(memory.used_) {}
    ~scope() {
      memory_.chunk_ = chunk_;
      memory_.used_ = used_;
    }
    scope(const scope&) = delete;
    scope& operator=(const scope&) = delete;

    /// `count` uninitialised floats.
    float* floats(std::size_t count) { return reinterpret_cast<float*>(memory_.take(room_for(count))); }

    /// Uninitialised activations [rows, width].
    template <extent Width>
    activations<Width> take(extent rows, extent width = Width) {
      return {floats(static_cast<std::size_t>(rows * width)), rows, width};
    }

  private:
    workspace& memory_;
    std::size_t chunk_, used_;
  };

private:
  static constexpr std::size_t round_up(std::size_t bytes) {
    return (bytes + buffer_alignment - 1) / buffer_alignment * buffer_alignment;
  }

  std::byte* take(std::size_t bytes);

  std::deque<buffer<std::byte>> chunks_;
  std::size_t chunk_ = 0, used_ = 0;
};

} // namespace transept::inline TRANSEPT_ABI

#if !TRANSEPT_IS_COMPILED
#include <transept/runtime/impl/workspace.hpp>
#endif

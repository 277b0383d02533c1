#include <support/catch.hpp>

#include <cstdint>

#include <transept/runtime/workspace.hpp>

using transept::workspace;

TEST_CASE("a workspace gives aligned blocks that do not overlap, and takes them back at the scope's end") {
  workspace memory(workspace::room_for(10) + workspace::room_for(100));
  const std::size_t capacity = memory.capacity();
  float* first = nullptr;
  for (int round = 0; round < 3; ++round) {
    workspace::scope scope(memory);
    float* a = scope.floats(10);
    float* b = scope.floats(100);
    CHECK(reinterpret_cast<std::uintptr_t>(a) % 64 == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(b) % 64 == 0);
    CHECK(b >= a + 10);
    if (round == 0) first = a;
    CHECK(a == first);
    a[9] = b[99] = 1.0f;
  }
  CHECK(memory.capacity() == capacity);
}

TEST_CASE("a workspace that is too small grows once, without moving what is in use") {
  workspace memory(64);
  std::size_t grown = 0;
  for (int round = 0; round < 3; ++round) {
    workspace::scope outer(memory);
    float* kept = outer.floats(8);
    kept[0] = 7.0f;
    {
      workspace::scope inner(memory);
      inner.floats(1000)[999] = 1.0f;
    }
    CHECK(kept[0] == 7.0f);
    if (round == 0) grown = memory.capacity();
    CHECK(memory.capacity() == grown);
  }
  CHECK(grown > 4000);
}

TEST_CASE("activations know their width") {
  workspace memory;
  workspace::scope scope(memory);
  const auto x = scope.take<48>(5);
  CHECK(x.rows() == 5);
  CHECK(x.cols() == 48);
  CHECK(x.row(2).data() == x.data() + 96);
}

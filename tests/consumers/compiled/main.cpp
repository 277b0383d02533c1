// The compiled library with each of its instruction sets, and the headers alone for AVX2, write the same
// text.
#include <cstdio>
#include <string>

#include "work.hpp"

#include <transept/runtime/instruction_set.hpp>

int main(int, char** arguments) {
  const auto names = transept::instruction_sets();
  std::string expected;
  for (const auto name : names) {
    transept::use_instruction_set(name);
    const std::string found = work(arguments[1]);
    std::printf("%.*s: %s\n", static_cast<int>(name.size()), name.data(), found.c_str());
    if (expected.empty()) expected = found;
    if (found != expected) return 1;
    if (name != "avx2") continue;
    const std::string by_headers = work_for_avx2(arguments[1]);
    std::printf("headers alone: %s\n", by_headers.c_str());
    if (by_headers != expected) return 1;
  }
  std::puts("consumer: ok");
}

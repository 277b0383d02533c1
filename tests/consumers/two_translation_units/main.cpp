#include <cstdio>
#include <string>

std::string work_for_any_machine(const std::string& folder);
std::string work_for_avx2(const std::string& folder);

int main(int, char** arguments) {
  const std::string expected = work_for_any_machine(arguments[1]);
  std::printf("any machine: %s\n", expected.c_str());
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2")) {
    const std::string found = work_for_avx2(arguments[1]);
    std::printf("AVX2:        %s\n", found.c_str());
    if (found != expected) return 1;
  } else {
    std::puts("AVX2:        not run, this machine has none");
  }
  std::puts("consumer: ok");
}

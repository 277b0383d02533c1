// Which of the compiled kernels run: see runtime/instruction_set.hpp.
#include <atomic>
#include <cstdlib>
#include <string>

#include <transept/core/error.hpp>
#include <transept/runtime/instruction_set.hpp>

#include "kernels_in_use.hpp"
#include "processor.hpp"
#include "transept_instruction_sets.hpp"

namespace transept::inline TRANSEPT_ABI {

namespace kernels {

// The tables, one from each compilation of kernels.cpp.
#define TRANSEPT_DECLARE(name)                                                                               \
  namespace name {                                                                                           \
  extern const kernel_table table;                                                                           \
  }
TRANSEPT_FOR_EACH_INSTRUCTION_SET(TRANSEPT_DECLARE)
#undef TRANSEPT_DECLARE

} // namespace kernels

namespace {

struct instruction_set_entry {
  std::string_view name;
  const kernels::kernel_table* table;
  bool (*runs_here)();
};

constexpr instruction_set_entry all[] = {
#define TRANSEPT_ENTRY(name) {#name, &kernels::name::table, &compiled::has_##name},
    TRANSEPT_FOR_EACH_INSTRUCTION_SET(TRANSEPT_ENTRY)
#undef TRANSEPT_ENTRY
};

std::atomic<const instruction_set_entry*> in_use{nullptr};

const instruction_set_entry* find(std::string_view name) {
  for (const auto& each : all)
    if (each.name == name && each.runs_here()) return &each;
  return nullptr;
}

[[noreturn]] void refuse(std::string_view name, std::string_view asked_by) {
  std::string known;
  for (const auto each : instruction_sets()) known += (known.empty() ? "" : ", ") + std::string(each);
  throw argument_error(std::string(asked_by) + ": no instruction set \"" + std::string(name) +
                       "\" here; this program and this processor have " + known);
}

/// Chosen by the first thread pool, or kernel, which may be in a decoding step: nothing is allocated.
const instruction_set_entry& chosen() {
  if (const auto* const entry = in_use.load(std::memory_order_acquire)) return *entry;
  const char* const wanted = std::getenv("TRANSEPT_ISA");
  const instruction_set_entry* entry = nullptr;
  if (wanted && *wanted) {
    entry = find(wanted);
    if (!entry) refuse(wanted, "TRANSEPT_ISA");
  } else {
    for (const auto& each : all)
      if (!entry && each.runs_here()) entry = &each;
    if (!entry) instruction_sets(); // throws
  }
  in_use.store(entry, std::memory_order_release);
  return *entry;
}

} // namespace

std::vector<std::string_view> instruction_sets() {
  std::vector<std::string_view> names;
  for (const auto& each : all)
    if (each.runs_here()) names.push_back(each.name);
  if (names.empty()) throw argument_error("this processor can run none of the library's kernels");
  return names;
}

std::string_view instruction_set() { return chosen().name; }

void use_instruction_set(std::string_view name) {
  const auto* const entry = find(name);
  if (!entry) refuse(name, "use_instruction_set");
  in_use.store(entry, std::memory_order_release);
}

const kernels::kernel_table& kernels::kernels_in_use() { return *chosen().table; }

} // namespace transept::inline TRANSEPT_ABI

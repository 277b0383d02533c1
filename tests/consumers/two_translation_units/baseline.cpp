#include "work.hpp"

std::string work_for_any_machine(const std::string& folder) { return work(folder); }

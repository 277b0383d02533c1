#include "work.hpp"

std::string work_for_avx2(const std::string& folder) { return work(folder); }

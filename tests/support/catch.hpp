// Catch2, version 2 or 3, under the names of version 3.
#pragma once

#if __has_include(<catch2/catch_all.hpp>)

#include <catch2/catch_all.hpp>

using Catch::Approx;

namespace Catch {
using Matchers::ContainsSubstring, Matchers::StartsWith, Matchers::EndsWith;
}

#else

#include <catch2/catch.hpp>

namespace Catch::Matchers {

inline auto ContainsSubstring(const std::string& text) { return Contains(text); }

} // namespace Catch::Matchers

namespace Catch {
using Matchers::ContainsSubstring;
}

#endif

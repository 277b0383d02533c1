#!/usr/bin/env bash
# Sets up a bare Debian 12 (packages, configure, build) and runs all tests.
#   ./scripts/test.sh [CTEST OPTION...]      for example: ./scripts/test.sh -R text
#   PRESET=asan ./scripts/test.sh            another preset of CMakePresets.json (default: release)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
preset=${PRESET:-release}

install_packages "${packages_to_test[@]}"

say "Building everything in build/$preset"
cmake --preset "$preset" -DTRANSEPT_BUILD_TESTS=ON -DTRANSEPT_BUILD_EXAMPLES=ON -DTRANSEPT_BUILD_BENCH=ON >/dev/null
cmake --build --preset "$preset"

say "Testing"
ctest --preset "$preset" "$@"

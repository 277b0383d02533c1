#!/usr/bin/env bash
# Sets up a bare Debian 12 (packages, configure, build) and runs all tests.
#   ./scripts/test.sh [CTEST OPTION...]      for example: ./scripts/test.sh -R text
#   PRESET=asan ./scripts/test.sh            another preset of CMakePresets.json (default: release)
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
preset=${PRESET:-release}

install_packages "${packages_to_test[@]}"

say "Building everything in build/$preset"
# From nothing, it is quickest to compile the tests several files at a time; a build that is there stays as it is.
together=()
grep -qs TRANSEPT_BUILD_TESTS:BOOL=ON "build/$preset/CMakeCache.txt" || together=(-DTRANSEPT_TESTS_TOGETHER=ON)
cmake --preset "$preset" "${together[@]}" -DTRANSEPT_BUILD_TESTS=ON -DTRANSEPT_BUILD_EXAMPLES=ON -DTRANSEPT_BUILD_BENCH=ON >/dev/null
cmake --build --preset "$preset"

say "Testing"
ctest --preset "$preset" "$@"

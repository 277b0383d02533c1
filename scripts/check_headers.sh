#!/usr/bin/env bash
# Compiles every header alone, twice included, with every warning an error.
#   ./scripts/check_headers.sh [COMPILER...]     default: $CXX, or g++; -march and the like in CXXFLAGS
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ $# -gt 0 ] || set -- "${CXX:-g++}"

check_one() {
  local compiler=$1 header=$2
  printf '#include <%s>\n#include <%s>\n' "$header" "$header" |
    "$compiler" -std=c++20 -fsyntax-only -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Iinclude \
      ${CXXFLAGS:-} -x c++ - || { echo "check_headers: $header does not compile alone ($compiler)"; return 1; }
}
export -f check_one

failed=0
for compiler in "$@"; do
  (cd include && find transept -name '*.hpp' | sort) |
    xargs -P "$CMAKE_BUILD_PARALLEL_LEVEL" -I{} bash -c 'check_one "$0" "$1"' "$compiler" {} || failed=1
done
[ $failed -eq 0 ] || die "check_headers: failed"
echo "check_headers: ok ($(find include -name '*.hpp' | wc -l) headers; $*)"

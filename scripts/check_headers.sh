#!/usr/bin/env bash
# Compiles every header alone, twice included, with every warning an error: as the compiled library has them all but
# the kernels, where a header sees what it includes itself and no more; and header-only the kernels and those that
# include what stands in impl/.
#   ./scripts/check_headers.sh [COMPILER...]     default: $CXX, or g++; -march and the like in CXXFLAGS
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
[ $# -gt 0 ] || set -- "${CXX:-g++}"

check_one() {
  local compiler=$1 header=$2 way=${3:-}
  printf '#include <%s>\n#include <%s>\n' "$header" "$header" |
    "$compiler" -std=c++20 -fsyntax-only -Werror -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Iinclude \
      ${CXXFLAGS:-} $way -x c++ - || { echo "check_headers: $header does not compile alone ($compiler $way)"; return 1; }
}
export -f check_one

failed=0
for compiler in "$@"; do
  (cd include && { grep -rlE '#include <transept/.*impl/' transept --include='*.hpp'
    find transept -name '*.hpp' \( -path '*/vector/*' -o -path '*/simd/*' \); } | grep -v /impl/ | sort -u) |
    xargs -P "$CMAKE_BUILD_PARALLEL_LEVEL" -I{} bash -c 'check_one "$0" "$1"' "$compiler" {} || failed=1
  (cd include && find transept -name '*.hpp' -not -path '*/vector/*' -not -path '*/simd/*' | sort) |
    xargs -P "$CMAKE_BUILD_PARALLEL_LEVEL" -I{} bash -c 'check_one "$0" "$1" -DTRANSEPT_COMPILED' "$compiler" {} || failed=1
done
[ $failed -eq 0 ] || die "check_headers: failed"
echo "check_headers: ok ($(find include -name '*.hpp' | wc -l) headers; $*)"

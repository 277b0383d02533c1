#!/usr/bin/env bash
# Checks that every source is as clang-format 14 writes it (.clang-format). --fix rewrites them.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
clang_format=$(command -v clang-format-14 || command -v clang-format) || die "check_format: needs clang-format 14"
mapfile -t sources < <(find include tests examples bench \( -name '*.hpp' -o -name '*.cpp' \) | sort)
if [ "${1:-}" = --fix ]; then
  "$clang_format" -i "${sources[@]}"
fi
failed=0
for source in "${sources[@]}"; do
  "$clang_format" "$source" | cmp -s - "$source" || { echo "check_format: $source" && failed=1; }
done
[ $failed -eq 0 ] || die "check_format: failed; ./scripts/check_format.sh --fix mends it"
echo "check_format: ok (${#sources[@]} files)"

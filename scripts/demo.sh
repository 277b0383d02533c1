#!/usr/bin/env bash
# Sets up a bare Debian 12 (packages, configure, build) and lets the shipped model write.
#   ./scripts/demo.sh [PROMPT]
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

install_packages "${packages_to_build[@]}"

say "Building generate in build/release"
# Tests and benchmarks need more packages: scripts/test.sh switches them on.
without=()
[ -e build/release/CMakeCache.txt ] || without=(-DTRANSEPT_BUILD_TESTS=OFF -DTRANSEPT_BUILD_BENCH=OFF)
cmake --preset release "${without[@]}" >/dev/null
cmake --build --preset release --target generate

prompt=${1:-"ROMEO:
"}
say "A GPT-2 trained on Shakespeare writes"
build/release/examples/generate --prompt "$prompt" --max-new-tokens 200 --temperature 0.7 --top-k 40 --seed 2

say "Your turn"
cat >&2 <<'END'
  build/release/examples/generate --interactive
  build/release/examples/generate --help
  build/release/examples/generate --model path/to/gpt2     (a folder downloaded from Hugging Face; see README.md)
END

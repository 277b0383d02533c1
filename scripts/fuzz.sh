#!/usr/bin/env bash
# Loads damaged model folders under AddressSanitizer and UndefinedBehaviorSanitizer: each must load, or be refused
# with a transept::error.
#   ./scripts/fuzz.sh [ITERATIONS [SEED]]     default: 20000 damaged copies of tiny models, and 2000 of larger ones
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"
iterations=${1:-20000} seed=${2:-$RANDOM}

install_packages "${packages_to_test[@]}"
cmake --preset asan >/dev/null
cmake --build --preset asan --target load_damaged
say "Seed $seed"
build/asan/tests/load_damaged --iterations "$iterations" --seed "$seed"
build/asan/tests/load_damaged --iterations $((iterations / 10)) --seed "$seed" models/shakespeare tests/fixtures/gguf/q8_0.gguf

#!/usr/bin/env bash
# The slow matrix: compilers, instruction sets and sanitizers that one build cannot cover. A row takes 3 to 30
# minutes on 2 cores. asan (clang) builds everything, tsan (GCC) and neon (GCC for another architecture) all that the
# tests of the library need; instruction_sets takes README's build, to test the compiled library with each instruction
# set. The others, gcc_asan among them, build what their flags change: the compiled library and the tests of
# header-only vectors.
#   ./scripts/matrix.sh [NAME...]      default: all; --list prints the names
# All but instruction_sets are configured in build/matrix/NAME, built and tested. A row whose instructions this
# machine lacks is built but not run, and the summary says so.
source "$(dirname "${BASH_SOURCE[0]}")/common.sh"

all=(instruction_sets gcc_sse2 gcc_v2 gcc_avx2 gcc_avx512 gcc_amx clang_sse2 clang_avx2 clang_avx512 gcc_asan asan tsan neon)
[ "${1:-}" != --list ] || { printf '%s\n' "${all[@]}"; exit; }
rows=("$@")
[ ${#rows[@]} -gt 0 ] || rows=("${all[@]}")
# Rows that are emulated or sanitized leave the largest models out, and the tests that compile programs of their own,
# which know nothing of a row's flags.
slow_tests='124M|124,439,808|^(compile_fail|consumers)/'

machine_has() { local flag; for flag in "$@"; do grep -qw "$flag" /proc/cpuinfo || return 1; done; }
built_only=(-DCMAKE_CROSSCOMPILING_EMULATOR=true) # asked for their tests, programs answer with none

# The tests that link the compiled library, with each instruction set that this machine has.
test_instruction_sets() {
  local set
  ./scripts/test.sh -N >/dev/null || return 1 # builds, and runs none
  for set in avx512_amx avx512_bf16 avx512_vnni avx2_vnni avx2 sse2 neon; do
    TRANSEPT_ISA=$set build/release/tests/test_compiled >/dev/null 2>&1 || continue # not here
    say "TRANSEPT_ISA=$set"
    TRANSEPT_ISA=$set ctest --test-dir build/release -j2 --output-on-failure \
      -E '^(bench|compile_fail|consumers|core|kernels|layers|simd|tensor|text)/' || return 1
    result+="${result:+, }$set"
  done
  [ -n "$result" ] && result="passed with $result"
}

# The amd64 headers of header-only libraries, for a cross compiler that must not see the rest of /usr/include.
cross_headers() {
  local folder=build/matrix/headers/include name
  mkdir -p "$folder"
  for name in xtensor xtl xsimd nlohmann CLI catch2; do ln -sfn "/usr/include/$name" "$folder/$name"; done
  realpath "$folder/.."
}

run_row() {
  if [ "$1" = instruction_sets ]; then
    test_instruction_sets
    return
  fi
  local name=$1 runs=1 options=() test_options=() targets=() flags="" compiler=g++ optimisation=-O2
  case $name in clang_* | asan) compiler=clang++-19 ;; esac
  case $name in
  *_sse2) flags=-march=x86-64 ;;
  *_v2) flags=-march=x86-64-v2 ;;
  *_avx2) flags=-march=x86-64-v3 && { machine_has avx2 fma bmi2 || runs=0; } ;;
  *_avx512) flags=-march=x86-64-v4 && { machine_has avx512f avx512bw avx512dq avx512vl || runs=0; } ;;
  *_amx) flags=-march=sapphirerapids && { machine_has amx_tile amx_bf16 amx_int8 avx512_fp16 || runs=0; } ;;
  *asan)
    flags="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS"
    optimisation=-O1
    # g++ needs minutes for each program with every check: those of every pointer's null, alignment, size and type
    # are left to clang.
    [ "$compiler" != g++ ] || flags+=" -fno-sanitize=null,alignment,object-size,vptr"
    test_options=(-E "$slow_tests")
    ;;
  tsan) flags="-fsanitize=thread -fno-omit-frame-pointer" && optimisation=-O1 && test_options=(-E "$slow_tests") ;;
  neon)
    compiler=aarch64-linux-gnu-g++ flags=-Wno-psabi
    options=(-DCMAKE_SYSTEM_NAME=Linux -DCMAKE_SYSTEM_PROCESSOR=aarch64 "-DCMAKE_FIND_ROOT_PATH=$(cross_headers)"
      -DCMAKE_FIND_ROOT_PATH_MODE_INCLUDE=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY
      "-DCMAKE_CROSSCOMPILING_EMULATOR=qemu-aarch64;-L;/usr/aarch64-linux-gnu")
    # Programs that tests start are not run: the system knows nothing of the emulator.
    test_options=(-E "$slow_tests|programs refuse a TRANSEPT_ISA")
    ;;
  esac
  # Sanitizers watch the kernels that this machine runs; tests under them are several times as fast with AVX2, too.
  case $name in *san) ! machine_has avx2 fma bmi2 || flags+=" -march=native" ;; esac
  # Rows of one instruction set compile the kernels for it and for the least, not for all.
  case $name in
  *_v2 | neon) ;;
  *_sse2) options+=(-DTRANSEPT_INSTRUCTION_SETS=sse2) ;;
  *_avx512) options+=("-DTRANSEPT_INSTRUCTION_SETS=avx512_bf16;avx512_vnni;sse2") ;;
  *_amx) options+=("-DTRANSEPT_INSTRUCTION_SETS=avx512_amx;sse2") ;;
  *) options+=("-DTRANSEPT_INSTRUCTION_SETS=avx2;sse2") ;;
  esac
  local folder folders=()
  case $name in
  gcc_* | clang_*) folders=(core simd kernels layers compiled) ;;
  tsan | neon)
    for folder in tests/*/*_test.cpp; do
      folder=$(basename "$(dirname "$folder")")
      [[ $folder = examples || " ${folders[*]} " = *" $folder "* ]] || folders+=("$folder")
    done
    ;;
  esac
  if [ ${#folders[@]} -gt 0 ]; then
    for folder in "${folders[@]}"; do targets+=(--target "test_$folder"); done
    test_options+=(-R "^($(IFS='|' && echo "${folders[*]}"))/")
  fi
  [ $runs -eq 1 ] || options+=("${built_only[@]}")
  cmake -S . -B "build/matrix/$name" -G Ninja "-DCMAKE_CXX_COMPILER=$compiler" "-DCMAKE_CXX_FLAGS=$flags" \
    -DCMAKE_BUILD_TYPE=RelWithDebInfo "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=$optimisation -g1" \
    -DTRANSEPT_BUILD_BENCH=OFF -DTRANSEPT_TESTS_TOGETHER=ON \
    "${options[@]}" >/dev/null || return 1
  cmake --build "build/matrix/$name" "${targets[@]}" || return 1
  if [ $runs -eq 0 ]; then
    result="built, not run: this machine lacks the instructions"
    return 0
  fi
  ctest --test-dir "build/matrix/$name" -j2 --output-on-failure "${test_options[@]}" || return 1
  result=passed
}

install_packages "${packages_to_test[@]}" clang-19 libclang-rt-19-dev
case " ${rows[*]} " in *" neon "*) install_packages g++-aarch64-linux-gnu qemu-user ;; esac

summary="" failed=0
for row in "${rows[@]}"; do
  [[ " ${all[*]} " == *" $row "* ]] || die "matrix: no row $row; --list names them"
  say "$row"
  result=""
  SECONDS=0
  run_row "$row" || { result=FAILED && failed=1; }
  summary+=$(printf '%-14s %5d s  %s' "$row" $SECONDS "$result")$'\n'
done
say "Matrix"
printf '%s' "$summary"
exit $failed

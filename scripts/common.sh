# Sourced by the scripts beside it: where the project is, and how packages get onto a Debian machine.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export LC_ALL=C.UTF-8

say() { printf '\n\033[1m== %s\033[0m\n' "$*" >&2; }
die() { printf '%s\n' "$@" >&2; exit 1; }

# As many compilers at once as there are processors, and 2 GiB of memory for each.
jobs_that_fit() {
  local processors memory
  processors=$(nproc 2>/dev/null || echo 2)
  memory=$(awk '/^MemAvailable:/ {print int($2 / 2097152)}' /proc/meminfo 2>/dev/null || echo 2)
  [ "${memory:-1}" -ge 1 ] || memory=1
  echo $((processors < memory ? processors : memory))
}
export CMAKE_BUILD_PARALLEL_LEVEL=${CMAKE_BUILD_PARALLEL_LEVEL:-$(jobs_that_fit)}

# install_packages PACKAGE...: those that are missing, with apt-get. Touches nothing if none is.
install_packages() {
  local package missing=() as_root=()
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    command -v cmake >/dev/null && command -v ninja >/dev/null ||
      die "This script installs packages with apt-get, and this machine has none (it is made for Debian 12)." \
        "  Install a C++20 compiler, cmake 3.25, ninja and what these Debian packages hold, then run it again:" \
        "  $*"
    echo "No apt-get here: taking what is installed." >&2
    return
  fi
  for package in "$@"; do
    dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null | grep -q '^ii' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    command -v sudo >/dev/null ||
      die "These packages are missing, and installing them needs root or sudo:" "  ${missing[*]}"
    as_root=(sudo)
  fi
  say "Installing ${missing[*]}"
  retry "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3 update
  retry "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -y -o Acquire::Retries=3 -o Dpkg::Use-Pty=0 \
    install --no-install-recommends "${missing[@]}"
}

# retry COMMAND...: up to three times; its output is shown only if it fails for good.
retry() {
  local attempt log
  log=$(mktemp)
  for attempt in 1 2 3; do
    if "$@" >"$log" 2>&1 </dev/null; then
      rm -f "$log"
      return 0
    fi
    [ "$attempt" -eq 3 ] || sleep $((attempt * 5))
  done
  tail -n 30 "$log" >&2
  rm -f "$log"
  die "failed three times: $*"
}

packages_to_build=(g++ cmake ninja-build ccache libxtensor-dev libxsimd-dev nlohmann-json3-dev libcli11-dev)
packages_to_test=("${packages_to_build[@]}" catch2 libbenchmark-dev)

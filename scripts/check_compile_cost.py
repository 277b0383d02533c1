#!/usr/bin/env python3
"""Measures what compiling costs, and fails when it grows past the kept limits.

    check_compile_cost.py [--compiler CXX] [--runs N]

Each source is compiled with -O2 in one process; time is the compiler's processor time (the least of N runs), so
a busy machine matters little, and is told relative to `#include <xtensor/xtensor.hpp>` alone on the same machine.
Memory is the peak resident size of the compiler. Raise a limit only with a reason in the commit's message.
"""
import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent

YARDSTICK = "#include <xtensor/xtensor.hpp>\n"
UMBRELLA = "#include <transept/transept.hpp>\n"
MINIMAL = ROOT / "examples" / "minimal.cpp"
# What, with the compiled library or the headers alone: source text or path, flags, most MiB, most times the cost of
# xtensor alone. (Memory is the same everywhere. Times are not: minimal.cpp takes 26 to 30 times xtensor on a Zen 5
# and 33 to 38 on a Sapphire Rapids, where xtensor alone is 1.0 to 1.6 s within minutes.)
COMPILED = ["-DTRANSEPT_COMPILED"]
CASES = {
    "umbrella header": (UMBRELLA, [], 715, 10.0),
    "minimal.cpp": (MINIMAL, [], 1185, 45.0),
    "umbrella header, compiled": (UMBRELLA, COMPILED, 330, 3.0),
    "minimal.cpp, compiled": (MINIMAL, COMPILED, 375, 5.5),
}


def compile_once(compiler, flags, source, folder):
    """Processor seconds and peak MiB of one compilation."""
    command = [compiler, "-std=c++20", "-O2", "-DNDEBUG", f"-I{ROOT}/include", f"-I{ROOT}/examples",
               f'-DTRANSEPT_DEFAULT_MODEL="{ROOT}/models/shakespeare"', *flags, "-c", str(source), "-o", f"{folder}/out.o"]
    child = subprocess.Popen(command)
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"check_compile_cost: {' '.join(command)} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(compiler, runs, flags, source, folder):
    if not isinstance(source, pathlib.Path):
        path = pathlib.Path(folder) / "source.cpp"
        path.write_text(source)
        source = path
    results = [compile_once(compiler, flags, source, folder) for _ in range(runs)]
    return min(seconds for seconds, _ in results), max(mebibytes for _, mebibytes in results)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--compiler", default=os.environ.get("CXX", "g++"))
    parser.add_argument("--runs", type=int, default=2)
    arguments = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        unit, unit_mebibytes = measure(arguments.compiler, arguments.runs, [], YARDSTICK, folder)
        print(f"{'xtensor alone':26} {unit:6.2f} s  {unit_mebibytes:5.0f} MiB")
        for name, (source, flags, most_mebibytes, most_units) in CASES.items():
            seconds, mebibytes = measure(arguments.compiler, arguments.runs, flags, source, folder)
            units = seconds / unit
            for _ in range(2):  # a machine that is busier now than when xtensor was measured: beside each other
                if units > most_units:
                    again = measure(arguments.compiler, arguments.runs, flags, source, folder)[0]
                    beside = measure(arguments.compiler, arguments.runs, [], YARDSTICK, folder)[0]
                    seconds, units = min(seconds, again), min(units, again / beside)
            print(f"{name:26} {seconds:6.2f} s  {mebibytes:5.0f} MiB (limit {most_mebibytes})  "
                  f"{units:5.2f} x xtensor (limit {most_units})")
            failed |= mebibytes > most_mebibytes or units > most_units
    print("check_compile_cost: " + ("over a limit" if failed else "ok"))
    return 1 if failed else 0


sys.exit(main())

#!/usr/bin/python3
"""Writes tests/fixtures/gpt2, gguf, kernels, training and models/*/model.gguf with PyTorch (Debian's python3-torch and python3-numpy),
which the library itself does not need.

    scripts/make_fixtures.py            write them anew
    scripts/make_fixtures.py --check    make them elsewhere and compare with the committed ones: files byte for
                                        byte, but expected numbers to one part in ten million, since machines
                                        differ in float64's last bits
"""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

import numpy

from oracle import (gguf_families, gguf_fixtures, gpt2_fixtures, k_quants, kernel_fixtures, tensor_file,
                    training_fixtures)

REPOSITORY = Path(__file__).resolve().parent.parent
FIXTURES = REPOSITORY / "tests" / "fixtures"
TOLERANCE = 1e-7
KINDS = ("gpt2", "gguf", "kernels", "training")


def write(root):
    kernel_fixtures.write(root / "kernels")
    gpt2_fixtures.write(root / "gpt2", REPOSITORY)
    gguf_fixtures.write(root / "gguf", REPOSITORY)
    gguf_families.write(FIXTURES / "models", root / "models")
    k_quants.write(root / "gguf" / "blocks")
    training_fixtures.write(root / "training", REPOSITORY)


def files_of(root):
    files = {path for kind in KINDS for path in (root / kind).rglob("*") if path.is_file()}
    return {path.relative_to(root) for path in files | set((root / "models").glob("*/model.gguf"))}


def same(made, committed):
    if made.read_bytes() == committed.read_bytes():
        return True
    if made.suffix == ".npy":
        return same_numbers(numpy.load(made), numpy.load(committed))
    if made.name == "gradients.safetensors":
        new, old = tensor_file.read(made), tensor_file.read(committed)
        return new.keys() == old.keys() and all(same_numbers(new[name], old[name]) for name in new)
    return False


def same_numbers(new, old):
    if new.shape != old.shape or new.dtype != old.dtype or new.dtype.kind != "f":
        return False
    finite = numpy.isfinite(old)
    if not numpy.array_equal(new[~finite], old[~finite], equal_nan=True):
        return False
    difference = numpy.abs(new[finite].astype("f8") - old[finite].astype("f8"))
    return difference.max(initial=0) <= TOLERANCE * numpy.abs(old[finite]).max(initial=0)


def check(root):
    made, committed = files_of(root), files_of(FIXTURES)
    wrong = [f"{path}: not committed" for path in made - committed]
    wrong += [f"{path}: no longer made" for path in committed - made]
    wrong += [f"{path}: differs" for path in made & committed if not same(root / path, FIXTURES / path)]
    for line in sorted(wrong):
        print(line, file=sys.stderr)
    print(f"{len(made)} fixture files, {len(wrong)} wrong")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare with the committed files instead")
    arguments = parser.parse_args()
    if arguments.check:
        with tempfile.TemporaryDirectory() as folder:
            write(Path(folder))
            return check(Path(folder))
    for kind in KINDS:
        shutil.rmtree(FIXTURES / kind, ignore_errors=True)
    write(FIXTURES)
    return 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Compares what the programs give with an independent PyTorch implementation (scripts/oracle/gpt2.py, in
float64): max |difference| / max |reference| of each file. Exits with 1 where one is above the tolerance, or the
greedy continuation is another one.

    build/release/examples/logits --model DIR --ids 1,2,3 --out L.npy --hidden-states H.npy --attentions A.npy
    scripts/compare_with_pytorch.py DIR --ids 1,2,3 --logits L.npy --hidden-states H.npy --attentions A.npy

    scripts/compare_with_pytorch.py DIR --ids 1,2,3 --programs build/release/examples    # runs them itself,
                                                                   # and compares 16 greedy tokens as well
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy
import torch

from oracle.gpt2 import GPT2

NAMES = ("logits", "hidden_states", "attentions")


def id_list(text):
    return [int(part) for part in text.split(",") if part.strip()]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("--ids", type=id_list, help="1,2,3,...")
    parser.add_argument("--random-ids", type=int, metavar="COUNT", help="COUNT random ids instead (seed 0)")
    for name in NAMES:
        parser.add_argument("--" + name.replace("_", "-"), type=Path, metavar="FILE.npy")
    parser.add_argument("--generated", type=id_list, help="a greedy continuation of --ids to compare")
    parser.add_argument("--programs", type=Path, metavar="FOLDER", help="run `logits` and `generate` from there")
    parser.add_argument("--max-new-tokens", type=int, default=16, help="greedy tokens with --programs")
    parser.add_argument("--tolerance", type=float, default=1e-4, help="(default: %(default)s)")
    parser.add_argument("--single", action="store_true", help="reference in float32: half the time and memory")
    options = parser.parse_args()
    if (options.ids is None) == (options.random_ids is None):
        parser.error("give --ids or --random-ids")
    if not options.programs and not options.generated and not any(getattr(options, name) for name in NAMES):
        parser.error("nothing to compare: give --programs or files")
    return options


def run_programs(options, folder):
    """Fills in the files, and the continuation, that the command line does not give."""
    ids = ",".join(map(str, options.ids))
    for name in NAMES:
        setattr(options, name, folder / f"{name}.npy")
    subprocess.run([options.programs / "logits", "--model", options.model, "--ids", ids,
                    "--out", options.logits, "--hidden-states", options.hidden_states,
                    "--attentions", options.attentions], check=True)
    if options.max_new_tokens > 0:
        said = subprocess.run([options.programs / "generate", "--model", options.model, "--ids", ids, "--greedy",
                               "--max-new-tokens", str(options.max_new_tokens), "--json"], check=True,
                              stdout=subprocess.PIPE)
        options.generated = json.loads(said.stdout)["ids"]


def compare_file(name, path, reference, tolerance):
    found = numpy.load(path)
    if found.shape != tuple(reference.shape):
        print(f"{name}: shape {found.shape}, not {tuple(reference.shape)}")
        return False
    reference = reference.double().numpy()
    scale = numpy.abs(reference).max(initial=0)
    difference = numpy.abs(found - reference)
    relative = difference.max(initial=0) / (scale or 1)
    at = tuple(map(int, numpy.unravel_index(difference.argmax(), found.shape)))
    agrees = bool(relative <= tolerance)  # NaN does not
    print(f"{name}: max |difference| / max |reference| = {relative:.3g} (at {at}; scale {scale:.4g}): "
          f"{'agrees' if agrees else 'DIFFERS'}")
    return agrees


def compare_generated(model, options):
    expected, margin = model.greedy(options.ids, len(options.generated))
    agrees = expected == options.generated
    print(f"greedy ids: {'agree' if agrees else f'DIFFER: {options.generated}, not {expected}'} "
          f"({len(expected)} tokens; the closest choice led by {margin:.2g} of the scale)")
    return agrees


def main():
    options = arguments()
    model = GPT2(options.model, torch.float32 if options.single else torch.float64)
    if options.ids is None:
        generator = numpy.random.default_rng(0)
        options.ids = generator.integers(0, model.config.vocab_size, options.random_ids).tolist()
    with tempfile.TemporaryDirectory() as folder:
        if options.programs:
            run_programs(options, Path(folder))
        agrees = True
        if any(getattr(options, name) for name in NAMES):
            for name, reference in zip(NAMES, model.forward(options.ids)):
                path = getattr(options, name)
                if path and not compare_file(name, path, reference, options.tolerance):
                    agrees = False
        if options.generated and not compare_generated(model, options):
            agrees = False
    return 0 if agrees else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (OSError, ValueError, KeyError, subprocess.CalledProcessError) as error:
        sys.exit(f"compare_with_pytorch: {error}")

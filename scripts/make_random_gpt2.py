#!/usr/bin/python3
"""Writes a folder with a GPT-2 of a published size (or any other) and random weights: N(0, 0.02), residual
projections divided by sqrt(2 · layers), norms 1, biases 0, as GPT-2 begins its training. For checks of size and
speed; too large to be committed.

    scripts/make_random_gpt2.py /tmp/gpt2-124m
    scripts/make_random_gpt2.py /tmp/gpt2-xl --size gpt2-xl --dtype bf16 --shards 2 --prefix
    scripts/make_random_gpt2.py /tmp/odd --set n_embd=60 n_head=5 n_layer=3 activation_function=relu
"""

import argparse
import json
import math
import shutil
import sys
import time
from pathlib import Path

import numpy

from oracle.folder import mask_buffers, parameter_shapes, write_weights
from oracle.gpt2 import Config

SIZES = {
    "distilgpt2": {"n_layer": 6, "n_embd": 768, "n_head": 12},
    "gpt2": {"n_layer": 12, "n_embd": 768, "n_head": 12},
    "gpt2-medium": {"n_layer": 24, "n_embd": 1024, "n_head": 16},
    "gpt2-large": {"n_layer": 36, "n_embd": 1280, "n_head": 20},
    "gpt2-xl": {"n_layer": 48, "n_embd": 1600, "n_head": 25},
}


def setting(text):
    """key=value for config.json; what is not JSON is a string."""
    key, _, value = text.partition("=")
    try:
        return key, json.loads(value)
    except json.JSONDecodeError:
        return key, value


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", choices=SIZES, default="gpt2")
    parser.add_argument("--dtype", choices=["f32", "f16", "bf16"], default="f32")
    parser.add_argument("--prefix", action="store_true", help="names begin with `transformer.`")
    parser.add_argument("--masks", action="store_true", help="with mask buffers, as older files have")
    parser.add_argument("--shards", type=int, default=1, help="so many files and an index")
    parser.add_argument("--odd", action="store_true", help="tensor data begins at an odd address")
    parser.add_argument("--std", type=float, default=0.02, help="standard deviation; larger makes attention "
                        "and logits less uniform (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--set", nargs="+", type=setting, default=[], metavar="KEY=VALUE", help="for config.json")
    parser.add_argument("--tokenizer", type=Path, help="a folder to copy vocab.json and merges.txt from")
    return parser.parse_args()


def initial_values(name, shape, config, std, generator):
    if len(shape) == 1:
        return numpy.full(shape, 0 if name.endswith("bias") else 1, dtype=numpy.float32)
    if name.endswith("c_proj.weight"):
        std = std / math.sqrt(2 * config.n_layer)
    return generator.standard_normal(shape, dtype=numpy.float32) * numpy.float32(std)


def main():
    options, start = arguments(), time.monotonic()
    values = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", "activation_function": "gelu_new",
              "vocab_size": 50257, "n_positions": 1024, "layer_norm_epsilon": 1e-5,
              "bos_token_id": 50256, "eos_token_id": 50256, **SIZES[options.size], **dict(options.set)}
    config, generator = Config(values), numpy.random.default_rng(options.seed)
    tensors = {name: initial_values(name, shape, config, options.std, generator)
               for name, shape in parameter_shapes(config).items()}
    parameters = sum(tensor.size for tensor in tensors.values())
    dtypes = dict.fromkeys(tensors, options.dtype.upper())
    if options.masks:
        buffers, buffer_dtypes = mask_buffers(config)
        tensors, dtypes = {**tensors, **buffers}, {**dtypes, **buffer_dtypes}

    options.folder.mkdir(parents=True, exist_ok=True)
    for old in [*options.folder.glob("*.safetensors"), *options.folder.glob("*.index.json")]:
        old.unlink()
    (options.folder / "config.json").write_text(json.dumps(values, indent=1) + "\n")
    write_weights(options.folder, tensors, dtypes, "transformer." if options.prefix else "", options.shards,
                  options.odd)
    for name in ("vocab.json", "merges.txt") if options.tokenizer else ():
        shutil.copyfile(options.tokenizer / name, options.folder / name)
    print(f"{options.folder}: {parameters:,} parameters in {time.monotonic() - start:.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())

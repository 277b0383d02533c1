"""tests/fixtures/gpt2: small random GPT-2 folders, one for every way in which such folders differ, and what the
oracle makes of them in float64."""

import json
import math
import os
from pathlib import Path

import numpy

from . import shipped_model
from .folder import mask_buffers, parameter_shapes, write_weights
from .gpt2 import GPT2, Config

PROMPT, CONTINUATION = 5, 16  # tokens of the greedy check
MARGIN = 1e-3  # a greedy choice leads by this share of the logits' scale, so that f32 must agree


def variant(name, why, *, dtype="F32", tokens=20, prefix="", shards=1, odd=False, masks=False, head=False,
            variety=6, **config):
    """`config` stands in config.json, over these defaults; `head` puts an lm_head.weight that must be ignored
    into a tied file; `variety` is how many different tokens the greedy check must see; the rest says how the
    file is written."""
    values = {"n_embd": 24, "n_layer": 2, "n_head": 3, "vocab_size": 101, "n_positions": 40, **config}
    return {"name": name, "why": why, "dtype": dtype, "tokens": tokens, "config": values, "head": head,
            "layout": {"prefix": prefix, "shards": shards, "odd": odd}, "masks": masks, "variety": variety}


VARIANTS = [
    variant("tied_f32", "the plain case, with the keys that Hugging Face writes", n_embd=40, n_layer=3, n_head=4,
            n_positions=48, tokens=33, n_inner=None, n_ctx=48, activation_function="gelu_new", head_dim=None,
            layer_norm_epsilon=1e-5, scale_attn_weights=True, scale_attn_by_inverse_layer_idx=False,
            reorder_and_upcast_attn=False, tie_word_embeddings=True, attn_pdrop=0.1, embd_pdrop=0.1,
            resid_pdrop=0.1, initializer_range=0.02, bos_token_id=100, eos_token_id=100, use_cache=True,
            torch_dtype="float32"),
    variant("tied_f16", "half precision in the file", dtype="F16"),
    variant("tied_bf16", "bfloat16 in the file", dtype="BF16"),
    variant("untied_f32", "an output matrix of its own", tie_word_embeddings=False),
    variant("untied_f16", "untied, and data at an odd address", dtype="F16", tie_word_embeddings=False, odd=True),
    variant("untied_bf16", "untied, and data at an odd address", dtype="BF16", tie_word_embeddings=False,
            odd=True),
    variant("tied_with_head", "a tied model whose file has an lm_head.weight, which is ignored", head=True),
    variant("sharded", "three files and an index", shards=3),
    variant("prefix_and_masks", "names with `transformer.`, mask buffers, data at an odd address",
            prefix="transformer.", masks=True, odd=True, tie_word_embeddings=False),
    variant("head_width", "3 heads of 20, width 24", head_dim=20),
    variant("inner_width", "a feed-forward that is not four times as wide", n_inner=50),
    variant("odd_sizes", "sizes that no vector width divides, and a full context", n_embd=36, n_layer=1,
            n_positions=37, tokens=37, vocab_size=97),
    variant("tiny", "heads of width 1, as in the smallest test models; its last norm has two outcomes",
            n_embd=2, n_head=2, variety=2),
    variant("gelu", "the exact GELU", dtype="F16", activation_function="gelu"),
    variant("relu", "ReLU", dtype="F16", activation_function="relu"),
    variant("inverse_layer_scale", "attention scaled by 1 / (layer + 1) as well", dtype="F16",
            scale_attn_by_inverse_layer_idx=True),
    variant("unscaled_attention", "attention without 1 / sqrt(head width)", dtype="F16", scale_attn_weights=False),
    variant("epsilon", "a layer-norm epsilon that shows", dtype="F16", layer_norm_epsilon=0.05),
]


def random_weights(config, generator):
    """Values far from GPT-2's initial ones: attention that prefers some tokens, norms and biases that count."""
    def values(name, shape):
        noise = generator.standard_normal(shape)
        if name.endswith(("ln_1.weight", "ln_2.weight", "ln_f.weight")):
            return 1 + 0.3 * noise
        if name.endswith("bias"):
            return 0.2 * noise
        if name.startswith(("wte", "wpe", "lm_head")):
            return (0.6 if name.startswith("wpe") else 0.3) * noise
        return 1.5 * noise / math.sqrt(shape[0])

    return {name: values(name, shape).astype(numpy.float32) for name, shape in parameter_shapes(config).items()}


def write_folder(folder, spec, seed):
    folder.mkdir(parents=True)
    config = Config(spec["config"])
    generator = numpy.random.default_rng(seed)
    tensors = random_weights(config, generator)
    if spec["head"]:
        tensors["lm_head.weight"] = generator.standard_normal((config.vocab_size, config.n_embd)) * 0.5
    dtypes = dict.fromkeys(tensors, spec["dtype"])
    if spec["masks"]:
        buffers, buffer_dtypes = mask_buffers(config)
        tensors, dtypes = {**tensors, **buffers}, {**dtypes, **buffer_dtypes}
    write_weights(folder, tensors, dtypes, **spec["layout"])
    values = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", **spec["config"]}
    (folder / "config.json").write_text(json.dumps(values, indent=1) + "\n")
    return generator.integers(0, config.vocab_size, spec["tokens"])


def write_expectations(folder, model, ids, greedy):
    logits, hidden_states, attentions = model.forward(ids)
    numpy.save(folder / "ids.npy", numpy.asarray(ids, dtype="<i8"))
    numpy.save(folder / "greedy.npy", numpy.asarray(greedy, dtype="<i8"))
    for name, values in {"logits": logits, "hidden_states": hidden_states, "attentions": attentions}.items():
        numpy.save(folder / f"{name}.npy", values.numpy().astype("<f4"))


def write_variant(folder, spec, first_seed):
    """The first seed whose greedy choices are all clear, and not the same token again and again."""
    for seed in range(first_seed, first_seed + 1000):
        ids = write_folder(folder, spec, seed)
        model = GPT2(folder)
        greedy, margin = model.greedy(ids[:PROMPT].tolist(), CONTINUATION)
        if margin > MARGIN and len(set(greedy)) >= spec["variety"]:
            write_expectations(folder, model, ids, greedy)
            return
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()
    raise RuntimeError(f"{folder}: no seed gives clear and various greedy choices")


def entry(name, why, folder, source, config):
    return {"name": name, "why": why, "model": os.path.relpath(source, folder.parent), "expected": name,
            "prompt_length": PROMPT, "n_layer": config.n_layer, "n_embd": config.n_embd, "n_head": config.n_head,
            "head_width": config.head_width, "n_inner": config.n_inner, "vocab_size": config.vocab_size,
            "n_positions": config.n_positions, "tie_word_embeddings": config.tie_word_embeddings}


def write(root, repository):
    """Writes every variant under `root`, and manifest.json, whose `model` is relative to `root`'s real place
    in the repository."""
    root.mkdir(parents=True, exist_ok=True)
    place = repository / "tests" / "fixtures" / "gpt2"
    manifest = []
    for i, spec in enumerate(VARIANTS):
        folder = root / spec["name"]
        write_variant(folder, spec, first_seed=1000 * (i + 1))
        manifest.append(entry(spec["name"], spec["why"], place / spec["name"], place / spec["name"],
                              Config(spec["config"])))

    source, folder = repository / "models" / "shakespeare", root / "shakespeare"
    model, prompt, greedy = shipped_model.write(folder, source, place.parent / "examples" / "sea.txt")
    more = PROMPT - len(prompt)  # of the greedy tokens are prompt in the golden test
    write_expectations(folder, model, prompt + greedy[:7], greedy[more:][:CONTINUATION])
    manifest.append(entry("shakespeare", "the shipped model", place / "shakespeare", source, model.config))
    lines = ",\n".join("  " + json.dumps(item) for item in manifest)
    (root / "manifest.json").write_text('{"variants": [\n' + lines + "\n]}\n")

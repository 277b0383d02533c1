"""Folders in Hugging Face's layout: which tensors a GPT-2 has, and how files hold them."""

import json

import numpy

from . import tensor_file


def parameter_shapes(config):
    """{name: shape} of every parameter, names without prefix, linear weights [in, out] (Conv1D)."""
    width, heads, inner = config.n_embd, config.n_head * config.head_width, config.n_inner
    shapes = {"wte.weight": (config.vocab_size, width), "wpe.weight": (config.n_positions, width)}
    for layer in range(config.n_layer):
        for name, shape in {
            "ln_1.weight": (width,), "ln_1.bias": (width,),
            "attn.c_attn.weight": (width, 3 * heads), "attn.c_attn.bias": (3 * heads,),
            "attn.c_proj.weight": (heads, width), "attn.c_proj.bias": (width,),
            "ln_2.weight": (width,), "ln_2.bias": (width,),
            "mlp.c_fc.weight": (width, inner), "mlp.c_fc.bias": (inner,),
            "mlp.c_proj.weight": (inner, width), "mlp.c_proj.bias": (width,),
        }.items():
            shapes[f"h.{layer}.{name}"] = shape
    shapes.update({"ln_f.weight": (width,), "ln_f.bias": (width,)})
    if not config.tie_word_embeddings:
        shapes["lm_head.weight"] = (config.vocab_size, width)
    return shapes


def mask_buffers(config):
    """The buffers that older files carry along: a causal mask and the value of what it hides, per layer. Their
    element types are as various as here."""
    tensors, dtypes = {}, {}
    mask = numpy.tril(numpy.ones((config.n_positions, config.n_positions)))[None, None]
    for layer in range(config.n_layer):
        name = f"h.{layer}.attn.bias"
        tensors[name], dtypes[name] = mask, ("U8", "BOOL")[layer % 2]
        name = f"h.{layer}.attn.masked_bias"
        tensors[name], dtypes[name] = numpy.float32(-1e4), "F32"
    return tensors, dtypes


def write_weights(folder, tensors, dtypes, prefix="", shards=1, odd=False):
    """model.safetensors, or `shards` of them with their index; `prefix` stands before every name but
    lm_head's; `odd` begins the data at an odd address."""
    def named(values):
        return {name if name.startswith("lm_head") else prefix + name: value for name, value in values.items()}

    tensors, dtypes = named(tensors), named(dtypes)
    if shards == 1:
        tensor_file.write(folder / "model.safetensors", tensors, dtypes, odd)
        return
    sizes = {name: int(numpy.prod(numpy.shape(value))) * tensor_file.DTYPES[dtypes[name]].itemsize
             for name, value in tensors.items()}
    total, weight_map, seen = sum(sizes.values()), {}, 0
    parts = [{} for _ in range(shards)]
    for name, value in tensors.items():
        part = min(seen * shards // total, shards - 1)
        parts[part][name] = value
        weight_map[name] = f"model-{part + 1:05}-of-{shards:05}.safetensors"
        seen += sizes[name]
    for part, values in enumerate(parts):
        tensor_file.write(folder / f"model-{part + 1:05}-of-{shards:05}.safetensors", values, dtypes, odd)
    index = {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index, indent=1) + "\n")

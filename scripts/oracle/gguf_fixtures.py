"""tests/fixtures/gguf: one small random GPT-2 as a Hugging Face folder and as GGUF files of each element type, named
and typed as llama.cpp's converter does; and the logits that the oracle computes, in float64, from the numbers that
each file holds."""

import json
import tempfile
from pathlib import Path

import numpy

from . import gguf_file
from .folder import write_weights
from .gpt2 import GPT2, Config
from .gpt2_fixtures import random_weights

CONFIG = {"n_embd": 32, "n_layer": 2, "n_head": 4, "vocab_size": 272, "n_positions": 24,
          "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "bos_token_id": 271, "eos_token_id": 271,
          "tie_word_embeddings": True}
NAMES = {"wte": "token_embd", "wpe": "position_embd", "ln_f": "output_norm", "ln_1": "attn_norm", "ln_2": "ffn_norm",
         "attn.c_attn": "attn_qkv", "attn.c_proj": "attn_output", "mlp.c_fc": "ffn_up", "mlp.c_proj": "ffn_down"}


def gguf_name(name):
    stem, _, suffix = name.rpartition(".")
    if not stem.startswith("h."):
        return f"{NAMES[stem]}.{suffix}"
    _, block, rest = stem.split(".", 2)
    return f"blk.{block}.{NAMES[rest]}.{suffix}"


def small_vocabulary(repository):
    """The bytes, the first merges of the text fixtures, and <|endoftext|>: as many tokens as the model has."""
    source = repository / "tests" / "fixtures" / "text" / "small"
    table = json.loads((source / "vocab.json").read_text(encoding="utf-8"))
    tokens = sorted(table, key=table.get)[:CONFIG["vocab_size"] - 1]
    merges = [line for line in (source / "merges.txt").read_text(encoding="utf-8").splitlines()
              if line and not line.startswith("#version")]
    merges = [merge for merge in merges if merge.replace(" ", "") in tokens]
    return tokens + ["<|endoftext|>"], merges


def keys_of(kind, tokens, merges):
    config = Config(CONFIG)
    types = [gguf_file.NORMAL] * (len(tokens) - 1) + [gguf_file.CONTROL]
    keys = [("general.architecture", gguf_file.STRING, "gpt2"), ("general.type", gguf_file.STRING, "model"),
            ("general.name", gguf_file.STRING, "Fixture"),
            ("gpt2.block_count", gguf_file.UINT32, config.n_layer),
            ("gpt2.context_length", gguf_file.UINT32, config.n_positions),
            ("gpt2.embedding_length", gguf_file.UINT32, config.n_embd),
            ("gpt2.feed_forward_length", gguf_file.UINT32, config.n_inner),
            ("gpt2.attention.head_count", gguf_file.UINT32, config.n_head),
            ("gpt2.attention.layer_norm_epsilon", gguf_file.FLOAT32, config.layer_norm_epsilon),
            ("general.file_type", gguf_file.UINT32, gguf_file.FILE_TYPES[kind]),
            ("tokenizer.ggml.model", gguf_file.STRING, "gpt2"), ("tokenizer.ggml.pre", gguf_file.STRING, "gpt-2"),
            ("tokenizer.ggml.tokens", (gguf_file.ARRAY, gguf_file.STRING), tokens),
            ("tokenizer.ggml.token_type", (gguf_file.ARRAY, gguf_file.INT32), types),
            ("tokenizer.ggml.merges", (gguf_file.ARRAY, gguf_file.STRING), merges),
            ("tokenizer.ggml.bos_token_id", gguf_file.UINT32, len(tokens) - 1),
            ("tokenizer.ggml.eos_token_id", gguf_file.UINT32, len(tokens) - 1),
            ("tokenizer.ggml.add_bos_token", gguf_file.BOOL, False),
            ("general.quantization_version", gguf_file.UINT32, 2)]
    return keys if kind in ("Q8_0", "Q4_0") else keys[:-1]


def write_gguf(path, kind, tensors, tokens, merges):
    """Writes the file, and gives the parameters that it holds. Vectors and positions stay F32. The F16 file has the
    copy of the embedding as output that older converters wrote."""
    entries, held = [], {}
    for name, values in tensors.items():
        is_linear = ".c_" in name and values.ndim == 2
        stored = values.T if is_linear else values
        type_name = kind if values.ndim == 2 and name != "wpe.weight" else "F32"
        data = gguf_file.encode(stored.flatten().tolist(), type_name)
        entries.append((gguf_name(name), stored.shape, type_name, data))
        back = numpy.array(gguf_file.decode(data, type_name), dtype="<f4").reshape(stored.shape)
        held[name] = back.T.copy() if is_linear else back
    if kind == "F16":
        entries.append(("output.weight",) + entries[0][1:])
    gguf_file.write(path, keys_of(kind, tokens, merges), entries)
    return held


def write_folder(folder, tensors, tokens=None, merges=None):
    folder.mkdir(parents=True, exist_ok=True)
    values = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", **CONFIG}
    (folder / "config.json").write_text(json.dumps(values, indent=1) + "\n")
    write_weights(folder, tensors, dict.fromkeys(tensors, "F32"))
    if tokens:
        table = {token: i for i, token in enumerate(tokens)}
        (folder / "vocab.json").write_text(json.dumps(table, ensure_ascii=False) + "\n", encoding="utf-8")
        (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(m + "\n" for m in merges), encoding="utf-8")


def write(root, repository):
    root.mkdir(parents=True, exist_ok=True)
    generator = numpy.random.default_rng(20)
    tensors = random_weights(Config(CONFIG), generator)
    ids = generator.integers(0, CONFIG["vocab_size"], CONFIG["n_positions"])
    numpy.save(root / "ids.npy", ids.astype("<i8"))
    tokens, merges = small_vocabulary(repository)
    write_folder(root / "folder", tensors, tokens, merges)
    for kind in gguf_file.TYPES:
        held = write_gguf(root / f"{kind.lower()}.gguf", kind, tensors, tokens, merges)
        with tempfile.TemporaryDirectory() as folder:
            write_folder(Path(folder), held)
            logits = GPT2(folder).forward(ids)[0]
        numpy.save(root / f"logits.{kind.lower()}.npy", logits.numpy().astype("<f4"))

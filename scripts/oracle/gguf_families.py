"""tests/fixtures/models/*/model.gguf: the folder beside each as llama.cpp's converter (its `conversion/`) makes a file
of it: names, keys, the order of queries' and keys' rows, norms with 1 added. Without a vocabulary; shares no code with
the library."""

import json
import math
import re

import numpy

from . import gguf_file, tensor_file

U, F, B, S = gguf_file.UINT32, gguf_file.FLOAT32, gguf_file.BOOL, gguf_file.STRING
ARCHITECTURES = {"bloom": "bloom", "falcon": "falcon", "gemma2": "gemma2", "gpt_bigcode": "starcoder",
                 "gpt_neox": "gptneox", "llama": "llama", "mistral": "llama", "mpt": "mpt", "olmo2": "olmo2",
                 "phi": "phi2", "phi3": "phi3", "qwen3": "qwen3", "stablelm": "stablelm", "starcoder2": "starcoder2"}
# The ends of names, of all models; the first that fits.
NAMES = [(r"(embed_tokens|embed_in|word_embeddings|wte)$", "token_embd"), (r"word_embeddings_layernorm$", "token_embd_norm"),
         (r"wpe$", "position_embd"), (r"(lm_head|embed_out)$", "output"),
         (r"(model\.norm|final_layer_norm|final_layernorm|ln_f|norm_f)$", "output_norm")]
BLOCK_NAMES = {
    "input_layernorm": "attn_norm", "ln_mlp": "attn_norm", "ln_attn": "attn_norm_2", "ln_1": "attn_norm",
    "norm_1": "attn_norm", "post_attention_layernorm": "ffn_norm", "ln_2": "ffn_norm", "norm_2": "ffn_norm",
    "pre_feedforward_layernorm": "ffn_norm", "post_feedforward_layernorm": "post_ffw_norm",
    "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k", "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output", "self_attn.dense": "attn_output", "self_attn.qkv_proj": "attn_qkv",
    "self_attn.q_norm": "attn_q_norm", "self_attn.k_norm": "attn_k_norm",
    "self_attn.q_layernorm": "attn_q_norm", "self_attn.k_layernorm": "attn_k_norm",
    "attention.query_key_value": "attn_qkv", "self_attention.query_key_value": "attn_qkv", "attn.Wqkv": "attn_qkv",
    "attn.c_attn": "attn_qkv", "attention.dense": "attn_output", "self_attention.dense": "attn_output",
    "attn.out_proj": "attn_output", "attn.c_proj": "attn_output", "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down", "mlp.gate_up_proj": "ffn_up", "mlp.dense_h_to_4h": "ffn_up",
    "mlp.dense_4h_to_h": "ffn_down", "mlp.fc1": "ffn_up", "mlp.fc2": "ffn_down", "mlp.c_fc": "ffn_up",
    "mlp.c_proj": "ffn_down", "ffn.up_proj": "ffn_up", "ffn.down_proj": "ffn_down"}
SANDWICHED = ("gemma2", "olmo2")  # whose post_attention_layernorm is a norm of attention's output


def name_of(name, kind):
    stem, _, suffix = name.rpartition(".")
    block = re.search(r"\.(?:layers|h|blocks)\.(\d+)\.(.*)$", stem)
    if block:
        part = BLOCK_NAMES[block.group(2)]
        if kind in SANDWICHED and block.group(2) == "post_attention_layernorm":
            part = "post_attention_norm"
        return f"blk.{block.group(1)}.{part}.{suffix}"
    return next(gguf for pattern, gguf in NAMES if re.search(pattern, stem)) + "." + suffix


def permuted(weight, heads):
    """As the first LLaMA kept them: of a head the two numbers that are turned together side by side."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, -1).swapaxes(1, 2).reshape(weight.shape)


def head_by_head(weight, heads, key_heads):
    """All queries, then all keys, then all values, of what is stored for each head of keys together."""
    groups = weight.reshape(key_heads, heads // key_heads + 2, weight.shape[0] // (heads + 2 * key_heads), -1)
    return numpy.concatenate([groups[:, :-2].reshape(-1, groups.shape[-1]), groups[:, -2].reshape(-1, groups.shape[-1]),
                              groups[:, -1].reshape(-1, groups.shape[-1])]).reshape(weight.shape)


def sizes(config):
    def first(*names):
        return next((config[name] for name in names if config.get(name) is not None), None)
    width, heads = first("hidden_size", "n_embd", "d_model"), first("num_attention_heads", "n_head", "n_heads")
    return {"width": width, "heads": heads, "layers": first("num_hidden_layers", "n_layer", "n_layers"),
            "context": first("max_position_embeddings", "n_positions", "seq_length", "max_seq_len") or 2048,
            "inner": first("intermediate_size", "ffn_hidden_size") or 4 * width,
            "key_heads": first("num_key_value_heads", "num_kv_heads") or heads,
            "epsilon": first("rms_norm_eps", "layer_norm_eps", "layer_norm_epsilon", "norm_epsilon"),
            "head_width": first("head_dim") or width // heads}


def keys_of(config, arch):
    s = sizes(config)
    rope = config.get("rope_parameters") or {}
    kind = config["model_type"]
    keys = [("context_length", U, s["context"]), ("embedding_length", U, s["width"]), ("block_count", U, s["layers"]),
            ("feed_forward_length", U, s["inner"]), ("attention.head_count", U, s["heads"])]
    if kind not in ("gpt_neox", "mpt"):
        keys.append(("attention.head_count_kv", U, s["key_heads"]))
    rms = "rms_norm_eps" in config
    keys.append((f"attention.layer_norm_{'rms_' if rms else ''}epsilon", F, s["epsilon"]))
    if config.get("head_dim") is not None:
        keys += [("attention.key_length", U, s["head_width"]), ("attention.value_length", U, s["head_width"])]
    if "rope_theta" in rope and kind not in ("gpt_neox", "phi", "falcon", "stablelm"):
        keys.append(("rope.freq_base", F, rope["rope_theta"]))
    part = rope.get("partial_rotary_factor")
    if kind in ("gpt_neox", "phi", "phi3", "stablelm"):
        keys.append(("rope.dimension_count", U, int(part * s["head_width"])))
    elif kind in ("llama", "mistral"):
        keys.append(("rope.dimension_count", U, s["head_width"]))
    if kind in ("gpt_neox", "stablelm"):
        keys.append(("use_parallel_residual", B, config.get("use_parallel_residual", True)))
    if kind == "mpt":
        keys.append(("attention.max_alibi_bias", F, config["attn_config"]["alibi_bias_max"]))
        if config["attn_config"]["clip_qkv"] is not None:
            keys.append(("attention.clamp_kqv", F, config["attn_config"]["clip_qkv"]))
    if kind == "gemma2":
        keys += [("attn_logit_softcapping", F, config["attn_logit_softcapping"]),
                 ("final_logit_softcapping", F, config["final_logit_softcapping"])]
    if kind == "phi3":
        keys.append(("rope.scaling.original_context_length", U, config["original_max_position_embeddings"]))
    # (Of a Mistral llama.cpp's converter leaves the window out, and the program would not heed it.)
    if kind in ("gemma2", "mistral", "phi3", "starcoder2"):
        keys.append(("attention.sliding_window", U, config.get("sliding_window") or 0))
    for name in ("bos", "eos"):
        if config.get(f"{name}_token_id") is not None:
            keys.append((f"tokenizer.ggml.{name}_token_id", U, config[f"{name}_token_id"]))
    return [(name if name.startswith("tokenizer") else f"{arch}.{name}", kind_, value) for name, kind_, value in keys]


def rope_factors(config):
    """What llama.cpp divides LLaMA 3's frequencies by."""
    rope, width = config["rope_parameters"], sizes(config)["head_width"]
    original, low, high = (rope[n] for n in ("original_max_position_embeddings", "low_freq_factor", "high_freq_factor"))
    factors = []
    for i in range(0, width, 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (i / width)
        smooth = (original / wavelength - low) / (high - low)
        factors.append(1 if wavelength < original / high else rope["factor"] if wavelength > original / low
                       else 1 / ((1 - smooth) / rope["factor"] + smooth))
    return numpy.array(factors, "f4")


def tensors_of(folder, config):
    s, kind = sizes(config), config["model_type"]
    weights = tensor_file.read(folder / "model.safetensors")
    for side, heads in (("q", s["heads"]), ("k", s["key_heads"])):
        for name in [n for n in weights if f"{side}_layernorm.norms.0." in n]:
            rows = [weights.pop(name.replace("norms.0", f"norms.{head}")) for head in range(heads)]
            weights[name.replace("norms.0.", "")] = numpy.stack(rows)
    tensors = []
    if config.get("rope_parameters", {}).get("rope_type") == "llama3":
        tensors.append(("rope_freqs.weight", rope_factors(config)))
    for name, weight in weights.items():
        if kind in ("llama", "mistral") and re.search(r"[qk]_proj\.(weight|bias)$", name):
            weight = permuted(weight, s["heads"] if "q_proj" in name else s["key_heads"])
        if kind in ("bloom", "gpt_neox", "falcon") and "query_key_value" in name:
            weight = head_by_head(weight, s["heads"], s["key_heads"])
        if kind == "gemma2" and name.endswith("norm.weight"):
            weight = weight.astype("f4") + numpy.float32(1)
        tensors.append((name_of(name, kind), weight))
    return [(name, weight.shape, "F32", weight.astype("<f4").tobytes()) for name, weight in tensors]


def write(models, out):
    for folder in sorted(models.iterdir()):
        config = json.loads((folder / "model" / "config.json").read_text(encoding="utf-8"))
        arch = ARCHITECTURES.get(config["model_type"])
        if arch is None:
            continue
        keys = [("general.architecture", S, arch), ("general.type", S, "model"), ("general.name", S, folder.name),
                *keys_of(config, arch), ("general.file_type", U, 0)]
        (out / folder.name).mkdir(parents=True, exist_ok=True)
        gguf_file.write(out / folder.name / "model.gguf", keys, tensors_of(folder / "model", config))

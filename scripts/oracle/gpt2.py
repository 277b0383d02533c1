"""GPT-2 in plain PyTorch, from a folder in Hugging Face's layout: the oracle that fixtures are made with.

Independent of the library and of Hugging Face's `transformers`, whose conventions it follows: what config.json
may say, which tensors are used, what hidden states and attentions are, how a text is scored.
"""

import json
import math
from pathlib import Path

import torch

from . import tensor_file

ACTIVATIONS = {
    "gelu_new": lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3))),
    "gelu": lambda x: 0.5 * x * (1 + torch.erf(x / math.sqrt(2))),
    "relu": lambda x: torch.clamp(x, min=0),
    "silu": lambda x: x * torch.sigmoid(x),
    "quick_gelu": lambda x: x * torch.sigmoid(1.702 * x),
    "tanh": torch.tanh,
}
for same_formula in ("gelu_pytorch_tanh", "gelu_fast", "gelu_accurate"):
    ACTIVATIONS[same_formula] = ACTIVATIONS["gelu_new"]
ACTIVATIONS["swish"] = ACTIVATIONS["silu"]
ACTIVATIONS["gelu_python"] = ACTIVATIONS["gelu"]

DEFAULTS = {  # of Hugging Face's GPT2Config, for keys that config.json leaves out
    "vocab_size": 50257, "n_positions": 1024, "n_embd": 768, "n_layer": 12, "n_head": 12, "n_inner": None,
    "activation_function": "gelu_new", "layer_norm_epsilon": 1e-5, "scale_attn_weights": True,
    "scale_attn_by_inverse_layer_idx": False, "tie_word_embeddings": True,
}


class Config:
    """config.json with Hugging Face's defaults. `head_dim`, where given, is the head width; else it is
    n_embd / n_head."""

    def __init__(self, values):
        for key, default in DEFAULTS.items():
            setattr(self, key, values.get(key, default))
        self.n_inner = self.n_inner if self.n_inner is not None else 4 * self.n_embd
        self.head_width = values.get("head_dim") or self.n_embd // self.n_head

    @staticmethod
    def of_folder(folder):
        return Config(json.loads((Path(folder) / "config.json").read_text()))


def layer_norm(x, weight, bias, epsilon):
    centred = x - x.mean(-1, keepdim=True)
    return centred / torch.sqrt((centred ** 2).mean(-1, keepdim=True) + epsilon) * weight + bias


def linear(x, weight, bias):
    """Conv1D: `weight` is [in, out]."""
    return x @ weight + bias


def causal_attention(query, key, value, scale):
    """query [H, T, D], key and value [H, S, D], S >= T: the queries are the last T of S positions.
    Returns the output [H, T, D] and the probabilities [H, T, S]."""
    length, source_length = query.shape[1], key.shape[1]
    scores = query @ key.transpose(1, 2) * scale
    source = torch.arange(source_length)[None, :]
    position = torch.arange(source_length - length, source_length)[:, None]
    probabilities = torch.softmax(scores.masked_fill(source > position, -math.inf), dim=-1)
    return probabilities @ value, probabilities


class GPT2:
    """The model of a folder, its weights as stored, its arithmetic in `dtype`."""

    def __init__(self, folder, dtype=torch.float64):
        self.config = Config.of_folder(folder)
        stored = {name.removeprefix("transformer."): values
                  for name, values in tensor_file.read_folder(folder).items()}
        self.weights = {name: torch.from_numpy(values.copy()).to(dtype) for name, values in stored.items()
                        if not name.endswith((".attn.bias", ".attn.masked_bias"))}
        # As Hugging Face does: lm_head.weight counts only where config.json says that it is not tied.
        self.head = self.weights["wte.weight" if self.config.tie_word_embeddings else "lm_head.weight"]

    def norm(self, name, x):
        return layer_norm(x, self.weights[name + ".weight"], self.weights[name + ".bias"],
                          self.config.layer_norm_epsilon)

    def project(self, name, x):
        return linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def attend(self, layer, x):
        config, (length, _) = self.config, x.shape
        # [T, 3·H·D] -> 3 of [H, T, D]
        query, key, value = (part.reshape(length, config.n_head, config.head_width).transpose(0, 1) for part in
                             self.project(f"h.{layer}.attn.c_attn", x).chunk(3, dim=-1))
        scale = 1 / math.sqrt(config.head_width) if config.scale_attn_weights else 1.0
        if config.scale_attn_by_inverse_layer_idx:
            scale /= layer + 1
        heads, probabilities = causal_attention(query, key, value, scale)
        joined = heads.transpose(0, 1).reshape(length, config.n_head * config.head_width)
        return self.project(f"h.{layer}.attn.c_proj", joined), probabilities

    def feed_forward(self, layer, x):
        activate = ACTIVATIONS[self.config.activation_function]
        return self.project(f"h.{layer}.mlp.c_proj", activate(self.project(f"h.{layer}.mlp.c_fc", x)))

    @torch.no_grad()
    def forward(self, ids):
        """logits [T, vocabulary]; hidden states [n_layer + 1, T, n_embd]: the embeddings, then what each block
        gives, the last one after ln_f; attentions [n_layer, n_head, T, T]."""
        ids = torch.as_tensor(ids, dtype=torch.long)
        x = self.weights["wte.weight"][ids] + self.weights["wpe.weight"][: len(ids)]
        hidden_states, attentions = [x], []
        for layer in range(self.config.n_layer):
            attended, probabilities = self.attend(layer, self.norm(f"h.{layer}.ln_1", x))
            x = x + attended
            x = x + self.feed_forward(layer, self.norm(f"h.{layer}.ln_2", x))
            hidden_states.append(x)
            attentions.append(probabilities)
        hidden_states[-1] = x = self.norm("ln_f", x)
        return x @ self.head.T, torch.stack(hidden_states), torch.stack(attentions)

    def greedy(self, ids, count):
        """The `count` tokens that follow `ids`, each the likeliest; and the smallest lead that a chosen logit
        had over the second, in units of the largest |logit|: how safely another program must agree."""
        ids, margin = list(ids), math.inf
        for _ in range(count):
            logits = self.forward(ids)[0][-1]
            best = torch.topk(logits, 2).values
            margin = min(margin, float((best[0] - best[1]) / logits.abs().max()))
            ids.append(int(logits.argmax()))
        return ids[-count:], margin

    def score(self, ids, stride, progress=None):
        """Hugging Face's sliding-window protocol. Windows of n_positions tokens begin every `stride`; each
        scores the tokens that no window before it has scored, but never its own first token, which has
        nothing before it. Returns (nats per scored token, tokens scored)."""
        total, scored, previous_end = 0.0, 0, 0
        for begin in range(0, len(ids), stride):
            end = min(begin + self.config.n_positions, len(ids))
            first = max(previous_end, begin + 1)
            if first < end:
                log_probabilities = torch.log_softmax(self.forward(ids[begin:end])[0], dim=-1)
                rows = torch.arange(first - 1 - begin, end - 1 - begin)
                total -= float(log_probabilities[rows, torch.as_tensor(ids[first:end])].double().sum())
                scored += end - first
            previous_end = end
            if progress:
                progress(end, len(ids))
            if end == len(ids):
                break
        return total / scored, scored

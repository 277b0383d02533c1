#!/usr/bin/python3
"""Times steps of training a GPT-2 in plain PyTorch, f32, beside bench/training, whose command line it has.

    LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/openblas-openmp OMP_NUM_THREADS=2 \\
        scripts/time_pytorch_training.py --size 124M --batch 4 --context 256

Debian's PyTorch takes its matrix products from whatever OpenBLAS the loader finds; that of libopenblas0-openmp
is its fastest, because it shares PyTorch's threads. The model is nanoGPT's form of GPT-2, fused where PyTorch
1.13 has something fused.
"""

import argparse
import json
import math
import os
import statistics
import time

import torch
from torch.nn import functional

SIZES = {  # n_embd, n_layer, n_head, vocab_size, n_positions
    "124M": (768, 12, 12, 50257, 1024),
    "char-cpu": (128, 4, 4, 65, 64),
    "char": (384, 6, 6, 65, 256),
}


class Block(torch.nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.ln_1, self.ln_2 = torch.nn.LayerNorm(width), torch.nn.LayerNorm(width)
        self.c_attn, self.c_proj = torch.nn.Linear(width, 3 * width), torch.nn.Linear(width, width)
        self.c_fc, self.mlp_proj = torch.nn.Linear(width, 4 * width), torch.nn.Linear(4 * width, width)

    def attend(self, x, mask):
        sequences, length, width = x.shape
        query, key, value = (part.view(sequences, length, self.heads, width // self.heads).transpose(1, 2)
                             for part in self.c_attn(x).split(width, dim=2))
        scores = query @ key.transpose(2, 3) * (1 / math.sqrt(width // self.heads))
        heads = torch.softmax(scores.masked_fill(mask, -math.inf), dim=-1) @ value
        return self.c_proj(heads.transpose(1, 2).reshape(sequences, length, width))

    def forward(self, x, mask):
        x = x + self.attend(self.ln_1(x), mask)
        return x + self.mlp_proj(functional.gelu(self.c_fc(self.ln_2(x)), approximate="tanh"))


class GPT2(torch.nn.Module):
    def __init__(self, width, layers, heads, vocabulary, positions):
        super().__init__()
        self.wte, self.wpe = torch.nn.Embedding(vocabulary, width), torch.nn.Embedding(positions, width)
        self.h = torch.nn.ModuleList(Block(width, heads) for _ in range(layers))
        self.ln_f = torch.nn.LayerNorm(width)
        for parameter in self.parameters():
            if parameter.dim() >= 2:
                torch.nn.init.normal_(parameter, std=0.02)

    def loss(self, tokens, targets):
        length = tokens.shape[1]
        mask = torch.ones(length, length, dtype=torch.bool).triu(1)
        x = self.wte(tokens) + self.wpe.weight[:length]
        for block in self.h:
            x = block(x, mask)
        logits = self.ln_f(x) @ self.wte.weight.T
        return functional.cross_entropy(logits.flatten(0, 1), targets.flatten())


def blas_in_use():
    """The file of the BLAS that this process has loaded."""
    with open("/proc/self/maps") as maps:
        files = {line.split()[-1] for line in maps if "blas" in line}
    return sorted(os.path.realpath(file) for file in files)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--size", choices=SIZES, default="124M")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--context", type=int, default=64)
    parser.add_argument("--repeat", type=int, default=5)
    arguments = parser.parse_args()
    torch.manual_seed(1)
    model = GPT2(*SIZES[arguments.size])
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, betas=(0.9, 0.95), weight_decay=0.1, foreach=True)
    ids = torch.arange(arguments.batch * arguments.context + 1) * 7919 % SIZES[arguments.size][3]
    shape = (arguments.batch, arguments.context)
    tokens, targets = ids[:-1].view(shape), ids[1:].view(shape)

    times = []
    for _ in range(arguments.repeat + 1):
        start = time.perf_counter()
        loss = model.loss(tokens, targets)
        after_forward = time.perf_counter()
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        after_backward = time.perf_counter()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        end = time.perf_counter()
        times.append([end - start, after_forward - start, after_backward - after_forward, end - after_backward])
    names = ("step_ms", "forward_ms", "backward_ms", "optimizer_ms")
    result = {name: round(1e3 * statistics.median(column), 2) for name, column in zip(names, zip(*times[1:]))}
    print(json.dumps({**vars(arguments), "threads": torch.get_num_threads(), **result, "torch": torch.__version__,
                      "blas": blas_in_use()}))


if __name__ == "__main__":
    main()

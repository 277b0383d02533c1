#!/usr/bin/python3
"""Times BERT in PyTorch on this machine's CPU, as bench/encoders times it here: texts of different lengths, hidden
states of all tokens. Texts are padded to the longest of their batch, as transformers does. Random weights; medians of
warm runs. --int8 quantizes the linear layers dynamically (torch.quantization.quantize_dynamic).

    scripts/time_pytorch_encoder.py --texts 32 --shortest 10 --longest 128 --threads 2
    build/release/bench/encoders --size BERT-base --texts 32 --shortest 10 --longest 128 --threads 2

Needs Debian's python3-torch; with libopenblas0-openmp installed, PyTorch's f32 products are at their fastest there.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F
from torch import nn

SIZES = {"BERT-base": (12, 12, 768), "BERT-large": (24, 16, 1024), "DistilBERT": (6, 12, 768), "MiniLM": (6, 12, 384)}


class Block(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm_1, self.norm_2 = nn.LayerNorm(width, 1e-12), nn.LayerNorm(width, 1e-12)

    def forward(self, x, mask):
        batch, length, width = x.shape
        q, k, v = (part.view(batch, length, self.heads, -1).transpose(1, 2) for part in self.qkv(x).split(width, 2))
        if hasattr(F, "scaled_dot_product_attention"):
            heads = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        else:
            heads = (q @ k.transpose(2, 3) * q.shape[-1] ** -0.5 + mask).softmax(-1) @ v
        x = self.norm_1(x + self.out(heads.transpose(1, 2).reshape(batch, length, width)))
        return self.norm_2(x + self.down(F.gelu(self.up(x))))


class Bert(nn.Module):
    def __init__(self, layers, heads, width):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(30522, width), nn.Embedding(512, width)
        self.types, self.norm = nn.Embedding(2, width), nn.LayerNorm(width, 1e-12)
        self.blocks = nn.ModuleList(Block(width, heads) for _ in range(layers))

    def forward(self, ids, mask):
        x = self.norm(self.tokens(ids) + self.types.weight[0] + self.positions.weight[: ids.shape[1]])
        for block in self.blocks:
            x = block(x, mask)
        return x


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="BERT-base")
    parser.add_argument("--int8", action="store_true")
    for name, value in (("texts", 32), ("shortest", 10), ("longest", 128), ("threads", 2), ("repeat", 7)):
        parser.add_argument("--" + name, type=int, default=value)
    parser.add_argument("--batch", type=int, default=0, help="texts that are padded together; 0: all")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    torch.manual_seed(1)
    model = Bert(*SIZES[chosen.size]).eval()
    if chosen.int8:
        model = torch.quantization.quantize_dynamic(model, {nn.Linear}, dtype=torch.qint8)
    steps = max(chosen.texts - 1, 1)
    lengths = [chosen.shortest + (chosen.longest - chosen.shortest) * (s * 7 % chosen.texts) // steps
               for s in range(chosen.texts)]
    batches = []
    size = chosen.batch or chosen.texts
    for first in range(0, chosen.texts, size):
        some = torch.tensor(lengths[first: first + size])
        ids = torch.randint(0, 30522, (len(some), int(some.max())))
        mask = torch.zeros(len(some), 1, 1, ids.shape[1])
        mask.masked_fill_(torch.arange(ids.shape[1])[None, None, None] >= some[:, None, None, None], float("-inf"))
        batches.append((ids, mask))
    times = []
    with torch.inference_mode():
        for run in range(chosen.repeat + 1):
            start = time.perf_counter()
            for ids, mask in batches:
                model(ids, mask)
            if run > 0:
                times.append((time.perf_counter() - start) * 1000)
    ms = statistics.median(times)
    print(json.dumps({"torch": torch.__version__, "size": chosen.size, "int8": chosen.int8, "threads": chosen.threads,
                      "texts": chosen.texts, "tokens": sum(lengths), "ms": round(ms, 2),
                      "texts_per_second": round(1000 * chosen.texts / ms, 1)}))


if __name__ == "__main__":
    main()

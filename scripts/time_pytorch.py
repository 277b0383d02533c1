#!/usr/bin/python3
"""Times GPT-2 in PyTorch on this machine's CPU, as bench/gpt2 times it here: a prompt, whose last position's logits
are wanted, then new tokens one by one with a key/value cache. Random weights; medians of warm runs.

    scripts/time_pytorch.py --size 124M --dtype f32 --prompt 512 --new-tokens 32 --threads 2
    build/release/bench/gpt2 --size 124M --dtype f32 --prompt 512 --new-tokens 32 --threads 2

Needs Debian's python3-torch; with libopenblas0-openmp installed, PyTorch's f32 products are at their fastest there.
"""

import argparse
import json
import statistics
import time

import torch
import torch.nn.functional as F

SIZES = {"124M": (12, 12, 768), "355M": (24, 16, 1024), "774M": (36, 20, 1280), "1558M": (48, 25, 1600)}
VOCABULARY, POSITIONS = 50257, 1024


class GPT2:
    """Weights [out, in], the way F.linear likes them; a cache [layer][2][heads, positions, head width]."""

    def __init__(self, size, dtype):
        layers, self.heads, self.width = SIZES[size]
        torch.manual_seed(1)

        def random(*shape):
            return (torch.randn(*shape) * 0.02).to(dtype)

        def linear(inputs, outputs):
            return random(outputs, inputs), torch.zeros(outputs, dtype=dtype)

        def norm():
            return torch.ones(self.width, dtype=dtype), torch.zeros(self.width, dtype=dtype)

        w = self.width
        self.wte, self.wpe, self.ln_f = random(VOCABULARY, w), random(POSITIONS, w), norm()
        self.blocks = [(norm(), linear(w, 3 * w), linear(w, w), norm(), linear(w, 4 * w), linear(4 * w, w))
                       for _ in range(layers)]
        shape = (2, self.heads, POSITIONS, w // self.heads)
        self.cache = [torch.zeros(shape, dtype=dtype) for _ in range(layers)]

    def step(self, ids, position):
        """Feeds ids [T] at `position`; returns the likeliest next id."""
        count, width, head_width = len(ids), self.width, self.width // self.heads
        x = self.wte[ids] + self.wpe[position:position + count]
        hidden = torch.ones(count, position + count, dtype=torch.bool).triu(position + 1) if count > 1 else None
        for cache, (ln_1, qkv, proj, ln_2, up, down) in zip(self.cache, self.blocks):
            q, k, v = (part.view(count, self.heads, head_width).transpose(0, 1) for part in
                       F.linear(F.layer_norm(x, (width,), *ln_1), *qkv).split(width, dim=1))
            cache[0, :, position:position + count] = k
            cache[1, :, position:position + count] = v
            scores = (q * head_width ** -0.5) @ cache[0, :, :position + count].transpose(1, 2)
            if hidden is not None:
                scores.masked_fill_(hidden, float("-inf"))
            heads = scores.softmax(-1) @ cache[1, :, :position + count]
            x = x + F.linear(heads.transpose(0, 1).reshape(count, width), *proj)
            x = x + F.linear(F.gelu(F.linear(F.layer_norm(x, (width,), *ln_2), *up), approximate="tanh"), *down)
        return int(F.linear(F.layer_norm(x[-1:], (width,), *self.ln_f), self.wte).argmax())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=SIZES, default="124M")
    parser.add_argument("--dtype", choices=("f32", "bf16"), default="f32")
    parser.add_argument("--prompt", type=int, default=512)
    parser.add_argument("--new-tokens", type=int, default=32)
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    model = GPT2(chosen.size, {"f32": torch.float32, "bf16": torch.bfloat16}[chosen.dtype])
    prompt = torch.tensor([(i * 7919 + 13) % VOCABULARY for i in range(chosen.prompt)])
    prefill, decode = [], []
    with torch.inference_mode():
        for run in range(chosen.repeat + 1):
            start = time.perf_counter()
            token = model.step(prompt, 0)
            middle = time.perf_counter()
            for i in range(chosen.new_tokens - 1):
                token = model.step(torch.tensor([token]), chosen.prompt + i)
            end = time.perf_counter()
            if run > 0:  # the first warms up
                prefill.append(1000 * (middle - start))
                decode.append(1000 * (end - middle) / (chosen.new_tokens - 1))
    result = {"size": chosen.size, "dtype": chosen.dtype, "threads": chosen.threads, "prompt": chosen.prompt,
              "new_tokens": chosen.new_tokens, "prefill_ms": statistics.median(prefill),
              "decode_ms_per_token": statistics.median(decode)}
    if chosen.json:
        print(json.dumps(result))
    else:
        print(f"PyTorch {torch.__version__}, GPT-2 {chosen.size}, {chosen.dtype}, {chosen.threads} threads\n"
              f"  prompt of {chosen.prompt}: {result['prefill_ms']:.1f} ms\n"
              f"  a token: {result['decode_ms_per_token']:.2f} ms")


if __name__ == "__main__":
    main()

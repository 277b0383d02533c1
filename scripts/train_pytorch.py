#!/usr/bin/python3
"""nanoGPT's CPU setting for Shakespeare by characters in plain PyTorch: what the losses of
`examples/train --preset shakespeare-char-cpu` are held against.

    LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/openblas-openmp OMP_NUM_THREADS=2 \\
        scripts/train_pytorch.py input.txt --seed 1

The protocol is the preset's: 4 layers, 4 heads, width 128, context 64, batches of 12 random windows of the
first 90% of the text, AdamW (0.9, 0.99; decay 0.1 of matrices), gradients clipped to 1, 100 steps of warm-up,
then half a cosine from 1e-3 to 1e-4; no dropout. In the end, the loss on the whole of the last 10%, in windows
of 64 one after another, every character but the first a target once.
"""
import argparse
import json
import math
import statistics
import time

import torch

from time_pytorch_training import GPT2

WIDTH, LAYERS, HEADS, CONTEXT, BATCH = 128, 4, 4, 64, 12
RATE, LEAST_RATE, WARMUP = 1e-3, 1e-4, 100


def learning_rate(step, steps):
    if step < WARMUP:
        return RATE * (step + 1) / (WARMUP + 1)
    progress = (step - WARMUP) / (steps - WARMUP)
    return LEAST_RATE + 0.5 * (1 + math.cos(math.pi * progress)) * (RATE - LEAST_RATE)


def new_model(vocabulary):
    model = GPT2(WIDTH, LAYERS, HEADS, vocabulary, CONTEXT)
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):
            torch.nn.init.zeros_(parameter)
        elif name.endswith("proj.weight"):  # what writes to the residual stream
            torch.nn.init.normal_(parameter, std=0.02 / math.sqrt(2 * LAYERS))
    return model


def validation_loss(model, tokens):
    total = count = 0
    with torch.no_grad():
        whole = (len(tokens) - 1) // CONTEXT
        rows = [slice(i * CONTEXT, (i + 1) * CONTEXT) for i in range(whole)]
        for first in range(0, whole, 256):
            part = rows[first:first + 256]
            inputs = torch.stack([tokens[:-1][row] for row in part])
            targets = torch.stack([tokens[1:][row] for row in part])
            total += float(model.loss(inputs, targets)) * targets.numel()
            count += targets.numel()
        if count < len(tokens) - 1:
            rest = len(tokens) - 1 - count
            total += float(model.loss(tokens[count:-1][None], tokens[count + 1:][None])) * rest
    return total / (len(tokens) - 1)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("text")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--iterations", type=int, default=2000)
    arguments = parser.parse_args()
    with open(arguments.text, encoding="utf-8", newline="") as file:
        text = file.read()
    ids = {c: i for i, c in enumerate(sorted(set(text)))}
    tokens = torch.tensor([ids[c] for c in text])
    training, validation = tokens[:int(0.9 * len(tokens))], tokens[int(0.9 * len(tokens)):]

    torch.manual_seed(arguments.seed)
    model = new_model(len(ids))
    groups = [{"params": [p for p in model.parameters() if p.dim() >= 2], "weight_decay": 0.1},
              {"params": [p for p in model.parameters() if p.dim() < 2], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.99), foreach=True)
    times = []
    for step in range(arguments.iterations):
        start = time.perf_counter()
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(step, arguments.iterations)
        places = torch.randint(len(training) - CONTEXT, (BATCH,))
        inputs = torch.stack([training[p:p + CONTEXT] for p in places])
        targets = torch.stack([training[p + 1:p + 1 + CONTEXT] for p in places])
        optimizer.zero_grad(set_to_none=True)
        model.loss(inputs, targets).backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        times.append(time.perf_counter() - start)
    print(json.dumps({"seed": arguments.seed, "iterations": arguments.iterations,
                      "validation_loss": round(validation_loss(model, validation), 4),
                      "ms_per_iteration": round(1e3 * statistics.median(times), 2)}))


if __name__ == "__main__":
    main()

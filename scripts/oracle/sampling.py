#!/usr/bin/env python3
"""Writes tests/fixtures/sampling/filters.json: what Hugging Face's logits processors do to some logits.

The processors are written here anew, in PyTorch, after the documentation of
RepetitionPenaltyLogitsProcessor, TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper and
MinPLogitsWarper (min_tokens_to_keep = 1): whole vocabularies, full sorts, removed tokens at -infinity. Needs
python3-torch. Usage: scripts/oracle/sampling.py
"""
import json
import math
import pathlib

import torch


def repetition_penalty(scores, history, penalty):
    for token in set(history):
        score = scores[token]
        scores[token] = score * penalty if score < 0 else score / penalty
    return scores


def temperature(scores, _, degrees):
    return scores / degrees


def top_k(scores, _, k):
    k = min(k, scores.numel())
    kth = torch.topk(scores, k).values[-1]
    return scores.masked_fill(scores < kth, -math.inf)


def top_p(scores, _, p):
    if p >= 1:
        return scores
    # Of equal scores the lower id counts as likelier; Hugging Face leaves that to its sort.
    ascending, order = torch.sort(scores.flip(0), descending=False, stable=True)
    order = scores.numel() - 1 - order
    cumulative = ascending.softmax(-1, dtype=torch.float64).cumsum(-1)
    assert (cumulative - (1 - p)).abs().min() > 1e-6, "too near the border to be a fair test"
    remove = cumulative <= 1 - p
    remove[-1] = False
    return scores.masked_fill(torch.zeros_like(remove).scatter(0, order, remove), -math.inf)


def min_p(scores, _, p):
    probabilities = scores.softmax(-1)
    remove = probabilities < p * probabilities.max()
    remove[scores.argmax()] = False
    return scores.masked_fill(remove, -math.inf)


FILTERS = {f.__name__: f for f in (repetition_penalty, temperature, top_k, top_p, min_p)}


def main():
    torch.manual_seed(2)
    flat = torch.zeros(40)
    ties = torch.tensor([1.0, 3.0, 2.0, 3.0, 2.0, 2.0, -1.0, 0.0, 2.0, 5.0])
    mild = torch.randn(60) * 2
    wide = torch.randn(60) * 40
    masked = torch.randn(60)
    masked[::3] = -math.inf
    large = torch.randn(1500) * 3
    logits = {"flat": flat, "ties": ties, "mild": mild, "wide": wide, "masked": masked, "large": large}
    chains = []
    for name in logits:
        for p in (0.0301, 0.3, 0.5, 0.901, 0.95, 0.999, 1.0):
            chains.append((name, [("top_p", p)]))
        for p in (0.0, 0.02, 0.1, 0.5, 1.0):
            chains.append((name, [("min_p", p)]))
        for k in (1, 2, 5, 39, 300, 100000):
            chains.append((name, [("top_k", k)]))
        for degrees in (0.1, 0.7, 1.0, 1.5, 100.0):
            chains.append((name, [("temperature", degrees)]))
        for penalty in (0.8, 1.0, 1.1, 2.0):
            chains.append((name, [("repetition_penalty", penalty)]))
        chains.append((name, [("repetition_penalty", 1.2), ("temperature", 0.8), ("top_k", 30), ("top_p", 0.9),
                              ("min_p", 0.05)]))
        chains.append((name, [("top_p", 0.801), ("temperature", 2.0), ("top_k", 7)]))
        chains.append((name, [("min_p", 0.01), ("repetition_penalty", 0.5), ("top_p", 0.401)]))

    cases = []
    for name, chain in chains:
        size = logits[name].numel()
        history = [(i * 7 + 3) % size for i in range(15)] + [3 % size, 3 % size, size - 1]
        scores = logits[name].clone()
        try:
            for filter_name, value in chain:
                scores = FILTERS[filter_name](scores, history, value)
        except AssertionError:
            continue
        kept = [i for i, score in enumerate(scores.tolist()) if score > -math.inf]
        cases.append({"logits": name, "history": history, "filters": chain, "kept": kept,
                      "scores": [float(f"{scores[i].item():.9g}") for i in kept[:100]]})

    number = lambda value: None if value == -math.inf else float(f"{value:.9g}")
    folder = pathlib.Path(__file__).resolve().parents[2] / "tests" / "fixtures" / "sampling"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "filters.json", "w") as file:
        json.dump({"logits": {name: [number(v) for v in values.tolist()] for name, values in logits.items()},
                   "cases": cases}, file, separators=(",", ":"))
        file.write("\n")
    print(len(cases), "cases")


main()

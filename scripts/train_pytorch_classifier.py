#!/usr/bin/python3
"""The classifier of a run of `examples/train --preset sentiment` in plain PyTorch, on the same texts, tokens and
settings, with other random numbers: what its losses and accuracies are held against.

    train --preset sentiment --data reviews.jsonl --out my-run
    LD_LIBRARY_PATH=/usr/lib/x86_64-linux-gnu/openblas-openmp OMP_NUM_THREADS=2 \\
        scripts/train_pytorch_classifier.py my-run --seed 1

It reads the run's train.json, *.jsonl and vocabulary (with `tokenize` of --programs). Texts are padded, and what
is padded is masked. Dropout stands where the library has it: on embeddings, on attention's probabilities, on what
is added to the residual stream, and before the classifier.
"""
import argparse
import json
import math
import pathlib
import subprocess

import torch
from torch import nn
from torch.nn import functional

PADDING, END, MASK, FIRST_WORD = 1, 2, 4, 5  # <pad>, </s>, <mask>, what no special token is


def read_texts(run, name, programs, context):
    lines = [json.loads(line) for line in open(run / name, encoding="utf-8")]
    together = "".join("<s>" + line["text"] + "</s>" for line in lines)
    ids = subprocess.run([programs / "tokenize", "--model", run, "--allow-special"], input=together.encode(),
                         stdout=subprocess.PIPE, check=True).stdout
    texts, text = [], []
    for token in map(int, ids.split(b",")):
        text.append(token)
        if token == END:
            texts.append(text if len(text) <= context else text[:context - 1] + [END])
            text = []
    return texts, [line["label"] for line in lines]


class Block(nn.Module):
    def __init__(self, width, heads, dropout):
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(width, 3 * width, bias=False), nn.Linear(width, width)
        self.up, self.down = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)
        self.norm_1, self.norm_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x, padding):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = q @ k.transpose(-1, -2) / math.sqrt(width // self.heads)
        scores = scores.masked_fill(padding[:, None, None, :], -math.inf)
        seen = (self.drop(functional.softmax(scores, -1)) @ v).transpose(1, 2).reshape(batch, length, width)
        x = self.norm_1(x + self.drop(self.out(seen)))
        return self.norm_2(x + self.drop(self.down(functional.relu(self.up(x)))))


class Classifier(nn.Module):
    def __init__(self, s, vocabulary, labels):
        super().__init__()
        self.tokens = nn.Embedding(vocabulary, s["width"])
        self.positions = nn.Embedding(s["context"], s["width"])
        self.blocks = nn.ModuleList(Block(s["width"], s["heads"], s["dropout"]) for _ in range(s["layers"]))
        self.classifier = nn.Linear(s["width"], labels)
        self.drop, self.takes_mean = nn.Dropout(s["dropout"]), s["pooling"] == "mean"
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                nn.init.normal_(parameter, std=0.02)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, texts):
        length = max(map(len, texts))
        ids = torch.tensor([text + [PADDING] * (length - len(text)) for text in texts])
        padding = torch.tensor([[i >= len(text) for i in range(length)] for text in texts])
        x = self.drop(self.tokens(ids) + self.positions.weight[:length])
        for block in self.blocks:
            x = block(x, padding)
        if self.takes_mean:
            x = x.masked_fill(padding[:, :, None], 0).sum(1) / (~padding).sum(1, keepdim=True)
        else:
            x = x.masked_fill(padding[:, :, None], -math.inf).amax(1)
        return self.classifier(self.drop(x))


def with_masks(text, share):
    chosen = torch.rand(len(text)) < share
    return [MASK if mask and token >= FIRST_WORD else token for token, mask in zip(text, chosen.tolist())]


def rate(s, step):
    if step < s["warmup"]:
        return s["learning-rate"] * (step + 1) / (s["warmup"] + 1)
    progress = (step - s["warmup"]) / (s["iterations"] - s["warmup"])
    least = s["least-learning-rate"]
    return least + 0.5 * (1 + math.cos(math.pi * progress)) * (s["learning-rate"] - least)


def judge(model, texts, labels):
    model.eval()
    loss = right = 0
    with torch.no_grad():
        for first in range(0, len(texts), 64):
            scores, target = model(texts[first:first + 64]), labels[first:first + 64]
            loss += float(functional.cross_entropy(scores, target, reduction="sum"))
            right += int((scores.argmax(1) == target).sum())
    model.train()
    return loss / len(texts), right / len(texts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--programs", type=pathlib.Path, default=pathlib.Path("build/release/examples"))
    chosen = parser.parse_args()
    torch.manual_seed(chosen.seed)
    s = json.load(open(chosen.run / "train.json"))
    assert s["schedule"] == "cosine" and s["label-smoothing"] == 0 and not s["sinusoids"], "not mirrored here"
    texts, names = read_texts(chosen.run, "training.jsonl", chosen.programs, s["context"])
    checks, check_names = read_texts(chosen.run, "validation.jsonl", chosen.programs, s["context"])
    known = sorted(set(names + check_names))
    labels, check_labels = (torch.tensor([known.index(name) for name in some]) for some in (names, check_names))
    vocabulary = json.load(open(chosen.run / "config.json"))["vocab_size"]

    model = Classifier(s, vocabulary, len(known))
    matrices = [p for p in model.parameters() if p.dim() == 2]
    vectors = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": s["weight-decay"]},
                                   {"params": vectors, "weight_decay": 0.0}], betas=(s["beta1"], s["beta2"]))
    best, order = None, []
    for step in range(s["iterations"]):
        while len(order) < s["batch"]:
            order += torch.randperm(len(texts)).tolist()
        rows, order = order[:s["batch"]], order[s["batch"]:]
        batch = [with_masks(texts[i], s["word-dropout"]) for i in rows]
        loss = functional.cross_entropy(model(batch), labels[rows])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), s["clip"])
        for group in optimizer.param_groups:
            group["lr"] = rate(s, step)
        optimizer.step()
        if (step + 1) % s["evaluate-every"] == 0 or step + 1 == s["iterations"]:
            found = judge(model, checks, check_labels)
            print(f"{step + 1:6} loss {found[0]:.4f} accuracy {found[1]:.4f}", flush=True)
            best = found if best is None or (found[1], -found[0]) > (best[1], -best[0]) else best
    print(json.dumps({"seed": chosen.seed, "last_loss": found[0], "last_accuracy": found[1],
                      "best_accuracy": best[1]}))


if __name__ == "__main__":
    main()

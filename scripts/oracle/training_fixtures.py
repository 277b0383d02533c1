"""tests/fixtures/training: what PyTorch's autograd makes of the folders of tests/fixtures/gpt2, in float64: the
gradient of every parameter for one batch, and the losses of ten AdamW steps on it."""

import json
import math

import numpy
import torch

from . import tensor_file
from .gpt2 import GPT2

VARIANTS = ["untied_f32", "odd_sizes", "head_width", "inner_width", "tiny", "gelu", "relu", "inverse_layer_scale",
            "unscaled_attention"]
SEQUENCES, LENGTH, STEPS = 3, 19, 10
SETTINGS = {"rate": 3e-3, "least_rate": 3e-4, "warmup": 3, "steps": STEPS, "beta_1": 0.9, "beta_2": 0.95,
            "epsilon": 1e-8, "weight_decay": 0.1, "clip_norm": 1.0, "label_smoothing": 0.1}
NO_TARGET = -1


class Trainable(GPT2):
    """The oracle's model with gradients, over sequences of equal length."""

    def __init__(self, folder):
        super().__init__(folder)
        for weight in self.weights.values():
            weight.requires_grad_()

    def loss(self, tokens, targets, label_smoothing=0.0):
        """The mean over the targets that are not NO_TARGET."""
        logits = torch.stack([self.logits(row) for row in tokens])
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten(), ignore_index=NO_TARGET,
                                                 label_smoothing=label_smoothing)

    def logits(self, ids):
        return GPT2.forward.__wrapped__(self, ids)[0]


def rate_of(step):
    """Linear warm-up, then half a cosine, as nanoGPT has it."""
    warmup, steps, rate, least = (SETTINGS[key] for key in ("warmup", "steps", "rate", "least_rate"))
    if step < warmup:
        return rate * (step + 1) / (warmup + 1)
    return least + 0.5 * (1 + math.cos(math.pi * (step - warmup) / (steps - warmup))) * (rate - least)


def ten_losses(model, tokens, targets):
    matrices = [weight for weight in model.weights.values() if weight.dim() >= 2]
    vectors = [weight for weight in model.weights.values() if weight.dim() < 2]
    optimizer = torch.optim.AdamW([{"params": matrices, "weight_decay": SETTINGS["weight_decay"]},
                                   {"params": vectors, "weight_decay": 0.0}],
                                  betas=(SETTINGS["beta_1"], SETTINGS["beta_2"]), eps=SETTINGS["epsilon"])
    losses = []
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rate_of(step)
        optimizer.zero_grad()
        loss = model.loss(tokens, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(matrices + vectors, SETTINGS["clip_norm"])
        optimizer.step()
        losses.append(float(loss))
    return losses


def write(root, repository):
    root.mkdir(parents=True, exist_ok=True)
    (root / "settings.json").write_text(json.dumps(SETTINGS, indent=1) + "\n")
    for i, name in enumerate(VARIANTS):
        source, folder = repository / "tests" / "fixtures" / "gpt2" / name, root / name
        folder.mkdir()
        model = Trainable(source)
        generator = numpy.random.default_rng(7 + i)
        length = min(LENGTH, model.config.n_positions)
        tokens = generator.integers(0, model.config.vocab_size, (SEQUENCES, length))
        targets = generator.integers(0, model.config.vocab_size, (SEQUENCES, length))
        targets[0, :4] = targets[2, -1] = NO_TARGET
        numpy.save(folder / "tokens.npy", tokens.astype("<i8"))
        numpy.save(folder / "targets.npy", targets.astype("<i8"))
        tokens, targets = torch.from_numpy(tokens), torch.from_numpy(targets)

        model.loss(tokens, targets, SETTINGS["label_smoothing"]).backward()
        gradients = {name: weight.grad.numpy() for name, weight in model.weights.items() if weight.grad is not None}
        tensor_file.write(folder / "gradients.safetensors", gradients, dict.fromkeys(gradients, "F32"))
        numpy.save(folder / "losses.npy", numpy.asarray(ten_losses(Trainable(source), tokens, targets), dtype="<f8"))

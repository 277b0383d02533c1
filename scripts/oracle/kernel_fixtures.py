"""tests/fixtures/kernels: PyTorch's own answers, in float64, to small and to hard inputs of every kernel. The
readable twins in tests/reference are checked against them."""

import math

import numpy
import torch
from torch.nn import functional


def linear(random):
    x, bias = random(7, 13), random(19)
    return {"x": x, "weight_in_out": (a := random(13, 19)), "weight_out_in": (b := random(19, 13)), "bias": bias,
            "y_in_out": functional.linear(x, a.T, bias), "y_out_in": functional.linear(x, b, bias)}


def embedding(random):
    ids = torch.tensor([3, 0, 10, 3, 7])
    return {"ids": ids, "table": (table := random(11, 5)), "y": functional.embedding(ids, table)}


def layer_norm(random):
    # Rows: ordinary; nearly constant on a large offset; tiny; huge; constant.
    x = random(6, 37)
    x[1] = (100 + 0.01 * x[1]).float().double()
    x[2] *= 2.0 ** -20
    x[3] *= 2.0 ** 40
    x[4] = 3
    weight, bias = random(37), random(37)
    return {"x": x, "weight": weight, "bias": bias,
            "y": functional.layer_norm(x, (37,), weight, bias, eps=1e-5)}


def softmax(random):
    x = random(8, 45)
    x[1] *= 1000
    x[2] += 30000
    x[3] = torch.where(torch.arange(45) % 3 == 0, x[3], torch.tensor(-math.inf, dtype=x.dtype))
    x[4] = -math.inf
    x[4, 17] = -5
    x[5] = 0.25
    x[6, :5] = torch.tensor([3.0e38, -3.0e38, 3.0e38, 0.0, -math.inf])
    x = x.float().double()
    return {"x": x, "y": torch.softmax(x, -1)}


def activations(random):
    x = torch.cat([torch.linspace(-12, 12, 97).double(),
                   torch.tensor([0.0, -0.0, 1e-30, -1e-30, 1e-6, -1e-6, 30, -30, 88, -88, 1e4, -1e4]).double()])
    x = x.float().double()
    inner = math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)  # PyTorch 1.13 has approximate="tanh" for float64
    gelu_tanh = functional.gelu(x, approximate="tanh")
    assert torch.allclose(gelu_tanh, 0.5 * x * (1 + torch.tanh(inner)), rtol=1e-12, atol=1e-15)
    return {"x": x, "gelu_tanh": gelu_tanh, "gelu_erf": functional.gelu(x), "relu": functional.relu(x),
            "silu": functional.silu(x), "quick_gelu": x * torch.sigmoid(1.702 * x), "tanh": torch.tanh(x)}


def attention(random):
    """3 queries and, with a cache of 6 more positions before them, 9 keys; 2 heads of width 5. Layout
    [position, head, width]."""
    query, key, value, scale = random(3, 2, 5) * 2, random(9, 2, 5), random(9, 2, 5), 0.375

    def attend(key, value):
        scores = torch.einsum("thd,shd->hts", query, key) * scale
        hidden = torch.ones(scores.shape[1:], dtype=torch.bool).triu(key.shape[0] - 3 + 1)
        probabilities = torch.softmax(scores.masked_fill(hidden, -math.inf), -1)
        return torch.einsum("hts,shd->thd", probabilities, value), probabilities

    (y, probabilities), (y_no_cache, _) = attend(key, value), attend(key[:3], value[:3])
    return {"query": query, "key": key, "value": value, "scale": torch.tensor([scale]).double(), "y": y,
            "probabilities": probabilities, "y_no_cache": y_no_cache}


def write(root):
    """KERNEL.NAME.npy, float32 (ids int64); inputs are exact in float32."""
    root.mkdir(parents=True, exist_ok=True)
    for seed, kernel in enumerate([linear, embedding, layer_norm, softmax, activations, attention]):
        generator = numpy.random.default_rng(seed)

        def random(*shape):
            return torch.from_numpy(generator.standard_normal(shape).astype("<f4")).double()

        for name, values in kernel(random).items():
            values = values.numpy()
            numpy.save(root / f"{kernel.__name__}.{name}.npy",
                       values if values.dtype == numpy.int64 else values.astype("<f4"))

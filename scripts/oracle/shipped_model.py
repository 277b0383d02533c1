"""tests/fixtures/gpt2/shakespeare: what the oracle makes of the model that ships with the project, in float64. The
tests of the programs that run it read their expectations here, so that another model is one command away."""

import json

import torch

from .gpt2 import GPT2
from .tokenizer import Tokenizer

PROMPT, CONTINUATION, NEXT_WORDS = "ROMEO:\n", 24, 10
SCORES = [(256, 256), (32, 32), (32, 20)]  # context, stride


def score(model, ids, context, stride):
    longest, model.config.n_positions = model.config.n_positions, context
    nats, scored = model.score(ids, stride)
    model.config.n_positions = longest
    return {"context": context, "stride": stride, "tokens_scored": scored, "nats_per_token": nats}


def write(folder, source, text):
    """Writes expected.json for the model in `source`; `text` is what it scores. Returns the model, its prompt
    and the greedy continuation."""
    folder.mkdir()
    model, tokenizer = GPT2(source), Tokenizer(source)
    prompt = tokenizer.encode(PROMPT)
    greedy, margin = model.greedy(prompt, CONTINUATION)
    if margin < 1e-4:
        raise RuntimeError(f"{source}: a greedy choice leads by {margin:.1g} only, too little for f32 to agree")
    probabilities = torch.softmax(model.forward(prompt)[0][-1], dim=-1)
    best = torch.topk(probabilities, NEXT_WORDS)
    words = [{"text": tokenizer.decode([token]).decode(), "probability": probability}
             for token, probability in zip(best.indices.tolist(), best.values.tolist())]
    scored = tokenizer.encode(text.read_text())
    expected = {
        "prompt": PROMPT, "prompt_ids": prompt,
        "greedy": {"ids": greedy, "text": tokenizer.decode(greedy).decode()},
        "next_words": words,
        "scored_tokens": len(scored), "scores": [score(model, scored, *sizes) for sizes in SCORES],
    }
    (folder / "expected.json").write_text(json.dumps(expected, indent=1) + "\n")
    return model, prompt, greedy

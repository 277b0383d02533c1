#!/usr/bin/env python3
"""Copies the small vocabularies of ../shared/oracle that the tests of text/ use into tests/fixtures/text.
They were made for this project; what the tests do not look at is left out."""
import json
import pathlib
import shutil

ROOT = pathlib.Path(__file__).resolve().parent.parent
ORACLE = ROOT.parent / "shared" / "oracle"
OUT = ROOT / "tests" / "fixtures" / "text"


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def write(path, value):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value) + "\n", encoding="utf-8")


for name in ("unigram", "wordpiece"):
    source, out = ORACLE / "tokenizer_training" / name, OUT / "trained" / name
    write(out / "ids.json", [each["ids"] for each in read(source / "encodings.json")])
    write(out / "decoded.json", read(source / "decoded.json"))
    shutil.copyfile(source / "tokenizer.json", out / "tokenizer.json")

source, out = ORACLE / "tokenizer_sentencepiece", OUT / "sentencepiece"
write(out / "lines.json", read(source / "lines.json"))
for name in ("unigram_bytes_identity", "bpe_bytes"):
    expected = read(source / (name + ".json"))
    write(out / name / "expected.json", {"ids": expected["ids"], "decoded": expected["decoded"]})
    shutil.copyfile(source / (name + ".model"), out / name / "tokenizer.model")

source, out = ORACLE / "tokenizer_bert_behaviour", OUT / "bert"
write(out / "texts.json", read(source / "texts.json"))
write(out / "decoded.json", read(source / "decoded.json"))
write(out / "ids.json", {key: value["ids"] for key, value in read(source / "table.json").items()})
out.mkdir(exist_ok=True)
shutil.copyfile(source / "vocab.txt", out / "vocab.txt")

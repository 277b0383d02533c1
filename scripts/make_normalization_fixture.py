#!/usr/bin/env python3
"""Writes tests/fixtures/text/normalization.txt: random texts as Python's unicodedata normalizes them.

Each line is a text, its forms C, D and KC and its lower case, character by character; all in hexadecimal UTF-8. Characters are
those that Unicode 14 has, which is Debian 12's Python's.
"""
import pathlib
import random
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    random.seed(1)
    known = [c for c in map(chr, range(0x110000)) if unicodedata.category(c) not in ("Cn", "Cs")]
    marks = [c for c in known if unicodedata.combining(c)]
    composed = [c for c in known if unicodedata.decomposition(c)]
    hangul = list(map(chr, [*range(0x1100, 0x1200), *range(0xAC00, 0xD7A4)]))
    latin, indic = list(map(chr, range(0x20, 0x250))), [c for c in known if 0x900 <= ord(c) < 0xE00]
    lines = []
    for _ in range(1500):
        kinds = random.choices([known, marks, marks, composed, hangul, latin, indic], k=random.randint(1, 8))
        text = "".join(random.choice(kind) for kind in kinds)
        forms = [text, *(unicodedata.normalize(form, text) for form in ("NFC", "NFD", "NFKC")),
                 "".join(c.lower() for c in text)]
        lines.append(" ".join(form.encode().hex() for form in forms))
    (ROOT / "tests/fixtures/text/normalization.txt").write_text("\n".join(lines) + "\n", "ascii")


main()

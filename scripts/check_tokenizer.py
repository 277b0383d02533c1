#!/usr/bin/env python3
"""Compares the tokenizer with an independent one on random Unicode strings.

The other one is written here from the published description of GPT-2's encoder: the pattern as a regular
expression (package python3-regex), and byte pairs merged by looking at all of them each time.

    g++ -std=c++20 -O2 -Iinclude tests/support/tokenize_lines.cpp -o /tmp/tokenize_lines
    scripts/check_tokenizer.py VOCABULARY_FOLDER /tmp/tokenize_lines --count 100000

Characters that the regular expressions' Unicode version classes otherwise than Debian's unicode-data, from
which the library's tables are made, are left out; their number is printed.
"""

import argparse
import json
import pathlib
import random
import subprocess
import sys

import regex

PATTERN = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"


def byte_alphabet():
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{byte: chr(byte) for byte in printable}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}


class ReferenceTokenizer:
    """GPT-2's encoder for text that is Unicode."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.ids = json.loads((folder / "vocab.json").read_text("utf-8"))
        lines = (folder / "merges.txt").read_text("utf-8").split("\n")
        lines = lines[1:] if lines[0].startswith("#version") else lines
        self.ranks = {tuple(line.split(" ")): rank for rank, line in enumerate(filter(None, lines))}
        self.alphabet = byte_alphabet()
        self.pattern = regex.compile(PATTERN)
        self.cache = {}

    def merge(self, word):
        """The symbols of one piece, merged: at each step all occurrences of the pair learned first."""
        while len(word) > 1:
            best = min(zip(word, word[1:]), key=lambda pair: self.ranks.get(pair, float("inf")))
            if best not in self.ranks:
                break
            merged, i = [], 0
            while i < len(word):
                if tuple(word[i : i + 2]) == best:
                    merged.append(word[i] + word[i + 1])
                    i += 2
                else:
                    merged.append(word[i])
                    i += 1
            word = merged
        return word

    def encode(self, text):
        ids = []
        for piece in self.pattern.findall(text):
            if piece not in self.cache:
                symbols = [self.alphabet[byte] for byte in piece.encode("utf-8")]
                self.cache[piece] = [self.ids[symbol] for symbol in self.merge(symbols)]
            ids += self.cache[piece]
        return ids


def differently_classed(folder):
    """The code points that this regex module and the library's tables put into different classes."""
    from make_unicode_tables import LETTER, NUMBER, OTHER, SPACE, read_classes

    patterns = {LETTER: regex.compile(r"\p{L}"), NUMBER: regex.compile(r"\p{N}"), SPACE: regex.compile(r"\s")}
    different = set()
    for code, ours in enumerate(read_classes(folder)):
        theirs = next((kind for kind, pattern in patterns.items() if pattern.match(chr(code))), OTHER)
        if theirs != ours:
            different.add(code)
    return different


class RandomText:
    """Strings from all of Unicode, weighted so that every rule of the pattern meets every other."""

    def __init__(self, seed, excluded, words):
        self.random = random.Random(seed)
        self.words = words
        self.sources = [
            lambda: self.random.randrange(0x20, 0x7F),
            lambda: self.random.choice(b"   \t\n\r'''sdmtlverLVS09.,!"),
            lambda: self.random.choice([0x20, 0x85, 0xA0, 0x1680, 0x2003, 0x2028, 0x2029, 0x202F, 0x205F, 0x3000]),
            lambda: self.random.choice([0x1C, 0x1F, 0x180E, 0x200B, 0x200D, 0xFEFF, 0, 0x7F, 0xFFFD, 0x10FFFF]),
            lambda: self.random.randrange(0xA0, 0x250),
            lambda: self.random.randrange(0x370, 0x1100),
            lambda: self.random.choice([0xB2, 0xBD, 0x660, 0x966, 0x2160, 0x2460, 0x3007, 0x3021, 0xFF11, 0x1D7CE]),
            lambda: self.random.randrange(0x300, 0x370),
            lambda: self.random.randrange(0x4E00, 0xA000),
            lambda: self.random.randrange(0xAC00, 0xD7A4),
            lambda: self.random.randrange(0x1F300, 0x1FB00),
            lambda: self.random.randrange(0x10000),
            lambda: self.random.randrange(0x110000),
        ]
        self.excluded = excluded

    def character(self, sources):
        while True:
            code = self.random.choice(sources)()
            if not 0xD800 <= code < 0xE000 and code not in self.excluded:
                return chr(code)

    def string(self):
        sources = self.random.sample(self.sources, self.random.randrange(1, 5))
        pieces = []
        for _ in range(self.random.choice([1, 2, 5, 10, 20, 60])):
            if self.words and self.random.random() < 0.2:
                pieces.append(self.random.choice(self.words))
            else:
                pieces.append(self.character(sources) * self.random.choice([1, 1, 1, 1, 1, 1, 2, 3, 7]))
        return "".join(pieces)


def words_of(tokenizer):
    """The vocabulary's tokens that are text."""
    bytes_of = {symbol: byte for byte, symbol in tokenizer.alphabet.items()}
    words = []
    for token in tokenizer.ids:
        try:
            words.append(bytes(bytes_of[symbol] for symbol in token).decode("utf-8"))
        except (KeyError, UnicodeDecodeError):
            pass
    return words


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", help="folder of vocab.json and merges.txt")
    parser.add_argument("program", help="tokenize_lines, built from tests/support/tokenize_lines.cpp")
    parser.add_argument("--count", type=int, default=100000, help="how many strings (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--unicode", type=pathlib.Path, default=pathlib.Path("/usr/share/unicode"))
    arguments = parser.parse_args()

    excluded = differently_classed(arguments.unicode)
    reference = ReferenceTokenizer(arguments.folder)
    source = RandomText(arguments.seed, excluded, words_of(reference))
    texts = [source.string() for _ in range(arguments.count)]
    lines = "".join(text.encode("utf-8").hex() + "\n" for text in texts)
    result = subprocess.run([arguments.program, arguments.folder], input=lines, text=True, stdout=subprocess.PIPE)
    if result.returncode != 0:
        sys.exit(f"{arguments.program} failed")
    answers = result.stdout.split("\n")[:-1]
    if len(answers) != len(texts):
        sys.exit(f"{len(texts)} strings gave {len(answers)} answers")

    failures = tokens = 0
    for text, answer in zip(texts, answers):
        expected = reference.encode(text)
        tokens += len(expected)
        if [int(token) for token in answer.split(",") if token] != expected:
            failures += 1
            if failures <= 5:
                print(f"{text!r}\n  expected {expected}\n  found    [{answer}]", file=sys.stderr)
    print(f"{len(texts)} strings, {tokens} tokens, {failures} differ; "
          f"{len(excluded)} code points left out (regex {regex.__version__})")
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()

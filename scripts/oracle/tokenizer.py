"""Byte-level BPE as in GPT-2, the simple quadratic way, for the oracle's own checks. Letters and digits are
those of Python's `re` ([^\\W\\d_] and \\d), which is exact for ASCII and close for the rest."""

import json
import re
from pathlib import Path

PATTERN = re.compile(r"'(?:[sdmt]|ll|ve|re)| ?[^\W\d_]+| ?\d+| ?(?:[^\s\w]|_)+|\s+(?!\S)|\s+")


def byte_symbols():
    """One printable character for every byte: itself where it is printable, else one from U+0100 on."""
    printable = [*range(ord("!"), ord("~") + 1), *range(0xA1, 0xAC + 1), *range(0xAE, 0xFF + 1)]
    others = [byte for byte in range(256) if byte not in printable]
    return {**{byte: chr(byte) for byte in printable}, **{byte: chr(256 + i) for i, byte in enumerate(others)}}


class Tokenizer:
    def __init__(self, folder):
        folder = Path(folder)
        self.ids = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
        lines = (folder / "merges.txt").read_text(encoding="utf-8").splitlines()
        pairs = [tuple(line.split(" ")) for line in lines if line and not line.startswith("#version")]
        self.ranks = {pair: rank for rank, pair in enumerate(pairs)}
        self.symbols = byte_symbols()
        self.bytes = {symbol: byte for byte, symbol in self.symbols.items()}
        self.names = {token: name for name, token in self.ids.items()}

    def encode_word(self, word):
        parts = [self.symbols[byte] for byte in word.encode()]
        while len(parts) > 1:
            rank, at = min((self.ranks.get(pair, len(self.ranks)), i)
                           for i, pair in enumerate(zip(parts, parts[1:])))
            if rank == len(self.ranks):
                break
            pair, merged, i = (parts[at], parts[at + 1]), [], 0
            while i < len(parts):
                both = tuple(parts[i: i + 2]) == pair
                merged.append("".join(pair) if both else parts[i])
                i += 2 if both else 1
            parts = merged
        return [self.ids[part] for part in parts]

    def encode(self, text):
        known = {}
        return [token for word in PATTERN.findall(text)
                for token in known.get(word) or known.setdefault(word, self.encode_word(word))]

    def decode(self, ids):
        return bytes(self.bytes[symbol] for token in ids for symbol in self.names[token])

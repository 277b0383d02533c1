#!/usr/bin/env node
// Makes tests/fixtures/text/bpe: a text, and the merges that Hugging Face's trainer (its Rust code, as the npm package
// `tokenizers`) learns from it until no pair is left, in order.
//
//   npm install --prefix /tmp/tokenizers --force tokenizers@0.13.3 tokenizers-linux-x64-gnu@0.13.4-rc2
//   NODE_PATH=/tmp/tokenizers/node_modules scripts/make_bpe_fixture.cjs
//
// The package's `train` takes files alone, and no options: 30,000 tokens, no least frequency, only the bytes that occur.
// More room, a least frequency or more bytes shift ids or end the list sooner, and change no merge. It reads a file line
// by line, each with its line feed a text of its own.
const { BPE, Tokenizer, byteLevelPreTokenizer } = require("tokenizers");
const fs = require("fs");
const path = require("path");

let state = 7n;
function below(limit) {
  state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
  return Number((state >> 33n) % BigInt(limit));
}
const one_of = (list) => list[below(list.length)];

const onsets = ["", "b", "br", "c", "d", "f", "g", "h", "k", "l", "m", "n", "p", "r", "s", "st", "t", "th", "v", "w"];
const cores = ["a", "aa", "e", "ea", "i", "o", "oo", "u", "ä", "é", "я"];
const ends = ["", "", "l", "m", "n", "nd", "r", "s", "ss", "t"];
const word_of = (syllables) => Array.from({ length: syllables }, () => one_of(onsets) + one_of(cores) + one_of(ends)).join("");
const words = Array.from({ length: 900 }, (_, i) => word_of(1 + below(i < 100 ? 2 : 4)));

// Word i about as often as 1 / i, so that some pairs are frequent and very many equally rare.
function part() {
  const kind = below(60);
  if (kind === 0) return String(below(10 ** (1 + below(6))));
  if (kind === 1) return one_of(["aaaa", "ababab", "aaaaaaa", "----", "!!!", "...", "(", ")", "'", "''"]);
  if (kind === 2) return one_of(["日本語", "工作", "😁", "😁😁", "½", "٣", "e\u0301", "\u00a0", "\u3000x"]);
  const word = words[Math.floor(Math.exp((below(1000000) / 1000000) * Math.log(words.length)))];
  const cased = below(8) === 0 ? word.toUpperCase() : word;
  return cased + one_of(["", "", "", "", ",", ".", "'s", "'ll", "'t", ";"]);
}

const lines = [];
for (let i = 0; i < 500; i++) {
  const indent = one_of(["", "", "", "", "  ", "\t", "        "]);
  lines.push(indent + Array.from({ length: below(14) }, part).join(one_of([" ", " ", " ", "  "])));
}
const folder = path.join(__dirname, "..", "tests", "fixtures", "text", "bpe");
fs.mkdirSync(folder, { recursive: true });
const text = path.join(folder, "text.txt");
fs.writeFileSync(text, lines.join("\n") + "\n");

const tokenizer = new Tokenizer(BPE.empty());
tokenizer.setPreTokenizer(byteLevelPreTokenizer(false));
tokenizer.train([text]);
const saved = path.join(folder, "tokenizer.json");
tokenizer.save(saved);
const merges = JSON.parse(fs.readFileSync(saved, "utf8")).model.merges;
fs.rmSync(saved);
fs.writeFileSync(path.join(folder, "merges.txt"), "#version: 0.2\n" + merges.join("\n") + "\n");

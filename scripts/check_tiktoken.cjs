#!/usr/bin/env node
// Compares the tokenizer with OpenAI's tiktoken (its Rust code, as the npm package `tiktoken`) on random Unicode
// strings:
//
//   g++ -std=c++20 -O2 -Iinclude tests/support/tokenize_lines.cpp -o /tmp/tokenize_lines
//   npm install --prefix /tmp/tiktoken tiktoken
//   NODE_PATH=/tmp/tiktoken/node_modules scripts/check_tiktoken.cjs GPT2_FOLDER /tmp/tokenize_lines [COUNT] [SEED]
//
// GPT2_FOLDER holds GPT-2's own vocab.json and merges.txt. A quarter of the characters are any code points that
// Unicode 15.0 assigns (the version of Debian 12's unicode-data, which our tables are made from; tiktoken of 2025
// knows 16.0, in which some more are letters), a quarter are among the first 12,288, the rest come from pools that
// make the pattern's branches meet.
const { execFileSync } = require("child_process");
const { get_encoding } = require("tiktoken");

const fs = require("fs");

const [folder, program, count = "100000", seed = "1"] = process.argv.slice(2);
if (!program) {
  console.error("usage: check_tiktoken.cjs GPT2_FOLDER PROGRAM [COUNT] [SEED]");
  process.exit(1);
}

// Lines of UnicodeData.txt: code;name;class;…, or the first and the last code of a range.
const assigned = new Set();
let first = 0;
for (const line of fs.readFileSync("/usr/share/unicode/UnicodeData.txt", "utf8").split("\n")) {
  const [code, name, category] = line.split(";");
  if (!category || category === "Cs") continue;
  const last = parseInt(code, 16);
  if (!name.endsWith(", Last>")) first = last;
  for (let each = first; each <= last; each++) assigned.add(each);
  first = last;
}

let state = BigInt(seed);
function below(limit) {
  state = (state * 6364136223846793005n + 1442695040888963407n) & ((1n << 64n) - 1n);
  return Number((state >> 33n) % BigInt(limit));
}

const pools = ["abcdefghijklmnopqrstuvwxyzABC", "0123456789", " \t\n\r\u3000\u00a0\u2028", "'stremdvl", "!?.,;-()",
  "äöüßéñ", "нещоБълг", "工作在日本語", "😁🚀👍🏽", "\u0301\u0300\u200d\ufe0f", "½²¹Ⅷ٣"].map((pool) => [...pool]);

function random_character() {
  const kind = below(4);
  if (kind > 1) {
    const pool = pools[below(pools.length)];
    return pool[below(pool.length)];
  }
  for (;;) {
    const code = below(kind === 1 ? 0x3000 : 0x110000);
    if (assigned.has(code)) return String.fromCodePoint(code);
  }
}

const encoding = get_encoding("gpt2");
const lines = [];
const expected = [];
for (let i = 0; i < Number(count); i++) {
  let text = "";
  for (let length = 1 + below(40); length > 0; length--) text += random_character();
  lines.push(Buffer.from(text, "utf8").toString("hex"));
  expected.push(Array.from(encoding.encode(text, [], [])).join(","));
}
const output = execFileSync(program, [folder], { input: lines.join("\n") + "\n", maxBuffer: 1 << 30 });
const found = output.toString().split("\n");
const wrong = expected.map((ids, i) => i).filter((i) => found[i] !== expected[i]);
for (const i of wrong.slice(0, 5)) console.log(`${lines[i]}\n  tiktoken  ${expected[i]}\n  transept  ${found[i]}`);
console.log(`${count} strings, ${wrong.length} tokenized otherwise than tiktoken`);
process.exit(wrong.length ? 1 : 0);

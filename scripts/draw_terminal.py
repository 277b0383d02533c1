#!/usr/bin/env python3
"""Draws what a command prints as a picture of a terminal: draw_terminal.py OUT.svg COMMAND [ARG...]

The command is run as it is; its standard output is drawn under the command line. docs/images/generate.svg is made with

    scripts/draw_terminal.py docs/images/generate.svg build/release/examples/generate --prompt $'ROMEO:\\n' \\
        --max-new-tokens 120 --temperature 0.7 --top-k 40 --seed 2
"""
import html
import shlex
import subprocess
import sys
import textwrap

COLUMNS, FONT, LINE, LEFT, TOP = 88, 14, 20, 22, 62


def shown(argument):
    """An argument as a person would type it."""
    if "\n" in argument:
        return "$'" + argument.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n") + "'"
    return shlex.quote(argument)


def main():
    target, command = sys.argv[1], sys.argv[2:]
    output = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True).stdout.decode()
    typed = "$ " + " ".join(shown(part) for part in command)
    lines = [("typed", line) for line in textwrap.wrap(typed, COLUMNS, subsequent_indent="    ", break_long_words=False)]
    for line in output.rstrip("\n").split("\n"):
        lines += [("text", piece) for piece in textwrap.wrap(line, COLUMNS) or [""]]
    width = LEFT * 2 + int(COLUMNS * FONT * 0.602)
    height = TOP + LINE * len(lines) + 8
    colours = {"typed": "#8fd3a8", "text": "#e6e6e6"}
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        f'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, \'DejaVu Sans Mono\', monospace" font-size="{FONT}">',
        f'<rect width="{width}" height="{height}" rx="10" fill="#1d2129"/>',
        '<circle cx="24" cy="22" r="6" fill="#ec6a5e"/><circle cx="44" cy="22" r="6" fill="#f4bf4f"/>'
        '<circle cx="64" cy="22" r="6" fill="#61c554"/>',
    ]
    for row, (kind, line) in enumerate(lines):
        parts.append(f'<text x="{LEFT}" y="{TOP + LINE * row}" fill="{colours[kind]}" xml:space="preserve">'
                     f"{html.escape(line)}</text>")
    parts.append("</svg>\n")
    with open(target, "w", encoding="utf-8") as file:
        file.write("\n".join(parts))


main()

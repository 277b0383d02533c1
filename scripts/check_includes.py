#!/usr/bin/env python3
"""Checks the library's include directives: which folder may include which, and who includes third parties.

core <- tensor <- simd <- runtime <- kernels <- layers <- models <- io <- generate <- encode <- train: no folder
includes one to its right; what names vectors, simd/ and kernels/vector/, is included by itself and at the end of kernels/ alone.
text stands on core alone; io, generate, encode and train may include it. xtensor, xsimd and nlohmann-json
are each included in one header.
"""
import pathlib
import re
import sys

ORDER = ["core", "tensor", "simd", "runtime", "kernels", "layers", "models", "io", "generate", "encode", "train"]
ALLOWED = {folder: set(ORDER[: place + 1]) for place, folder in enumerate(ORDER)}
ALLOWED["text"] = {"core", "text"}
for folder in ("io", "generate", "encode", "train"):
    ALLOWED[folder].add("text")
# First folder of a third party's include -> the only header that may name it.
ONLY_IN = {"xtensor": "tensor/xtensor.hpp", "xtl": "tensor/xtensor.hpp", "xsimd": "simd/batch.hpp",
           "nlohmann": "core/json.hpp"}
INCLUDE = re.compile(r'^\s*#\s*(?:include|(?:el)?if[^\n]*__has_include)\s*\(?\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def problems_of(root: pathlib.Path):
    headers = sorted(root.rglob("*.hpp"))
    if not headers:
        yield f"{root}: no headers found"
    names = {str(header.relative_to(root)) for header in headers}
    for header in headers:
        name = str(header.relative_to(root))
        folder = name.split("/")[0] if "/" in name else None
        text = header.read_text(encoding="utf-8")
        if folder is not None and folder not in ALLOWED:
            yield f"{name}: {folder}/ is not a folder of docs/design.md"
            continue
        if not re.search(r"^#pragma once$", text, re.MULTILINE):
            yield f"{name}: no #pragma once"
        if re.search(r"^\s*using\s+namespace\b", text, re.MULTILINE):
            yield f"{name}: `using namespace` in a header"
        for match in INCLUDE.finditer(text):
            quote, target = match.groups()
            where = f"{name}:{text.count(chr(10), 0, match.start(2)) + 1}"
            first = target.split("/")[0]
            if quote == '"':
                yield f'{where}: "{target}": write <transept/...>'
            if target == "nlohmann/json_fwd.hpp" and name == "core/json_fwd.hpp":
                continue
            if first in ONLY_IN and name != ONLY_IN[first]:
                yield f"{where}: <{target}> is included in {ONLY_IN[first]} alone"
            if first != "transept":
                continue
            inside = target[len("transept/"):]
            if inside not in names:
                yield f"{where}: <{target}> does not exist"
            elif folder is not None and "/" not in inside:
                yield f"{where}: <{target}>: no part includes the umbrella header"
            elif re.match(r"simd/|kernels/vector/", inside) and folder not in (None, "simd", "kernels"):
                yield f"{where}: <{target}>: only kernels/ includes what names vectors"
            elif folder is not None and inside.split("/")[0] not in ALLOWED[folder]:
                yield f"{where}: {folder}/ must not include {inside.split('/')[0]}/ (<{target}>)"


def main():
    root = pathlib.Path(__file__).resolve().parent.parent / "include" / "transept"
    if len(sys.argv) > 1:
        root = pathlib.Path(sys.argv[1])
    problems = list(problems_of(root))
    for problem in problems:
        print(problem)
    print(f"check_includes: {len(problems)} problems" if problems else "check_includes: ok")
    return 1 if problems else 0


sys.exit(main())

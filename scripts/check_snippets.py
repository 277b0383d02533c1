#!/usr/bin/env python3
"""Compiles every ```cpp block and configures every ```cmake block of README.md (or of the files given).

A ```cpp block with an #include is a translation unit of its own. Any other is a fragment: the body of a function,
after <transept/transept.hpp>; what it takes for granted is declared, or included, in HTML comments before it:

    <!-- snippet: const auto tokenizer = transept::load_tokenizer("gpt2"); -->
    <!-- snippet: #include <transept/models/all.hpp> -->

A ```cmake block is a CMakeLists.txt, in a folder that has what it names: *.cpp sources, config.json files,
transept's source tree for add_subdirectory and FetchContent, and an installed transept for find_package. What it
lacks of cmake_minimum_required, project and add_executable is put before it. It is configured and built.
"""
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
FENCE = re.compile(r"((?:^<!-- snippet: .*? -->\s*\n)*)^```(cpp|cmake)[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)
GIVEN = re.compile(r"<!-- snippet: (.*?) -->", re.DOTALL)
COMPILER = os.environ.get("CXX", "g++")
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", f"-I{ROOT}/include"]
CMAKE_OFF = ["-DTRANSEPT_BUILD_TESTS=OFF", "-DTRANSEPT_BUILD_EXAMPLES=OFF", "-DTRANSEPT_BUILD_BENCH=OFF",
             "-DTRANSEPT_BUILD_COMPILED=OFF"]


def run(*command):
    """The command's output if it failed, else None."""
    result = subprocess.run([str(part) for part in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, text=True)
    return result.stdout if result.returncode else None


def check_cpp(code, given, folder):
    if not re.search(r"^\s*#\s*include", code, re.MULTILINE):
        headers = "".join(line + "\n" for line in given.splitlines() if line.startswith("#include"))
        given = "\n".join(line for line in given.splitlines() if not line.startswith("#include"))
        code = (f"#include <transept/transept.hpp>\n{headers}#include <iostream>\n#include <string>\n#include <vector>\n"
                f"[[maybe_unused]] static void snippet() {{\n{given}\n{code}\n}}\n")
    source = folder / "snippet.cpp"
    source.write_text(code)
    # Fragments see the headers as who links the compiled library does: the same names, a third of the time.
    flags = [f"-I{folder}"] + FLAGS + (["-Wno-unused", "-DTRANSEPT_COMPILED"] if "void snippet()" in code else [])
    for name in re.findall(r"<(transept_configs/(\w+)\.hpp)>", code):
        header = folder / name[0]
        header.parent.mkdir(exist_ok=True)
        header.write_text("#pragma once\n#include <transept/models/gpt2/config.hpp>\n"
                          f"inline constexpr transept::gpt2_config {name[1]}{{.n_embd = 64, .n_layer = 2, .n_head = 4}};\n")
    return run(COMPILER, *flags, source)


def check_cmake(code, folder, prefix):
    before = []
    if "cmake_minimum_required" not in code:
        before.append("cmake_minimum_required(VERSION 3.22)")
    if not re.search(r"^\s*project\s*\(", code, re.MULTILINE):
        before.append("project(snippet LANGUAGES CXX)")
    # Targets that the block uses and does not make.
    made = set(re.findall(r"add_(?:executable|library)\s*\(\s*(\w+)", code))
    used = re.findall(r"(?:target_\w+|transept_add_config)\s*\(\s*(\w+)", code)
    missing = [name for name in dict.fromkeys(used) if name not in made]
    before += [f"add_executable({name} main.cpp)" for name in missing]
    # A target must be there before it is used, and packages before it is linked: the order is the reader's.
    (folder / "CMakeLists.txt").write_text("\n".join(before) + "\n" + code)
    sources = set(re.findall(r"[\w./-]+\.cpp\b", code)) | ({"main.cpp"} if missing else set())
    includes = "".join(f"#include <transept_configs/{name}.hpp>\n"
                       for name in re.findall(r"transept_add_config\s*\(\s*\w+\s+(\w+)", code))
    for source in sources:
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        (folder / source).write_text(f"#include <transept/core/error.hpp>\n{includes}int main() {{}}\n")
    for config in re.findall(r"[\w./-]*config\.json\b", code):
        (folder / config).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / "models" / "shakespeare" / "config.json", folder / config)
    for subproject in re.findall(r"add_subdirectory\s*\(\s*([\w./-]+)", code):
        (folder / subproject).parent.mkdir(parents=True, exist_ok=True)
        (folder / subproject).symlink_to(ROOT)
    return (run("cmake", "-S", folder, "-B", folder / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
                f"-DFETCHCONTENT_SOURCE_DIR_TRANSEPT={ROOT}", f"-DCMAKE_CXX_COMPILER={COMPILER}")
            or run("cmake", "--build", folder / "build"))


def main():
    files = [pathlib.Path(name) for name in sys.argv[1:]] or [ROOT / "README.md"]
    count = failures = 0
    with tempfile.TemporaryDirectory() as temporary:
        temporary = pathlib.Path(temporary)
        prefix = None
        for file in files:
            text = file.read_text(encoding="utf-8")
            for match in FENCE.finditer(text):
                count += 1
                given = "\n".join(GIVEN.findall(match.group(1)))
                folder = temporary / str(count)
                folder.mkdir()
                if match.group(2) == "cpp":
                    said = check_cpp(match.group(3), given, folder)
                else:
                    if prefix is None:
                        prefix = temporary / "prefix"
                        said = (run("cmake", "-S", ROOT, "-B", temporary / "transept", "-G", "Ninja", *CMAKE_OFF)
                                or run("cmake", "--install", temporary / "transept", "--prefix", prefix))
                        if said:
                            sys.exit(f"check_snippets: installing transept failed\n{said}")
                    said = check_cmake(match.group(3), folder, prefix)
                if said:
                    failures += 1
                    line = text.count("\n", 0, match.start(2)) + 1
                    print(f"{file.name}:{line}: this ```{match.group(2)} block fails\n{said}")
    if count == 0:
        failures = 1
        print("no ```cpp or ```cmake block found")
    print(f"check_snippets: {failures} of {count} blocks fail" if failures else f"check_snippets: ok ({count} blocks)")
    return 1 if failures else 0


sys.exit(main())

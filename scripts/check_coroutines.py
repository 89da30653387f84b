#!/usr/bin/env python3
"""Refuses the coroutine shapes that g++ 12.2 miscompiles (temporaries destroyed twice):

  * a lambda or a braced temporary inside a co_await expression,
  * a conditional temporary as an argument inside one,
  * a coroutine lambda that captures,
  * co_await inside a catch block (not C++ at all).

See docs/decisions/0006-coroutines-on-gcc-12.md. Runs with the tests, and tests itself first.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROOMS = ("actors", "http", "storage", "cluster", "protocol", "tests")


def blank(text):
    """Comments and literals become spaces, so that positions stay."""
    pattern = re.compile(r'//[^\n]*|/\*.*?\*/|R"\((?:.|\n)*?\)"|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.S)
    return pattern.sub(lambda m: re.sub(r"[^\n]", " ", m.group(0)), text)


def expression_after(text, start):
    """From `start` to the end of the co_await operand: its statement or closing bracket."""
    depth = 0
    for i in range(start, len(text)):
        c = text[i]
        if c in "([{":
            if c == "{" and depth == 0:
                # `co_await x)` was closed already, or this is a body or a braced temporary:
                # a body follows `)`, which depth 0 has seen closing.
                return text[start:i + 1]
            depth += 1
        elif c in ")]}":
            if depth == 0:
                return text[start:i]
            depth -= 1
        elif c == ";" and depth == 0:
            return text[start:i]
    return text[start:]


def problems_in(text):
    code = blank(text)
    for match in re.finditer(r"\bco_await\b", code):
        operand = expression_after(code, match.end())
        line = code.count("\n", 0, match.start()) + 1
        if re.search(r"(?:^|[(,=\s])\[[^\]\[]*\]\s*(?:\(|\{|mutable)", operand):
            yield line, "a lambda inside a co_await expression: name it first, then move it"
        elif "{" in operand:
            yield line, "braces inside a co_await expression: name the value first, then move it"
        elif re.search(r"\([^()]*\?[^()]*:", operand):
            yield line, "a conditional temporary inside a co_await expression: name it first"
    for match in re.finditer(r"\[([^\]\[]+)\]\s*(\([^()]*\))?[^;{}()]*\{", code):
        if code[:match.start()].rstrip()[-1:] in ("", "]") or re.match(r"\s*\[", match.group(0)) is None:
            continue
        before = code[:match.start()].rstrip()[-1:]
        if before.isalnum() or before in ("_", ")"):
            continue  # a subscript
        body = body_from(code, match.end() - 1)
        if re.search(r"\bco_(await|return|yield)\b", body):
            yield code.count("\n", 0, match.start()) + 1, "a coroutine lambda that captures: use parameters"
    for match in re.finditer(r"\bcatch\s*\([^)]*\)\s*\{", code):
        if "co_await" in body_from(code, match.end() - 1):
            yield code.count("\n", 0, match.start()) + 1, "co_await inside a catch block"


def body_from(code, brace):
    depth = 0
    for i in range(brace, len(code)):
        depth += (code[i] == "{") - (code[i] == "}")
        if depth == 0:
            return code[brace:i]
    return code[brace:]


BAD = [
    "co_await run([x = std::move(y)] { });",
    "co_await run(options{.a = 1});",
    "co_await run(T{1, text});",
    "auto r = co_await run(ok ? std::string(a) : b);",
    "spawn([self]() -> task<> { co_await self->go(); }());",
    "try { f(); } catch (const error& e) { co_await g(); }",
]
GOOD = [
    "auto options = make(); co_await run(std::move(options));",
    "if (auto r = co_await read()) { use(r); }",
    "while (co_await x.write(bytes)) { }",
    "co_await run(std::string(a) + b, c[i]);",
    "// co_await run(T{1})",
    "auto f = [](int a) -> task<> { co_await g(a); };",
    "return ok ? co_await a() : co_await b();",
]


def self_test():
    for shape in BAD:
        if not list(problems_in(shape)):
            return f"the lint does not see: {shape}"
    for shape in GOOD:
        if found := list(problems_in(shape)):
            return f"the lint refuses what is fine: {shape}: {found}"
    return None


def main():
    if trouble := self_test():
        print(trouble)
        return 1
    count = problems = 0
    for room in ROOMS:
        for file in sorted((ROOT / room).rglob("*.[ch]pp")):
            count += 1
            for line, what in problems_in(file.read_text(encoding="utf-8")):
                problems += 1
                print(f"{file.relative_to(ROOT)}:{line}: {what}")
    print(f"coroutine shapes: {count} files, {problems} problems")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())

"""What a run of mutmut left alive: python mutation_report.py ROOM [SAMPLE], beside ``mutants``.

Mutants that change nothing but the text of an error's message are counted apart: tests hold an error's class and
code, and that its message shows no value, but not its wording.
"""

from __future__ import annotations

import ast
import difflib
import json
import math
import sys
from collections import Counter
from pathlib import Path

SURVIVED, UNTESTED = 0, 33
LEAST_PERCENT = 90


class _WithoutMessages(ast.NodeTransformer):
    """Takes the positional arguments, that is the message, out of every call of something named ...Error."""

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name.endswith("Error"):
            node.args = []
        return node


def bodies(path: Path) -> dict[str, list[ast.AST]]:
    """The functions of a file that mutmut wrote, originals and mutants, by name: defaults and statements."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name: [*node.args.defaults, *node.body] for node in ast.walk(tree) if isinstance(node, kinds)}


def only_messages_differ(original: list[ast.AST], mutant: list[ast.AST]) -> bool:
    """Whether two functions are one but for the messages of errors."""
    plain = [
        [ast.dump(_WithoutMessages().visit(ast.parse(ast.unparse(part)))) for part in body]
        for body in (original, mutant)
    ]
    return plain[0] == plain[1]


def difference(original: list[ast.AST], mutant: list[ast.AST]) -> list[str]:
    """The lines of both functions that are not the same, in one layout."""
    lines = [[line for part in body for line in ast.unparse(part).splitlines()] for body in (original, mutant)]
    return [line for line in difflib.unified_diff(*lines, lineterm="", n=0) if line[:3] not in ("---", "+++", "@@ ")]


def interval(killed: int, run: int) -> tuple[float, float]:
    """Between which shares the share of all mutants lies, after a random sample: Wilson's interval of 95 %."""
    z = 1.959964
    middle = (killed + z * z / 2) / (run + z * z)
    width = z / (run + z * z) * math.sqrt(killed * (run - killed) / run + z * z / 4)
    return middle - width, middle + width


def report(room: str, *, sampled: bool) -> tuple[list[str], float]:
    """The lines to print, and how many of the mutants of code were killed, in percent."""
    lines: list[str] = []
    count: Counter[str] = Counter()
    for meta in sorted(Path("mutants/src/custinfo", room).rglob("*.meta")):
        found = bodies(meta.with_suffix(""))
        for key, code in json.loads(meta.read_text(encoding="utf-8"))["exit_code_by_key"].items():
            if code is None:
                count["not run"] += 1
                continue
            name = key.rpartition(".")[2]
            pair = found[name.rpartition("__mutmut_")[0] + "__mutmut_orig"], found[name]
            kind = "messages" if only_messages_differ(*pair) else "code"
            count[kind] += 1
            if code not in (SURVIVED, UNTESTED):
                count[f"{kind} killed"] += 1
            elif kind == "code":
                lines += ["", f"{meta.stem} {name}{': no test comes here' * (code == UNTESTED)}", *difference(*pair)]
    percent = 100 * count["code killed"] / max(count["code"], 1)
    lines += ["", f"{room}: {count['code killed']} of {count['code']} mutants of code killed, {percent:.1f} %"]
    if sampled:
        low, high = interval(count["code killed"], max(count["code"], 1))
        lines[-1] += f" (of all, with 95 % confidence: {100 * low:.1f} to {100 * high:.1f} %)"
    lines += [f"{room}: {count['messages killed']} of {count['messages']} mutants of error messages killed"]
    if count["not run"]:
        lines += [f"{room}: {count['not run']} mutants were not run"]
    return lines, percent


if __name__ == "__main__":
    printed, killed_percent = report(sys.argv[1], sampled=len(sys.argv) > 2)
    sys.stdout.write("\n".join(printed) + "\n")
    sys.exit(killed_percent < LEAST_PERCENT)

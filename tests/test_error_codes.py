"""The pages of error codes have all codes that the source gives, each with its class, and no others."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path

import pytest

import custinfo
import custinfo.errors

SOURCE = Path(custinfo.__file__).parent
DOCS = Path(__file__).parents[1] / "docs" / "reference"
PAGE, SEGMENT_PAGE = DOCS / "error-codes.md", DOCS / "segment-codes.md"

# Class -> the code that it has where none is given, and the place of the code among its arguments.
ERRORS = {name: getattr(custinfo.errors, name).code for name in custinfo.errors.__all__ if name.endswith("Error")}
PLACES = {**dict.fromkeys(ERRORS, None), "ModelWarning": None, "Finding": 1, "RowIssue": 0}
SHOWN = {"Finding": "ImportIssue"}  # the name under which users meet it

# Codes that stand in a table of the module, by their look; whoever gives a variable as a code must be one of these.
TABLES = {
    "crypto._service": ("KeyUnavailableError", r"key\.\w+"),
    "exchange._csv": ("RowIssue", r"cell\.\w+"),
    "store._postgres_errors": ("StoreError", r"store\.\w+"),
    "store._sqlalchemy_errors": ("StoreError", r"store\.\w+"),
    "store._sqlite": ("StoreError", r"store\.\w+"),
}
# Codes made of a text and a variable: what the variable can be, each a constant of the module.
MADE = {("book._intake", "transaction.no_"): ("amount", "id", "occurred_at")}
# Of one word, from before codes were dotted; programs may know them, so they stay.
ONE_WORD = {*ERRORS.values(), "confidence", "legal_hold", "locale", "option", "period", "schema", "values"}
LEAVES = (ast.Name, ast.expr_context, ast.operator, ast.cmpop, ast.boolop, ast.unaryop, ast.alias)


class Module:
    """The calls of one module, each with the function around it, and where its names come from."""

    def __init__(self, path: Path) -> None:
        self.name = ".".join(path.relative_to(SOURCE).with_suffix("").parts)
        self.room = self.name.partition(".")[0].lstrip("_")
        self.calls: list[tuple[ast.Call, ast.FunctionDef | None]] = []
        self.texts: set[str] = set()
        self.imports: dict[str, str] = {}
        self._read(ast.parse(path.read_text(encoding="utf-8")), None)

    def _read(self, node: ast.AST, inside: ast.FunctionDef | None) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, LEAVES):
                continue
            if isinstance(child, ast.Constant):
                if type(child.value) is str:
                    self.texts.add(child.value)
                continue
            if isinstance(child, ast.Call):
                self.calls.append((child, inside))
            elif isinstance(child, ast.ImportFrom) and child.module:
                self.imports |= {alias.asname or alias.name: child.module for alias in child.names}
            self._read(child, child if isinstance(child, ast.FunctionDef) else inside)

    def target(self, func: ast.expr) -> tuple[str, str]:
        """Module and name of what is called."""
        if isinstance(func, ast.Attribute):
            owner = func.value.id if isinstance(func.value, ast.Name) else ""
            module = f"{self.imports[owner]}.{owner}" if owner in self.imports else f"custinfo.{self.name}"
            return module.removeprefix("custinfo."), func.attr
        name = func.id if isinstance(func, ast.Name) else ""
        return self.imports.get(name, f"custinfo.{self.name}").removeprefix("custinfo."), name


class Codes:
    """Room -> code -> classes; `unknown` are the places whose code nobody can tell."""

    def __init__(self, modules: list[Module]) -> None:
        self.of: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        self.unknown: list[str] = []
        # (module, function) -> class, place and name of the argument that is the code, and what stands before it.
        self._makers: dict[tuple[str, str], tuple[str, int, str, str]] = {}
        found = -1
        while found < len(self._makers):  # a maker may call another one
            found = len(self._makers)
            self.unknown = []
            for module in modules:
                self._direct: set[str] = set()
                for call, inside in module.calls:
                    self._look(module, call, inside)
                if module.name in TABLES:
                    kind, look = TABLES[module.name]
                    for code in module.texts - self._direct:
                        if re.fullmatch(look, code):
                            self.of[module.room][code].add(kind)

    def _look(self, module: Module, call: ast.Call, inside: ast.FunctionDef | None) -> None:
        target = module.target(call.func)
        if target[1] in PLACES:
            kind, place, name, before, home = target[1], PLACES[target[1]], "code", "", module.name
        elif target in self._makers:
            kind, place, name, before = self._makers[target]
            home = target[0]
        else:
            return
        given = {keyword.arg: keyword.value for keyword in call.keywords}.get(name)
        if given is None and place is not None and place < len(call.args):
            given = call.args[place]
        if given is None and kind in ERRORS:
            self.of[module.room][ERRORS[kind]].add(kind)
        elif isinstance(given, ast.Constant) and isinstance(given.value, str):
            self._direct.add(before + given.value)
            self.of[module.room][before + given.value].add(SHOWN.get(kind, kind))
        elif isinstance(given, ast.Attribute) and given.attr == "code":
            pass  # passed on from an error or issue that has it
        elif not self._is_maker(module, inside, kind, given) and not {module.name, home} & TABLES.keys():
            self.unknown.append(f"{module.name}:{call.lineno}")

    def _is_maker(self, module: Module, inside: ast.FunctionDef | None, kind: str, given: ast.expr | None) -> bool:
        """Whether the code is an argument of the function around the call, alone or behind a text."""
        before = ""
        if isinstance(given, ast.JoinedStr) and len(given.values) == 2 and isinstance(given.values[0], ast.Constant):
            before, given = str(given.values[0].value), given.values[1]
            given = given.value if isinstance(given, ast.FormattedValue) else given
            for part in MADE.get((module.name, before), ()):
                self.of[module.room][before + part].add(SHOWN.get(kind, kind))
        if (module.name, before) in MADE:
            return True
        if inside is None or not isinstance(given, ast.Name):
            return False
        names = [argument.arg for argument in (*inside.args.args, *inside.args.kwonlyargs)]
        if given.id not in names:
            return False
        self._makers[module.name, inside.name] = (kind, names.index(given.id), given.id, before)
        return True


@pytest.fixture(scope="module")
def modules() -> list[Module]:
    return [Module(path) for path in sorted(SOURCE.rglob("*.py")) if path.name != "errors.py"]


@pytest.fixture(scope="module")
def codes(modules: list[Module]) -> Codes:
    return Codes(modules)


def listed(page: Path) -> dict[str, list[tuple[str, set[str]]]]:
    """Section -> its codes, each with the names in the second cell."""
    if not page.exists():
        pytest.skip("the docs are not here")
    found: dict[str, list[tuple[str, set[str]]]] = defaultdict(list)
    section = ""
    for line in page.read_text(encoding="utf-8").splitlines():
        if line.startswith("## "):
            section = line.removeprefix("## ")
        elif match := re.match(r"\| `([^`]+)` \| ([^|]+) \| [^|]", line):
            found[section].append((match[1], set(re.findall(r"`(\w+)`", match[2]))))
    return found


def test_the_code_of_every_error_can_be_told_from_the_source(codes: Codes, modules: list[Module]) -> None:
    assert codes.unknown == []
    texts = {module.name: module.texts for module in modules}
    assert all(set(parts) <= texts[name] for (name, _), parts in MADE.items())
    assert texts.keys() >= TABLES.keys()


def test_the_page_has_the_codes_of_every_room_with_their_classes_in_order(codes: Codes) -> None:
    expected = {room: found.items() for room, found in codes.of.items() if room != "segment"}
    expected["errors"] = {code: {name} for name, code in ERRORS.items()}.items()
    given = {f"{room}: {code} {sorted(kinds)}" for room, found in expected.items() for code, kinds in found}
    sections = listed(PAGE)
    lines = {f"{room}: {code} {sorted(kinds)}" for room, found in sections.items() for code, kinds in found}
    assert (given - lines, lines - given) == (set(), set())  # codes without a line, lines without a code
    for found in sections.values():
        in_order = [code for code, _ in found]
        assert in_order == sorted(set(in_order))


def test_the_page_of_segments_has_their_codes_in_order(codes: Codes) -> None:
    assert [code for code, _ in listed(SEGMENT_PAGE)[""]] == sorted(codes.of["segment"])


def test_a_code_is_lower_case_words_with_a_dot(codes: Codes) -> None:
    every = set().union(*codes.of.values())
    assert {code for code in every if not re.fullmatch(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+", code)} <= ONE_WORD

"""The notebook in the docs: its cells run, and give the texts and tables that stand in it."""

import ast
import contextlib
import io
import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "docs" / "tutorials").glob("*.ipynb"))


def shown(source, names):
    """What a notebook shows of a cell: what it prints, and the value of its last line as HTML where it has that."""
    body = ast.parse(source).body
    last = ast.Expression(body.pop().value) if isinstance(body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(ast.Module(body, []), "cell", "exec"), names)  # noqa: S102 - our own cells
        value = eval(compile(last, "cell", "eval"), names) if last else None  # noqa: S307
    return printed.getvalue(), value


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_says_what_its_cells_give(path):
    names, compared = {}, 0
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] != "code":
            continue
        printed, value = shown("".join(cell["source"]), names)
        outputs = cell["outputs"]
        assert printed == "".join("".join(out["text"]) for out in outputs if out["output_type"] == "stream")
        for data in (out["data"] for out in outputs if "data" in out):
            if "text/html" in data and type(value).__module__.startswith("custinfo."):
                assert value._repr_html_() == "".join(data["text/html"])
                compared += 1
            if "image/png" in data:
                assert value._repr_png_().startswith(b"\x89PNG")
                compared += 1
    assert compared >= 5
    assert NOTEBOOKS

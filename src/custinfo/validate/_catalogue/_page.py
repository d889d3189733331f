"""The documentation page of all codes: ``python -m custinfo.validate._catalogue._page > docs/reference/codes.md``."""

from __future__ import annotations

import sys

from custinfo.validate._catalogue._codes import CODES
from custinfo.validate._catalogue._doc import LINES
from custinfo.validate._catalogue._en import MESSAGES as ENGLISH
from custinfo.validate._catalogue._zh import MESSAGES as CHINESE

__all__ = ["page"]

_HEAD = """# Codes

<!-- Made from the catalogue by custinfo.validate._catalogue._page; do not edit. -->

Every `Issue` has one of these codes, or the code of a rule of your own. The list only grows: neither a code nor its
number changes, and the number is what `BatchResult.codes` holds. No sentence contains the value that was checked.

| number | code | severity | when | English | 中文 |
|---|---|---|---|---|---|
"""


def page() -> str:
    """The page as Markdown.

    >>> page().splitlines()[0]
    '# Codes'
    """
    rows = (
        f"| {number} | `{code}` | {severity} | {LINES[code]} | {ENGLISH[code]} | {CHINESE[code]} |\n"
        for number, (code, severity) in enumerate(CODES, start=1)
    )
    return _HEAD + "".join(rows)


if __name__ == "__main__":  # pragma: no cover - run by hand and by the test of the page in its own way
    sys.stdout.write(page())

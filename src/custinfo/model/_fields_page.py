"""The documentation page of all fields: ``python -m custinfo.model._fields_page > docs/reference/fields.md``."""

from __future__ import annotations

import sys

from custinfo.model._entities import ENTITIES, catalogue

_HEAD = """# Fields

<!-- Made from the field catalogue by custinfo.model._fields_page; do not edit. -->

Each field of each stored class, as `custinfo.model.fields_of` gives it. *Class* is the class of personal data: `none`
and `pseudonym` (an id) are stored in clear, everything else is personal: encrypted, masked, left out of `repr`, erased
on demand. *Level* is that of JR/T 0171-2020 (personal financial information protection): C1 for internal use, C2 tells
who somebody is or how he stands financially, C3 can authenticate him: of that the model has the expiry of a card only,
never its number or codes. *Retention* is `customer` (as long as the relation lasts) or `ledger` (as long as the law
wants the books). *Look-up* is the name for `find(name=...)`. A part of a personal field is encrypted with it, whatever
its own class is. `extra` holds the top-level keys of a JSON object that this release does not know.
"""
_TABLE = """
| field | type | class | level | mask | look-up | retention | English | 中文 |
|---|---|---|---|---|---|---|---|---|
"""


def page() -> str:
    """The page as Markdown.

    >>> page().splitlines()[0]
    '# Fields'
    """
    parts = [_HEAD]
    for kind, fields in catalogue().items():
        parts.append(f"\n## {ENTITIES[kind].__name__}\n{_TABLE}")
        for field in fields:
            type_ = field.type.replace("|", "\\|")
            look_up = f"`{field.index}`" if field.index else ""
            parts.append(
                f"| `{field.path}` | `{type_}` | {field.pii} | {field.level} | {field.mask} | {look_up} | "
                f"{field.retention} | {field.description} | {field.description_zh} |\n"
            )
    return "".join(parts)


if __name__ == "__main__":  # pragma: no cover - run by hand and by the test of the page in its own way
    sys.stdout.write(page())

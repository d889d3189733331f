"""Values of a record by path: ``email``, ``address.region_code``, ``contacts[].email``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

__all__ = ["values_at"]


def values_at(record: object, path: str) -> Iterator[tuple[str, object]]:
    """(path with places, value) of each value that *path* names in a record; absent ones are left out.

    Args:
        record: a mapping, or an object with attributes.
        path: names parted by dots; ``[]`` behind a name stands for each member of a sequence.

    >>> list(values_at({"contacts": [{"email": "a"}, {"email": "b"}]}, "contacts[].email"))
    [('contacts[0].email', 'a'), ('contacts[1].email', 'b')]
    """
    if isinstance(record, Mapping) and path in record:  # a column may have any name
        yield path, record[path]
        return
    name, _, rest = path.partition(".")
    each = name.endswith("[]")
    name = name.removesuffix("[]")
    value = record.get(name) if isinstance(record, Mapping) else getattr(record, name, None)
    if not each:
        yield from _inside(name, value, rest)
    elif isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        for place, member in enumerate(value):
            yield from _inside(f"{name}[{place}]", member, rest)


def _inside(path: str, value: object, rest: str) -> Iterator[tuple[str, object]]:
    if not rest:
        yield path, value
    elif value is not None:
        for inner, found in values_at(value, rest):
            yield f"{path}.{inner}", found

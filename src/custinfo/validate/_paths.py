"""Values of a record by path: ``email``, ``address.region_code``, ``contacts[].email``."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence

__all__ = ["Block", "common_list", "values_at"]


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
    yield from _inside(record, path)


def _inside(record: object, path: str) -> Iterator[tuple[str, object]]:
    name, _, rest = path.partition(".")
    plain = name.removesuffix("[]")
    value = record.get(plain) if isinstance(record, Mapping) else getattr(record, plain, None)
    found = [(plain, value)]
    if plain != name:
        found = [(f"{plain}[{place}]", member) for place, member in enumerate(_sequence(value))]
    for place, member in found:
        if not rest:
            yield place, member
        elif member is not None:
            for inner, leaf in _inside(member, rest):
                yield f"{place}.{inner}", leaf


def _sequence(value: object) -> Sequence[object]:
    """The members of a sequence, none of anything else; cells of frames may be arrays."""
    if type(value) in (tuple, list) or (isinstance(value, Sequence) and not isinstance(value, (str, bytes))):
        return value  # type: ignore[return-value]
    if getattr(value, "ndim", 0) == 1 and hasattr(value, "tolist"):
        return value.tolist()  # type: ignore[no-any-return]
    return ()


def common_list(one: str, other: str) -> str:
    """The innermost sequence that two paths go through together, "" where there is none.

    >>> common_list("accounts[].opened_at", "accounts[].closed_at"), common_list("phones[].value", "country")
    ('accounts[]', '')
    """
    shared: list[str] = []
    for mine, theirs in zip(one.split("."), other.split("."), strict=False):
        if mine != theirs:
            break
        shared.append(mine)
    while shared and not shared[-1].endswith("[]"):
        shared.pop()
    return ".".join(shared)


class Block:
    """Some records, read one path at a time; parts that several paths share are read once.

    Args:
        records: mappings or objects; left out where *columns* are given.
        columns: name -> values, one per record.
        rows: number of records, where *columns* are given.

    >>> Block([{"c": [{"e": "a"}, {"e": "b"}]}, {}]).read("c[].e")
    ([0, 0], ['a', 'b'])
    """

    __slots__ = ("_columns", "_known", "_mappings", "_owners", "_records", "rows")

    def __init__(
        self, records: list[object] | None = None, *, columns: Mapping[str, list[object]] | None = None, rows: int = 0
    ) -> None:
        self.rows = rows if records is None else len(records)
        self._records = records or []
        self._columns = columns or {}
        self._mappings = [record for record in self._records if isinstance(record, Mapping)]
        self._owners = list(range(self.rows))
        self._known: dict[str, tuple[list[int], list[object]]] = {}

    def read(self, path: str) -> tuple[list[int], list[object]]:
        """(row of each value, the values) of what `values_at` would give for each record.

        A value that is reached without ``[]`` may be None where it is absent.
        """
        if path in self._columns:
            return self._owners, self._columns[path]
        names = path.split(".")
        if path != names[0].removesuffix("[]") and any(path in record for record in self._mappings):
            return self._one_by_one(path)
        return self._walk(names)

    def _walk(self, names: list[str]) -> tuple[list[int], list[object]]:
        prefix = ".".join(names)
        found = self._known.get(prefix)
        if found is not None:
            return found
        name = names[-1]
        plain = name.removesuffix("[]")
        if len(names) > 1:
            owners, parents = self._walk(names[:-1])
            kept = [place for place, parent in enumerate(parents) if parent is not None]
            if len(kept) != len(parents):
                owners, parents = [owners[place] for place in kept], [parents[place] for place in kept]
            rest = _children(parents, plain)
        elif plain in self._columns:
            owners, rest = self._owners, self._columns[plain]
        elif self._records:
            owners, rest = self._owners, _children(self._records, plain)
        else:
            owners, rest = [], []
        if name.endswith("[]"):
            owners, rest = _members(owners, rest)
        self._known[prefix] = (owners, rest)
        return owners, rest

    def _one_by_one(self, path: str) -> tuple[list[int], list[object]]:
        owners: list[int] = []
        values: list[object] = []
        for row, record in enumerate(self._records):
            for _, value in values_at(record, path):
                owners.append(row)
                values.append(value)
        return owners, values


def _children(parents: list[object], name: str) -> list[object]:
    kinds = set(map(type, parents))
    if kinds == {dict}:
        return [parent.get(name) for parent in parents]  # type: ignore[attr-defined]
    if not any(issubclass(kind, Mapping) for kind in kinds):
        try:
            return list(map(operator.attrgetter(name), parents))
        except AttributeError:
            return [getattr(parent, name, None) for parent in parents]
    return [parent.get(name) if isinstance(parent, Mapping) else getattr(parent, name, None) for parent in parents]


def _members(owners: list[int], groups: list[object]) -> tuple[list[int], list[object]]:
    inner: list[int] = []
    members: list[object] = []
    for owner, group in zip(owners, map(_sequence, groups), strict=True):
        if group:
            members += group
            inner += [owner] * len(group)
    return inner, members

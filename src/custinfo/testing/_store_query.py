"""The store contract: conditions that the backend evaluates; left out where the unit cannot."""

from __future__ import annotations

import itertools

from custinfo.store import Key, Record, SupportsQuery
from custinfo.testing._deps import pytest
from custinfo.testing._store_base import StoreMaker, leave_out

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from custinfo.store import RecordStore, Unit

    Pairs = tuple[tuple[str, str], ...]
    Range = tuple[str, str | None, str | None] | None

# In an order that is neither that of ids nor that of collations, of UTF-16, or of the largest values.
PLACES = ("b", "B", "\U0001f600", "\ue000", "a", "\u00e9", "a ", "10", "9")
ROWS: Mapping[str, Pairs] = {
    id: (
        ("tag", f"t{number % 2}"),
        ("tag", f"u{number % 3}"),
        ("at", PLACES[number]),
        *((("at", PLACES[number - 4]),) if number in (5, 8) else ()),
    )
    for number, id in enumerate(["c", "B", "\U0001f600", "\ue000", "A", "a", "b ", "C", "e\u0301"])
} | {"without": (), "other": (("tag", "t1"), ("born", "a"), ("born", "c"))}

CONDITIONS: Sequence[Pairs] = (
    (),
    (("tag", "t1"),),
    (("tag", "t0"), ("tag", "u1")),
    (("tag", "absent"),),
    (("tag", "t1"), ("born", "a")),
)
RANGES: Sequence[Range] = (
    None,
    ("at", "B", "b"),
    ("at", "a", None),
    ("at", None, "\ue000"),
    ("at", None, None),
    ("at", "x", "c"),
    ("born", "b", "d"),
)


def oracle(all_of: Pairs, within: Range, order: str | None) -> list[str]:
    """The ids, by looking at each row."""
    found = []
    for id, keys in ROWS.items():
        if not set(all_of) <= set(keys):
            continue
        if within is not None:
            name, low, high = within
            values = [value for held, value in keys if held == name]
            if not any((low is None or low <= value) and (high is None or value < high) for value in values):
                continue
        place = min((value for name, value in keys if name == order), default=None)
        if order is None or place is not None:
            found.append((place or "", id))
    return [id for _, id in sorted(found)]


def fill(store: RecordStore) -> None:
    """Store the rows, as updates of others, beside another kind and an undone unit."""
    with store.unit() as unit:
        for id, keys in ROWS.items():
            unit.put(Record("thing", id, 0, b""), [Key("tag", "absent"), Key("at", "a")], 0)
            unit.put(Record("thing", id, 0, b""), [Key(*key) for key in keys], 1)
        unit.put(Record("thing", "deleted", 0, b""), [Key("tag", "t1"), Key("at", "a")], 0)
        unit.put(Record("kind", "of another", 0, b""), [Key("tag", "t1"), Key("at", "a")], 0)
    with pytest.raises(ZeroDivisionError), store.unit() as unit:
        unit.put(Record("thing", "undone", 0, b""), [Key("tag", "t1"), Key("at", "a")], 0)
        raise ZeroDivisionError
    with store.unit() as unit:
        unit.delete("thing", "deleted", 1)


def can_query(unit: Unit) -> SupportsQuery:
    """The unit, if it has the capability."""
    if not isinstance(unit, SupportsQuery):
        leave_out("SupportsQuery")
    return unit


class QueryContract(StoreMaker):
    """A query gives the ids that meet all its conditions, in its order, page by page."""

    @pytest.mark.parametrize("order", [None, "at", "born"])
    def test_a_query_finds_what_its_conditions_say(self, order: str | None) -> None:
        with self.fresh() as store:
            fill(store)
            with store.unit(write=False) as unit:
                query = can_query(unit).query
                for all_of, within in itertools.product(CONDITIONS, RANGES):
                    expected = oracle(all_of, within, order)
                    found = query("thing", all_of=all_of, range=within, order=order, limit=100)
                    assert found == expected, f"all_of={all_of}, range={within}"

    @pytest.mark.parametrize("limit", [1, 3])
    @pytest.mark.parametrize("order", [None, "at"])
    def test_a_query_goes_on_page_by_page(self, order: str | None, limit: int) -> None:
        with self.fresh() as store:
            fill(store)
            with store.unit(write=False) as unit:
                query = can_query(unit).query
                for all_of, within in itertools.product(CONDITIONS[:2], RANGES[:3]):
                    found: list[str] = []
                    while page := query(
                        "thing", all_of=all_of, range=within, order=order, after=found[-1] if found else "", limit=limit
                    ):
                        assert len(page) <= limit
                        assert set(page).isdisjoint(found)
                        found += page
                    assert found == oracle(all_of, within, order)

    def test_a_query_sees_the_writes_of_its_unit(self) -> None:
        with self.fresh() as store, store.unit() as unit:
            query = can_query(unit).query
            unit.put(Record("thing", "a", 0, b""), [Key("tag", "t"), Key("at", "2")], 0)
            unit.put(Record("thing", "b", 0, b""), [Key("tag", "t"), Key("at", "1")], 0)
            assert query("thing", all_of=[("tag", "t")], order="at", limit=9) == ["b", "a"]
            unit.delete("thing", "b", 1)
            assert query("thing", all_of=[("tag", "t")], order="at", limit=9) == ["a"]

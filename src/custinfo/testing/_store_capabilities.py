"""The store contract: capabilities of a unit, each left out where the unit has it not."""

from __future__ import annotations

from custinfo.errors import ConflictError, DuplicateKeyError
from custinfo.store import Key, Record, SupportsBackup, SupportsBulk, SupportsQuery, SupportsTrim
from custinfo.testing._deps import pytest
from custinfo.testing._store_base import StoreMaker, emit, look_up, put, read, read_feed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import NoReturn

    from custinfo.store import RecordStore


class CapabilitiesContract(StoreMaker):
    """What a unit says it supports, it does as promised."""

    def test_bulk_stores_what_put_stores(self) -> None:
        with self.fresh() as store:
            put(store, "old", b"1", keys=[Key("tag", "gone")])
            ids = [f"n{number:04}" for number in range(2500)]
            items: list[tuple[Record, Sequence[Key], int]] = [
                (Record("thing", id, 0, b"\0" + id.encode()), [Key("name", id, unique=True), Key("tag", "t")], 0)
                for id in ids
            ]
            items.insert(1200, (Record("thing", "old", 1, b"2"), [Key("tag", "t")], 1))
            items.append((Record("thing", "old", 2, b"3"), [Key("tag", "last")], 2))
            assert put_many(store, iter(items)) == [1] * 1200 + [2] + [1] * 1300 + [3]
            assert read(store, *ids) == [(id, 1, b"\0" + id.encode()) for id in ids]
            assert read(store, "old") == [("old", 3, b"3")]
            assert look_up(store, "tag", "t") == ids
            assert look_up(store, "name", "n2499") == ["n2499"]
            assert look_up(store, "tag", "gone") == []
            assert look_up(store, "tag", "last") == ["old"]

    def test_bulk_of_nothing_does_nothing(self) -> None:
        with self.fresh() as store:
            assert put_many(store, []) == []

    @pytest.mark.parametrize("version", [0, 2])
    def test_a_conflict_in_bulk_undoes_the_unit(self, version: int) -> None:
        with self.fresh() as store:
            put(store, "a", b"1")
            with pytest.raises(ConflictError):
                put_many(store, [(Record("thing", id, 0, b"2"), (), version * (id == "a")) for id in ("b", "a", "c")])
            assert read(store, "a", "b", "c") == [("a", 1, b"1")]

    def test_a_record_updated_twice_in_bulk_keeps_the_last_keys(self) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("tag", "1")])
            put(store, "b", keys=[Key("tag", "1")])
            updates = [("a", "2", 1), ("b", "2", 1), ("a", "3", 2)]
            items = [(Record("thing", id, 0, tag.encode()), [Key("tag", tag)], old) for id, tag, old in updates]
            assert put_many(store, items) == [2, 2, 3]
            assert read(store, "a", "b") == [("a", 3, b"3"), ("b", 2, b"2")]
            assert [look_up(store, "tag", tag) for tag in ("1", "2", "3")] == [[], ["b"], ["a"]]

    def test_the_same_new_record_twice_in_bulk_is_a_conflict(self) -> None:
        with self.fresh() as store:
            with pytest.raises(ConflictError):
                put_many(store, [(Record("thing", "a", 0, b""), (), 0)] * 2)
            assert read(store, "a") == []

    def test_a_unique_key_twice_in_bulk_is_refused(self) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("ext", "x", unique=True)])
            for values in (["y", "y"], ["y", "x"]):
                with pytest.raises(DuplicateKeyError):
                    put_many(
                        store,
                        [
                            (Record("thing", f"n{i}", 0, b""), [Key("ext", v, unique=True)], 0)
                            for i, v in enumerate(values)
                        ],
                    )
            assert read(store, "n0", "n1") == []

    def test_an_error_of_the_items_undoes_the_unit(self) -> None:
        def items() -> Iterable[tuple[Record, Sequence[Key], int]]:
            yield Record("thing", "a", 0, b""), (), 0
            raise ZeroDivisionError

        with self.fresh() as store:
            with pytest.raises(ZeroDivisionError):
                put_many(store, items())
            assert read(store, "a") == []

    def test_trim_drops_events_up_to_its_cursor(self) -> None:
        with self.fresh() as store:
            emit(store, "a", "b", "c")
            events = read_feed(store)
            with store.unit() as unit:
                if not isinstance(unit, SupportsTrim):
                    leave_out("SupportsTrim")
                assert unit.trim(events[1].cursor) == 2
            assert read_feed(store) == events[2:]
            assert read_feed(store, events[1].cursor) == events[2:]
            with store.unit() as unit:
                assert isinstance(unit, SupportsTrim)
                assert unit.trim(events[2].cursor) == 1
            assert read_feed(store) == []
            emit(store, "d")
            assert [event.subject for event in read_feed(store, events[2].cursor)] == ["d"]

    def test_trim_is_undone_with_its_unit(self) -> None:
        with self.fresh() as store:
            emit(store, "a", "b")
            events = read_feed(store)
            with pytest.raises(ZeroDivisionError), store.unit() as unit:
                if not isinstance(unit, SupportsTrim):
                    leave_out("SupportsTrim")
                unit.trim(events[0].cursor)
                raise ZeroDivisionError
            assert read_feed(store) == events

    def test_a_backup_finds_all_kinds_and_keys(self) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("tag", "b"), Key("tag", "a"), Key("ext", "x", unique=True)])
            put(store, "a", kind="other")
            put(store, "a", kind="deleted")
            with store.unit() as unit:
                unit.delete("deleted", "a", 1)
            with store.unit(write=False) as unit:
                if not isinstance(unit, SupportsBackup):
                    leave_out("SupportsBackup")
                assert unit.kinds() == ["other", "thing"]
                assert unit.keys("thing", "a") == [Key("ext", "x", unique=True), Key("tag", "a"), Key("tag", "b")]
                assert unit.keys("other", "a") == unit.keys("thing", "absent") == []

    def test_a_query_finds_what_its_conditions_say(self) -> None:
        with self.fresh() as store:
            rows = {
                id: [("tag", f"t{n % 2}"), ("tag", f"u{n % 3}"), ("at", f"{n * 7 % 10}")]
                for n, id in enumerate("aBcDeFgH")
            }
            for id, keys in rows.items():
                put(store, id, keys=[Key(*key) for key in keys])
            put(store, "without")
            with store.unit(write=False) as unit:
                if not isinstance(unit, SupportsQuery):
                    leave_out("SupportsQuery")
                query = unit.query
                assert query("thing", limit=100) == sorted([*rows, "without"])
                for tags in ([("tag", "t1")], [("tag", "t0"), ("tag", "u1")], [("tag", "absent")]):
                    held = sorted(id for id, keys in rows.items() if set(tags) <= set(keys))
                    assert query("thing", all_of=tags, limit=100) == held
                    by_time = sorted(held, key=lambda id: (rows[id][2][1], id))
                    assert query("thing", all_of=tags, order="at", limit=100) == by_time
                between = sorted(id for id, keys in rows.items() if "3" <= keys[2][1] < "7")
                assert query("thing", range=("at", "3", "7"), limit=100) == between
                assert query("thing", range=("at", None, None), limit=100) == sorted(rows)
                everyone = sorted(rows, key=lambda id: (rows[id][2][1], id))
                paged: list[str] = []
                while page := query("thing", order="at", after=paged[-1] if paged else "", limit=3):
                    paged += page
                assert paged == everyone


def leave_out(capability: str) -> NoReturn:
    """Leave the test out."""
    pytest.skip(f"the unit has no {capability}")


def put_many(store: RecordStore, items: Iterable[tuple[Record, Sequence[Key], int]]) -> list[int]:
    """`put_many` in a unit of its own."""
    with store.unit() as unit:
        if not isinstance(unit, SupportsBulk):
            leave_out("SupportsBulk")
        return unit.put_many(items)

"""The store contract: many records at once, and dropping old events; left out where the unit cannot."""

from __future__ import annotations

from custinfo.errors import ConflictError, DuplicateKeyError
from custinfo.store import Key, Record, SupportsBulk, SupportsTrim
from custinfo.testing._deps import pytest
from custinfo.testing._store_base import StoreMaker, emit, leave_out, look_up, put, read, read_feed

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

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
            tags = [Key("tag", "t")]
            with pytest.raises(ConflictError):
                put_many(store, [(Record("thing", id, 0, b"2"), tags, version * (id == "a")) for id in ("b", "a", "c")])
            assert read(store, "a", "b", "c") == [("a", 1, b"1")]
            assert look_up(store, "tag", "t") == []

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
            emit(store, "late")
            assert [event.subject for event in read_feed(store, events[1].cursor)] == ["c", "late"]
            events = [*events[:2], *read_feed(store, events[1].cursor)]
            with store.unit() as unit:
                assert isinstance(unit, SupportsTrim)
                assert unit.trim(events[3].cursor) == 2
            assert read_feed(store) == []
            emit(store, "d")
            assert [event.subject for event in read_feed(store, events[3].cursor)] == ["d"]

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


def put_many(store: RecordStore, items: Iterable[tuple[Record, Sequence[Key], int]]) -> list[int]:
    """`put_many` in a unit of its own."""
    with store.unit() as unit:
        if not isinstance(unit, SupportsBulk):
            leave_out("SupportsBulk")
        return unit.put_many(items)

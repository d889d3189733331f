"""The store contract: what backups read and restores write; left out where the unit cannot."""

from __future__ import annotations

import threading

from custinfo.errors import ConflictError, DuplicateKeyError
from custinfo.store import (
    START,
    Key,
    Record,
    SupportsBackup,
    SupportsKeyRange,
    SupportsPending,
    SupportsRestore,
)
from custinfo.testing._deps import pytest
from custinfo.testing._store_base import (
    BRIEF_S,
    LONG_S,
    StoreMaker,
    emit,
    leave_out,
    look_up,
    put,
    read,
    read_feed,
    run_threads,
)
from custinfo.testing._store_records import TEXTS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from custinfo.store import RecordStore, Unit


class CarryContract(StoreMaker):
    """A store can be carried into another one, whole."""

    def test_a_backup_finds_all_kinds_and_keys(self) -> None:
        with self.fresh() as store:
            put(store, "a", keys=[Key("tag", "gone")])
            put(store, "a", keys=[Key("tag", "b"), Key("tag", "a"), Key("ext", "x", unique=True)], version=1)
            for kind in ("other", "Thing", "\ue000", "\U0001f600", "deleted"):
                put(store, "a", kind=kind)
            with store.unit() as unit:
                unit.delete("deleted", "a", 1)
            with store.unit(write=False) as unit:
                if not isinstance(unit, SupportsBackup):
                    leave_out("SupportsBackup")
                assert unit.kinds() == ["Thing", "other", "thing", "\ue000", "\U0001f600"]
                assert unit.keys("thing", "a") == [Key("ext", "x", unique=True), Key("tag", "a"), Key("tag", "b")]
                assert unit.keys("other", "a") == unit.keys("thing", "absent") == []

    def test_a_backup_finds_the_keys_of_a_page(self) -> None:
        with self.fresh() as store:
            expected = {}
            with store.unit() as unit:
                for number, id in enumerate(TEXTS):
                    keys = [Key("tag", value) for value in ("b", "B", "\U0001f600", "\ue000")[: number % 5]]
                    unit.put(Record("thing", id, 0, b""), [*keys, Key("ext", id, unique=True)][: 5 * (number % 4)], 0)
                    if number % 4:
                        expected[id] = sorted([*keys, Key("ext", id, unique=True)])
                unit.put(Record("other", "a", 0, b""), [Key("tag", "of another")], 0)
            with store.unit(write=False) as unit:
                if not isinstance(unit, SupportsKeyRange):
                    leave_out("SupportsKeyRange")
                for after, last in [("", TEXTS[-1]), (TEXTS[3], TEXTS[9]), (TEXTS[9], TEXTS[10]), ("~", "\u00e9")]:
                    found = unit.keys_between("thing", after, last)
                    assert found == {id: keys for id, keys in expected.items() if after < id <= last}
                    assert list(found) == sorted(found)

    def test_events_that_the_feed_holds_back_are_pending(self) -> None:
        with self.fresh() as store:
            emit(store, "a", "b")
            opened, looked = threading.Event(), threading.Event()
            pending: list[str] = []

            def open_unit() -> None:
                with store.unit() as unit:
                    unit.emit("thing.changed", "open", b"")
                    opened.set()
                    looked.wait(BRIEF_S)

            def look() -> None:
                assert opened.wait(LONG_S)
                try:
                    emit(store, "c")
                    with store.unit(write=False) as unit:
                        if isinstance(unit, SupportsPending):
                            pending.extend(event.subject for event in unit.pending(START, 10))
                            assert [event.subject for event in unit.pending(START, 2)] == pending[:2]
                            assert unit.feed(START, 10) == unit.pending(START, 10)[: len(unit.feed(START, 10))]
                finally:
                    looked.set()

            with store.unit(write=False) as unit:
                if not isinstance(unit, SupportsPending):
                    leave_out("SupportsPending")
            run_threads(open_unit, look)
            assert [subject for subject in pending if subject != "open"] == ["a", "b", "c"]

    def test_loaded_records_have_the_versions_and_keys_they_had(self) -> None:
        with self.fresh() as store:
            put(store, "there", b"1", keys=[Key("tag", "t")])
            ids = [f"n{number:04}" for number in range(1100)]
            items: list[tuple[Record, Sequence[Key]]] = [
                (
                    Record("thing", id, number % 9 + 1, b"\0" + id.encode()),
                    [Key("ext", id, unique=True), Key("tag", "t")],
                )
                for number, id in enumerate(ids)
            ]
            with store.unit() as unit:
                assert can_load(unit).load(iter(items)) == 1100
                assert unit.get("thing", ids[:1]) == [items[0][0]]
            assert read(store, *ids) == [tuple(record[1:]) for record, _ in items]
            assert look_up(store, "tag", "t") == [*ids, "there"]
            assert put(store, "n0001", b"next", version=2) == 3
            with pytest.raises(ConflictError):
                put(store, "n0002", version=1)
            with pytest.raises(DuplicateKeyError):
                put(store, "new", keys=[Key("ext", "n0003", unique=True)])

    @pytest.mark.parametrize("clash", ["stored", "within"])
    def test_to_load_a_record_that_is_there_is_a_conflict(self, clash: str) -> None:
        with self.fresh() as store:
            put(store, "a", b"1")
            again = "a" if clash == "stored" else "b"
            with pytest.raises(ConflictError):
                load(store, [(Record("thing", "b", 5, b"2"), ()), (Record("thing", again, 1, b"2"), ())])
            assert read(store, "a", "b") == [("a", 1, b"1")]

    def test_to_load_a_unique_key_that_another_record_holds_is_refused(self) -> None:
        with self.fresh() as store:
            keys = [Key("ext", "x", unique=True)]
            put(store, "a", b"1", keys=keys)
            with pytest.raises(DuplicateKeyError):
                load(store, [(Record("thing", "b", 5, b"2"), ()), (Record("thing", "c", 1, b"2"), keys)])
            assert read(store, "a", "b", "c") == [("a", 1, b"1")]
            assert look_up(store, "ext", "x") == ["a"]

    def test_loaded_events_come_in_their_order_behind_those_that_are_there(self) -> None:
        with self.fresh() as store:
            emit(store, "before")
            loaded = [("thing.changed", f"{number}", b"\0%d" % number) for number in range(1100)]
            with store.unit() as unit:
                assert can_load(unit).load_events(iter(loaded)) == 1100
            emit(store, "after")
            told = [(event.type, event.subject, event.data) for event in read_feed(store, limit=500)]
            assert told == [("thing.changed", "before", b""), *loaded, ("thing.changed", "after", b"")]

    def test_what_was_loaded_is_undone_with_its_unit(self) -> None:
        with self.fresh() as store:
            with pytest.raises(ZeroDivisionError), store.unit() as unit:
                can_load(unit).load([(Record("thing", "a", 3, b""), [Key("ext", "x", unique=True)])])
                can_load(unit).load_events([("thing.changed", "a", b"")])
                raise ZeroDivisionError
            assert read(store, "a") == []
            assert look_up(store, "ext", "x") == []
            assert read_feed(store) == []
            assert put(store, "b", keys=[Key("ext", "x", unique=True)]) == 1


def can_load(unit: Unit) -> SupportsRestore:
    """The unit, if it has the capability."""
    if not isinstance(unit, SupportsRestore):
        leave_out("SupportsRestore")
    return unit


def load(store: RecordStore, items: Iterable[tuple[Record, Sequence[Key]]]) -> None:
    """`SupportsRestore.load` in a unit of its own."""
    with store.unit() as unit:
        can_load(unit).load(items)

"""The store contract: threads that share a store."""

from __future__ import annotations

import threading
from contextlib import suppress

from custinfo.errors import ConflictError, CustInfoError, DuplicateKeyError
from custinfo.store import START, Key, Record
from custinfo.testing._deps import pytest
from custinfo.testing._store_base import BRIEF_S, LONG_S, StoreMaker, look_up, put, read, run_threads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from custinfo.store import RecordStore


class ThreadsContract(StoreMaker):
    """Threads share a store and never a unit; no change is lost and none is seen by half."""

    def test_no_increment_of_four_threads_is_lost(self) -> None:
        with self.fresh() as store:
            put(store, "n", b"0")

            def add() -> None:
                added = 0
                for _ in range(1000):
                    [(_, version, data)] = read(store, "n")
                    try:
                        put(store, "n", b"%d" % (int(data) + 1), version=version)
                    except ConflictError:
                        continue
                    added += 1
                    if added == 12:
                        return
                pytest.fail("1000 attempts were not enough for 12 changes")

            run_threads(add, add, add, add)
            assert read(store, "n") == [("n", 49, b"48")]

    def test_one_of_many_threads_makes_a_new_record(self) -> None:
        with self.fresh() as store:
            made: list[str] = []
            start = threading.Barrier(4)

            def make() -> None:
                for number in range(8):
                    start.wait(LONG_S)
                    try:
                        put(store, f"r{number}", keys=[Key("ext", f"x{number}", unique=True)])
                    except ConflictError:
                        continue
                    made.append(f"r{number}")

            run_threads(make, make, make, make)
            assert sorted(made) == [f"r{number}" for number in range(8)]

    @pytest.mark.parametrize("version", [0, 1])
    def test_one_of_two_overlapping_units_changes_a_record(self, version: int) -> None:
        with self.fresh() as store:
            if version:
                put(store, "a", b"old")
            outcomes = overlap(store, Record("thing", "a", 0, b"1"), Record("thing", "a", 0, b"2"), version)
            assert sorted(outcomes.values()) == ["ConflictError", "done"]
            [winner] = [data for data, outcome in outcomes.items() if outcome == "done"]
            assert read(store, "a") == [("a", version + 1, winner)]

    def test_one_of_two_overlapping_units_gets_a_unique_key(self) -> None:
        with self.fresh() as store:
            keys = [Key("ext", "x", unique=True)]
            outcomes = overlap(store, Record("thing", "a", 0, b"a"), Record("thing", "b", 0, b"b"), 0, keys=keys)
            assert sorted(outcomes.values()) == ["DuplicateKeyError", "done"]
            [winner] = [data for data, outcome in outcomes.items() if outcome == "done"]
            assert read(store, "a", "b") == [(winner.decode(), 1, winner)]
            assert look_up(store, "ext", "x") == [winner.decode()]

    @pytest.mark.parametrize("undo_first", [True, False])
    def test_a_second_thread_has_a_unit_of_its_own(self, undo_first: bool) -> None:
        """One of two overlapping units is undone; that must not touch the other."""
        with self.fresh() as store:
            written, other_done = threading.Event(), threading.Event()

            def first() -> None:
                try:
                    with store.unit() as unit:
                        unit.put(Record("thing", "first", 0, b""), [Key("tag", "t")], 0)
                        unit.emit("thing.changed", "first", b"")
                        written.set()
                        # A store whose units take turns lets the second thread go only afterwards.
                        other_done.wait(BRIEF_S)
                        if undo_first:
                            raise ZeroDivisionError
                except ZeroDivisionError:
                    pass

            def second() -> None:
                assert written.wait(LONG_S)
                try:
                    with store.unit() as unit:
                        unit.put(Record("thing", "second", 0, b""), [Key("tag", "t")], 0)
                        unit.emit("thing.changed", "second", b"")
                        if not undo_first:
                            raise ZeroDivisionError
                except ZeroDivisionError:
                    pass
                other_done.set()

            run_threads(first, second)
            kept = "second" if undo_first else "first"
            assert [row[0] for row in read(store, "first", "second")] == [kept]
            with store.unit(write=False) as unit:
                assert unit.lookup("thing", "tag", "t") == [kept]
                assert [event.subject for event in unit.feed(START, 10)] == [kept]

    def test_a_reader_sees_nothing_of_a_unit_that_is_not_committed(self) -> None:
        with self.fresh() as store:
            put(store, "a", b"1")
            put(store, "b", b"1")
            half_done, looked = threading.Event(), threading.Event()
            seen: list[list[bytes]] = []

            def writer() -> None:
                with store.unit() as unit:
                    unit.put(Record("thing", "a", 1, b"2"), [Key("tag", "t")], 1)
                    unit.emit("thing.changed", "a", b"")
                    half_done.set()
                    looked.wait(BRIEF_S)
                    unit.put(Record("thing", "b", 1, b"2"), [Key("tag", "t")], 1)
                    unit.emit("thing.changed", "b", b"")

            def reader() -> None:
                assert half_done.wait(LONG_S)
                with store.unit(write=False) as unit:
                    rows = unit.get("thing", ["a", "b"])
                    holders = unit.lookup("thing", "tag", "t")
                    paged = unit.page("thing", "", 10)
                    told = [event.subject for event in unit.feed(START, 10)]
                looked.set()
                seen.append([row.data for row in rows])
                assert paged == rows
                assert holders == told == (["a", "b"] if rows[0].data == b"2" else [])

            run_threads(writer, reader)
            assert seen in ([[b"1", b"1"]], [[b"2", b"2"]])

    def test_a_unit_reads_one_state_while_others_commit(self) -> None:
        with self.fresh() as store:
            put(store, "a", b"1")
            put(store, "b", b"1")
            half_read, committed = threading.Event(), threading.Event()
            seen: list[bytes] = []

            def reader() -> None:
                with store.unit(write=False) as unit:
                    seen.append(unit.get("thing", ["a"])[0].data)
                    half_read.set()
                    committed.wait(BRIEF_S)
                    seen.append(unit.get("thing", ["b"])[0].data)

            def writer() -> None:
                assert half_read.wait(LONG_S)
                with store.unit() as unit:
                    unit.put(Record("thing", "a", 1, b"2"), (), 1)
                    unit.put(Record("thing", "b", 1, b"2"), (), 1)
                committed.set()

            run_threads(reader, writer)
            assert seen == [b"1", b"1"]

    def test_a_unit_inside_a_unit_is_refused_or_does_not_end_it(self) -> None:
        store = self.make_store()
        exits: dict[str, str] = {}

        def nest(name: str, *, undo: str) -> None:
            try:
                with store.unit() as outer:
                    outer.put(Record("thing", f"{name}-before", 0, b""), (), 0)
                    with suppress(CustInfoError, ZeroDivisionError), store.unit() as inner:
                        inner.put(Record("thing", f"{name}-inner", 0, b""), (), 0)
                        if undo == "inner":
                            raise ZeroDivisionError
                    outer.put(Record("thing", f"{name}-after", 0, b""), (), 0)
                    if undo == "outer":
                        raise ZeroDivisionError
            except (CustInfoError, ZeroDivisionError):
                exits[name] = "undone"
            else:
                exits[name] = "done"

        def run() -> None:
            nest("first", undo="outer")
            nest("second", undo="inner")

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        thread.join(10 * BRIEF_S)
        if thread.is_alive():
            # Not closed: that might wait for the thread, which waits for itself.
            pytest.skip("a unit of this store waits for the unit around it")
        try:
            assert exits.keys() == {"first", "second"}
            for name, how in exits.items():
                places = [f"{name}-before", f"{name}-after"]
                assert [row[0] for row in read(store, *places)] == (places if how == "done" else [])
            assert read(store, "second-inner") == []
        finally:
            store.close()


def overlap(
    store: RecordStore, one: Record, other: Record, version: int, *, keys: Sequence[Key] = ()
) -> dict[bytes, str]:
    """Put both in units of two threads that overlap where the store lets them; data -> "done" or the error's name."""
    outcomes: dict[bytes, str] = {}
    written, other_done = threading.Event(), threading.Event()

    def first() -> None:
        try:
            with store.unit() as unit:
                unit.put(one, keys, version)
                written.set()
                other_done.wait(BRIEF_S)
        except (ConflictError, DuplicateKeyError) as exc:
            outcomes[one.data] = type(exc).__name__
        else:
            outcomes[one.data] = "done"

    def second() -> None:
        assert written.wait(LONG_S)
        try:
            with store.unit() as unit:
                unit.put(other, keys, version)
        except (ConflictError, DuplicateKeyError) as exc:
            outcomes[other.data] = type(exc).__name__
        else:
            outcomes[other.data] = "done"
        other_done.set()

    run_threads(first, second)
    return outcomes

"""The store contract: threads that share a store."""

from __future__ import annotations

import threading

from custinfo.errors import ConflictError
from custinfo.store import START, Key, Record
from custinfo.testing._deps import pytest
from custinfo.testing._store_base import BRIEF_S, LONG_S, StoreMaker, put, read, run_threads


class ThreadsContract(StoreMaker):
    """Threads share a store and never a unit; no change is lost and none is seen by half."""

    def test_no_increment_of_four_threads_is_lost(self) -> None:
        with self.fresh() as store:
            put(store, "n", b"0")

            def add() -> None:
                for _ in range(12):
                    while True:
                        [(_, version, data)] = read(store, "n")
                        try:
                            put(store, "n", b"%d" % (int(data) + 1), version=version)
                        except ConflictError:
                            continue
                        break

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
                    half_done.set()
                    looked.wait(BRIEF_S)
                    unit.put(Record("thing", "b", 1, b"2"), [Key("tag", "t")], 1)

            def reader() -> None:
                assert half_done.wait(LONG_S)
                with store.unit(write=False) as unit:
                    rows = unit.get("thing", ["a", "b"])
                    holders = unit.lookup("thing", "tag", "t")
                looked.set()
                seen.append([row.data for row in rows])
                assert holders == (["a", "b"] if rows[0].data == b"2" else [])

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

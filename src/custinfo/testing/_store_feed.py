"""The store contract: the feed of events."""

from __future__ import annotations

import threading

from custinfo.errors import ConflictError, CustInfoError
from custinfo.store import START, Cursor, Record
from custinfo.testing._deps import pytest
from custinfo.testing._store_base import BRIEF_S, LONG_S, StoreMaker, emit, put, read_feed, run_threads


class FeedContract(StoreMaker):
    """A reader gets each committed event exactly once, none skipped."""

    def test_events_come_unchanged_and_in_the_order_of_a_unit(self) -> None:
        with self.fresh() as store:
            with store.unit() as unit:
                unit.emit("thing.created", "a", b"\0\xff")
                unit.emit("thing.changed", "a", b"")
                unit.emit("thing.changed", "b ", "\u5f20".encode())
                unit.emit("thing.changed", "", bytes(range(256)) * 400)
            events = read_feed(store)
            assert [(event.type, event.subject) for event in events] == [
                ("thing.created", "a"),
                ("thing.changed", "a"),
                ("thing.changed", "b "),
                ("thing.changed", ""),
            ]
            assert [event.data for event in events[:3]] == [b"\0\xff", b"", "\u5f20".encode()]
            assert {type(event.data) for event in events} == {bytes}
            # Not the data themselves: pytest would take long over the difference.
            intact = events[3].data == bytes(range(256)) * 400
            assert intact, f"102,400 bytes were emitted, {len(events[3].data)} came back, or altered"

    def test_an_empty_feed_is_empty(self) -> None:
        with self.fresh() as store:
            put(store, "a")
            assert read_feed(store) == []

    def test_a_reader_goes_on_from_any_event(self) -> None:
        with self.fresh() as store:
            emit(store, "a", "b")
            emit(store, "c")
            events = read_feed(store)
            assert len({event.cursor for event in events}) == 3
            for number, event in enumerate(events, 1):
                assert read_feed(store, event.cursor) == events[number:]
            emit(store, "d")
            assert [event.subject for event in read_feed(store, events[-1].cursor)] == ["d"]

    @pytest.mark.parametrize("limit", [1, 2, 3, 100])
    def test_the_page_size_changes_nothing(self, limit: int) -> None:
        with self.fresh() as store:
            emit(store, "a", "b", "c", "d")
            emit(store, "e")
            with store.unit(write=False) as unit:
                assert len(unit.feed(START, limit)) == min(limit, 5)
            assert [event.subject for event in read_feed(store, limit=limit)] == ["a", "b", "c", "d", "e"]

    def test_undone_units_leave_no_event(self) -> None:
        with self.fresh() as store:
            put(store, "a")
            emit(store, "before")
            with pytest.raises(ZeroDivisionError), store.unit() as unit:
                unit.emit("thing.changed", "undone", b"")
                raise ZeroDivisionError
            with pytest.raises(ConflictError), store.unit() as unit:
                unit.emit("thing.changed", "undone", b"")
                unit.put(Record("thing", "a", 0, b""), (), 0)
            emit(store, "after")
            assert [event.subject for event in read_feed(store)] == ["before", "after"]

    def test_the_cursor_of_another_store_is_refused(self) -> None:
        with self.fresh() as one, self.fresh() as other:
            emit(one, "a")
            emit(other, "b", "c")
            cursor = read_feed(one)[-1].cursor
            with pytest.raises(CustInfoError), other.unit(write=False) as unit:
                unit.feed(cursor, 10)

    def test_a_text_that_is_no_cursor_is_refused(self) -> None:
        with self.fresh() as store:
            emit(store, "a")
            with pytest.raises(CustInfoError), store.unit(write=False) as unit:
                unit.feed(Cursor("not a cursor"), 10)

    def test_an_event_that_commits_late_is_not_skipped(self) -> None:
        with self.fresh() as store:
            emitted, others_done = threading.Event(), threading.Event()
            seen: list[str] = []

            def slow_writer() -> None:
                with store.unit() as unit:
                    unit.emit("thing.changed", "slow", b"")
                    emitted.set()
                    # A store with one writer lets the quick one go only afterwards.
                    others_done.wait(BRIEF_S)

            def quick_writer_and_reader() -> None:
                assert emitted.wait(LONG_S)
                emit(store, "quick")
                events = read_feed(store)
                seen.extend(event.subject for event in events)
                cursor = events[-1].cursor if events else START
                others_done.set()
                slow.join(LONG_S)
                seen.extend(event.subject for event in read_feed(store, cursor))

            slow = threading.Thread(target=slow_writer, daemon=True)
            slow.start()
            run_threads(quick_writer_and_reader)
            assert sorted(seen) == ["quick", "slow"]
            assert sorted(event.subject for event in read_feed(store)) == ["quick", "slow"]

    def test_a_reader_beside_many_writers_gets_each_event_once(self) -> None:
        with self.fresh() as store:
            writing = threading.Event()
            done: list[int] = []
            seen: list[tuple[str, bytes]] = []

            def writer(number: int) -> None:
                for turn in range(12):
                    with store.unit() as unit:
                        for part in range(turn % 3 + 1):
                            unit.emit("thing.changed", f"{number}", b"%d.%d" % (turn, part))
                done.append(number)
                if len(done) == 4:
                    writing.set()

            def reader() -> None:
                cursor = START
                while True:
                    last_round = writing.wait(0.002)
                    for event in read_feed(store, cursor, limit=7):
                        seen.append((event.subject, event.data))
                        cursor = event.cursor
                    if last_round:
                        return

            run_threads(*(lambda number=number: writer(number) for number in range(4)), reader)
            expected = [
                (f"{number}", b"%d.%d" % (turn, part))
                for number in range(4)
                for turn in range(12)
                for part in range(turn % 3 + 1)
            ]
            assert sorted(seen) == sorted(expected)
            for number in range(4):
                own = [data for subject, data in seen if subject == f"{number}"]
                assert own == [data for subject, data in expected if subject == f"{number}"]

"""Units of our own backends beyond the contract: misuse is an error with a code, never silence or a deadlock."""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading

import pytest

from custinfo.errors import ConflictError, DuplicateKeyError, InvalidFieldError, StoreError
from custinfo.store import START, Cursor, Event, Key, MemoryStore, Record, SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request, tmp_path):
    made = MemoryStore(timeout_s=0.05) if request.param == "memory" else SqliteStore(tmp_path / "a.db", timeout_s=0.05)
    yield made
    made.close()


def in_thread(job):
    result = []

    def run():
        try:
            result.append(job())
        except Exception as exc:  # noqa: BLE001 - handed to the test
            result.append(exc)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return result[0]


def thing(id, data=b""):
    return Record("thing", id, 0, data)


@pytest.mark.parametrize("outer", [True, False])
@pytest.mark.parametrize("inner", [True, False])
def test_a_unit_inside_a_unit_of_the_same_thread_is_an_error(store, outer, inner):
    with store.unit(write=outer) as unit:
        with pytest.raises(StoreError) as caught, store.unit(write=inner):
            pass
        assert caught.value.code == "store.nested"
        assert unit.get("thing", ["a"]) == []
    with store.unit() as unit:
        assert unit.put(thing("a"), (), 0) == 1


def test_units_of_two_stores_may_be_nested(store, tmp_path):
    with MemoryStore().unit() as other, store.unit() as unit:
        other.put(thing("a"), (), 0)
        unit.put(thing("a"), (), 0)


def test_a_unit_is_refused_in_another_thread(store):
    with store.unit() as unit:
        error = in_thread(lambda: unit.put(thing("a"), (), 0))
        assert error.code == "store.unit_thread"
        assert unit.get("thing", ["a"]) == []


CALLS = {
    "get": lambda unit: unit.get("thing", ["a"]),
    "put": lambda unit: unit.put(thing("a"), (), 0),
    "put_many": lambda unit: unit.put_many([]),
    "delete": lambda unit: unit.delete("thing", "a", 1),
    "lookup": lambda unit: unit.lookup("thing", "tag", "t"),
    "page": lambda unit: unit.page("thing", "", 1),
    "emit": lambda unit: unit.emit("thing.changed", "a", b""),
    "feed": lambda unit: unit.feed(START, 1),
    "trim": lambda unit: unit.trim(START),
    "kinds": lambda unit: unit.kinds(),
    "keys": lambda unit: unit.keys("thing", "a"),
}
WRITES = {"put", "put_many", "delete", "emit", "trim"}


@pytest.mark.parametrize("call", CALLS)
def test_a_unit_that_ended_can_do_nothing(store, call):
    with store.unit() as unit:
        pass
    with pytest.raises(StoreError) as caught:
        CALLS[call](unit)
    assert caught.value.code == "store.unit_ended"


@pytest.mark.parametrize("call", CALLS)
def test_a_unit_that_reads_writes_nothing(store, call):
    with store.unit(write=False) as unit:
        if call in WRITES:
            with pytest.raises(StoreError) as caught:
                CALLS[call](unit)
            assert caught.value.code == "store.unit_reads"
        else:
            assert CALLS[call](unit) == []


def test_a_with_block_is_good_for_one_unit(store):
    block = store.unit()
    with block:
        with pytest.raises(StoreError) as caught, block:
            pass
        assert caught.value.code == "store.nested"
    with pytest.raises(StoreError) as caught, block:
        pass
    assert caught.value.code == "store.unit_ended"


def test_a_with_block_of_another_thread_cannot_be_ended(store):
    block = store.unit()
    unit = block.__enter__()
    unit.put(thing("a"), (), 0)
    error = in_thread(lambda: block.__exit__(None, None, None))
    assert error.code == "store.unit_thread"
    assert in_thread(lambda: block.__exit__(ValueError, ValueError(), None)) is None
    block.__exit__(None, None, None)
    with store.unit() as unit:
        assert len(unit.get("thing", ["a"])) == 1


def test_a_with_block_that_was_never_left_is_undone_once_it_is_forgotten(store):
    block = store.unit()
    block.__enter__().put(thing("a"), (), 0)
    del block
    gc.collect()
    with store.unit() as unit:
        assert unit.get("thing", ["a"]) == []


def test_leaving_a_block_that_was_not_entered_does_nothing(store):
    assert store.unit().__exit__(None, None, None) is None


def test_a_writer_that_gets_no_turn_says_so(store):
    with store.unit():
        error = in_thread(lambda: store.unit().__enter__())
    assert error.code == "store.locked"
    assert "timeout_s = 0.05" in str(error)


def test_a_refused_put_changes_nothing_and_the_unit_goes_on(store):
    with store.unit() as unit:
        unit.put(thing("a", b"1"), [Key("ext", "x", unique=True), Key("tag", "t")], 0)
        unit.put(thing("b", b"1"), [Key("tag", "t")], 0)
        with pytest.raises(ConflictError) as conflict:
            unit.put(thing("a", b"2"), [Key("tag", "u")], 0)
        with pytest.raises(DuplicateKeyError) as duplicate:
            unit.put(thing("b", b"2"), [Key("tag", "u"), Key("ext", "x", unique=True)], 1)
        with pytest.raises(ConflictError):
            unit.delete("thing", "b", 9)
        with pytest.raises(ConflictError):
            unit.delete("thing", "b", 0)
        unit.put(thing("c"), (), 0)
    assert dict(conflict.value.details) == {"kind": "thing", "id": "a", "expected": 0, "found": 1}
    assert dict(duplicate.value.details) == {"kind": "thing", "id": "b", "name": "ext", "holder": "a"}
    with store.unit(write=False) as unit:
        assert [record.data for record in unit.page("thing", "", 9)] == [b"1", b"1", b""]
        assert unit.lookup("thing", "tag", "t") == ["a", "b"]
        assert unit.lookup("thing", "tag", "u") == []


def test_a_unit_whose_bulk_failed_cannot_be_committed(store):
    def go_on_after_the_error():
        with store.unit() as unit:
            unit.put(thing("before"), (), 0)
            with pytest.raises(ConflictError):
                unit.put_many([(thing("a"), (), 0), (thing("a"), (), 0)])
            with pytest.raises(StoreError) as caught:
                unit.get("thing", ["a"])
            assert caught.value.code == "store.unit_failed"

    with pytest.raises(StoreError) as caught:
        go_on_after_the_error()
    assert caught.value.code == "store.unit_failed"
    with store.unit(write=False) as unit:
        assert unit.page("thing", "", 9) == []


def test_bulk_takes_large_data_in_parts(store):
    items = [(thing(f"{n}", bytes(3_000_000)), (), 0) for n in range(4)]
    with store.unit() as unit:
        assert unit.put_many(items) == [1, 1, 1, 1]
        assert sum(len(record.data) for record in unit.page("thing", "", 9)) == 12_000_000


def test_a_key_is_unique_if_it_is_given_as_unique_once(store):
    with store.unit() as unit:
        unit.put(thing("a"), [Key("ext", "x"), Key("ext", "x", unique=True), Key("ext", "x")], 0)
        assert unit.keys("thing", "a") == [Key("ext", "x", unique=True)]


def test_only_unique_keys_meet(store):
    with store.unit() as unit:
        unit.put(thing("a"), [Key("ext", "x", unique=True)], 0)
        unit.put(thing("b"), [Key("ext", "x")], 0)
        assert unit.lookup("thing", "ext", "x") == ["a", "b"]


def test_an_id_asked_for_twice_is_given_twice(store):
    with store.unit() as unit:
        unit.put(thing("a"), (), 0)
        assert [record.id for record in unit.get("thing", ["a", "x", "a"])] == ["a", "a"]


def test_the_feed_of_a_unit_does_not_show_its_own_events(store):
    with store.unit() as unit:
        unit.emit("thing.changed", "a", b"")
        assert unit.feed(START, 10) == []
    with store.unit() as unit:
        unit.emit("thing.changed", "b", b"")
        assert [event.subject for event in unit.feed(START, 10)] == ["a"]


def test_a_close_lets_units_of_other_threads_end(store):
    opened, closed = threading.Event(), threading.Event()

    def work():
        with store.unit() as unit:
            unit.put(thing("a"), (), 0)
            opened.set()
            closed.wait(5)
            return unit.get("thing", ["a"])[0].version

    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    opened.wait(5)
    store.close()
    closed.set()
    thread.join()
    assert results == [1]
    with pytest.raises(StoreError) as caught:
        store.unit()
    assert caught.value.code == "store.closed"


def test_a_block_made_before_the_close_opens_nothing(store):
    block = store.unit()
    store.close()
    with pytest.raises(StoreError) as caught, block:
        pass
    assert caught.value.code == "store.closed"


def test_ctrl_c_at_any_line_leaves_all_or_nothing(store):
    """Ctrl-C is let loose at each line of the unit's calls in turn."""
    with store.unit() as unit:
        unit.put(thing("old", b"1"), [Key("tag", "t")], 0)
        unit.put(thing("gone", b"1"), [Key("tag", "t")], 0)
    coverage = sys.gettrace()
    for stop in range(1, 1000):
        countdown = [stop]

        def trace(frame, event, argument, countdown=countdown):
            if frame.f_code.co_filename.endswith(("_memory.py", "_memory_tables.py", "_sqlite_unit.py")):
                countdown[0] -= 1
                if countdown[0] == 0:
                    raise KeyboardInterrupt
                return trace
            return None

        try:
            with store.unit() as unit:
                sys.settrace(trace)
                try:
                    unit.put(thing("new"), [Key("tag", "t"), Key("ext", "x", unique=True)], 0)
                    unit.put(thing("old", b"2"), [Key("tag", "u")], 1)
                    unit.delete("thing", "gone", 1)
                    unit.emit("thing.changed", "new", b"")
                finally:
                    sys.settrace(coverage)
        except KeyboardInterrupt:
            with store.unit(write=False) as unit:
                assert [record[1:] for record in unit.page("thing", "", 9)] == [("gone", 1, b"1"), ("old", 1, b"1")]
                assert unit.lookup("thing", "tag", "t") == ["gone", "old"]
                assert unit.lookup("thing", "ext", "x") == []
                assert unit.feed(START, 9) == []
        else:
            break
    assert stop > 50
    with store.unit(write=False) as unit:
        assert [record[1:] for record in unit.page("thing", "", 9)] == [("new", 1, b""), ("old", 2, b"2")]
        assert [event.subject for event in unit.feed(START, 9)] == ["new"]


BAD = ["", "a\0b", "x" * 1025, "\u5f20" * 342, "\ud800", 7, None, b"a"]


@pytest.mark.parametrize("bad", BAD, ids=["empty", "NUL", "1025", "1026", "surrogate", "int", "None", "bytes"])
def test_an_id_that_not_every_backend_keeps_is_refused(store, bad):
    calls = [
        lambda unit: unit.put(thing(bad), (), 0),
        lambda unit: unit.put_many([(thing(bad), (), 0)]),
        lambda unit: unit.get("thing", ["a", bad]),
        lambda unit: unit.delete("thing", bad, 1),
        lambda unit: unit.keys("thing", bad),
    ]
    if bad != "":
        calls += [lambda unit: unit.page("thing", bad, 1), lambda unit: unit.emit("thing.changed", bad, b"")]
    for call in calls:
        with pytest.raises(InvalidFieldError) as caught, store.unit() as unit:
            call(unit)
        assert caught.value.code == "store.id"
        assert str(bad)[:100] not in str(caught.value) or bad in ("", 7, None)


@pytest.mark.parametrize("bad", ["", "a\0b", "x" * 65, "\ud800", 7])
def test_a_kind_or_key_name_that_not_every_backend_keeps_is_refused(store, bad):
    for call in (
        lambda unit: unit.put(Record(bad, "a", 0, b""), (), 0),
        lambda unit: unit.put(thing("a"), [Key(bad, "v")], 0),
        lambda unit: unit.get(bad, ["a"]),
        lambda unit: unit.lookup("thing", bad, "v"),
        lambda unit: unit.page(bad, "", 1),
        lambda unit: unit.emit("x" * 256 if bad == "x" * 65 else bad, "a", b""),
    ):
        with pytest.raises(InvalidFieldError) as caught, store.unit() as unit:
            call(unit)
        assert caught.value.code == "store.kind"


def test_a_key_value_may_be_empty_or_long_but_not_longer(store):
    with store.unit() as unit:
        unit.put(thing("i" * 1024), [Key("n" * 64, ""), Key("n" * 64, "v" * 1024)], 0)
        assert unit.lookup("thing", "n" * 64, "v" * 1024) == unit.lookup("thing", "n" * 64, "") == ["i" * 1024]
        for bad in ("v" * 1025, "a\0b", "\udfff", None):
            for call in (unit.lookup, lambda kind, name, value: unit.put(thing("b"), [Key(name, value)], 0)):
                with pytest.raises(InvalidFieldError) as caught:
                    call("thing", "ext", bad)
                assert caught.value.code == "store.key"


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda unit: unit.put(thing("a", "text"), (), 0), "store.data"),
        (lambda unit: unit.put(thing("a", bytearray(b"x")), (), 0), "store.data"),
        (lambda unit: unit.emit("t", "a", None), "store.data"),
        (lambda unit: unit.put(thing("a"), (), -1), "store.version"),
        (lambda unit: unit.put(thing("a"), (), 2**63), "store.version"),
        (lambda unit: unit.delete("thing", "a", None), "store.version"),
        (lambda unit: unit.page("thing", "", -1), "store.limit"),
        (lambda unit: unit.feed(START, None), "store.limit"),
        (lambda unit: unit.feed(START, 2**70), "store.limit"),
    ],
)
def test_what_cannot_be_meant_is_refused(store, call, code):
    with pytest.raises(InvalidFieldError) as caught, store.unit() as unit:
        call(unit)
    assert caught.value.code == code


def test_a_limit_of_zero_gives_nothing(store):
    with store.unit() as unit:
        unit.put(thing("a"), (), 0)
        assert unit.page("thing", "", 0) == unit.feed(START, 0) == []


def emitted(store, count):
    with store.unit() as unit:
        for number in range(count):
            unit.emit("thing.changed", f"{number}", b"")
    with store.unit(write=False) as unit:
        return [event.cursor for event in unit.feed(START, count)]


@pytest.mark.parametrize("bad", ["x", "x.", ".1", "1", "{0}.x", "{0}.-1", "{0}.99", "{0}.1.1", "{0}." + "9" * 30, 7])
def test_a_cursor_that_is_none_of_this_store_is_refused(store, bad):
    name = emitted(store, 1)[0].partition(".")[0]
    cursor = bad.format(name) if isinstance(bad, str) else bad
    with pytest.raises(StoreError) as caught, store.unit() as unit:
        unit.feed(Cursor(cursor), 1)
    assert caught.value.code in ("store.cursor", "store.cursor_incarnation")


def test_the_cursor_of_another_store_is_told_apart(store):
    with pytest.raises(StoreError) as caught, store.unit() as unit:
        unit.feed(emitted(MemoryStore(), 1)[0], 1)
    assert caught.value.code == "store.cursor_incarnation"


def test_a_reader_who_missed_trimmed_events_is_told(store):
    cursors = emitted(store, 4)
    with store.unit() as unit:
        assert unit.trim(START) == 0
        assert unit.trim(cursors[1]) == 2
        assert unit.trim(cursors[1]) == 0
        assert [event.cursor for event in unit.feed(START, 9)] == cursors[2:]
    with store.unit() as unit:
        assert [event.cursor for event in unit.feed(START, 9)] == cursors[2:]
        assert [event.cursor for event in unit.feed(cursors[1], 9)] == cursors[2:]
        with pytest.raises(StoreError) as caught:
            unit.feed(cursors[0], 9)
    assert caught.value.code == "store.cursor_trimmed"


def test_a_repr_shows_no_data_and_no_key_value():
    assert "secret" not in repr(Record("thing", "a", 1, b"secret"))
    assert "secret" not in repr(Key("name", "secret"))
    assert "secret" not in repr(Event(START, "t", "a", b"secret"))


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
def test_a_child_process_has_units_of_its_own_but_not_those_of_its_parent(store):
    with store.unit() as unit:
        unit.put(thing("a"), (), 0)
    # The thread's connection is closed before the fork and opened again when it is needed, on both sides.
    assert forked(lambda: len(use(store, "b"))) == 2
    assert len(use(store, "c")) == (2 if isinstance(store, MemoryStore) else 3)
    with store.unit() as unit:
        unit.put(thing("d"), (), 0)
        assert forked(lambda: code_of(lambda: unit.get("thing", ["a"]))) == len("store.forked")
        if isinstance(store, SqliteStore):
            assert forked(lambda: code_of(store.unit)) == len("store.forked")
        else:
            assert forked(lambda: len(use(store, "e"))) == 3
    assert len(use(store, "f")) == (4 if isinstance(store, MemoryStore) else 5)


def use(store, id):
    with store.unit() as unit:
        unit.put(thing(id), (), 0)
        return unit.page("thing", "", 99)


def code_of(call):
    with pytest.raises(StoreError) as caught:
        call()
    assert caught.value.code == "store.forked"
    return len(caught.value.code)


def forked(job):
    """The number that *job* gives in a child process; 255 for an error."""
    child = os.fork()
    if child == 0:
        try:
            os._exit(job())
        finally:
            os._exit(255)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_memory_store_in_a_child_goes_on_without_the_unit_of_its_parent():
    """What the child does, done here."""
    store = MemoryStore()
    block = store.unit()
    unit = block.__enter__()
    unit.put(thing("a"), (), 0)
    store._before_fork()
    store._after_fork(child=True)
    with pytest.raises(StoreError) as caught:
        unit.get("thing", ["a"])
    assert caught.value.code == "store.forked"
    assert use(store, "b") == [Record("thing", "b", 1, b"")]
    store._after_fork(child=True)
    assert len(use(store, "c")) == 2


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="needs pthread_kill")
def test_ctrl_c_while_a_writer_waits_for_its_turn_ends_the_wait(store):
    store._timeout_s = 20
    holding, waiting, interrupted = threading.Event(), threading.Event(), threading.Event()
    main = threading.get_ident()

    def hold():
        with store.unit():
            holding.set()
            waiting.wait(5)
            interrupted.wait(0.1)
            signal.pthread_kill(main, signal.SIGINT)
            interrupted.wait(10)

    def wait_for_a_turn():
        waiting.set()
        with store.unit():
            pass

    thread = threading.Thread(target=hold)
    thread.start()
    holding.wait(5)
    with pytest.raises(KeyboardInterrupt):
        wait_for_a_turn()
    interrupted.set()
    thread.join()
    assert len(use(store, "a")) == 1

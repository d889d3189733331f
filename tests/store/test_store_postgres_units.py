"""Units of the PostgreSQL store beyond the contract: what holds for our other backends holds for it."""

from __future__ import annotations

import sys
import threading
from contextlib import closing

import postgres_server
import pytest

# The same sentences, with the fixture `store` of this file.
from test_store_units import (  # noqa: F401
    forked,
    in_thread,
    test_a_block_made_before_the_close_opens_nothing,
    test_a_close_lets_units_of_other_threads_end,
    test_a_key_is_unique_if_it_is_given_as_unique_once,
    test_a_key_value_may_be_empty_or_long_but_not_longer,
    test_a_kind_or_key_name_that_not_every_backend_keeps_is_refused,
    test_a_limit_of_zero_gives_nothing,
    test_a_reader_who_missed_trimmed_events_is_told,
    test_a_refused_put_changes_nothing_and_the_unit_goes_on,
    test_a_unit_inside_a_unit_of_the_same_thread_is_an_error,
    test_a_unit_is_refused_in_another_thread,
    test_a_unit_that_ended_can_do_nothing,
    test_a_unit_that_reads_writes_nothing,
    test_a_unit_whose_bulk_failed_cannot_be_committed,
    test_a_with_block_is_good_for_one_unit,
    test_a_with_block_of_another_thread_cannot_be_ended,
    test_a_with_block_that_was_never_left_is_undone_once_it_is_forgotten,
    test_an_id_asked_for_twice_is_given_twice,
    test_an_id_that_not_every_backend_keeps_is_refused,
    test_bulk_takes_large_data_in_parts,
    test_only_unique_keys_meet,
    test_the_cursor_of_another_store_is_told_apart,
    test_the_feed_of_a_unit_does_not_show_its_own_events,
    test_units_of_two_stores_may_be_nested,
    test_what_cannot_be_meant_is_refused,
    thing,
)

from custinfo.errors import ConflictError, CustInfoError, DuplicateKeyError, InvalidFieldError, StoreError
from custinfo.store import START, Cursor, Key, PostgresStore, Record, _postgres

pytestmark = pytest.mark.postgres


@pytest.fixture
def store():
    schema = postgres_server.empty_schema()
    made = PostgresStore(postgres_server.shared(), schema=schema, timeout_s=5)
    yield made
    made.close()
    postgres_server.give_back(schema)


def put(store, id, data=b"", keys=(), version=0):
    with store.unit() as unit:
        unit.put(thing(id, data), keys, version)


def read(store, *ids):
    with store.unit(write=False) as unit:
        return [record[1:] for record in unit.get("thing", ids)]


@pytest.mark.parametrize("bad", ["x", ".", "..", "{0}", "{0}.", "{0}.1", "{0}.1.", "{0}.x.1", "{0}.1.x", "{0}.-1.1", 7])
def test_a_cursor_that_is_none_of_the_feed_is_refused(store, bad):
    with store.unit() as unit:
        unit.emit("thing.changed", "a", b"")
    with store.unit(write=False) as unit:
        [event] = unit.feed(START, 9)
    name = event.cursor.split(".")[0]
    with pytest.raises(StoreError) as caught, store.unit(write=False) as unit:
        unit.feed(bad.format(name) if isinstance(bad, str) else bad, 9)
    assert caught.value.code in ("store.cursor", "store.cursor_incarnation")


def test_a_cursor_ahead_of_the_server_is_refused(store):
    with store.unit() as unit:
        unit.emit("thing.changed", "a", b"")
    with store.unit(write=False) as unit:
        name, xid, seq = unit.feed(START, 9)[0].cursor.split(".")
    with pytest.raises(StoreError) as caught, store.unit(write=False) as unit:
        unit.feed(Cursor(f"{name}.{int(xid) + 10**9}.{seq}"), 9)
    assert caught.value.code == "store.cursor"


def test_ctrl_c_at_any_line_leaves_all_or_nothing(store):
    with store.unit() as unit:
        unit.put(thing("old", b"1"), [Key("tag", "t")], 0)
        unit.put(thing("gone", b"1"), [Key("tag", "t")], 0)
    coverage = sys.gettrace()
    for stop in range(1, 1000):
        countdown = [stop]

        def trace(frame, event, argument, countdown=countdown):
            if frame.f_code.co_filename.endswith(("_postgres.py", "_postgres_unit.py", "_postgres_write.py")):
                countdown[0] -= 1
                if countdown[0] == 0:
                    raise KeyboardInterrupt
                return trace
            return None

        try:
            with store.unit() as unit:
                sys.settrace(trace)
                try:
                    unit.put(thing("new"), [Key("ext", "x", unique=True)], 0)
                    unit.put_many([(thing("old", b"2"), [Key("tag", "u")], 1), (thing("more"), [], 0)])
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
    assert read(store, "new", "old", "more", "gone") == [("new", 1, b""), ("old", 2, b"2"), ("more", 1, b"")]


def error_in_unit(store, *calls):
    """The error of the last of some calls of a unit, which passes on."""
    errors = []

    def run():
        with store.unit() as unit:
            for call in calls:
                try:
                    call(unit)
                except CustInfoError as exc:
                    errors.append(exc)
                    raise

    with pytest.raises(CustInfoError):
        run()
    [error] = errors
    return error


CALLS = {
    "put": lambda unit: unit.put(thing("a", b"2"), (), 1),
    "put many": lambda unit: unit.put_many([(thing("b", b"2"), (), 1), (thing("a", b"2"), (), 1)]),
    "delete": lambda unit: unit.delete("thing", "a", 1),
    "put new": lambda unit: unit.put(thing("new", b"2"), (), 0),
    "put many new": lambda unit: unit.put_many([(thing(id, b"2"), (), 0) for id in ("other", "new")]),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_unit_that_met_a_newer_commit_is_told_and_ends(store, call):
    """Its state is no longer the newest: going on would build on what is not so any more."""
    put(store, "a", b"1")
    put(store, "b", b"1")

    def meanwhile(unit):
        assert len(unit.get("thing", ["a", "new"])) == 1
        in_thread(lambda: put(store, "a", b"newer", version=1))
        in_thread(lambda: put(store, "new"))

    def go_on(unit):
        with pytest.raises(ConflictError) as caught:
            call(unit)
        assert caught.value.details.get("id", "a") in ("a", "new")
        unit.get("thing", ["a"])

    assert error_in_unit(store, meanwhile, go_on).code == "store.unit_failed"
    assert read(store, "a", "b", "new", "other") == [("a", 2, b"newer"), ("b", 1, b"1"), ("new", 1, b"")]


def test_a_conflict_with_a_newer_commit_names_record_and_versions(store):
    put(store, "a", b"1")

    def meanwhile(unit):
        unit.kinds()
        in_thread(lambda: put(store, "a", b"newer", version=1))

    error = error_in_unit(store, meanwhile, CALLS["put"])
    assert error.details == {"kind": "thing", "id": "a", "expected": 1, "found": 2}


@pytest.mark.parametrize("how", ["put", "put_many"])
def test_the_holder_of_a_unique_key_that_came_first_is_named(store, how):
    def meanwhile(unit):
        unit.kinds()
        in_thread(lambda: put(store, "holder", keys=[Key("ext", "x", unique=True)]))

    item = (thing("n"), [Key("tag", "t"), Key("ext", "x", unique=True)], 0)
    calls = {"put": lambda unit: unit.put(*item), "put_many": lambda unit: unit.put_many([item])}
    error = error_in_unit(store, meanwhile, calls[how])
    assert isinstance(error, DuplicateKeyError)
    assert error.details == {"kind": "thing", "id": "n", "name": "ext", "holder": "holder"}
    # Without another unit in between it is the same.
    assert error_in_unit(store, calls[how]).details == error.details


def test_a_key_that_is_unique_twice_in_bulk_names_both_records(store):
    items = [(thing(id), [Key("ext", "x", unique=True)], 0) for id in ("m", "n")]
    error = error_in_unit(store, lambda unit: unit.put_many(items))
    assert error.details == {"kind": "thing", "id": "n", "name": "ext", "holder": "m"}


def test_a_record_or_key_of_an_earlier_call_is_met_by_bulk(store):
    def put_before(unit):
        unit.put(thing("a"), [Key("ext", "x", unique=True)], 0)

    error = error_in_unit(store, put_before, lambda unit: unit.put_many([(thing("a"), (), 0)]))
    assert isinstance(error, ConflictError)
    key = Key("ext", "x", unique=True)
    error = error_in_unit(store, put_before, lambda unit: unit.put_many([(thing("b"), [key], 0)]))
    assert isinstance(error, DuplicateKeyError)
    error = error_in_unit(store, lambda unit: unit.put_many([(thing("c"), (), 0)] * 2))
    assert error.details == {"kind": "thing", "id": "c", "expected": 0, "found": 1}
    assert read(store, "a", "b", "c") == []


def test_two_units_that_wait_for_each_other_are_told_apart(store):
    """PostgreSQL ends one of them; it is a conflict, and the other goes on."""
    put(store, "a")
    put(store, "b")
    both = threading.Barrier(2)

    def change(first, second):
        with store.unit() as unit:
            unit.put(thing(first, b"2"), (), 1)
            both.wait(5)
            unit.put(thing(second, b"2"), (), 1)

    other = []
    thread = threading.Thread(target=lambda: other.append(in_thread(lambda: change("b", "a"))))
    thread.start()
    own = in_thread(lambda: change("a", "b"))
    thread.join()
    assert sorted(type(answer).__name__ for answer in (own, *other)) == ["ConflictError", "NoneType"]
    assert read(store, "a", "b") == [("a", 2, b"2"), ("b", 2, b"2")]


def test_a_unit_that_waits_too_long_for_a_record_says_so():
    schema = postgres_server.fresh_schema()
    with closing(PostgresStore(postgres_server.shared(), schema=schema, timeout_s=0.05)) as store:
        put(store, "a")
        with store.unit() as unit:
            unit.put(thing("a", b"2"), (), 1)
            error = in_thread(lambda: put(store, "a", b"3", version=1))
            assert error.code == "store.locked"
            assert in_thread(lambda: put(store, "b")) is None  # other records wait for nobody
        assert read(store, "a", "b") == [("a", 2, b"2"), ("b", 1, b"")]


@pytest.mark.parametrize("timeout_s", [-1, 0, 1e12, float("inf")])
def test_a_timeout_may_be_none_at_all_or_longer_than_the_server_counts(timeout_s):
    schema = postgres_server.empty_schema()
    with closing(PostgresStore(postgres_server.shared(), schema=schema, timeout_s=timeout_s)) as store:
        put(store, "a")
    postgres_server.give_back(schema)


def test_the_longest_ids_and_keys_fit_the_indexes(store):
    """Of letters that do not compress; a B-tree of PostgreSQL takes 2,704 bytes."""
    import random

    rnd = random.Random(5)

    def text(size):
        return "".join(chr(rnd.randrange(0x10000, 0x1F000)) for _ in range(size // 4))

    keys = [Key(text(64), text(1024), unique=True), Key(text(64), text(1024))]
    record = Record(text(64), text(1024), 0, b"")
    with store.unit() as unit:
        unit.put(record, keys, 0)
        unit.put_many([(record._replace(id=text(1024)), [keys[1]], 0)])
        assert unit.lookup(record.kind, *keys[0][:2]) == [record.id]
        assert len(unit.lookup(record.kind, *keys[1][:2])) == 2


def test_a_key_that_becomes_unique_or_is_no_longer_keeps_its_record(store):
    put(store, "a", keys=[Key("ext", "x"), Key("tag", "t")])
    put(store, "a", keys=[Key("ext", "x", unique=True)], version=1)
    with pytest.raises(DuplicateKeyError):
        put(store, "b", keys=[Key("ext", "x", unique=True)])
    put(store, "a", keys=[Key("ext", "x")], version=2)
    put(store, "b", keys=[Key("ext", "x", unique=True)])
    with store.unit(write=False) as unit:
        assert unit.keys("thing", "a") == [Key("ext", "x")]
        assert unit.lookup("thing", "ext", "x") == ["a", "b"]
        assert unit.kinds() == ["thing"]


def test_a_child_process_has_connections_of_its_own(store):
    put(store, "a")
    other, done = threading.Event(), threading.Event()

    def hold():
        with store.unit() as unit:
            unit.put(thing("held"), (), 0)
            other.set()
            done.wait(5)
            return len(unit.page("thing", "", 9))

    held = []
    thread = threading.Thread(target=lambda: held.append(hold()))
    thread.start()
    other.wait(5)

    def count(id):
        put(store, id)
        with store.unit(write=False) as unit:
            return len(unit.page("thing", "", 9))

    with store.unit() as unit:
        unit.put(thing("b"), (), 0)

        def use_the_unit():
            with pytest.raises(StoreError) as caught:
                unit.get("thing", ["a"])
            assert caught.value.code == "store.forked"
            return count("of the child")

        assert forked(use_the_unit) == 2
        assert len(unit.page("thing", "", 9)) == 2
    done.set()
    thread.join()
    assert held == [2]
    assert count("c") == 5


def test_what_a_child_does_with_connections_of_its_parent(store):
    """Done here, where it can be seen: nothing is sent on them, and a unit of the parent is nobody's."""
    put(store, "a")

    def fork_inside():
        with store.unit() as unit:
            in_thread(lambda: put(store, "b"))
            store._before_fork()
            store._after_fork(child=True)
            with pytest.raises(StoreError) as caught:
                unit.get("thing", ["a"])
            assert caught.value.code == "store.forked"

    with pytest.raises(StoreError) as caught:
        fork_inside()
    assert caught.value.code == "store.forked"
    [abandoned] = _postgres._ABANDONED
    _postgres._ABANDONED.clear()
    abandoned.close()
    assert read(store, "a", "b") == [("a", 1, b""), ("b", 1, b"")]


def test_a_query_that_cannot_go_on_after_a_record_says_so(store):
    put(store, "a", keys=[Key("at", "1")])
    put(store, "b")
    with store.unit() as unit:
        assert unit.query("thing", order="at", limit=9) == ["a"]
        with pytest.raises(InvalidFieldError) as caught:
            unit.query("thing", order="at", after="b", limit=9)
        assert caught.value.code == "store.after"
        assert unit.query("thing", limit=9) == ["a", "b"]

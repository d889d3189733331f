"""Restores and drills: the same state in any backend, all of it or nothing."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys

import postgres_server
import pytest
from plain_stores import PlainStore

from custinfo.crypto import LocalKeyProvider
from custinfo.errors import ConflictError, CustInfoError, DuplicateKeyError, InvalidFieldError, StoreError
from custinfo.store import (
    START,
    Key,
    MemoryStore,
    Record,
    SqliteStore,
    SupportsBackup,
    SupportsKeyRange,
    SupportsRestore,
    backup,
    drill,
    restore,
)

PROVIDER = LocalKeyProvider(bytes(range(32)))


class WithoutCapabilities(PlainStore):
    """A backend of a third party that can say what it holds, and nothing else."""

    @contextlib.contextmanager
    def unit(self, *, write=True):
        with super().unit(write=write) as unit:
            unit.kinds = lambda: sorted({kind for kind, _ in unit.state.rows})
            unit.keys = lambda kind, id: sorted(unit.state.rows[kind, id][2])
            yield unit


BACKENDS = ["memory", "sqlite", "plain", "sqlalchemy"]


@pytest.fixture
def make(tmp_path):
    with contextlib.ExitStack() as stack:
        number = iter(range(9))

        def made(backend):
            if backend == "sqlite":
                store = SqliteStore(tmp_path / f"{next(number)}.db")
            elif backend == "sqlalchemy":
                sqlalchemy = pytest.importorskip("sqlalchemy")
                from custinfo.store import SqlAlchemyStore

                engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path}/{next(number)}.db")
                stack.callback(engine.dispose)
                store = SqlAlchemyStore(engine)
            elif backend == "postgres":
                from custinfo.store import PostgresStore

                store = PostgresStore(postgres_server.shared(), schema=postgres_server.fresh_schema())
            else:
                store = MemoryStore() if backend == "memory" else WithoutCapabilities()
            stack.callback(store.close)
            return store

        yield made


@pytest.fixture
def path(tmp_path):
    return tmp_path / "shop.backup"


def fill(store):
    with store.unit() as unit:
        for n in range(30):
            unit.put(Record("customer", f"c{n}", 0, b"%d" % n), [Key("external", f"x:{n}", unique=True)], 0)
            unit.emit("customer.created", f"c{n}", b"\0")
        unit.put(
            Record("transaction", "t1", 0, b'{"id":"t1","account_id":"a","amount":{"minor":5,"currency":"EUR"}}'), [], 0
        )
        unit.put(Record("\u00e9", "\U0001f600", 0, b"\0"), [Key("\u00e9", ""), Key("a", "\U0001f600")], 0)
    for version in range(1, 8):
        with store.unit() as unit:
            unit.put(Record("customer", "c7", 0, b"v%d" % version), [Key("tag", f"v{version}")], version)
            unit.emit("customer.updated", "c7", b"")
    return store


def state_of(store):
    with store.unit(write=False) as unit:
        records = {kind: unit.page(kind, "", 1000) for kind in unit.kinds()}
        keys = {(kind, r.id): unit.keys(kind, r.id) for kind, page in records.items() for r in page}
        return records, keys, [event[1:] for event in unit.feed(START, 1000)]


def is_empty(store):
    return state_of(store) == ({}, {}, [])


@pytest.mark.parametrize("source", BACKENDS)
@pytest.mark.parametrize("target", BACKENDS)
def test_a_restored_store_holds_what_the_source_held_whatever_the_backends(source, target, make, path):
    old, new = fill(make(source)), make(target)
    backup(old, path, PROVIDER)
    report = restore(path, new, PROVIDER)
    assert report.counts == {"customer": 30, "transaction": 1, "\u00e9": 1}
    assert not report.replayed
    assert report.to_dict()["erased"] == []
    assert state_of(new) == state_of(old)
    with new.unit() as unit:
        assert unit.get("customer", ["c7"])[0].version == 8
        assert unit.put(Record("customer", "c7", 0, b"on"), [Key("tag", "v9")], 8) == 9
        assert unit.lookup("customer", "tag", "v7") == []
        with pytest.raises(DuplicateKeyError):
            unit.put(Record("customer", "new", 0, b""), [Key("external", "x:3", unique=True)], 0)


def test_pending_events_are_given_again_and_old_cursors_are_refused(make, path):
    old, new = fill(make("sqlite")), make("sqlite")
    with old.unit() as unit:
        read = unit.feed(START, 10)[-1].cursor
        unit.trim(read)
    backup(old, path, PROVIDER)
    restore(path, new, PROVIDER)
    with new.unit() as unit:
        unit.emit("customer.updated", "after", b"")
    with new.unit(write=False) as unit:
        events = unit.feed(START, 1000)
        assert [event.subject for event in events] == [f"c{n}" for n in range(10, 30)] + ["c7"] * 7 + ["after"]
        assert unit.feed(events[-1].cursor, 10) == []
        with pytest.raises(StoreError) as caught:
            unit.feed(read, 10)
        assert caught.value.code == "store.cursor_incarnation"


@pytest.mark.parametrize("what", ["a record", "an event"])
@pytest.mark.parametrize("backend", BACKENDS)
def test_a_store_that_is_not_empty_is_refused_and_left_as_it_is(backend, what, make, path):
    backup(fill(make("memory")), path, PROVIDER)
    target = make(backend)
    with target.unit() as unit:
        if what == "a record":
            unit.put(Record("customer", "c1", 0, b"precious"), [], 0)
        else:
            unit.emit("customer.created", "c1", b"")
    before = state_of(target)
    with pytest.raises(StoreError) as caught:
        restore(path, target, PROVIDER)
    assert caught.value.code == "backup.target_not_empty"
    assert state_of(target) == before


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_restore_that_fails_at_its_end_leaves_the_target_empty(backend, make, path):
    class Refuses:
        def verify(self, message, signature):
            return False

    class Signs:
        def sign(self, message):
            return b"x"

    backup(fill(make("memory")), path, PROVIDER, signer=Signs())
    target = make(backend)
    with pytest.raises(StoreError):
        restore(path, target, PROVIDER, verify_key=Refuses())
    assert is_empty(target)
    restore(path, target, PROVIDER)
    assert not is_empty(target)


def test_a_damaged_backup_never_reaches_the_target(make, path):
    backup(fill(make("memory")), path, PROVIDER)
    data = bytearray(path.read_bytes())
    data[-20] ^= 1
    path.write_bytes(data)
    target = make("sqlite")
    with pytest.raises(CustInfoError):
        restore(path, target, PROVIDER)
    assert is_empty(target)


def test_a_target_that_cannot_be_written_is_told(make, path):
    backup(fill(make("memory")), path, PROVIDER)

    class ReadOnly(MemoryStore):
        def unit(self, *, write=True):
            return super().unit(write=False)

    for target, code in ((ReadOnly(), "store.unit_reads"), (make("sqlite"), "store.closed")):
        if code == "store.closed":
            target.close()
        with pytest.raises(StoreError) as caught:
            restore(path, target, PROVIDER)
        assert caught.value.code == code


def test_a_target_without_room_is_told_and_stays_empty(make, path, tmp_path):
    source = make("memory")
    with source.unit() as unit:
        for number in range(50):
            unit.put(Record("blob", f"{number}", 0, bytes(10_000)), [], 0)
    backup(source, path, PROVIDER)
    target = make("sqlite")
    with target.unit(write=False):
        pass
    target._local.link.rows("PRAGMA max_page_count = 40")
    with pytest.raises(StoreError) as caught:
        restore(path, target, PROVIDER)
    assert caught.value.code == "store.full"
    assert is_empty(target)


KILLED = """if True:
    import sys, time
    from custinfo.crypto import LocalKeyProvider
    from custinfo.store import SqliteStore, restore
    class Waits:
        def verify(self, message, signature):
            print("middle", flush=True)
            time.sleep(60)
    restore(sys.argv[1], SqliteStore(sys.argv[2]), LocalKeyProvider(bytes(range(32))), verify_key=Waits())
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill on this system")
def test_a_restore_that_is_killed_when_all_is_written_leaves_an_empty_store(make, path, tmp_path):
    class Signs:
        def sign(self, message):
            return b"x"

    backup(fill(make("memory")), path, PROVIDER, signer=Signs())
    command = [sys.executable, "-c", KILLED, str(path), str(tmp_path / "new.db")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "middle\n"
        process.kill()
    with contextlib.closing(SqliteStore(tmp_path / "new.db")) as target:
        assert is_empty(target)
        restore(path, target, PROVIDER)
        assert not is_empty(target)


# drills


@pytest.mark.parametrize("backend", BACKENDS)
def test_a_drill_compares_every_record_with_the_source(backend, make, path):
    source = fill(make(backend))
    backup(source, path, PROVIDER)
    report = drill(path, PROVIDER, against=source)
    assert report.ok
    assert (report.compared, report.newer, report.gone, report.added) == (32, 0, 0, 0)
    assert report.seconds > 0
    assert str(report).startswith("the backup is good; 32 records and 37 events restored in ")
    assert report.to_dict()["differences"] == []


def test_reports_show_in_a_notebook(make, path):
    source = fill(make("memory"))
    shown = backup(source, path, PROVIDER)._repr_html_()
    assert all(text in shown for text in ("customer", "30", "37 events", "UTC"))
    assert "left_out" in restore(path, make("memory"), PROVIDER)._repr_html_()
    assert "the backup is good" in drill(path, PROVIDER)._repr_html_()


def test_a_drill_without_a_source_compares_with_the_manifest(make, path):
    backup(fill(make("memory")), path, PROVIDER)
    report = drill(path, PROVIDER)
    assert report.ok
    assert report.compared == 0


def test_a_drill_into_a_store_of_the_real_backend_leaves_it_open(make, path):
    source, target = fill(make("memory")), make("sqlite")
    backup(source, path, PROVIDER)
    assert drill(path, PROVIDER, into=target, against=source).ok
    assert state_of(target) == state_of(source)


def test_a_drill_names_what_differs_without_showing_it(make, path):
    source = fill(make("memory"))
    backup(source, path, PROVIDER)
    other = make("memory")
    restore(path, other, PROVIDER)
    tables = other._tables.held["customer"]
    record, keys = tables["c1"]
    tables["c1"] = (record._replace(data=b"altered behind the back"), keys)
    tables["c2"] = (tables["c2"][0], {("external", "other"): True})
    tables["c7"] = (tables["c7"][0]._replace(version=2), tables["c7"][1])
    report = drill(path, PROVIDER, against=other)
    assert not report.ok
    assert [(d.kind, d.id, d.what) for d in report.differences] == [
        ("customer", "c1", "data"),
        ("customer", "c2", "keys"),
        ("customer", "c7", "older"),
    ]
    assert "altered" not in str(report.to_dict())
    assert "NOT good: 3 differences" in str(report)


def test_a_backend_that_loses_something_fails_the_drill(make, path):
    class Forgets(MemoryStore):
        @contextlib.contextmanager
        def unit(self, *, write=True):
            with super().unit(write=write) as unit:
                load = unit.load
                unit.load = lambda items: load([(record, []) for record, _ in items if record.kind != "\u00e9"])
                unit.load_events = lambda events: 0
                yield unit

    backup(fill(make("memory")), path, PROVIDER)
    report = drill(path, PROVIDER, into=Forgets())
    assert [(d.kind, d.what) for d in report.differences] == [
        ("customer", "section"),
        ("\u00e9", "section"),
        ("", "section"),
    ]


# the capabilities that a fast backup and restore need


@pytest.fixture(params=["memory", "sqlite", "sqlalchemy", pytest.param("postgres", marks=pytest.mark.postgres)])
def store(request, make):
    return make(request.param)


def test_the_keys_of_a_page_are_those_of_its_records(store):
    fill(store)
    with store.unit(write=False) as unit:
        assert isinstance(unit, SupportsKeyRange)
        assert isinstance(unit, SupportsBackup)
        found = unit.keys_between("customer", "c12", "c7")
        ids = [record.id for record in unit.page("customer", "c12", 100) if record.id <= "c7"]
        assert found == {id: unit.keys("customer", id) for id in ids}
        assert list(found) == ids
        assert unit.keys_between("\u00e9", "", "\U0001f600")["\U0001f600"][0] == Key("a", "\U0001f600")
        assert unit.keys_between("absent", "", "z") == unit.keys_between("customer", "z", "zz") == {}
        with pytest.raises(InvalidFieldError):
            unit.keys_between("customer", "", "")


def test_loaded_records_have_the_versions_that_they_had(store):
    items = [
        (Record("thing", f"{n:05}", n % 3 + 1, b"x" * 9), [Key("of", f"{n}", unique=n % 2 == 0)]) for n in range(2500)
    ]
    with store.unit() as unit:
        assert isinstance(unit, SupportsRestore)
        assert unit.load(iter(items)) == 2500
        assert unit.load([]) == 0
        assert unit.load_events(("thing.created", f"{n}", b"") for n in range(2500)) == 2500
        unit.emit("thing.created", "last", b"")
    with store.unit() as unit:
        assert unit.page("thing", "", 5000) == [record for record, _ in items]
        assert unit.keys_between("thing", "", "z") == {record.id: keys for record, keys in items}
        assert [event.subject for event in unit.feed(START, 5000)] == [*(f"{n}" for n in range(2500)), "last"]
        assert unit.put(Record("thing", "00001", 0, b""), [], 2) == 3


@pytest.mark.parametrize("version", [0, -1, 2**63, True, None])
def test_a_loaded_record_needs_a_version(store, version):
    with pytest.raises(InvalidFieldError) as caught, store.unit() as unit:
        unit.load([(Record("thing", "a", version, b""), [])])
    assert caught.value.code == "store.version"


def test_a_load_over_something_that_is_there_is_refused_and_ends_the_unit(store):
    with store.unit() as unit:
        unit.put(Record("thing", "a", 0, b"precious"), [Key("k", "v", unique=True)], 0)
    for item, error in (
        ((Record("thing", "a", 5, b""), []), ConflictError),
        ((Record("thing", "b", 5, b""), [Key("k", "v", unique=True)]), DuplicateKeyError),
    ):
        with pytest.raises(error), store.unit() as unit:
            unit.load([(Record("thing", "c", 1, b""), []), item])
    with store.unit() as unit:
        assert [record.id for record in unit.page("thing", "", 10)] == ["a"]


def test_only_a_unit_that_writes_loads(store):
    for call in (
        lambda unit: unit.load([(Record("thing", "a", 1, b""), [])]),
        lambda unit: unit.load_events([("a", "b", b"")]),
    ):
        with pytest.raises(StoreError) as caught, store.unit(write=False) as unit:
            call(unit)
        assert caught.value.code == "store.unit_reads"


def test_an_event_that_cannot_be_kept_is_not_loaded(store):
    with pytest.raises(InvalidFieldError), store.unit() as unit:
        unit.load_events([("thing.created", "a", b""), ("", "b", b"")])
    assert is_empty(store)

"""The PostgreSQL store: its tables, its plans, its feed, its connections, its errors."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import numpy as np
import postgres_server
import psycopg
import pytest
from psycopg_pool import ConnectionPool

from custinfo.errors import ConflictError, SchemaVersionError, StoreError
from custinfo.store import (
    START,
    Key,
    PostgresStore,
    Record,
    SupportsKeyRange,
    SupportsPending,
    SupportsRestore,
    _postgres_pool,
    _postgres_schema,
    _postgres_sql,
    _postgres_write,
)
from custinfo.store._query import check_query, statement

pytestmark = pytest.mark.postgres

HERE = Path(__file__).parent


@pytest.fixture
def schema():
    return postgres_server.fresh_schema()


@pytest.fixture
def dsn():
    return postgres_server.shared()


@pytest.fixture
def raw(dsn, schema):
    """A connection beside the store; its search path begins with the store's schema."""
    with psycopg.connect(dsn, autocommit=True, options=f"-csearch_path={schema}") as con:
        yield con


@pytest.fixture
def store(dsn, schema):
    with closing(PostgresStore(dsn, schema=schema, timeout_s=5)) as made:
        yield made


def thing(id, data=b""):
    return Record("thing", id, 0, data)


def put(store, *ids, data=b"", keys=()):
    with store.unit() as unit:
        for id in ids:
            unit.put(thing(id, data), keys, 0)


def ids_of(store):
    with store.unit(write=False) as unit:
        return [record.id for record in unit.page("thing", "", 10_000)]


def emit(store, *subjects):
    with store.unit() as unit:
        for subject in subjects:
            unit.emit("thing.changed", subject, b"")


def feed(store, after=START):
    with store.unit(write=False) as unit:
        return unit.feed(after, 1000)


def code_of(call):
    with pytest.raises(StoreError) as caught:
        call()
    assert "psycopg" not in str(caught.value)
    assert caught.value.__context__ is None
    return caught.value.code


# --- tables


def test_the_tables_are_those_of_the_golden_file():
    """A released migration is never changed."""
    golden = (HERE / "postgres_schema_1.sql").read_text(encoding="utf-8")
    assert "".join(f"{text};\n" for text in _postgres_schema.MIGRATIONS[0]) == golden


def test_tables_of_the_first_schema_open_and_keep_their_contents(dsn, schema, raw):
    """The golden files were written by the first release of this schema."""
    raw.execute(f"CREATE SCHEMA {schema}")
    for name in ("postgres_schema_1.sql", "postgres_store_1.sql"):
        raw.execute((HERE / name).read_text(encoding="utf-8"))
    with closing(PostgresStore(dsn, schema=schema)) as store, store.unit() as unit:
        assert [record[1:] for record in unit.page("thing", "", 9)] == [("a", 2, b"\x00\xff"), ("\u5f20", 1, b"")]
        assert unit.keys("thing", "a") == [Key("ext", "x", unique=True), Key("tag", "t")]
        assert unit.columns("transaction", ["id", "amount.minor"])["amount.minor"].tolist() == [990]
        assert [event[1:] for event in unit.feed(START, 9)] == [("thing.changed", "a", b"{}")]
        assert unit.put(thing("b"), (), 0) == 1


def test_text_is_compared_by_bytes_whatever_the_collation_of_the_database(store, raw):
    rows = raw.execute(
        "SELECT c.relname, a.attname, o.collname FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "JOIN pg_collation o ON o.oid = a.attcollation JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = current_schema() AND c.relkind = 'r' AND a.attnum > 0"
    ).fetchall()
    compared = {(table, column) for table, column, collation in rows if collation == "C"}
    rest = {(table, column) for table, column, _ in rows} - compared
    assert rest == {("ci_meta", "value"), ("ci_outbox", "type"), ("ci_outbox", "subject")}


def test_a_newer_schema_is_refused_and_left_alone(store, dsn, schema, raw):
    raw.execute("UPDATE ci_meta SET value = '99' WHERE name = 'schema'")
    with pytest.raises(SchemaVersionError) as caught:
        PostgresStore(dsn, schema=schema)
    assert dict(caught.value.details) == {"found": 99, "known": 1}
    assert raw.execute("SELECT value FROM ci_meta WHERE name = 'schema'").fetchall() == [("99",)]


def test_a_schema_with_tables_of_its_own_keeps_them(dsn, schema, raw):
    raw.execute(f"CREATE SCHEMA {schema}; CREATE TABLE invoice(id int); CREATE TABLE public.ci_none(id int)")
    with closing(PostgresStore(dsn, schema=schema)) as store:
        put(store, "a")
    assert raw.execute("SELECT count(*) FROM invoice").fetchone() == (0,)
    raw.execute("DROP TABLE public.ci_none")


def test_the_tables_are_in_the_first_schema_of_the_search_path(dsn, schema, raw):
    raw.execute(f'CREATE SCHEMA "{schema} \u5f20""x"')
    path = f'-csearch_path=absent,"{schema}\\ \u5f20""x",public'
    con = psycopg.conninfo.make_conninfo(dsn, options=path)
    with closing(PostgresStore(con)) as store:
        put(store, "a")
    assert raw.execute(f'SELECT id FROM "{schema} \u5f20""x".ci_record').fetchall() == [("a",)]
    assert code_of(lambda: PostgresStore(psycopg.conninfo.make_conninfo(dsn, options="-csearch_path=absent"))) == (
        "store.schema"
    )


def test_threads_that_set_up_one_schema_agree(dsn, schema):
    stores, start = [], threading.Barrier(4)

    def make():
        start.wait(5)
        stores.append(PostgresStore(dsn, schema=schema))

    threads = [threading.Thread(target=make) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(stores) == 4
    emit(stores[0], "a")
    assert len({event.cursor for store in stores for event in feed(store)}) == 1
    for store in stores:
        store.close()


def test_an_icu_collated_database_sorts_like_every_other(dsn):
    """Debian's server has ICU; the wheel's has not."""
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not debian:
        pytest.skip("there is no PostgreSQL of Debian here, so none with ICU")
    server = postgres_server.Server(str(debian[-1]))
    try:
        with psycopg.connect(server.dsn, autocommit=True) as con:
            con.execute("CREATE DATABASE icu TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'und'")
        ids = ["B", "Z", "a", "a b", "b", "\u00c9", "\u00e9", "\u5f20", "\U0001f600"]
        with closing(PostgresStore(server.dsn.replace("/postgres?", "/icu?"))) as store:
            put(store, *reversed(ids), keys=[Key("tag", "t")])
            assert ids_of(store) == ids
            with store.unit(write=False) as unit:
                assert unit.lookup("thing", "tag", "t") == ids
                assert unit.query("thing", all_of=[("tag", "t")], after="a", limit=9) == ids[3:]
        with psycopg.connect(server.dsn.replace("/postgres?", "/icu?")) as con:
            found = [row[0] for row in con.execute('SELECT id FROM ci_record ORDER BY id COLLATE "default"')]
            assert found != ids, "the database does not sort by ICU, so the test says nothing"
    finally:
        server.stop()


# --- plans


def test_plans_use_the_indexes(store, raw):
    with store.unit() as unit:
        unit.put_many(
            (
                thing(f"{n:05}"),
                [Key("tag", f"t{n % 50}"), Key("at", f"{n % 997:03}"), Key("ext", f"{n}", unique=True)],
                0,
            )
            for n in range(6000)
        )
        unit.load_events(("thing.changed", f"{n}", b"") for n in range(3000))
    raw.execute("ANALYZE ci_record, ci_key, ci_outbox")
    queries = [
        {"all_of": [("tag", "t3")]},
        {"all_of": [("tag", "t3"), ("at", "003")]},
        {"all_of": [("tag", "t3")], "order": "at"},
        {"all_of": [("ext", "77")], "range": ("at", "1", "2")},
        {"range": ("at", "100", "110")},
        {"order": "at"},
        {},
    ]
    texts = []
    for query in queries:
        checked = {"all_of": (), "range": None, "order": None, **query}
        text, values = statement(check_query("thing", after="", limit=20, **checked), None)
        texts.append((text.replace("?", "%s"), values))
    fixed = {
        "GET": ("thing", "00001"),
        "GET_MANY": ("thing", ["00001", "00002"]),
        "PAGE": ("thing", "00100", 20),
        "VERSION": ("thing", "00001"),
        "LOOKUP": ("thing", "tag", "t3"),
        "KEYS": ("thing", "00001"),
        "KEYS_BETWEEN": ("thing", "00001", "00020"),
        "HOLDER": ("thing", "ext", "7"),
        "FEED": ("1", 1, 20),
        "PENDING": ("1", 1, 20),
    }
    texts += [(getattr(_postgres_sql, name), values) for name, values in fixed.items()]
    item = (thing("00001"), [Key("ext", "1", unique=True), Key("tag", "x")], 1)
    texts += [(text, _postgres_write._values(item)) for text in (_postgres_sql.PUT_NEW, _postgres_sql.PUT_NEXT)]
    for text, values in texts:
        plan = "\n".join(row[0] for row in raw.execute(f"EXPLAIN {text}", values))
        assert "Index" in plan, (text, plan)
        assert "Seq Scan" not in plan, (text, plan)


def test_a_page_is_not_sorted_before_the_server_knows_its_tables(store, raw):
    raw.execute(
        "ALTER TABLE ci_record SET (autovacuum_enabled = off); ALTER TABLE ci_key SET (autovacuum_enabled = off)"
    )
    with store.unit() as unit:
        unit.put_many((thing(f"{n:05}", bytes(600)), [Key("tag", "t")], 0) for n in range(3000))
    with store.unit(write=False) as unit:
        for text, values in (
            (_postgres_sql.PAGE, ("thing", "00100", 1000)),
            (_postgres_sql.LOOKUP, ("thing", "tag", "t")),
            (_postgres_sql.KEYS_BETWEEN, ("thing", "00100", "01100")),
        ):
            plan = "\n".join(row[0] for row in unit.link.rows(f"EXPLAIN {text}", values))
            assert "Index" in plan, plan
            assert "Bitmap" not in plan, plan
            assert "Sort" not in plan or text == _postgres_sql.KEYS_BETWEEN, plan


def test_statements_are_prepared(store, dsn, schema):
    put(store, "a")
    with store.unit(write=False) as unit:
        for _ in range(8):
            unit.get("thing", ["a"])
        prepared = unit.link.rows("SELECT statement FROM pg_prepared_statements")
    assert any("FROM ci_record WHERE kind" in text for (text,) in prepared)


# --- feed


def test_a_plain_reader_would_lose_what_commits_late(store, raw):
    """The same two units, read by number as in a naive feed, and by ours: the test can tell them apart."""
    written, other_done = threading.Event(), threading.Event()

    def slow():
        with store.unit() as unit:
            unit.emit("thing.changed", "slow", b"")
            unit.flush()  # as a unit whose commit takes long
            written.set()
            other_done.wait(5)

    thread = threading.Thread(target=slow)
    thread.start()
    written.wait(5)
    emit(store, "quick")

    def naive(after):
        return raw.execute("SELECT seq, subject FROM ci_outbox WHERE seq > %s ORDER BY seq", (after,)).fetchall()

    [(last, subject)] = naive(0)
    assert subject == "quick"
    assert feed(store) == [], "what comes after an open unit is held back"
    with store.unit(write=False) as unit:
        assert isinstance(unit, SupportsPending)
        assert [event.subject for event in unit.pending(START, 9)] == ["quick"]
    other_done.set()
    thread.join()
    assert naive(last) == [], "the naive reader misses the slow unit's event"
    assert [event.subject for event in feed(store)] == ["slow", "quick"]


WRITER = """if True:
    import sys
    from custinfo.store import PostgresStore, Record
    store = PostgresStore(sys.argv[1], schema=sys.argv[2])
    for number in range(60):
        with store.unit() as unit:
            unit.put(Record("thing", f"{sys.argv[3]}.{number}", 0, b""), (), 0)
            unit.emit("thing.created", sys.argv[3], b"%d" % number)
    store.close()
"""


def test_a_reader_beside_four_processes_misses_no_event(store, dsn, schema):
    command = [sys.executable, "-W", "error", "-c", WRITER, dsn, schema]
    children = [subprocess.Popen([*command, f"{n}"]) for n in range(4)]
    seen, cursor, ending, pause = [], START, False, threading.Event()
    while True:
        pause.wait(0.01)
        events = feed(store, cursor)
        seen += events
        cursor = events[-1].cursor if events else cursor
        if ending and not events:
            break
        ending = all(child.poll() is not None for child in children)
    assert [child.wait(60) for child in children] == [0, 0, 0, 0]
    for writer in range(4):
        assert [int(event.data) for event in seen if event.subject == f"{writer}"] == list(range(60))


def test_trimmed_events_are_gone_and_never_shown_again(store, raw):
    emit(store, "a", "b", "c")
    events = feed(store)
    with store.unit() as unit:
        assert unit.trim(START) == 0
        assert unit.trim(events[1].cursor) == 2
        assert [event.subject for event in unit.feed(START, 9)] == ["c"]
    assert raw.execute("SELECT count(*) FROM ci_outbox").fetchone() == (1,)


def test_an_older_unit_that_trims_leaves_nothing_to_read_again(store):
    """It cannot see all that it is asked to drop; readers do not get it a second time all the same."""
    emit(store, "a")
    opened, emitted = threading.Event(), threading.Event()
    cursors = []

    def other():
        opened.wait(5)
        emit(store, "b")
        cursors.append(feed(store)[-1].cursor)
        emitted.set()

    thread = threading.Thread(target=other)
    thread.start()
    with store.unit() as unit:
        assert unit.feed(START, 9)[0].subject == "a"
        opened.set()
        emitted.wait(5)
        assert unit.trim(cursors[0]) == 1
    thread.join()
    assert feed(store) == []
    emit(store, "c")
    assert [event.subject for event in feed(store)] == ["c"]


def test_two_units_that_trim_at_once_conflict(store):
    emit(store, "a", "b")
    first, second = feed(store)
    opened, done = threading.Event(), threading.Event()

    def other():
        opened.wait(5)
        with store.unit() as unit:
            unit.trim(second.cursor)
        done.set()

    def trim_late():
        with store.unit() as unit:
            unit.feed(START, 1)
            opened.set()
            done.wait(5)
            unit.trim(first.cursor)

    thread = threading.Thread(target=other)
    thread.start()
    with pytest.raises(ConflictError):
        trim_late()
    thread.join()
    assert feed(store) == []


def test_a_restore_under_an_open_store_begins_a_new_feed(store, dsn, schema, raw):
    """The tables are dropped and come back from a dump while the store is open."""
    emit(store, "a", "b")
    cursor = feed(store)[0].cursor
    rows = {name: raw.execute(f"SELECT * FROM {name}").fetchall() for name in ("ci_meta", "ci_outbox")}
    raw.execute(f"DROP SCHEMA {schema} CASCADE; CREATE SCHEMA {schema}")
    for text in _postgres_schema.MIGRATIONS[0]:
        raw.execute(text)
    for name, values in rows.items():
        marks = ", ".join(["%s"] * len(values[0]))
        with raw.cursor() as cur:
            cur.executemany(f"INSERT INTO {name} VALUES({marks})", values)
    assert code_of(lambda: feed(store)) == "store.restored"
    assert [event.subject for event in feed(store)] == ["a", "b"]
    assert code_of(lambda: feed(store, cursor)) == "store.cursor_incarnation"


# --- columns, backup and restore


def transaction(id, minor=100, **more):
    clear = {"id": id, "account_id": "a1", "amount": {"minor": minor, "currency": "CNY"}, **more}
    return Record("transaction", id, 0, json.dumps(clear).encode())


def test_columns_hold_what_the_data_hold_whatever_way_they_came(store, monkeypatch):
    monkeypatch.setattr("custinfo.store._postgres_unit.ROWS_PER_FETCH", 2)
    at = "2024-05-01T10:00:00+00:00"
    with store.unit() as unit:
        unit.put(transaction("t1", occurred_at=at), (), 0)
        unit.put_many(
            [(transaction("t3", 300, merchant="m"), (), 0), (transaction("t2", 200), (), 0), (thing("x"), (), 0)]
        )
        twice = [(transaction("t2", minor), (), version) for minor, version in ((225, 1), (250, 2))]
        unit.put_many([*twice, (transaction("t3", 300, merchant="m"), (), 1)])
        unit.put(transaction("t1", 150, occurred_at=at), (), 1)
        unit.put(transaction("t4"), (), 0)
        unit.delete("transaction", "t4", 1)
        columns = unit.columns("transaction", ["amount.minor", "id", "occurred_at", "merchant", "absent"])
        assert unit.columns("thing", ["id"]) == unit.columns("transaction", ["absent"]) == {}
    assert set(columns) == {"amount.minor", "id", "occurred_at", "merchant"}
    assert columns["id"].tolist() == ["t1", "t2", "t3"]
    assert columns["amount.minor"].tolist() == [150, 250, 300]
    assert columns["merchant"].tolist() == [None, None, "m"]
    assert columns["occurred_at"][0] == np.datetime64("2024-05-01T10:00:00", "us")
    assert np.isnat(columns["occurred_at"][1:]).all()


def test_there_are_no_columns_while_a_record_is_a_gap(store):
    strange = Record("transaction", "t1", 0, b"not of this library")
    other = Record("transaction", "t2", 0, b"nor this")

    def columns():
        with store.unit(write=False) as unit:
            return unit.columns("transaction", ["id"])

    with store.unit() as unit:
        unit.put(transaction("t1"), (), 0)
        assert unit.columns("transaction", ["id"])["id"].tolist() == ["t1"]
        unit.put(strange, (), 1)
    assert columns() == {}
    with store.unit() as unit:
        unit.put_many([(transaction("t1"), (), 2), (other, (), 0)])
    assert columns() == {}
    with store.unit() as unit:
        unit.delete("transaction", "t2", 1)
    assert columns()["id"].tolist() == ["t1"]


def test_a_restore_keeps_versions_and_a_backup_reads_whole_pages(store):
    with store.unit() as unit:
        assert isinstance(unit, SupportsRestore)
        items = [
            (Record("thing", id, version, b"d"), [Key("tag", id)]) for id, version in (("a", 7), ("b", 1), ("c", 3))
        ]
        assert unit.load(iter(items)) == 3
        assert unit.load_events(("thing.changed", f"{n}", b"") for n in range(3)) == 3
    with store.unit(write=False) as unit:
        assert isinstance(unit, SupportsKeyRange)
        assert [record.version for record in unit.page("thing", "", 9)] == [7, 1, 3]
        assert unit.keys_between("thing", "a", "c") == {"b": [Key("tag", "b")], "c": [Key("tag", "c")]}
        assert [event.subject for event in unit.feed(START, 9)] == ["0", "1", "2"]

    def load_again():
        with store.unit() as unit:
            unit.load([(Record("thing", "new", 2, b""), []), *items])

    with pytest.raises(ConflictError) as caught:
        load_again()
    assert caught.value.details == {"kind": "thing", "id": "a", "expected": 0, "found": 7}
    assert ids_of(store) == ["a", "b", "c"]


# --- connections


def test_idle_connections_are_used_again_and_only_some_are_kept(store, raw, monkeypatch):
    monkeypatch.setattr(_postgres_pool, "IDLE", 1)
    both = threading.Barrier(3)

    def work():
        with store.unit(write=False):
            both.wait(5)

    for _ in range(2):
        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(store._pool._idle) == 1
    put(store, "a")
    assert len(store._pool._idle) == 1


def fork_inside(store):
    """What the child does, done here."""

    def run():
        with store.unit() as unit:
            store._after_fork(child=True)
            assert code_of(lambda: unit.get("thing", ["a"])) == "store.forked"

    assert code_of(run) == "store.forked"
    for link in list(store._pool._lent):
        store._release(link)


def undone(store):
    with store.unit() as unit:
        unit.put(thing("b"), (), 0)
        raise ZeroDivisionError


def test_a_store_that_was_not_closed_closes_its_connections_itself(dsn, schema):
    store = PostgresStore(dsn, schema=schema)
    con = store._pool._idle[0]._con
    del store
    assert con.closed


def test_a_pool_of_the_caller_gets_its_connections_back_as_they_were(dsn, schema, raw):
    with ConnectionPool(dsn, min_size=1, max_size=2, kwargs={"row_factory": psycopg.rows.dict_row}) as pool:
        with closing(PostgresStore(pool=pool, schema=schema, timeout_s=0.2)) as store:
            put(store, "a")
            with pytest.raises(ZeroDivisionError):
                undone(store)
            assert ids_of(store) == ["a"]
            with pool.connection() as con:
                assert not con.autocommit
                assert con.execute("SELECT 1 AS one").fetchone() == {"one": 1}
            with pool.connection(), pool.connection():
                assert code_of(lambda: ids_of(store)) == "store.pool"
            with pool.connection() as con:
                pid = con.info.backend_pid
            raw.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            assert ids_of(store) == ["a"]
            store._before_fork()
            store._after_fork(child=False)
            assert ids_of(store) == ["a"]
            fork_inside(store)
            assert code_of(lambda: ids_of(store)) == "store.forked"
        with pool.connection() as con:
            assert con.execute("SELECT 1 AS one").fetchone() == {"one": 1}


def test_a_pool_that_gives_what_cannot_be_used_is_told(dsn, schema):
    def in_a_transaction():
        con = psycopg.connect(dsn)
        con.execute("SELECT 1")
        made.append(con)
        return con

    def latin():
        made.append(psycopg.connect(dsn, client_encoding="latin1"))
        return made[-1]

    def broken():
        made.append(psycopg.connect(dsn))
        made[-1].close()
        return made[-1]

    class Pool:
        def __init__(self, make):
            self.make = make

        def getconn(self, timeout=None):
            return self.make()

        def putconn(self, con):
            con.close()

    made = []
    assert code_of(lambda: PostgresStore(pool=Pool(in_a_transaction), schema=schema)) == "store.pool"
    assert code_of(lambda: PostgresStore(pool=broken, schema=schema)) == "store.connection"
    assert len(made) == 2
    assert code_of(lambda: PostgresStore(pool=Pool(broken), schema=schema)) == "store.connection"
    assert len(made) > 20, "a pool may hold many that are old and broken"
    mixed = iter([broken] * 5)
    with closing(PostgresStore(pool=Pool(lambda: next(mixed, lambda: psycopg.connect(dsn))()), schema=schema)) as store:
        assert ids_of(store) == []
    assert code_of(lambda: PostgresStore(pool=in_a_transaction, schema=schema)) == "store.pool"
    assert code_of(lambda: PostgresStore(pool=latin, schema=schema)) == "store.encoding"
    for con in made:
        con.close()


def test_a_function_may_make_the_connections(dsn, schema, monkeypatch):
    made = []

    def make():
        made.append(psycopg.connect(dsn))
        return made[-1]

    with closing(PostgresStore(pool=make, schema=schema)) as store:
        put(store, "a")
        assert len(made) == 1
    assert made[0].closed
    monkeypatch.setattr(psycopg.ConnectionInfo, "host", "db.example.com")
    assert code_of(lambda: PostgresStore(pool=make, schema=schema)) == "store.tls_required"
    with closing(PostgresStore(pool=make, schema=schema, insecure=True)) as store:
        assert ids_of(store) == ["a"]
    assert all(con.closed for con in made)


# --- errors


def test_a_connection_that_is_ended_in_a_unit_undoes_it_and_the_next_unit_has_another(store, raw):
    put(store, "a")

    def end_it():
        with store.unit() as unit:
            unit.put(thing("b"), (), 0)
            [(pid,)] = unit.link.rows("SELECT pg_backend_pid()")
            raw.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            assert code_of(lambda: unit.put(thing("c"), (), 0)) == "store.connection"
            unit.get("thing", ["a"])

    assert code_of(end_it) == "store.unit_failed"
    assert ids_of(store) == ["a"]


@pytest.mark.parametrize("call", ["put_many", "update", "emit", "begin"])
def test_a_connection_may_break_anywhere(store, raw, call):
    put(store, "a")
    calls = {
        "put_many": lambda unit: unit.put_many([(thing("b"), (), 0)]),
        "update": lambda unit: unit.put(thing("a"), (), 1),
        "emit": lambda unit: unit.emit("thing.changed", "a", b""),
        "begin": lambda unit: unit.link.begin_again(),
    }

    def break_it():
        with store.unit() as unit:
            [(pid,)] = unit.link.rows("SELECT pg_backend_pid()")
            raw.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
            calls[call](unit)

    assert code_of(break_it) == "store.connection"
    assert ids_of(store) == ["a"]
    assert feed(store) == []


def test_a_connection_that_breaks_during_the_commit_leaves_open_what_is_kept(store, raw):
    def break_it():
        with store.unit() as unit:
            unit.put(thing("a"), (), 0)
            [(pid,)] = unit.link.rows("SELECT pg_backend_pid()")
            raw.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))

    assert code_of(break_it) == "store.commit_unknown"
    assert ids_of(store) == []


def test_a_commit_that_is_refused_undoes_the_unit(store, raw):
    raw.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE 'no' USING ERRCODE = '58030'; END $$;"
        "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON ci_record DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW EXECUTE FUNCTION refuse()"
    )
    assert code_of(lambda: put(store, "a")) == "store.io"
    assert ids_of(store) == []


def test_a_role_without_rights_is_told(dsn, schema, raw, store):
    role = f"{schema}_role"
    raw.execute(f"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA {schema} TO {role}")
    as_role = dsn.replace("postgres@", f"{role}@")
    assert code_of(lambda: PostgresStore(as_role, schema=schema)) == "store.rights"
    raw.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}")
    with closing(PostgresStore(as_role, schema=schema)) as other:
        assert ids_of(other) == []
        assert code_of(lambda: put(other, "a")) == "store.rights"
        raw.execute(f"GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {role}")
        put(other, "a")
        emit(other, "a")
        with other.unit() as unit:
            assert unit.trim(unit.feed(START, 9)[0].cursor) == 1
    assert code_of(lambda: PostgresStore(as_role, schema=f"{schema}_new")) == "store.rights"
    raw.execute("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
    try:
        # It cannot ask for the cluster, and does not take the place for another one for that.
        emit(store, "b")
        cursor = feed(store)[-1].cursor
        with closing(PostgresStore(as_role, schema=schema)) as other:
            assert feed(other, cursor) == []
        with closing(PostgresStore(dsn, schema=schema)) as other:
            assert feed(other, cursor) == []
        assert code_of(lambda: PostgresStore(as_role, schema=f"{schema}_new")) == "store.rights"
        raw.execute(f"CREATE SCHEMA {schema}_new AUTHORIZATION {role}")
        with closing(PostgresStore(as_role, schema=f"{schema}_new")) as other:
            emit(other, "a")
            assert len(feed(other)) == 1
    finally:
        raw.execute("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
        raw.execute(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")


def test_a_database_that_only_reads_is_told(dsn, schema, store):
    put(store, "a")
    reading = psycopg.conninfo.make_conninfo(dsn, options="-cdefault_transaction_read_only=on")
    with closing(PostgresStore(reading, schema=schema)) as other:
        assert ids_of(other) == ["a"]
        assert code_of(lambda: put(other, "b")) == "store.read_only"
    assert code_of(lambda: PostgresStore(reading, schema=f"{schema}_new")) == "store.read_only"


def test_a_wrong_database_user_or_password_is_told_without_the_password(dsn, raw):
    raw.execute("CREATE ROLE locked LOGIN PASSWORD 'right'")
    try:
        for bad, code in {
            dsn.replace("/postgres?", "/absent?"): "store.database",
            dsn.replace("postgres@", "nobody@"): "store.login",
            dsn.replace("postgres@", "locked:hush@"): "store.login",
            dsn.replace("postgres@", "locked@"): "store.login",
            dsn.replace("host=", "host=/absent"): "store.connection",
            "host=127.0.0.1 port=1 connect_timeout=2": "store.connection",
            "host=127.0.0.1 port=x": "store.connection",
            dsn + "&sslmode=require&host=localhost": "store.connection",
        }.items():
            with pytest.raises(StoreError) as caught:
                PostgresStore(bad)
            assert caught.value.code == code, bad
            assert "hush" not in f"{caught.value!r}{caught.value}{caught.value.details}"
            assert caught.value.__context__ is None
        with closing(PostgresStore(dsn.replace("postgres@", "postgres:hush@"), schema="public")) as store:
            assert "hush" not in repr(store)
    finally:
        raw.execute("DROP ROLE locked")


def test_a_database_of_another_encoding_is_refused(dsn, raw, schema):
    raw.execute(f"CREATE DATABASE {schema} TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    try:
        assert code_of(lambda: PostgresStore(dsn.replace("/postgres?", f"/{schema}?"))) == "store.encoding"
    finally:
        raw.execute(f"DROP DATABASE {schema}")


def test_an_old_server_is_refused(dsn, schema, monkeypatch):
    monkeypatch.setattr(
        _postgres_schema,
        "FACTS",
        _postgres_schema.FACTS.replace("current_setting(", "120000 + 0 * length(", 1).replace("::int", ""),
    )
    assert code_of(lambda: PostgresStore(dsn, schema=schema)) == "store.postgres_version"


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("53100", "store.full"),
        ("53200", "store.resources"),
        ("XX001", "store.corrupt"),
        ("57014", "store.cancelled"),
        ("22012", "store.postgres"),
    ],
)
def test_what_the_server_says_becomes_a_code(store, raw, state, code):
    raw.execute(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE 'secret of %%', NEW.id USING ERRCODE = '{state}'; END $$;"
        "CREATE TRIGGER refuse BEFORE INSERT ON ci_record FOR EACH ROW EXECUTE FUNCTION refuse()".replace("%%", "%")
    )
    with pytest.raises(StoreError) as caught:
        put(store, "a")
    assert caught.value.code == code
    assert caught.value.details == {"sqlstate": state}
    assert "secret" not in str(caught.value)
    assert ids_of(store) == []

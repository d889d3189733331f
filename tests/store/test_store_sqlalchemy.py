"""The store behind SQLAlchemy: what it shares with the other stores, what it refuses, and how."""

from __future__ import annotations

import importlib.util
import os
import sys
import threading

import pytest
import sqlalchemy as sa
from sql_engines import EVERY, Places
from sqlalchemy.dialects import mysql
from sqlalchemy.schema import CreateTable

from custinfo.errors import (
    ConflictError,
    DuplicateKeyError,
    InvalidFieldError,
    MissingExtraError,
    SchemaVersionError,
    StoreError,
)
from custinfo.store import (
    START,
    Key,
    PostgresStore,
    Record,
    SqlAlchemyStore,
    SqliteStore,
    _sqlalchemy,
    _sqlalchemy_store,
    open_store,
)
from custinfo.store import _sqlalchemy_errors as errors
from custinfo.store._sqlalchemy_tables import tables_of

PAYMENT = b'{"id":"t1","account_id":"a1","amount":{"minor":990,"currency":"CNY"}}'
SECRET = "open-sesame"


@pytest.fixture(params=EVERY)
def places(request, tmp_path):
    places = Places(request.param, tmp_path)
    yield places
    places.clear()


@pytest.fixture
def engine(places):
    return places.engine()


@pytest.fixture
def sqlite(tmp_path):
    places = Places("sqlite", tmp_path)
    yield places
    places.clear()


def put(store, id="c1", *, version=0, keys=(), data=b"data", kind="customer"):
    with store.unit() as unit:
        unit.emit("customer.changed", id, b"")
        return unit.put(Record(kind, id, 0, data), keys, version)


def ids(store):
    with store.unit(write=False) as unit:
        return [record.id for record in unit.page("customer", "", 10)]


def subjects(store, after=START):
    with store.unit(write=False) as unit:
        return [event.subject for event in unit.feed(after, 10)]


def code_of(call, *args, **options):
    with pytest.raises(StoreError) as caught:
        call(*args, **options)
    assert SECRET not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return caught.value.code


def until(done):
    """Wait for what another thread or the server does."""
    pause = threading.Event()
    for _ in range(1000):
        if done():
            return
        pause.wait(0.01)
    raise AssertionError("it did not happen within 10 s")


def open_unit(store, **options):
    with store.unit(**options):
        pass


def test_the_file_of_a_sqlite_store_is_shared_both_ways(sqlite, tmp_path):
    engine = sqlite.again(sa.create_engine(f"sqlite:///{tmp_path}/shop.db"))
    plain = SqliteStore(tmp_path / "shop.db")
    put(plain, "first", keys=[Key("tag", "vip", unique=True)])
    store = SqlAlchemyStore(engine)
    with pytest.raises(DuplicateKeyError):
        put(store, "second", keys=[Key("tag", "vip", unique=True)])
    put(store, "second")
    assert ids(plain) == ids(store) == ["first", "second"]
    with plain.unit(write=False) as unit:
        cursor = unit.feed(START, 1)[0].cursor
    assert subjects(store, cursor) == subjects(plain, cursor) == ["second"]
    plain.close()


def test_a_file_that_it_makes_is_one_of_a_sqlite_store(sqlite, tmp_path):
    engine = sqlite.again(sa.create_engine(f"sqlite:///{tmp_path}/shop.db"))
    put(SqlAlchemyStore(engine))
    SqliteStore(tmp_path / "other.db").close()
    other = sqlite.again(sa.create_engine(f"sqlite:///{tmp_path}/other.db"))
    described = []
    for one in (engine, other):
        with one.connect() as con:
            described.append(con.exec_driver_sql("SELECT sql FROM sqlite_master ORDER BY name").all())
            described.append(con.exec_driver_sql("PRAGMA journal_mode").all())
    assert described[:2] == described[2:]
    plain = SqliteStore(tmp_path / "shop.db")
    assert (ids(plain), subjects(plain)) == (["c1"], ["c1"])
    plain.close()


@pytest.mark.postgres
@pytest.mark.parametrize("first", [PostgresStore, SqlAlchemyStore])
def test_the_tables_of_a_postgres_store_are_shared_both_ways(tmp_path, first):
    places = Places("postgres", tmp_path)
    engine = places.engine()
    with engine.connect() as con:
        name = con.exec_driver_sql("SELECT current_schema()").scalar()
    made = {
        PostgresStore: lambda: PostgresStore(engine.url.set(drivername="postgresql").render_as_string(), schema=name),
        SqlAlchemyStore: lambda: SqlAlchemyStore(engine),
    }
    one = made.pop(first)()
    [other] = [make() for make in made.values()]
    put(one, "first")
    put(other, "second")
    assert ids(one) == ids(other) == ["first", "second"]
    assert subjects(one) == subjects(other) == ["first", "second"]
    for store in (one, other):
        store.close()
    places.clear()


@pytest.mark.postgres
def test_the_feed_begins_anew_in_another_cluster(tmp_path):
    places = Places("postgres", tmp_path)
    engine = places.engine()
    store = SqlAlchemyStore(engine)
    put(store)
    with store.unit(write=False) as unit:
        old = unit.feed(START, 1)[0].cursor
    with engine.begin() as con:
        con.exec_driver_sql("UPDATE ci_meta SET value = '1/2/3' WHERE name = 'cluster'")
    assert code_of(subjects, store) == "store.restored"
    assert subjects(store) == ["c1"]
    assert code_of(subjects, store, old) == "store.cursor_incarnation"
    places.clear()


@pytest.mark.postgres
def test_a_schema_of_postgresql_can_be_named(tmp_path):
    places = Places("postgres", tmp_path)
    engine = places.engine()
    stores = [SqlAlchemyStore(engine, schema=f"named{os.getpid()} {n}") for n in range(2)]
    put(stores[0], keys=[Key("tag", "a")])
    with stores[0].unit() as unit:
        assert unit.query("customer", all_of=[("tag", "a")], limit=5) == ["c1"]
        assert unit.trim(unit.feed(START, 1)[0].cursor) == 1
        assert unit.pending(START, 10) == []
    assert ids(stores[1]) == []
    with engine.begin() as con:
        for n in range(2):
            con.exec_driver_sql(f'DROP SCHEMA "named{os.getpid()} {n}" CASCADE')
    places.clear()


@pytest.mark.parametrize(
    "name", ["", "x'y", 'x"; DROP SCHEMA public', "a%b", "a?b", "a :b", "a\\b", "a\0", "\ud800", 1]
)
def test_a_schema_that_would_be_read_as_more_than_a_name_is_refused(sqlite, name):
    with pytest.raises(InvalidFieldError, match="1 to 63 bytes"):
        SqlAlchemyStore(sqlite.engine(), schema=name)


@pytest.mark.postgres
def test_all_that_set_up_one_schema_at_once_agree(tmp_path):
    places = Places("postgres", tmp_path)
    engine = places.engine()
    with engine.connect() as con:
        name = con.exec_driver_sql("SELECT current_schema()").scalar()
        con.execute(
            sa.text("SELECT pg_advisory_xact_lock(hashtext('custinfo.store'), hashtext(:name))"), {"name": name}
        )
        made = []
        threads = [threading.Thread(target=lambda: made.append(SqlAlchemyStore(engine))) for _ in range(3)]
        for thread in threads:
            thread.start()
        waiting = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        until(lambda: con.execute(waiting).scalar() == 3)
    for thread in threads:
        thread.join()
    assert len(made) == 3
    put(made[0])
    assert {tuple(subjects(store)) for store in made} == {("c1",)}
    places.clear()


@pytest.mark.postgres
def test_a_role_that_may_not_ask_for_the_cluster_reads_the_feed_on(tmp_path):
    places = Places("postgres", tmp_path)
    engine = places.engine()
    store = SqlAlchemyStore(engine)
    put(store)
    with store.unit(write=False) as unit:
        cursor = unit.feed(START, 1)[0].cursor
    role = f"sql_role_{os.getpid()}"
    try:
        with engine.begin() as con:
            name = con.exec_driver_sql("SELECT current_schema()").scalar()
            con.exec_driver_sql(f"CREATE ROLE {role} LOGIN; GRANT ALL ON SCHEMA {name} TO {role}")
            con.exec_driver_sql(f"GRANT ALL ON ALL TABLES IN SCHEMA {name} TO {role}")
            con.exec_driver_sql("REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC")
        other = places.again(sa.create_engine(engine.url.set(username=role), poolclass=sa.NullPool))
        assert subjects(SqlAlchemyStore(other, schema=name), cursor) == []
        assert subjects(SqlAlchemyStore(engine), cursor) == []
    finally:
        with engine.begin() as con:
            con.exec_driver_sql("GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC")
            con.exec_driver_sql(f"DROP OWNED BY {role} CASCADE; DROP ROLE {role}")
        places.clear()


def test_an_engine_in_autocommit_keeps_units_whole(places):
    engine = places.engine(isolation_level="AUTOCOMMIT")
    for bind in (engine, engine.execution_options(isolation_level="AUTOCOMMIT")):
        store = SqlAlchemyStore(bind)
        with pytest.raises(ZeroDivisionError), store.unit() as unit:  # noqa: PT012 - all of it is the unit
            unit.put(Record("customer", "half", 0, b""), [], 0)
            unit.emit("customer.changed", "half", b"")
            raise ZeroDivisionError
        assert (ids(store), subjects(store)) == ([], [])
    with engine.connect() as con:
        joined = SqlAlchemyStore(con)
        if engine.dialect.name == "sqlite":
            put(joined)  # a BEGIN of its own
        else:
            assert code_of(open_unit, joined) == "store.autocommit"
        con.rollback()
    assert ids(store) == []


def test_sqlite_has_no_schemas(sqlite):
    assert code_of(SqlAlchemyStore, sqlite.engine(), schema="x") == "store.schema"


@pytest.mark.parametrize("version", ["99", "1", "0"])
def test_tables_of_another_schema_are_refused(engine, version):
    store = SqlAlchemyStore(engine)
    put(store)
    with engine.begin() as con:
        kept = version.encode() if engine.dialect.name == "mariadb" else version
        con.execute(sa.text("UPDATE ci_meta SET value = :version WHERE name = 'schema'"), {"version": kept})
    if version == "99":
        with pytest.raises(SchemaVersionError):
            SqlAlchemyStore(engine)
        with engine.connect() as con, pytest.raises(SchemaVersionError), SqlAlchemyStore(con).unit():
            pass
    elif version == "0" or engine.dialect.name == "sqlite":
        assert code_of(SqlAlchemyStore, engine) == "store.schema_old"
    else:
        assert ids(SqlAlchemyStore(engine)) == ["c1"]


def test_a_restore_keeps_versions_and_events(engine):
    store = SqlAlchemyStore(engine)
    rows = [(Record("transaction", "t1", 7, PAYMENT), [Key("a", "b"), Key("a", "c", unique=True)])]
    rows += [(Record("transaction", "t0", 2, PAYMENT), [])]
    with store.unit() as unit:
        assert unit.load(rows) == 2
        assert unit.load_events([("customer.changed", f"c{n}", b"\0") for n in range(1500)]) == 1500
    with store.unit() as unit:
        assert [record.version for record in unit.get("transaction", ["t1", "t0"])] == [7, 2]
        assert unit.keys_between("transaction", "t0", "t9") == {"t1": rows[0][1]}
        assert [event.subject for event in unit.pending(START, 2000)] == [f"c{n}" for n in range(1500)]
    with pytest.raises(ConflictError, match="t1"), store.unit() as unit:
        unit.load(rows[:1])


def test_what_a_unit_can_see_to_be_wrong_is_refused_and_named(engine):
    store = SqlAlchemyStore(engine)
    for id in ("c1", "c2"):
        put(store, id, keys=[Key("tag", "t")])
    with store.unit() as unit:
        assert unit.trim(START) == 0
        with pytest.raises(ConflictError, match="stored version"):
            unit.delete("customer", "c1", 0)
        with pytest.raises(InvalidFieldError) as caught:
            unit.query("customer", order="name", after="c1", limit=9)
        assert caught.value.code == "store.after"
        assert unit.query("customer", all_of=[("tag", "t")], order="tag", after="c1", limit=9) == ["c2"]
    updates = [(Record("customer", id, 0, b"new"), [], version) for id, version in (("c1", 1), ("c2", 7))]
    with pytest.raises(ConflictError) as caught, store.unit() as unit:
        unit.put_many(updates)
    assert caught.value.details == {"kind": "customer", "id": "c2", "expected": 7, "found": 1}
    # A unique key may go from one record to the next within one call.
    with store.unit() as unit:
        unit.put_many([(Record("customer", "c1", 0, b""), [Key("ext", "x", unique=True)], 1)])
        one, two = (Record("customer", id, 0, b"") for id in ("c1", "c2"))
        moved = [(two, [], 1), (one, [], 2), (two, [Key("ext", "x", unique=True)], 2)]
        assert unit.put_many(moved) == [2, 3, 3]
        assert unit.lookup("customer", "ext", "x") == ["c2"]
    with pytest.raises(ConflictError), store.unit() as unit:
        unit.put_many([(one, [], 3), (two, [], 1)])


def test_typed_columns_follow_the_records(engine):
    store = SqlAlchemyStore(engine)

    def columns():
        with store.unit(write=False) as unit:
            found = unit.columns("transaction", ["id", "amount.minor", "status", "occurred_at"])
        return {path: values.tolist() for path, values in found.items()}

    put(store, "t1", data=PAYMENT, kind="transaction")
    kept = {"id": ["t1"], "status": ["posted"], "amount.minor": [990], "occurred_at": [None]}
    assert columns() == kept
    put(store, "t2", data=b"?", kind="transaction")
    put(store, "t1", data=PAYMENT.replace(b"990", b"-1"), version=1, kind="transaction")
    assert columns() == {}
    with store.unit() as unit:
        unit.delete("transaction", "t2", 1)
    assert columns() == {**kept, "amount.minor": [-1]}


def test_no_error_carries_values(engine):
    store = SqlAlchemyStore(engine)
    put(store, keys=[Key("email", SECRET, unique=True)])
    with pytest.raises(DuplicateKeyError) as caught:
        put(store, "c2", keys=[Key("email", SECRET, unique=True)])
    assert SECRET not in repr(caught.value)
    with engine.begin() as con:
        con.exec_driver_sql("DROP TABLE ci_key")
    assert code_of(put, store, "c3", keys=[Key("email", SECRET)]) in ("store.sqlite", "store.tables")


def test_a_unit_that_failed_keeps_nothing(engine):
    store = SqlAlchemyStore(engine)
    with pytest.raises(StoreError) as caught, store.unit() as unit:  # noqa: PT012 - all of it is the unit
        unit.put(Record("customer", "c1", 0, b""), [], 0)
        with pytest.raises(ZeroDivisionError):
            unit.put_many(1 / 0 for _ in "x")
    assert caught.value.code == "store.unit_failed"
    assert ids(store) == []


def test_misuse_is_told_apart(engine):
    store = SqlAlchemyStore(engine)
    with store.unit(write=False) as unit:
        assert code_of(unit.put, Record("customer", "c1", 0, b""), [], 0) == "store.unit_reads"
        assert code_of(open_unit, store) == "store.nested"
    assert code_of(unit.kinds) == "store.unit_ended"
    turn = store.unit()
    store.close()
    assert code_of(turn.__enter__) == "store.closed"
    assert code_of(store.unit) == "store.closed"


def test_a_pool_without_a_free_connection_is_named(places):
    engine = places.engine(pool_size=1, max_overflow=0, pool_timeout=0.01, poolclass=sa.QueuePool)
    store = SqlAlchemyStore(engine)
    with engine.connect():
        assert code_of(open_unit, store) == "store.pool"


def test_an_engine_with_its_own_begin_is_used_and_left_as_it_is(sqlite):
    engine = sqlite.engine()

    @sa.event.listens_for(engine, "connect")
    def no_begin_of_the_driver(driver, _):
        driver.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def begin(con):
        con.exec_driver_sql("BEGIN")

    store = SqlAlchemyStore(engine)
    put(store)
    with engine.connect() as con:
        put(SqlAlchemyStore(con), "c2")
        con.rollback()
    with engine.begin() as con:
        put(SqlAlchemyStore(con), "c3")
    assert ids(store) == ["c1", "c3"]


def test_a_connection_that_all_threads_share_is_used_in_turns(sqlite):
    engine = sqlite.again(
        sa.create_engine("sqlite://", poolclass=sa.StaticPool, connect_args={"check_same_thread": False})
    )
    store = SqlAlchemyStore(engine)
    threads = [threading.Thread(target=put, args=(store, f"c{n}")) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ids(store) == [f"c{n}" for n in range(4)]
    with engine.connect() as con:
        con.exec_driver_sql("BEGIN")
        assert code_of(open_unit, store) == "store.pool"
        con.rollback()
    assert ids(store) == [f"c{n}" for n in range(4)]


def test_a_connection_that_cannot_be_made_keeps_no_one_waiting(sqlite, monkeypatch, tmp_path):
    """Units of a pool with one connection take turns; one that got none passes its turn on."""
    monkeypatch.setattr(_sqlalchemy_store, "TURN_S", 0.01)
    (tmp_path / "folder").mkdir()
    engine = sqlite.again(sa.create_engine(f"sqlite:///{tmp_path}/folder/shop.db", poolclass=sa.StaticPool))
    store = SqlAlchemyStore(engine)
    engine.dispose()
    (tmp_path / "folder").rename(tmp_path / "away")
    assert [code_of(open_unit, store) for _ in range(2)] == ["store.open"] * 2
    (tmp_path / "away").rename(tmp_path / "folder")
    put(store)
    assert store._turn.acquire(blocking=False)
    assert code_of(open_unit, store) == "store.locked"
    store._after_fork(child=True)  # the thread that has the turn is not in the child
    assert ids(store) == ["c1"]


def test_a_database_in_memory_of_another_thread_is_refused(sqlite):
    store = SqlAlchemyStore(sqlite.again(sa.create_engine("sqlite://", poolclass=sa.pool.SingletonThreadPool)))
    codes = []
    thread = threading.Thread(target=lambda: codes.append(code_of(open_unit, store)))
    thread.start()
    thread.join()
    assert codes == ["store.pool"]


def test_a_writer_that_waits_too_long_is_named(sqlite):
    engine = sqlite.engine(connect_args={"timeout": 0})
    store = SqlAlchemyStore(engine)
    with engine.begin() as con:
        con.exec_driver_sql("BEGIN IMMEDIATE")
        assert code_of(open_unit, store) == "store.locked"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_process_uses_connections_of_its_own(engine):
    store = SqlAlchemyStore(engine)
    put(store)
    with engine.connect() as con:
        joined = SqlAlchemyStore(con)
        turn = store.unit()
        unit = turn.__enter__()
        child = os.fork()
        if not child:  # pragma: no cover - in the child
            try:
                ok = code_of(unit.kinds) == "store.forked" and code_of(open_unit, joined) == "store.forked"
                os._exit(0 if ok and ids(store) == ["c1"] else 1)
            finally:
                os._exit(2)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        unit.put(Record("customer", "c2", 0, b""), [], 0)
        turn.__exit__(None, None, None)
    assert ids(store) == ["c1", "c2"]


@pytest.mark.parametrize("bind", [None, "sqlite://", object()])
def test_what_is_no_engine_is_refused(bind):
    assert code_of(SqlAlchemyStore, bind) == "store.bind"


def test_a_database_without_a_layout_is_refused():
    assert code_of(_sqlalchemy.dialect_of, "oracle") == "store.dialect"


def test_the_layout_of_mysql_compares_bytes_and_fits_its_indexes():
    tables = tables_of("mysql", "shop`s")
    made = str(CreateTable(tables.key).compile(dialect=mysql.dialect()))
    assert made.count("VARBINARY(1024)") == 2
    assert "GENERATED ALWAYS AS (nullif(uniq, 0))" in made
    kept = tables.key.c.value.type
    assert kept.process_result_value(kept.process_bind_param("\u5f20 ", None), None) == "\u5f20 "
    assert kept.process_bind_param(None, None) is kept.process_result_value(None, None) is None
    assert tables.qualified("SELECT id FROM ci_key") == "SELECT id FROM `shop``s`.ci_key"
    assert "FOR SHARE" in str(tables.version.compile(dialect=mysql.dialect())).replace(
        "LOCK IN SHARE MODE", "FOR SHARE"
    )


def test_a_host_whose_transaction_the_server_undid_cannot_commit_the_rest(sqlite):
    engine = sqlite.engine()
    SqlAlchemyStore(engine).close()
    with engine.connect() as con:
        with pytest.raises(ZeroDivisionError), SqlAlchemyStore(con).unit() as unit:  # noqa: PT012 - it is the unit
            unit.put(Record("customer", "c1", 0, b""), [], 0)
            con.exec_driver_sql("ROLLBACK")  # as MySQL does in a deadlock
            raise ZeroDivisionError
        with pytest.raises(sa.exc.SQLAlchemyError):
            con.execute(sa.text("SELECT 1"))
        con.rollback()
    assert ids(SqlAlchemyStore(engine)) == []


def test_a_url_opens_a_store_that_owns_its_engine(tmp_path):
    for url in (f"sqlite+pysqlite:///{tmp_path}/a.db", f"sqlalchemy:sqlite:///{tmp_path}/a.db"):
        store = open_store(url)
        assert isinstance(store, SqlAlchemyStore)
        put(store, f"c{len(url)}")
        assert len(ids(store)) >= 1
        store.close()


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (f"sqlalchemy:no such url {SECRET}", "store.url"),
        (f"mysql+nodriver://u:{SECRET}@localhost/x", "store.driver"),
        (f"mysql+oursql_none://u:{SECRET}@localhost/x", "store.driver"),
        (f"mysql+pymysql://u:{SECRET}@localhost:1/x", "store.connection"),
        (f"mariadb+pymysql://u:{SECRET}@localhost:port/x", "store.url"),
        (f"postgresql+psycopg://u:{SECRET}@localhost:1/x", "store.connection"),
        ("sqlite+pysqlite:////no/such/folder/x.db", "store.open"),
    ],
)
def test_a_url_that_cannot_be_opened_says_why_and_shows_nothing(url, code):
    assert code_of(open_store, url) == code


def test_a_driver_that_is_not_installed_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "MySQLdb", None)
    with pytest.raises(StoreError, match="MySQLdb") as caught:
        open_store("mysql://u@localhost/x")
    assert caught.value.code == "store.driver"


def test_a_file_that_is_no_database_is_named(sqlite, tmp_path):
    (tmp_path / "text.db").write_bytes(b"no database" * 100)
    engine = sqlite.again(sa.create_engine(f"sqlite:///{tmp_path}/text.db"))
    assert code_of(SqlAlchemyStore, engine) == "store.not_a_database"


def test_without_sqlalchemy_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    spec = importlib.util.spec_from_file_location("custinfo.store._without_it", _sqlalchemy.__file__)
    with pytest.raises(MissingExtraError, match=r"custinfo\[sql\]"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


class Refused(Exception):  # noqa: N818 - a driver's own
    sqlstate = None


@pytest.mark.parametrize(
    ("number", "code"),
    [(1045, "store.login"), (1153, "store.too_big"), (1205, "store.locked"), (2006, "store.connection")],
)
def test_errors_of_mysql_have_codes(number, code):
    found = errors.statement_failed("mysql", Refused(number, SECRET), lost=False)
    assert found.code == code
    assert SECRET not in repr(found)


def test_races_and_unknown_errors_of_mysql():
    assert isinstance(errors.statement_failed("mysql", Refused(1213, SECRET), lost=False), ConflictError)
    assert errors.statement_failed("mysql", Refused(9999, SECRET), lost=False).details["mysql"] == 9999
    assert errors.statement_failed("mysql", Refused(SECRET), lost=False).details["mysql"] == "Refused"


@pytest.mark.parametrize(
    ("state", "code"), [("55P03", "store.locked"), ("42P01", "store.tables"), ("42501", "store.rights")]
)
def test_errors_of_postgresql_have_codes(monkeypatch, state, code):
    monkeypatch.setattr(Refused, "sqlstate", state)
    assert errors.statement_failed("postgresql", Refused(SECRET), lost=False).code == code
    assert errors.statement_failed("postgresql", Refused(SECRET), lost=True).code == "store.connection"

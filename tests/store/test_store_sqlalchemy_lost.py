"""The store behind SQLAlchemy when its connection breaks, when its process forks, and under all that is built on it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sql_engines import Places
from test_store_backup_restore import fill, state_of

from custinfo.book import Book
from custinfo.crypto import Keyring, LocalKeyProvider, MemoryKeyStore
from custinfo.errors import StoreError
from custinfo.store import START, Key, MemoryStore, Record, SqlAlchemyStore, backup, drill, restore

PEOPLE = [{"external_id": "x1", "given_name": "Ada", "family_name": "Lind", "email": "ada@example.com"}]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def engine(request, tmp_path):
    places = Places(request.param, tmp_path)
    yield places.engine()
    places.clear()


@pytest.fixture
def postgres(tmp_path):
    places = Places("postgres", tmp_path)
    yield places.engine()
    places.clear()


def thing(id, data=b""):
    return Record("thing", id, 0, data)


def put(store, id):
    with store.unit() as unit:
        unit.put(thing(id), [Key("tag", "t")], 0)
        unit.emit("thing.changed", id, b"")


def ids(store):
    with store.unit(write=False) as unit:
        assert [event.subject for event in unit.feed(START, 9)] == unit.lookup("thing", "tag", "t")
        return [record.id for record in unit.page("thing", "", 9)]


def code_of(call, *args):
    with pytest.raises(StoreError) as caught:
        call(*args)
    assert caught.value.__cause__ is caught.value.__context__ is None
    return caught.value.code


def end(unit, engine):
    """End the unit's connection, as an administrator or a crash of the server does."""
    [(pid,)] = unit.link.rows("SELECT pg_backend_pid()")
    with engine.connect() as con:
        con.exec_driver_sql(f"SELECT pg_terminate_backend({pid}, 5000)")


CALLS = {
    "put": lambda unit: unit.put(thing("b"), [], 0),
    "update": lambda unit: unit.put_many([(thing("a"), [], 1), (thing("c"), [], 1)]),
    "new": lambda unit: unit.put_many([(thing("b"), [], 0), (thing("d"), [], 0)]),
    "columns": lambda unit: unit.columns("transaction", ["id"]),
    "tables": lambda unit: unit.link.has_tables(),
    "make": lambda unit: unit.link.make_tables(),
    "run": lambda unit: unit.link.run("SELECT 1"),
    "emit": lambda unit: unit.emit("thing.changed", "b", b""),
}


@pytest.mark.postgres
def test_a_connection_that_breaks_in_a_unit_undoes_it_and_the_next_unit_has_another(postgres):
    store = SqlAlchemyStore(postgres)
    put(store, "a")
    put(store, "c")

    def break_it(call):
        with store.unit() as unit:
            unit.put(thing("lost"), [Key("tag", "t")], 0)
            end(unit, postgres)
            call(unit)

    codes = {name: code_of(break_it, call) for name, call in CALLS.items()}
    assert codes == dict.fromkeys(CALLS, "store.connection")
    assert ids(store) == ["a", "c"]


@pytest.mark.postgres
def test_a_connection_that_breaks_during_the_commit_leaves_open_what_is_kept(postgres):
    store = SqlAlchemyStore(postgres)

    def break_it():
        with store.unit() as unit:
            unit.put(thing("a"), [], 0)
            end(unit, postgres)

    assert code_of(break_it) == "store.commit_unknown"
    assert ids(store) == []


@pytest.mark.postgres
def test_a_host_whose_connection_breaks_keeps_nothing(postgres):
    put(SqlAlchemyStore(postgres), "a")

    def break_it():
        with postgres.connect() as con:
            store = SqlAlchemyStore(con)
            put(store, "b")
            with store.unit() as unit:
                unit.put(thing("c"), [], 0)
                end(unit, postgres)

    # The host has not committed, so it is known.
    assert code_of(break_it) == "store.connection"
    assert ids(SqlAlchemyStore(postgres)) == ["a"]


def test_a_statement_that_fails_while_rows_are_read_has_a_code(engine):
    def read():
        with SqlAlchemyStore(engine).unit() as unit:
            list(unit.link.chunks(sa.text("SELECT nothing FROM nowhere")))

    assert code_of(read) in ("store.sqlite", "store.tables")


def test_a_child_leaves_the_connections_of_its_parent_alone(engine):
    """What the child does, done here, where it can be seen."""
    store = SqlAlchemyStore(engine)
    put(store, "a")
    with engine.connect() as con:
        joined = SqlAlchemyStore(con)
        turn = store.unit()
        unit = turn.__enter__()
        pool = engine.pool
        store._after_fork(child=False)
        for each in (store, joined):
            each._after_fork(child=True)
        assert engine.pool is not pool
        assert code_of(unit.kinds) == "store.forked"
        assert code_of(put, joined, "b") == "store.forked"
        assert ids(store) == ["a"]
        con.rollback()
    unit.link.roll_back()
    unit.link.leave()


def test_a_customer_of_a_book_and_the_hosts_invoice_are_kept_or_undone_together(engine):
    keyring = Keyring(LocalKeyProvider.generate(), MemoryKeyStore())
    own = SqlAlchemyStore(engine)
    with engine.begin() as con:
        con.exec_driver_sql("CREATE TABLE invoice(id int)")

    def sign_up(con):
        Book(SqlAlchemyStore(con), keyring).import_customers(PEOPLE)
        con.exec_driver_sql("INSERT INTO invoice VALUES(1)")

    def kept():
        with engine.connect() as con:
            invoices = con.exec_driver_sql("SELECT count(*) FROM invoice").scalar()
        with own.unit(write=False) as unit:
            return invoices, "customer" in unit.kinds(), bool(unit.feed(START, 1)), "audit" in unit.kinds()

    with engine.connect() as con:
        sign_up(con)
        con.rollback()
    assert kept() == (0, False, False, False)
    with engine.begin() as con:
        sign_up(con)
    assert kept() == (1, True, True, True)
    book = Book(own, keyring)
    assert len(book.search(email="ada@example.com")) == 1
    assert book.audit.verify() is None


def test_a_backup_goes_into_it_and_out_of_it(engine, tmp_path):
    provider = LocalKeyProvider.generate()
    source, target, store = fill(MemoryStore()), MemoryStore(), SqlAlchemyStore(engine)
    first = backup(source, tmp_path / "first", provider)
    restore(tmp_path / "first", store, provider)
    assert state_of(store) == state_of(source)
    second = backup(store, tmp_path / "second", provider)
    assert second.manifest.kinds == first.manifest.kinds
    assert drill(tmp_path / "second", provider, against=source).ok
    restore(tmp_path / "second", target, provider)
    assert state_of(target) == state_of(source)


@pytest.mark.postgres
def test_a_role_or_a_server_that_cannot_hold_the_tables_is_told(postgres, monkeypatch):
    from custinfo.store import _postgres_schema as schema

    for fact, code in {
        "120000, 'UTF8', 'x', true": "store.postgres_version",
        "160000, 'LATIN1', 'x', true": "store.encoding",
        "160000, 'UTF8', NULL, true": "store.schema",
    }.items():
        monkeypatch.setattr(schema, "FACTS", f"SELECT {fact}")
        assert code_of(SqlAlchemyStore, postgres) == code
    with postgres.connect() as con:
        assert not sa.inspect(con).has_table("ci_meta")

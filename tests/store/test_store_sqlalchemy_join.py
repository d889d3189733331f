"""A unit in the host's own transaction: a customer and the host's invoice are kept or undone together."""

from __future__ import annotations

import threading

import pytest
import sqlalchemy as sa
from sql_engines import EVERY, Places
from sqlalchemy import orm

from custinfo.errors import ConflictError, DuplicateKeyError, StoreError
from custinfo.store import START, Key, Record, SqlAlchemyStore

# ruff: noqa: PT012 - a unit is one statement only in name


class Base(orm.DeclarativeBase):
    pass


class Invoice(Base):
    __tablename__ = "invoice"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    customer: orm.Mapped[str] = orm.mapped_column(sa.String(40))


@pytest.fixture(params=EVERY)
def engine(request, tmp_path):
    places = Places(request.param, tmp_path, shares_tables=True)
    engine = places.engine()
    SqlAlchemyStore(engine).close()
    Base.metadata.create_all(engine)
    yield engine
    Base.metadata.drop_all(engine)
    places.clear()


def add(store, id="c1", *, tag="vip", version=0, unique=False):
    with store.unit() as unit:
        made = unit.put(Record("customer", id, 0, b"data"), [Key("tag", tag, unique=unique)], version)
        unit.emit("customer.changed", id, b"")
    return made


def seen(engine):
    """What another transaction sees: customers, holders of a key, subjects of events, invoices."""
    with SqlAlchemyStore(engine).unit(write=False) as unit:
        ids = [record.id for record in unit.page("customer", "", 10)]
        held = unit.lookup("customer", "tag", "vip")
        events = [event.subject for event in unit.feed(START, 10)]
    with engine.connect() as con:
        return ids, held, events, list(con.scalars(sa.select(Invoice.customer)))


NOTHING = ([], [], [], [])
BOTH = (["c1"], ["c1"], ["c1"], ["c1"])


def bill(con, customer="c1"):
    con.execute(sa.insert(Invoice).values(id=1, customer=customer))


@pytest.mark.parametrize("customer_first", [True, False])
def test_customer_and_invoice_are_committed_together(engine, customer_first):
    with engine.begin() as con:
        if customer_first:
            add(SqlAlchemyStore(con))
            bill(con)
        else:
            bill(con)
            add(SqlAlchemyStore(con))
    assert seen(engine) == BOTH


@pytest.mark.parametrize("customer_first", [True, False])
def test_the_hosts_rollback_undoes_records_keys_and_events(engine, customer_first):
    with engine.connect() as con:
        if customer_first:
            add(SqlAlchemyStore(con))
            bill(con)
        else:
            bill(con)
            add(SqlAlchemyStore(con))
        con.rollback()
    assert seen(engine) == NOTHING


def test_a_connection_that_is_closed_without_a_commit_keeps_nothing(engine):
    with engine.connect() as con:
        add(SqlAlchemyStore(con))
    assert seen(engine) == NOTHING


def test_an_exception_in_the_unit_undoes_the_unit_and_the_host_goes_on(engine):
    with engine.begin() as con:
        bill(con, "before")
        store = SqlAlchemyStore(con)
        with pytest.raises(ZeroDivisionError), store.unit() as unit:
            unit.put(Record("customer", "lost", 0, b""), [Key("tag", "vip")], 0)
            unit.emit("customer.changed", "lost", b"")
            raise ZeroDivisionError
        add(store)
    assert seen(engine) == (["c1"], ["c1"], ["c1"], ["before"])


def test_a_refused_unit_undoes_itself_and_the_host_goes_on(engine):
    add(SqlAlchemyStore(engine), unique=True)
    with engine.begin() as con:
        store = SqlAlchemyStore(con)
        with pytest.raises(ConflictError):
            add(store)
        with pytest.raises(DuplicateKeyError) as caught:
            add(store, "c2", unique=True)
        assert caught.value.details["holder"] == "c1"
        with pytest.raises(ConflictError), store.unit() as unit:
            unit.put_many([(Record("customer", id, 0, b""), [], 0) for id in ("c0", "c1")])
        bill(con)
    assert seen(engine) == BOTH


def test_a_savepoint_of_the_host_can_be_undone_around_a_unit(engine):
    with engine.begin() as con:
        store = SqlAlchemyStore(con)
        savepoint = con.begin_nested()
        add(store, "gone")
        savepoint.rollback()
        with con.begin_nested():
            add(store)
        bill(con)
    assert seen(engine) == BOTH


def test_units_of_one_transaction_see_each_other_but_their_events_only_when_committed(engine):
    with engine.begin() as con:
        store = SqlAlchemyStore(con)
        add(store)
        assert add(store, version=1) == 2
        with store.unit(write=False) as unit:
            assert [record.version for record in unit.get("customer", ["c1"])] == [2]
            assert unit.feed(START, 10) == []
    with engine.begin() as con, SqlAlchemyStore(con).unit() as unit:
        assert [event.subject for event in unit.feed(START, 10)] == ["c1", "c1"]
        unit.emit("customer.changed", "c9", b"")
        assert len(unit.feed(START, 10)) == 2


def test_a_number_that_a_rollback_gives_back_was_never_shown(engine):
    add(SqlAlchemyStore(engine))
    with engine.connect() as con:
        store = SqlAlchemyStore(con)
        add(store, "undone")
        with store.unit(write=False) as unit:
            shown = unit.feed(START, 10)
        con.rollback()
    assert [event.subject for event in shown] == ["c1"]
    add(SqlAlchemyStore(engine), "c2")
    with SqlAlchemyStore(engine).unit(write=False) as unit:
        assert [event.subject for event in unit.feed(shown[-1].cursor, 10)] == ["c2"]


def test_a_session_commits_its_objects_and_the_unit_together(engine):
    with orm.Session(engine) as session:
        session.add(Invoice(id=1, customer="c1"))
        add(SqlAlchemyStore(session))
        session.commit()
        assert session.get(Invoice, 1).customer == "c1"
    assert seen(engine) == BOTH


def test_a_session_undoes_its_objects_and_the_unit_together(engine):
    with orm.Session(engine) as session, pytest.raises(ZeroDivisionError), session.begin():
        session.add(Invoice(id=1, customer="c1"))
        add(SqlAlchemyStore(session))
        raise ZeroDivisionError
    assert seen(engine) == NOTHING


def test_a_refused_unit_leaves_the_objects_of_a_session_alone(engine):
    with orm.Session(engine) as session:
        invoice = Invoice(id=1, customer="c1")
        session.add(invoice)
        session.flush()
        store = SqlAlchemyStore(session)
        with pytest.raises(ZeroDivisionError), store.unit() as unit:
            unit.put(Record("customer", "lost", 0, b""), [], 0)
            raise ZeroDivisionError
        add(store)
        session.commit()
    assert seen(engine) == BOTH


def test_a_scoped_session_is_joined(engine):
    scoped = orm.scoped_session(orm.sessionmaker(engine))
    store = SqlAlchemyStore(scoped)
    add(store)
    scoped.add(Invoice(id=1, customer="c1"))
    scoped.commit()
    add(store, version=1)
    scoped.rollback()
    scoped.remove()
    assert seen(engine) == BOTH


def test_close_leaves_the_hosts_objects_open(engine):
    with engine.begin() as con:
        store = SqlAlchemyStore(con)
        add(store)
        store.close()
        with pytest.raises(StoreError) as caught:
            store.unit()
        assert caught.value.code == "store.closed"
        bill(con)
    own = SqlAlchemyStore(engine)
    own.close()
    assert seen(engine) == BOTH


def test_a_commit_of_the_host_inside_a_unit_is_an_error(engine):
    with engine.connect() as con:
        unit_of = SqlAlchemyStore(con).unit()
        with pytest.raises(StoreError) as caught, unit_of as unit:
            unit.put(Record("customer", "c1", 0, b""), [], 0)
            con.commit()
        assert caught.value.code == "store.joined"


def test_nested_units_and_other_threads_are_refused(engine):
    with engine.begin() as con:
        store = SqlAlchemyStore(con)
        codes = []

        def other():
            with pytest.raises(StoreError) as caught:
                store.unit().__enter__()
            codes.append(caught.value.code)

        with store.unit() as unit:
            with pytest.raises(StoreError) as caught, store.unit():
                pass
            thread = threading.Thread(target=other)
            thread.start()
            thread.join()
            unit.put(Record("customer", "c1", 0, b""), [Key("tag", "vip")], 0)
            unit.emit("customer.changed", "c1", b"")
        assert (caught.value.code, codes) == ("store.nested", ["store.joined_thread"])
        bill(con)
    assert seen(engine) == BOTH


def test_a_closed_connection_is_named(engine):
    with engine.connect() as con:
        store = SqlAlchemyStore(con)
    with pytest.raises(StoreError) as caught, store.unit():
        pass
    assert caught.value.code == "store.joined"


def test_a_session_that_has_failed_must_be_rolled_back_first(engine):
    with engine.begin() as con:
        bill(con)
    with orm.Session(engine) as session:
        session.add(Invoice(id=1, customer="c2"))
        with pytest.raises(sa.exc.IntegrityError):
            session.flush()
        with pytest.raises(StoreError) as caught, SqlAlchemyStore(session).unit():
            pass
        assert caught.value.code == "store.joined"
        session.rollback()
        add(SqlAlchemyStore(session))
        session.commit()
    assert seen(engine) == BOTH


def test_autocommit_cannot_be_joined(engine):
    with (
        engine.connect().execution_options(isolation_level="AUTOCOMMIT") as con,
        pytest.raises(StoreError) as caught,
        SqlAlchemyStore(con).unit(),
    ):
        pass
    assert caught.value.code == "store.autocommit"


@pytest.mark.parametrize("database", EVERY)
def test_a_joined_transaction_makes_no_tables(database, tmp_path):
    places = Places(database, tmp_path)
    with places.engine().connect() as con:
        with pytest.raises(StoreError, match="set up") as caught, SqlAlchemyStore(con).unit():
            pass
        assert caught.value.code == "store.tables"
        assert not sa.inspect(con).has_table("ci_meta")
    places.clear()


def test_late_commits_of_joined_units_are_not_skipped(engine):
    """Other writers commit, or wait, while one has emitted and not committed; a reader gets each event once."""
    add(SqlAlchemyStore(engine), "first")
    seen_events = []
    emitted, go = threading.Event(), threading.Event()

    def slow():
        with engine.begin() as con:
            add(SqlAlchemyStore(con), "slow")
            emitted.set()
            go.wait(0.3)

    def quick():
        add(SqlAlchemyStore(engine), "quick")
        go.set()

    threads = [threading.Thread(target=slow), threading.Thread(target=quick)]
    threads[0].start()
    assert emitted.wait(9)
    threads[1].start()
    cursor = START
    reader = SqlAlchemyStore(engine)
    for last in (False, True):
        if last:
            for thread in threads:
                thread.join(9)
        with reader.unit(write=False) as unit:
            page = unit.feed(cursor, 10)
        seen_events += [event.subject for event in page]
        cursor = page[-1].cursor if page else cursor
    assert sorted(seen_events) == ["first", "quick", "slow"]

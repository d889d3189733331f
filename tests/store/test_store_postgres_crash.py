"""The PostgreSQL store when its server is killed, the disk is full, or its tables move to another cluster."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import postgres_server
import psycopg
import pytest

from custinfo.errors import StoreError
from custinfo.store import START, Key, PostgresStore, Record

pytestmark = pytest.mark.postgres


@pytest.fixture(scope="module")
def server():
    made = postgres_server.Server()
    yield made
    made.stop()


@pytest.fixture
def schema():
    return postgres_server.fresh_schema()


def thing(id, data=b""):
    return Record("thing", id, 0, data)


def put(store, *ids, data=b""):
    with store.unit() as unit:
        for id in ids:
            unit.put(thing(id, data), (), 0)


def ids_of(store):
    with store.unit(write=False) as unit:
        return [record.id for record in unit.page("thing", "", 10_000)]


def feed(store, after=START):
    with store.unit(write=False) as unit:
        return unit.feed(after, 10**6)


def emit(store, *subjects):
    with store.unit() as unit:
        for subject in subjects:
            unit.emit("thing.changed", subject, b"")


def code_of(call):
    with pytest.raises(StoreError) as caught:
        call()
    assert "next" in str(caught.value) or ";" in str(caught.value) or "," in str(caught.value)
    return caught.value.code


def test_a_server_that_is_killed_in_the_middle_of_a_unit_undoes_it(server, schema):
    with closing(PostgresStore(server.dsn, schema=schema)) as store:
        put(store, "a")

        def kill():
            with store.unit() as unit:
                unit.put(thing("b"), (), 0)
                unit.emit("thing.changed", "b", b"")
                server.kill()
                unit.put(thing("c"), (), 0)

        assert code_of(kill) == "store.connection"
        assert code_of(lambda: ids_of(store)) == "store.connection"
        assert code_of(lambda: PostgresStore(server.dsn, schema=schema)) == "store.connection"
        server.start()
        assert ids_of(store) == ["a"]
        assert feed(store) == []
        put(store, "b")
        assert ids_of(store) == ["a", "b"]


def test_pending_events_survive_a_move_to_another_cluster_and_old_cursors_do_not(server, schema):
    """By dump and restore into a cluster whose transaction numbers mean other transactions."""
    with closing(PostgresStore(server.dsn, schema=schema)) as store:
        emit(store, "old 1", "old 2")
        emit(store, "read")
        with store.unit() as unit:
            unit.put(thing("a"), [Key("ext", "x", unique=True)], 0)
            unit.emit("thing.changed", "pending 1", b"\0")
            unit.emit("thing.changed", "pending 2", b"")
        emit(store, "pending 3")
        events = feed(store)
        with store.unit() as unit:
            unit.trim(events[1].cursor)
        old = events[2].cursor
    other = postgres_server.shared()
    move(server.dsn, other, schema)
    with closing(PostgresStore(other, schema=schema)) as store:
        assert [event.subject for event in feed(store)] == ["read", "pending 1", "pending 2", "pending 3"]
        assert feed(store)[1].data == b"\0"
        assert code_of(lambda: feed(store, old)) == "store.cursor_incarnation"
        with store.unit(write=False) as unit:
            assert unit.lookup("thing", "ext", "x") == ["a"]
        cursor = feed(store)[-1].cursor
        emit(store, "new")
        assert [event.subject for event in feed(store, cursor)] == ["new"]
    with closing(PostgresStore(other, schema=schema)) as store:
        assert [event.subject for event in feed(store, cursor)] == ["new"], "opened again, it is the same feed"
    with closing(PostgresStore(server.dsn, schema=schema)) as store:
        assert [event.subject for event in feed(store, old)] == ["pending 1", "pending 2", "pending 3"]


def move(source, target, schema):
    """What pg_dump and psql do: the tables as they were made, and their rows by COPY."""
    with psycopg.connect(source) as one, psycopg.connect(target) as other:
        other.execute(f"CREATE SCHEMA {schema}; SET search_path = {schema}")
        other.execute(Path(__file__).with_name("postgres_schema_1.sql").read_text(encoding="utf-8"))
        for table in ("ci_meta", "ci_record", "ci_key", "ci_outbox"):
            with one.cursor().copy(f"COPY {schema}.{table} TO STDOUT") as rows:
                content = b"".join(rows)
            with other.cursor().copy(f"COPY {table} FROM STDIN") as copy:
                copy.write(content)


def test_the_pg_dump_of_a_store_opens_elsewhere(server, schema):
    """The real tools, into another database of the cluster."""
    with closing(PostgresStore(server.dsn, schema=schema)) as store:
        put(store, "a")
        emit(store, "a")
        old = feed(store)[0].cursor
    with psycopg.connect(server.dsn, autocommit=True) as con:
        con.execute(f"CREATE DATABASE {schema}")
    target = server.dsn.replace("/postgres?", f"/{schema}?")
    tools = Path(server.binaries)
    dump = subprocess.run([tools / "pg_dump", "-n", schema, server.dsn], check=True, capture_output=True)
    command = [tools / "psql", "-q", "-v", "ON_ERROR_STOP=1", target]
    subprocess.run(command, input=dump.stdout, check=True, stdout=subprocess.DEVNULL)
    with closing(PostgresStore(target, schema=schema)) as store:
        assert ids_of(store) == ["a"]
        assert code_of(lambda: feed(store, old)) == "store.cursor_incarnation"
        assert [event.subject for event in feed(store)] == ["a"]


def test_a_disk_that_is_full_undoes_the_unit(server, schema):
    """A tablespace on a small file system, where one can be mounted."""
    folder = Path(server.folder) / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", folder]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no small file system can be mounted here")
    try:
        owner = Path(server.folder).stat()
        os.chown(folder, owner.st_uid, owner.st_gid)
        with psycopg.connect(server.dsn, autocommit=True) as con:
            con.execute(f"CREATE TABLESPACE small LOCATION '{folder}'")
            small = psycopg.conninfo.make_conninfo(server.dsn, options="-cdefault_tablespace=small")
            with closing(PostgresStore(small, schema=schema)) as store:
                put(store, "a")
                noise = os.urandom(400_000)
                assert code_of(lambda: put(store, *(f"{n}" for n in range(20)), data=noise)) == "store.full"
                assert ids_of(store) == ["a"]
                put(store, "b")
                assert ids_of(store) == ["a", "b"]
            con.execute(f"DROP SCHEMA {schema} CASCADE")
            con.execute("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def test_no_server_is_left_when_its_user_is_killed():
    script = """if True:
        import sys
        sys.path.insert(0, sys.argv[1])
        import postgres_server, time
        print(postgres_server.Server().folder, flush=True)
        sys.stdin.read()
    """
    command = [sys.executable, "-c", script, str(Path(__file__).parent)]
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, stderr=subprocess.PIPE)
    folder = Path(child.stdout.readline().strip())
    assert (folder / "data" / "postmaster.pid").exists()
    child.kill()
    child.stdin.close()
    child.stdout.read()
    child.wait()
    child.stderr.read()  # ends when the keeper, which has it too, has ended
    child.stdout.close()
    child.stderr.close()
    assert not folder.exists()

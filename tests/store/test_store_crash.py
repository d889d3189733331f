"""A process that writes through a Book is killed at any moment: no unit is lost, none is there by half."""

from __future__ import annotations

import os
import random
import select
import signal
import subprocess
import sys
from collections import Counter
from contextlib import closing, contextmanager
from pathlib import Path

import crash_writer
import postgres_server
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from custinfo.crypto import LocalKeyProvider
from custinfo.store import START

KILLS = int(os.environ.get("CUSTINFO_CRASH_KILLS", "6"))


class Writer:
    """The program crash_writer.py."""

    def __init__(self, *arguments):
        command = [sys.executable, crash_writer.__file__, *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        self.read = b""

    def line(self):
        while b"\n" not in self.read:
            more = os.read(self.process.stdout.fileno(), 65536)
            assert more, "the writer ended by itself"
            self.read += more
        line, _, self.read = self.read.partition(b"\n")
        return line.decode()

    def round(self, name, units, delay_s):
        """Let it write, kill it some time after so many units; gives what it acknowledged."""
        self.process.stdin.write(f"{name}\n".encode())
        pid = int(self.line().removeprefix("pid "))
        acknowledged = [self.line() for _ in range(units)]
        if b"\n" not in self.read:
            # Up to the next unit, so that the kill meets any moment of its writing.
            select.select([self.process.stdout], [], [], delay_s)
        os.kill(pid, signal.SIGKILL)
        while (line := self.line()) != "dead":
            acknowledged.append(line)
        return acknowledged

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(60) == 0
        self.process.stdout.close()


@contextmanager
def whole_book(arguments, acknowledged):
    """The book, opened after a kill and compared with what was acknowledged."""
    book, store = crash_writer.open_book(*arguments)
    with closing(store), book.desk.keyring:
        with store.unit(write=False) as unit:
            versions = {record.id: record.version for record in unit.page("customer", "", 10**6)}
            events = unit.feed(START, 10**6)
            histories = len(unit.page("customer.history", "", 10**6))
        batches = Counter(id.rpartition("-")[0] for id in versions)
        changed = {id.rpartition("-")[0] for id, version in versions.items() if version == 2}
        told = {f"made {name}" for name in batches} | {f"changed {name}" for name in changed}
        assert set(acknowledged) <= told
        assert set(batches.values()) <= {crash_writer.BATCH}
        assert set(versions.values()) <= {1, 2}
        assert Counter(event.subject for event in events) == versions
        assert [event.type for event in events].count("customer.created") == len(versions)
        assert histories == sum(versions.values()) - len(versions)
        for customer in book.desk.customers.scan():
            assert customer.names[0].family == customer.id
            assert len(customer.tags) == versions[customer.id] - 1
        assert book.audit.verify() is None
        actions = Counter(entry.action for entry in book.audit.entries())
        assert actions == Counter({"customer.put_many": len(batches), "customer.update": len(changed)})
        yield book


def kill_again_and_again(folder, dsn="", schema="", after_a_kill=lambda: None):
    arguments = (str(folder), dsn, schema)
    LocalKeyProvider.create_file(folder / "kek.key")
    moments = random.Random(7)
    acknowledged = []
    writer = Writer(*arguments)
    for number in range(KILLS):
        acknowledged += writer.round(f"round{number}", moments.randrange(1, 12), moments.random() * 0.02)
        after_a_kill()
        with whole_book(arguments, acknowledged) as book:
            found = book.desk.customers.find(email=f"round{number}-0-1@example.com")
            assert [customer.id for customer in found] == [f"round{number}-0-1"]
    writer.close()


def test_a_killed_writer_leaves_a_whole_book_in_sqlite(tmp_path):
    kill_again_and_again(tmp_path)


@pytest.mark.postgres
def test_a_killed_writer_leaves_a_whole_book_in_postgres(tmp_path):
    schema = postgres_server.fresh_schema()
    dsn = make_conninfo(postgres_server.shared(), application_name=schema)

    def until_the_server_has_noticed():
        with psycopg.connect(postgres_server.shared(), autocommit=True) as con:
            query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = %s"
            while con.execute(query, [schema]).fetchone() != (0,):
                pass

    kill_again_and_again(tmp_path, dsn, schema, until_the_server_has_noticed)
    assert not Path(tmp_path, "book.db").exists()

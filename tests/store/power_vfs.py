"""A disk that forgets at a power cut what was not synced, and a connection like sqlite3's on it.

`PowerCuts` is a VFS of SQLite. What is written goes into real files, as into the cache of an operating system; beside
them it keeps what a disk would still have: the state of the last sync and each write since. At a cut, each sector of
each such write has reached the disk or not, by chance, in any order, some only in part.

The standard library's sqlite3 is another SQLite library, which takes no VFS from apsw. So `Library.connect` gives a
connection of apsw that offers what custinfo.store._sqlite uses of sqlite3: the same statements and pragmas run on the
forgetful disk.
"""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path

import apsw

SECTOR = 512


class OnDisk:
    """What a disk has of one file."""

    def __init__(self, content=None):
        self.synced = content  # None: not even its name
        self.since = []

    def after_a_cut(self, chance):
        """The content, or None where the file is not there."""
        share = chance.choice([0.0, 0.5, 0.9, 1.0])
        if self.synced is None and chance.random() > share:
            return None
        content = bytearray(self.synced or b"")
        for offset, data in self.since:
            if data is None:
                if chance.random() <= share:
                    del content[offset:]
                continue
            place = 0
            while place < len(data):
                size = min(SECTOR - (offset + place) % SECTOR, len(data) - place)
                if chance.random() <= share:
                    done = size if chance.random() < 0.95 else chance.randrange(size)
                    end = offset + place + done
                    content.extend(bytes(max(0, end - len(content))))
                    content[offset + place : end] = data[place : place + done]
                place += size
        return bytes(content)


class PowerCuts(apsw.VFS):
    """The disk of one folder, cut from power at given operations; `on_cut` gets what is left, by file name."""

    def __init__(self, folder, moments, on_cut, *, seed):
        self.name = f"power-{id(self)}"
        self.disk = {
            path.name: OnDisk(path.read_bytes()) for path in folder.iterdir() if not path.name.endswith("-shm")
        }
        self.deleted = {}
        self.operations = 0
        self.moments = set(moments)
        self.on_cut = on_cut
        self.chance = random.Random(seed)
        super().__init__(self.name, "")

    def xOpen(self, name, flags):  # noqa: N802 - SQLite's names
        return PowerFile(self, name, flags)

    def xDelete(self, name, sync_folder):  # noqa: N802
        self.operation()
        super().xDelete(name, sync_folder)
        name = Path(name).name
        self.deleted[name] = self.disk.pop(name)
        if sync_folder:
            del self.deleted[name]

    def operation(self):
        self.operations += 1
        if self.operations in self.moments:
            # A deletion that was not synced may not have happened.
            there = {name: file for name, file in self.deleted.items() if self.chance.random() < 0.5} | self.disk
            contents = {name: file.after_a_cut(self.chance) for name, file in sorted(there.items())}
            self.on_cut({name: content for name, content in contents.items() if content is not None})


class PowerFile(apsw.VFSFile):
    def __init__(self, vfs, name, flags):
        self.vfs = vfs
        super().__init__("", name, flags)
        path = Path(name.filename() if hasattr(name, "filename") else name)
        self.disk = vfs.disk.setdefault(path.name, OnDisk())

    def xWrite(self, data, offset):  # noqa: N802
        self.disk.since.append((offset, bytes(data)))
        self.vfs.operation()
        super().xWrite(data, offset)

    def xTruncate(self, size):  # noqa: N802
        self.disk.since.append((size, None))
        self.vfs.operation()
        super().xTruncate(size)

    def xSync(self, flags):  # noqa: N802
        self.vfs.operation()
        if self.disk.synced is None:
            # SQLite syncs the folder of a new file with it, and with that what was deleted there before.
            self.vfs.deleted.clear()
        self.disk.synced = self.content()
        self.disk.since.clear()

    def content(self):
        size = self.xFileSize()
        return self.xRead(size, 0) if size else b""


class Connection:
    """What custinfo.store._sqlite uses of a connection of sqlite3."""

    def __init__(self, vfs, path, timeout, pragmas):
        self.pragmas = pragmas
        self.con = translated(apsw.Connection, str(path), vfs=vfs.name)
        self.con.set_busy_timeout(int(timeout * 1000))
        # Often, so that the cuts meet it.
        self.con.wal_autocheckpoint(20)

    def execute(self, sql, values=()):
        return translated(Cursor, self.con, self.pragmas.get(sql, sql), tuple(values))

    def executemany(self, sql, values):
        translated(self.con.executemany, sql, [tuple(row) for row in values])

    @property
    def total_changes(self):
        return self.con.total_changes()

    @property
    def in_transaction(self):
        return self.con.in_transaction

    def rollback(self):
        self.execute("ROLLBACK")

    def close(self):
        self.con.close()


class Cursor:
    def __init__(self, con, sql, values):
        self.rows = list(con.execute(sql, values))
        self.rowcount = con.changes()

    def fetchall(self):
        return self.rows


def translated(call, *arguments, **options):
    """The result of a call, its errors as those of sqlite3."""
    try:
        return call(*arguments, **options)
    except apsw.Error as exc:
        kind = sqlite3.IntegrityError if isinstance(exc, apsw.ConstraintError) else sqlite3.OperationalError
        error = kind(str(exc))
        error.sqlite_errorcode, error.sqlite_errorname = exc.extendedresult, type(exc).__name__
        raise error from exc


class Library:
    """The module sqlite3, but for `connect`."""

    def __init__(self, vfs, pragmas):
        self.vfs = vfs
        self.pragmas = pragmas

    def __getattr__(self, name):
        return getattr(sqlite3, name)

    def connect(self, path, *, timeout, isolation_level, check_same_thread):
        assert isolation_level is None
        assert not check_same_thread
        return Connection(self.vfs, path, timeout, self.pragmas)

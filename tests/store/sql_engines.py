"""Engines on an empty place of each database: an SQLite file, a schema of PostgreSQL, a database of MySQL or MariaDB.

`CUSTINFO_TEST_MYSQL` names a server by a URL of SQLAlchemy whose user may make databases, such as
``mariadb+pymysql://root@localhost/?unix_socket=/tmp/maria/socket``; Debian's package `mariadb-server` brings one.
"""

from __future__ import annotations

import functools
import itertools
import os

import postgres_server
import pytest
import sqlalchemy as sa

EVERY = [
    "sqlite",
    pytest.param("postgres", marks=pytest.mark.postgres),
    pytest.param("mysql", marks=pytest.mark.mysql),
]


class Places:
    """Makes engines, and leaves nothing of them behind.

    Args:
        database: "sqlite", "postgres" or "mysql".
        folder: for files.
        shares_tables: on PostgreSQL take tables that another test has left as new, and leave them so.
    """

    def __init__(self, database: str, folder, *, shares_tables: bool = False) -> None:
        self.database = database
        self.shares_tables = shares_tables
        self._folder = folder
        self._engines: list[sa.Engine] = []
        self._names: list[str] = []
        self._schemas: list[str] = []

    def engine(self, **options) -> sa.Engine:
        name = f"sql_{os.getpid()}_{next(_numbers)}"
        if self.database == "sqlite":
            url, ready = f"sqlite:///{self._folder / name}.db", ""
        elif self.database == "postgres":
            if self.shares_tables:
                name = postgres_server.empty_schema()
                self._schemas.append(name)
            url, ready = url_of("postgres"), f"CREATE SCHEMA IF NOT EXISTS {name}"
            options["connect_args"] = {"options": f"-csearch_path={name}"}
        else:
            url, ready = url_of("mysql").set(database=name), f"CREATE DATABASE {name}"
            self._names.append(name)
        if ready:
            _run(self.database, ready)
        return self.again(sa.create_engine(url, **options))

    def again(self, engine: sa.Engine) -> sa.Engine:
        self._engines.append(engine)
        return engine

    def clear(self) -> None:
        for engine in self._engines:
            engine.dispose()
        for name in self._schemas:
            postgres_server.give_back(name)
        for name in self._names:
            _run("mysql", f"DROP DATABASE {name}")


_numbers = itertools.count()


def _run(database: str, statement: str) -> None:
    with _admin(database).begin() as con:
        con.exec_driver_sql(statement)


def url_of(database: str) -> sa.URL:
    """Where the server is."""
    if database == "postgres":
        return sa.make_url(postgres_server.shared()).set(drivername="postgresql+psycopg")
    given = os.environ.get("CUSTINFO_TEST_MYSQL")
    if not given:
        pytest.skip("CUSTINFO_TEST_MYSQL names no server")
    return sa.make_url(given)


@functools.cache
def _admin(database: str) -> sa.Engine:
    return sa.create_engine(url_of(database), poolclass=sa.NullPool)

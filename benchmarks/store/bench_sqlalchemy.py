"""SqlAlchemyStore beside bare SQLAlchemy Core doing the same statements on the same tables, in turn.

    python benchmarks/store/bench_sqlalchemy.py [--url sqlite] [--rows 100000] [--repeat 3]

Records of 600 random bytes with two keys, one of them unique. `--url` is a URL of SQLAlchemy whose ci_... tables are
emptied, or "sqlite" for a file of its own. Printed: medians, and custinfo's rate as a part of the bare one. Aim: 0.5.
"""

from __future__ import annotations

import argparse
import random
import statistics
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from custinfo.store import Key, Record, SqlAlchemyStore

UNITS = 300
METADATA = sa.MetaData()


def text(size: int) -> sa.types.TypeEngine:
    return sa.Text().with_variant(sa.VARBINARY(size), "mysql", "mariadb")


RECORD = sa.Table(
    "ci_record",
    METADATA,
    sa.Column("kind", text(64), primary_key=True),
    sa.Column("id", text(1024), primary_key=True),
    sa.Column("version", sa.BigInteger),
    sa.Column("data", sa.LargeBinary),
)
KEY = sa.Table(
    "ci_key",
    METADATA,
    sa.Column("kind", text(64), primary_key=True),
    sa.Column("name", text(64), primary_key=True),
    sa.Column("value", text(1024), primary_key=True),
    sa.Column("id", text(1024), primary_key=True),
    sa.Column("uniq", sa.SmallInteger),
)
GET = sa.select(RECORD.c.id, RECORD.c.version, RECORD.c.data).where(
    RECORD.c.kind == sa.bindparam("kind"), RECORD.c.id == sa.bindparam("id")
)
LOOKUP = (
    sa.select(KEY.c.id)
    .where(KEY.c.kind == sa.bindparam("kind"), KEY.c.name == sa.bindparam("name"), KEY.c.value == sa.bindparam("value"))
    .order_by(KEY.c.id)
)
PAGE = (
    sa.select(RECORD.c.id, RECORD.c.version, RECORD.c.data)
    .where(RECORD.c.kind == sa.bindparam("kind"), RECORD.c.id > sa.bindparam("after"))
    .order_by(RECORD.c.id)
    .limit(1000)
)
HOLDER = sa.select(KEY.c.id).where(
    KEY.c.kind == sa.bindparam("kind"),
    KEY.c.name == sa.bindparam("name"),
    KEY.c.value == sa.bindparam("value"),
    KEY.c.uniq == 1,
    KEY.c.id != sa.bindparam("id"),
)
UPDATE = (
    sa.update(RECORD)
    .where(RECORD.c.kind == sa.bindparam("k"), RECORD.c.id == sa.bindparam("i"), RECORD.c.version == sa.bindparam("v"))
    .values(version=RECORD.c.version + 1, data=sa.bindparam("d"))
)
DELETE_KEYS = sa.delete(KEY).where(KEY.c.kind == sa.bindparam("k"), KEY.c.id == sa.bindparam("i"))


class Clock:
    def __init__(self) -> None:
        self.seconds: dict[tuple[str, str], list[float]] = {}
        self.done: dict[str, int] = {}

    @contextmanager
    def measure(self, work: str, who: str, count: int):
        start = time.perf_counter()
        yield
        self.seconds.setdefault((work, who), []).append(time.perf_counter() - start)
        self.done[work] = count

    def rate(self, work: str, who: str) -> float:
        return self.done[work] / statistics.median(self.seconds[work, who])


def make_rows(count: int) -> list[tuple[str, bytes, str, str]]:
    rnd = random.Random(1)
    hexes = (64, 96, 96)
    return [
        (id, rnd.randbytes(600), ext, email)
        for id, ext, email in ([f"{rnd.getrandbits(bits):0{bits // 4}x}" for bits in hexes] for _ in range(count))
    ]


def run_bare(engine: sa.Engine, rows: list, ids: list[str], clock: Clock) -> None:
    # Keys of MySQL are bytes; the other databases take them as text.
    kept = str.encode if engine.dialect.name in ("mysql", "mariadb") else str
    kind, ext_name, email_name = kept("customer"), kept("ext"), kept("email")

    def key(id: str, name: str | bytes, value: str, uniq: int) -> dict:
        return {"kind": kind, "name": name, "value": kept(value), "id": kept(id), "uniq": uniq}

    with clock.measure("bulk insert, one unit", "bare", len(rows)), engine.begin() as con:
        for start in range(0, len(rows), 1000):
            part = rows[start : start + 1000]
            con.execute(
                sa.insert(RECORD), [{"kind": kind, "id": kept(id), "version": 1, "data": d} for id, d, _, _ in part]
            )
            keys = [(key(id, ext_name, ext, 1), key(id, email_name, email, 0)) for id, _, ext, email in part]
            con.execute(sa.insert(KEY), [row for pair in keys for row in pair])
    with clock.measure("get one by one", "bare", len(ids)), engine.begin() as con:
        for id in ids:
            con.execute(GET, {"kind": kind, "id": kept(id)}).all()
    with clock.measure("lookup one by one", "bare", len(ids)), engine.begin() as con:
        for _, _, _, email in rows[: len(ids)]:
            con.execute(LOOKUP, {"kind": kind, "name": email_name, "value": kept(email)}).all()
    with clock.measure("scan in pages of 1000", "bare", len(rows)), engine.begin() as con:
        after = kept("")
        while page := con.execute(PAGE, {"kind": kind, "after": after}).all():
            after = page[-1][0]
    with clock.measure("update with keys, a unit each", "bare", UNITS):
        for id, data, ext, email in rows[:UNITS]:
            with engine.begin() as con:
                con.execute(HOLDER, {"kind": kind, "name": ext_name, "value": kept(ext), "id": kept(id)}).all()
                con.execute(UPDATE, {"k": kind, "i": kept(id), "v": 1, "d": data})
                con.execute(DELETE_KEYS, {"k": kind, "i": kept(id)})
                con.execute(sa.insert(KEY), [key(id, ext_name, ext, 1), key(id, email_name, email, 0)])


def run_store(store: SqlAlchemyStore, rows: list, ids: list[str], clock: Clock) -> None:
    def keys(ext: str, email: str) -> list[Key]:
        return [Key("ext", ext, unique=True), Key("email", email)]

    with clock.measure("bulk insert, one unit", "store", len(rows)), store.unit() as unit:
        unit.put_many((Record("customer", id, 0, data), keys(ext, email), 0) for id, data, ext, email in rows)
    with clock.measure("get one by one", "store", len(ids)), store.unit(write=False) as unit:
        for id in ids:
            unit.get("customer", [id])
    with clock.measure("lookup one by one", "store", len(ids)), store.unit(write=False) as unit:
        for _, _, _, email in rows[: len(ids)]:
            unit.lookup("customer", "email", email)
    with clock.measure("scan in pages of 1000", "store", len(rows)), store.unit(write=False) as unit:
        after = ""
        while page := unit.page("customer", after, 1000):
            after = page[-1].id
    with clock.measure("update with keys, a unit each", "store", UNITS):
        for id, data, ext, email in rows[:UNITS]:
            with store.unit() as unit:
                unit.put(Record("customer", id, 1, data), keys(ext, email), 1)


def empty(engine: sa.Engine) -> None:
    with engine.begin() as con:
        con.execute(sa.delete(KEY))
        con.execute(sa.delete(RECORD))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--url", default="sqlite")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    rows = make_rows(options.rows)
    ids = [row[0] for row in random.Random(2).sample(rows, min(10_000, len(rows)))]
    clock = Clock()
    for _ in range(options.repeat):
        with tempfile.TemporaryDirectory() as folder:
            for who in ("bare", "store"):
                own = f"sqlite:///{Path(folder) / who}.db"
                engine = sa.create_engine(own if options.url == "sqlite" else options.url)
                store = SqlAlchemyStore(engine)
                empty(engine)
                if who == "bare":
                    run_bare(engine, rows, ids, clock)
                else:
                    run_store(store, rows, ids, clock)
                empty(engine)
                engine.dispose()
    print(f"{options.rows:,} records, {engine.dialect.name}, SQLAlchemy {sa.__version__}, median of {options.repeat}")
    print(f"{'per second':32}{'bare Core':>12}{'SqlAlchemyStore':>18}{'ratio':>8}")
    for work in clock.done:
        bare, own = clock.rate(work, "bare"), clock.rate(work, "store")
        print(f"{work:32}{bare:12,.0f}{own:18,.0f}{own / bare:8.2f}")


if __name__ == "__main__":
    main()

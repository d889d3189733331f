"""An attacker with plain SQL: whatever is done to the log, verify gives a number and never a foreign exception."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import govern_helpers as given
import pytest

from custinfo.errors import CustInfoError, StoreError
from custinfo.govern import AuditLog
from custinfo.govern._chain import BLOCK
from custinfo.govern._entry import Macs, Stored, to_json
from custinfo.store import SqliteStore

ENTRIES = 6
ODD: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.0,
    1.5,
    10**400,
    "",
    "x",
    "張偉",
    "\ud800",
    [],
    [1],
    {},
    {"a": 1},
    "9" * 5000,
)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A sealed log and an open one, to be copied by each attack."""
    folder = tmp_path_factory.mktemp("logs")
    for name in ("sealed", "open"):
        store, log = given.log_of(folder / f"{name}.db", ENTRIES)
        if name == "sealed":
            assert log.verify() is None
        store.close()
    return {name: folder / f"{name}.db" for name in ("sealed", "open")}


@pytest.fixture(params=["sealed", "open"])
def log(request: pytest.FixtureRequest, files: dict[str, Path], tmp_path: Path) -> Iterator[tuple[Path, AuditLog]]:
    path = tmp_path / "log.db"
    shutil.copy(files[request.param], path)
    store = SqliteStore(path, synchronous="NORMAL")
    yield path, AuditLog(store, key=given.KEY)
    store.close()


def answer(call: Callable[[], object]) -> object:
    """What a call says, where an error of ours counts as saying something is wrong."""
    try:
        return call()
    except CustInfoError as error:
        return error


def assert_noticed(log: AuditLog, sequence: int | None = None) -> None:
    found = log.verify()
    assert type(found) is int
    assert found == sequence if sequence else 1 <= found <= ENTRIES + 2
    assert log.verify() == found
    for call in (log.entries, log.seal, log.checkpoint):
        answer(call)
    assert log.verify() == found


def test_an_untouched_log_fits(log: tuple[Path, AuditLog]) -> None:
    assert log[1].verify() is None
    assert [entry.sequence for entry in log[1].entries()] == list(range(1, ENTRIES + 1))


@pytest.mark.parametrize("place", range(ENTRIES))
def test_a_changed_entry_is_named(log: tuple[Path, AuditLog], place: int) -> None:
    path, audit = log
    id, data = given.rows(path)[place]
    given.overwrite(path, id, data.replace(b'"desk-7"', b'"desk-8"'))
    assert_noticed(audit, place + 1)


@pytest.mark.parametrize("place", range(ENTRIES))
def test_a_deleted_record_is_noticed(log: tuple[Path, AuditLog], place: int) -> None:
    path, audit = log
    with given.sql(path) as connection:
        connection.execute("DELETE FROM ci_record WHERE kind = 'audit' AND id = ?", (given.rows(path)[place][0],))
    assert_noticed(audit)


def test_a_sealed_entry_deleted_with_its_keys_is_named(files: dict[str, Path], tmp_path: Path) -> None:
    for place in range(ENTRIES):
        path = tmp_path / f"{place}.db"
        shutil.copy(files["sealed"], path)
        given.remove(path, given.rows(path)[place][0])
        store = SqliteStore(path)
        assert_noticed(AuditLog(store, key=given.KEY), place + 1)
        store.close()


def test_an_open_entry_deleted_with_its_keys_is_noticed_by_the_next_of_its_writer(
    files: dict[str, Path], tmp_path: Path
) -> None:
    path = tmp_path / "log.db"
    shutil.copy(files["open"], path)
    given.remove(path, given.rows(path)[2][0])
    store = SqliteStore(path)
    assert AuditLog(store, key=given.KEY).verify() == 3
    store.close()


@pytest.mark.parametrize("count", [1, 3, ENTRIES])
def test_a_truncated_sealed_log_is_noticed(files: dict[str, Path], tmp_path: Path, count: int) -> None:
    path = tmp_path / "log.db"
    shutil.copy(files["sealed"], path)
    for id, _ in given.rows(path)[-count:]:
        given.remove(path, id)
    store = SqliteStore(path)
    audit = AuditLog(store, key=given.KEY)
    assert audit.verify() == ENTRIES - count + 1
    audit.append(actor="desk-7", action="customer.get")
    assert audit.verify() == ENTRIES - count + 1
    store.close()


def test_a_truncation_down_to_an_older_head_is_shown_by_a_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    store, audit = given.log_of(path, 2)
    early = audit.checkpoint()
    (head,) = given.rows(path, "audit_head")
    audit.append(actor="desk-7", action="customer.get")
    late = audit.checkpoint()
    given.remove(path, given.rows(path)[-1][0])
    given.overwrite(path, *head, kind="audit_head")
    assert audit.verify() is None  # the state of an hour ago is a good state
    assert audit.verify(early) is None
    assert audit.verify(late) == 3
    store.close()


def test_records_that_change_places_are_noticed(log: tuple[Path, AuditLog]) -> None:
    path, audit = log
    one, other = given.rows(path)[1], given.rows(path)[3]
    given.overwrite(path, one[0], other[1])
    given.overwrite(path, other[0], one[1])
    assert_noticed(audit, 2)


@pytest.mark.parametrize("with_keys", [True, False])
def test_a_record_put_in_twice_is_noticed(log: tuple[Path, AuditLog], with_keys: bool) -> None:
    path, audit = log
    id = given.rows(path)[2][0]
    with given.sql(path) as connection:
        connection.execute(
            "INSERT INTO ci_record(kind, id, version, data) "
            "SELECT kind, id || '-b', version, data FROM ci_record WHERE id = ?",
            (id,),
        )
        if with_keys:
            connection.execute(
                "INSERT INTO ci_key(kind, name, value, uniq, id) "
                "SELECT kind, name, value, 0, id || '-b' FROM ci_key WHERE id = ?",
                (id,),
            )
    assert_noticed(audit)


def test_a_sealed_record_put_in_twice_without_keys_is_named(files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    shutil.copy(files["sealed"], path)
    with given.sql(path) as connection:
        connection.execute(
            "INSERT INTO ci_record(kind, id, version, data) SELECT kind, 'zzz', 2, data FROM ci_record WHERE id = ?",
            (given.rows(path)[2][0],),
        )
    store = SqliteStore(path)
    assert AuditLog(store, key=given.KEY).verify() == 3
    store.close()


def test_a_record_of_another_kind_or_another_id_is_noticed(log: tuple[Path, AuditLog]) -> None:
    path, audit = log
    with given.sql(path) as connection:
        connection.execute("UPDATE ci_record SET id = 'zz' WHERE kind = 'audit' AND id = ?", (given.rows(path)[1][0],))
        connection.execute("UPDATE ci_record SET kind = 'x' WHERE kind = 'audit' AND id = ?", (given.rows(path)[3][0],))
    assert_noticed(audit)


def test_entries_of_another_book_are_noticed(log: tuple[Path, AuditLog], tmp_path: Path) -> None:
    path, audit = log
    for key in (given.KEY, b"", bytes(32)):
        other = tmp_path / f"other{key[:2].hex()}.db"
        store, foreign = given.log_of(other, 3, key=key)
        foreign.seal()
        store.close()
        for id, data in given.rows(other)[:1]:
            with given.sql(path) as connection:
                connection.execute(
                    "INSERT INTO ci_record(kind, id, version, data) VALUES('audit', ?, 2, ?)", (id, data)
                )
        assert_noticed(audit)
        with given.sql(path) as connection:
            connection.execute("DELETE FROM ci_record WHERE kind = 'audit' AND id = ?", (id,))
        assert audit.verify() is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b"7",
        b'"text"',
        b"{}",
        b"\xff\xfe\x00",
        b"[" * 5000,
        b'{"a":' * 5000,
        b"9" * 5000,
        b"NaN",
        b'{"mac":NaN}',
        bytes(100),
    ],
    ids=range(14),
)
@pytest.mark.parametrize("kind", ["audit", "audit_head"])
def test_broken_json_is_noticed(log: tuple[Path, AuditLog], data: bytes, kind: str) -> None:
    path, audit = log
    found = given.rows(path, kind)
    if not found:
        audit.seal()
        found = given.rows(path, kind)
    for id, _ in found[1:3] or found:
        given.overwrite(path, id, data, kind)
    assert_noticed(audit)


def variants(good: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A stored form with one field of another type or value, missing or added."""
    for name, value in itertools.product([*good, "new"], ODD):
        if name not in good or value != good[name] or type(value) is not type(good[name]):
            yield {**good, name: value}
    for name in good:
        yield {key: value for key, value in good.items() if key != name}


@pytest.mark.parametrize("kind", ["audit", "audit_head"])
def test_fields_of_other_types_are_noticed(files: dict[str, Path], tmp_path: Path, kind: str) -> None:
    path = tmp_path / "log.db"
    shutil.copy(files["sealed"], path)
    store = SqliteStore(path, synchronous="NORMAL")
    audit = AuditLog(store, key=given.KEY)
    id, data = given.rows(path, kind)[-1]
    good = given.stored(data)
    forged = list(variants(good))
    if kind == "audit":
        forged += [{**good, "entry": entry} for entry in variants(good["entry"])]
    for one in forged:
        given.overwrite(path, id, to_json(one).encode(), kind)
        assert type(audit.verify()) is int, one
        assert isinstance(answer(audit.entries), StoreError), one
        answer(audit.checkpoint)
    given.overwrite(path, id, data, kind)
    assert audit.verify() is None
    store.close()


def test_without_a_key_forged_types_are_still_noticed(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    store, audit = given.log_of(path, 1, key=b"")
    audit.seal()
    id, data = given.rows(path)[0]
    good = given.stored(data)
    macs = Macs(b"")
    for entry in variants(good["entry"]):
        if entry.keys() == good["entry"].keys() and type(entry["detail"]) is dict:
            text = to_json(entry)
            mac = macs.entry(id, text)
            forged = Stored(entry, text, mac, 1, macs.chain("", 1, mac))
            given.overwrite(path, id, forged.data())
            assert type(audit.verify()) is int, entry
            assert isinstance(answer(audit.entries), StoreError)
    store.close()


@pytest.mark.parametrize("state", ["sealed", "open"])
def test_every_flipped_byte_of_an_entry_is_noticed(files: dict[str, Path], tmp_path: Path, state: str) -> None:
    path = tmp_path / "log.db"
    shutil.copy(files[state], path)
    store = SqliteStore(path, synchronous="NORMAL")
    audit = AuditLog(store, key=given.KEY)
    id, data = given.rows(path)[1]
    for place in range(len(data)):
        flipped = bytearray(data)
        flipped[place] ^= 1 << place % 8
        given.overwrite(path, id, bytes(flipped))
        assert audit.verify() == 2
    given.overwrite(path, id, data)
    assert audit.verify() is None
    store.close()


@pytest.mark.parametrize("spaced", [json.dumps, lambda data: json.dumps(data, ensure_ascii=False) + "\n"])
def test_another_spelling_of_the_same_json_is_noticed(
    files: dict[str, Path], tmp_path: Path, spaced: Callable[[Any], str]
) -> None:
    path = tmp_path / "log.db"
    shutil.copy(files["sealed"], path)
    id, data = given.rows(path)[0]
    given.overwrite(path, id, spaced(given.stored(data)).encode())
    store = SqliteStore(path)
    assert AuditLog(store, key=given.KEY).verify() == 1
    store.close()


@pytest.mark.parametrize(
    ("statement", "noticed"),
    [
        ("DELETE FROM ci_key WHERE kind = 'audit'", True),
        ("DELETE FROM ci_key WHERE kind = 'audit' AND id = (SELECT max(id) FROM ci_key WHERE kind = 'audit')", True),
        ("UPDATE ci_key SET value = '1' WHERE kind = 'audit' AND name = 'block'", True),
        ("UPDATE ci_key SET name = 'open', value = '1' WHERE kind = 'audit'", True),
        ("INSERT INTO ci_key(kind, name, value, uniq, id) VALUES('audit', 'open', '1', 0, 'nobody')", True),
        ("INSERT INTO ci_key(kind, name, value, uniq, id) VALUES('audit', 'block', '0', 0, 'nobody')", True),
        (
            "INSERT INTO ci_key(kind, name, value, uniq, id) SELECT kind, 'open', '1', 0, id FROM ci_record",
            True,
        ),
        ("INSERT INTO ci_key(kind, name, value, uniq, id) VALUES('audit', 'head', '1', 1, 'nobody')", False),
        ("DELETE FROM ci_record WHERE kind = 'audit_head'", True),
        ("UPDATE ci_record SET id = 'tail' WHERE kind = 'audit_head'", True),
        ("DELETE FROM ci_record WHERE kind = 'audit'", True),
    ],
)
def test_deleted_and_forged_keys_of_a_sealed_log(
    files: dict[str, Path], tmp_path: Path, statement: str, noticed: bool
) -> None:
    path = tmp_path / "log.db"
    shutil.copy(files["sealed"], path)
    store = SqliteStore(path)
    audit = AuditLog(store, key=given.KEY)
    with given.sql(path) as connection:
        connection.execute(statement)
    if noticed:
        assert_noticed(audit)
    else:
        assert audit.verify() is None
    audit.append(actor="desk-7", action="customer.get")
    assert (audit.verify() is not None) is noticed
    store.close()


def test_a_key_of_open_entries_that_is_gone_or_invented_is_noticed(files: dict[str, Path], tmp_path: Path) -> None:
    for number, statement in enumerate(
        (
            "DELETE FROM ci_key WHERE kind = 'audit' AND id = (SELECT min(id) FROM ci_key WHERE kind = 'audit')",
            "DELETE FROM ci_key WHERE kind = 'audit'",
            "INSERT INTO ci_key(kind, name, value, uniq, id) VALUES('audit', 'open', '1', 0, 'nobody')",
        )
    ):
        path = tmp_path / f"{number}.db"
        shutil.copy(files["open"], path)
        with given.sql(path) as connection:
            connection.execute(statement)
        store = SqliteStore(path)
        assert_noticed(AuditLog(store, key=given.KEY))
        store.close()


def test_an_entry_sealed_by_hand_under_no_key_is_named(files: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    shutil.copy(files["sealed"], path)
    id, data = given.rows(path)[-1]
    macs = Macs(b"")
    text = to_json({**given.stored(data)["entry"], "actor": "nobody"})
    mac = macs.entry(id, text)
    chain = macs.chain(given.stored(given.rows(path)[-2][1])["chain"], ENTRIES, mac)
    given.overwrite(path, id, Stored({}, text, mac, ENTRIES, chain).data())
    store = SqliteStore(path)
    assert AuditLog(store, key=given.KEY).verify() == ENTRIES
    store.close()


@pytest.mark.parametrize("key", [b"", bytes(32)])
def test_another_key_gives_a_number_and_changes_nothing(log: tuple[Path, AuditLog], key: bytes) -> None:
    path, audit = log
    before = given.rows(path)
    foreign = AuditLog(SqliteStore(path), key=key)
    assert foreign.verify() == 1
    assert isinstance(answer(foreign.entries), StoreError)
    assert given.rows(path) == before
    assert audit.verify() is None


def test_damage_in_a_later_block_is_named(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    store = SqliteStore(path, synchronous="NORMAL")
    audit = AuditLog(store, key=given.KEY)
    count = BLOCK + 20
    with audit.recording() as recorder, store.unit() as unit:
        for _ in range(count):
            recorder.append(unit, actor="desk-7", action="customer.get")
    assert audit.verify() is None
    assert [entry.sequence for entry in audit.entries(after=BLOCK - 1, until=BLOCK + 1)] == [BLOCK, BLOCK + 1]
    found = {given.stored(data)["sequence"]: (id, data) for id, data in given.rows(path)}
    id, data = found[BLOCK + 5]
    given.overwrite(path, id, data[:-1])
    assert audit.verify() == BLOCK + 5
    assert len(audit.entries(until=BLOCK + 4)) == BLOCK + 4
    assert len(audit.entries(after=BLOCK + 5)) == count - BLOCK - 5
    with pytest.raises(StoreError) as caught:
        audit.entries()
    assert (caught.value.code, caught.value.details["at"]) == ("audit.broken", BLOCK + 5)
    store.close()


def test_tables_that_are_gone_give_an_error_of_ours(log: tuple[Path, AuditLog]) -> None:
    path, audit = log
    with given.sql(path) as connection:
        connection.execute("DROP TABLE ci_key")
    for call in (audit.verify, audit.entries, audit.seal, audit.checkpoint):
        assert isinstance(answer(call), StoreError)


def test_a_name_that_is_no_utf8_gives_an_error_of_ours(log: tuple[Path, AuditLog]) -> None:
    path, audit = log
    with given.sql(path) as connection:
        connection.execute(
            "INSERT INTO ci_key(kind, name, value, uniq, id) VALUES('audit', 'open', '1', 0, CAST(x'ff' AS TEXT))"
        )
    assert answer(audit.verify) is not None


@pytest.mark.parametrize("text", ["", "7", "x:y", "²:a", "-1:a", "1" * 5000 + ":a", None, 7, b"1:a"])
def test_what_is_no_checkpoint_is_refused(log: tuple[Path, AuditLog], text: Any) -> None:
    with pytest.raises(CustInfoError) as caught:
        log[1].verify(text) if text is not None else log[1].verify("")
    assert caught.value.code == "audit.checkpoint"


@pytest.mark.parametrize("text", ["0:zz", "3:張偉", "3:\ud800", "999999:ab", "3:"])
def test_an_invented_checkpoint_gives_a_number(log: tuple[Path, AuditLog], text: str) -> None:
    found = log[1].verify(text)
    assert found == {"0": 1, "3": 3}.get(text.partition(":")[0], ENTRIES + 1)

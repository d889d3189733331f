"""One entry for every call, whatever becomes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import govern_helpers as given
import pytest

from custinfo.errors import AccessDeniedError, ConflictError, CustInfoError, RecordNotFoundError, StoreError
from custinfo.govern import Act, AuditLog, Auditor
from custinfo.store import MemoryStore, Record, RecordStore, SqliteStore

ACT = Act(action="thing.put", entity="thing", subject="t1")


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "log.db", synchronous="NORMAL")
    yield made
    made.close()


@pytest.fixture
def auditor(store: RecordStore) -> Auditor:
    return Auditor(store, AuditLog(store, key=given.KEY), actor="the book")


def entries(auditor: Auditor) -> list[tuple[str, str, str, Any]]:
    return [(entry.actor, entry.action, entry.outcome, entry.detail) for entry in auditor._log.entries()]


def things(store: RecordStore) -> int:
    with store.unit(write=False) as unit:
        return len(unit.page("thing", "", 100))


def write(auditor: Auditor, error: BaseException | None = None) -> None:
    with auditor.writing(ACT) as work:
        work.unit.put(Record("thing", "t1", 0, b"x"), (), 0)
        work.detail["count"] = 1
        if error is not None:
            raise error


def test_a_write_and_its_entry_are_one(auditor: Auditor, store: RecordStore) -> None:
    write(auditor)
    assert entries(auditor) == [("the book", "thing.put", "ok", {"count": 1})]
    assert things(store) == 1


@pytest.mark.parametrize("error", [ConflictError("no"), AccessDeniedError("no"), ValueError("Rosa"), KeyError("Rosa")])
def test_a_refused_write_leaves_one_entry_alone(auditor: Auditor, store: RecordStore, error: Exception) -> None:
    with pytest.raises(type(error)):
        write(auditor, error)
    code = error.code if isinstance(error, CustInfoError) else type(error).__name__
    assert entries(auditor) == [("the book", "thing.put", "denied", {"code": code})]
    assert things(store) == 0
    write(auditor)
    assert auditor._log.verify() is None


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(1), GeneratorExit()])
def test_an_interrupted_call_leaves_nothing(auditor: Auditor, store: RecordStore, error: BaseException) -> None:
    with pytest.raises(type(error)):
        write(auditor, error)

    def read() -> None:
        raise error

    with pytest.raises(type(error)):
        auditor.reading(ACT, read)
    assert entries(auditor) == []
    assert things(store) == 0
    write(auditor)
    assert auditor._log.verify() is None


def test_a_silent_call_leaves_no_entry(auditor: Auditor) -> None:
    with auditor.writing(ACT) as work:
        work.silent = True
    assert entries(auditor) == []


def test_the_entry_of_a_read_is_there_before_the_answer(auditor: Auditor, store: RecordStore) -> None:
    answer = auditor.reading(Act(action="thing.get", actor="desk-7"), lambda: 42)
    assert (answer, entries(auditor)) == (42, [("desk-7", "thing.get", "ok", {})])
    store.close()
    with pytest.raises(StoreError):
        auditor.reading(ACT, lambda: 42)


@pytest.mark.parametrize(
    ("error", "outcome", "code"),
    [
        (AccessDeniedError("no", code="access.denied"), "denied", "access.denied"),
        (RecordNotFoundError("none"), "ok", "not_found"),
        (ValueError("Rosa"), "ok", "ValueError"),
    ],
)
def test_a_failed_read_leaves_one_entry(auditor: Auditor, error: Exception, outcome: str, code: str) -> None:
    def read() -> None:
        raise error

    with pytest.raises(type(error)):
        auditor.reading(ACT, read)
    assert entries(auditor) == [("the book", "thing.put", outcome, {"code": code})]


def test_a_write_whose_entry_cannot_be_made_is_undone(auditor: Auditor, store: RecordStore) -> None:
    def unprintable() -> None:
        with auditor.writing(ACT) as work:
            work.unit.put(Record("thing", "t1", 0, b"x"), (), 0)
            work.detail["what"] = object()

    with pytest.raises(CustInfoError) as caught:
        unprintable()
    assert caught.value.code == "audit.detail"
    assert things(store) == 0
    assert entries(auditor) == [("the book", "thing.put", "denied", {"code": "audit.detail"})]

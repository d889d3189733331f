"""The audit log under good use: many writers, threads, processes, interrupts."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import govern_helpers as given
import pytest

from custinfo.errors import ConflictError, CustInfoError, InvalidFieldError
from custinfo.govern import AuditLog
from custinfo.govern._chain import BLOCK
from custinfo.store import MemoryStore, RecordStore, SqliteStore


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Any:
    made = MemoryStore() if request.param == "memory" else SqliteStore(tmp_path / "log.db", synchronous="NORMAL")
    yield made
    made.close()


def append(log: AuditLog, subject: str = "c1", **more: Any) -> None:
    log.append(actor="desk-7", action="customer.get", entity="customer", subject=subject, **more)


def test_an_empty_log_fits_and_has_a_checkpoint(store: RecordStore) -> None:
    log = AuditLog(store, key=given.KEY)
    assert (log.verify(), log.entries(), log.checkpoint()) == (None, [], "0:")
    append(log)
    assert log.verify("0:") is None


def test_an_entry_comes_back_as_it_was_given(store: RecordStore) -> None:
    now = datetime(2024, 5, 6, 7, 8, tzinfo=timezone(timedelta(hours=8)))
    log = AuditLog(store, key=given.KEY, clock=lambda: now)
    log.append(
        actor="柜台", action="customer.get", outcome="denied", purpose="billing", detail={"code": "x", "张": [1, None]}
    )
    (entry,) = log.entries()
    assert (entry.sequence, entry.at, entry.at.tzinfo) == (1, now, UTC)
    assert (entry.actor, entry.outcome, entry.purpose, entry.entity) == ("柜台", "denied", "billing", "")
    assert (entry.subject, entry.detail) == (None, {"code": "x", "张": [1, None]})
    assert log.verify() is None


def test_sequences_run_from_one_over_several_blocks(store: RecordStore) -> None:
    log = AuditLog(store, key=given.KEY)
    count = 2 * BLOCK + 3
    with log.recording() as recorder, store.unit() as unit:
        for number in range(count):
            recorder.append(unit, actor="desk-7", action="customer.get", subject=f"c{number}")
    entries = log.entries()
    assert [entry.sequence for entry in entries] == list(range(1, count + 1))
    assert [entry.subject for entry in entries] == [f"c{number}" for number in range(count)]
    assert log.entries(after=count - 1) == entries[-1:]
    assert log.entries(after=BLOCK - 1, until=BLOCK + 1) == entries[BLOCK - 1 : BLOCK + 1]
    assert log.entries(after=count) == log.entries(after=count + 5000) == log.entries(until=0) == []
    assert log.verify() is None


def test_a_log_goes_on_after_it_was_sealed_and_opened_again(tmp_path: Path) -> None:
    for number in range(3):
        store, log = given.log_of(tmp_path / "log.db", 2)
        assert [entry.sequence for entry in log.entries()] == list(range(1, 2 * number + 3))
        assert log.verify() is None
        store.close()


@pytest.mark.parametrize(("after", "until"), [(-1, None), ("1", None), (None, None), (0, "3"), (True, None)])
def test_a_range_that_is_none_is_refused(store: RecordStore, after: Any, until: Any) -> None:
    with pytest.raises(InvalidFieldError, match="whole numbers"):
        AuditLog(store).entries(after, until=until)


def test_what_cannot_be_recorded_is_refused_and_breaks_nothing(store: RecordStore) -> None:
    log = AuditLog(store, key=given.KEY)
    circle: list[Any] = []
    circle.append(circle)
    for more, code in (
        ({"outcome": "perhaps"}, "audit.outcome"),
        ({"detail": {"x": object()}}, "audit.detail"),
        ({"detail": {"x": float("nan")}}, "audit.detail"),
        ({"detail": {"x": circle}}, "audit.detail"),
        ({"detail": {1: 2, "a": 3}}, "audit.detail"),
        ({"detail": [1]}, "audit.detail"),
    ):
        with pytest.raises(InvalidFieldError) as caught:
            append(log, **more)
        assert caught.value.code == code
    append(log)
    assert (log.verify(), len(log.entries())) == (None, 1)


def test_a_detail_whose_keys_are_numbers_breaks_nothing(store: RecordStore) -> None:
    log = AuditLog(store, key=given.KEY)
    append(log, detail={10: "ten", 9: ("nine",)})
    assert (log.verify(), log.entries()[0].detail) == (None, {"10": "ten", "9": ["nine"]})


def test_a_clock_without_a_zone_is_refused(store: RecordStore) -> None:
    log = AuditLog(store, clock=lambda: datetime(2024, 1, 1))
    with pytest.raises(InvalidFieldError) as caught:
        append(log)
    assert caught.value.code == "time.naive"


@pytest.mark.parametrize(
    ("subject", "kept"),
    [("\ud800", "\ud800"), ("张", "张"), ("\0", "\0"), ("x" * 5000, "x" * 1024), (7, "<int>"), (b"\xff", "<bytes>")],
)
def test_odd_subjects_are_recorded(store: RecordStore, subject: Any, kept: str) -> None:
    log = AuditLog(store, key=given.KEY)
    append(log, subject)
    assert (log.entries()[0].subject, log.verify()) == (kept, None)


def test_the_repr_has_no_key(store: RecordStore) -> None:
    log = AuditLog(store, key=b"the secret of the log")
    assert "secret" not in repr(log) + repr(log._macs)


def test_an_undone_unit_leaves_no_entry_and_no_gap(store: RecordStore) -> None:
    log = AuditLog(store, key=given.KEY)

    def undone(error: type[BaseException]) -> None:
        with log.recording() as recorder, store.unit() as unit:
            recorder.append(unit, actor="desk-7", action="customer.put")
            raise error

    for error in (ValueError, KeyboardInterrupt, SystemExit):
        append(log)
        with pytest.raises(error):
            undone(error)
        append(log)
        assert log.verify() is None
    assert {entry.action for entry in log.entries()} == {"customer.get"}
    assert len(log.entries()) == 6


def test_an_error_after_the_commit_leaves_no_gap(store: RecordStore) -> None:
    log = AuditLog(store, key=given.KEY)

    def interrupted() -> None:
        with log.recording() as recorder:
            with store.unit() as unit:
                recorder.append(unit, actor="desk-7", action="customer.put")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    append(log)
    assert (log.verify(), len(log.entries())) == (None, 2)


def test_recorders_inside_one_another_have_chains_of_their_own(store: RecordStore) -> None:
    log = AuditLog(store, key=given.KEY)
    append(log)
    with log.recording() as outer:
        with log.recording() as inner, store.unit() as unit:
            inner.append(unit, actor="desk-7", action="inner")
        with store.unit() as unit:
            outer.append(unit, actor="desk-7", action="outer")
    append(log)
    assert [entry.action for entry in log.entries()] == ["customer.get", "inner", "outer", "customer.get"]
    assert log.verify() is None


def test_appending_takes_no_lock_that_a_sealing_holds() -> None:
    """Between two entries of one unit another log may seal what is committed."""
    store = MemoryStore()
    log = AuditLog(store, key=given.KEY)
    append(log)
    with log.recording() as recorder:
        AuditLog(store, key=given.KEY).seal()
        with store.unit() as unit:
            recorder.append(unit, actor="desk-7", action="customer.put")
    assert (log.verify(), len(log.entries())) == (None, 2)


def in_threads(count: int, work: Callable[[int], None]) -> None:
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            work(number)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            errors.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []


def test_threads_append_seal_and_verify_at_once(store: RecordStore) -> None:
    log = AuditLog(store, key=given.KEY)

    def work(number: int) -> None:
        mine = log if number % 2 else AuditLog(store, key=given.KEY)
        for turn in range(12):
            append(mine, f"c{number}")
            if turn % 4 == 1:
                mine.seal()
            if turn % 4 == 3:
                assert mine.verify() is None

    in_threads(6, work)
    entries = log.entries()
    assert [entry.sequence for entry in entries] == list(range(1, 73))
    assert log.verify() is None


def _child(path: Path, count: int) -> None:
    store, log = given.log_of(path, count)
    log.seal()
    assert log.verify() is None
    store.close()


def test_processes_append_and_seal_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log.db"
    store, log = given.log_of(path, 1)
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_child, args=(path, 10)) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]
    assert (log.verify(), len(log.entries())) == (None, 21)
    store.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_after_a_fork_both_processes_go_on(tmp_path: Path) -> None:
    store, log = given.log_of(tmp_path / "log.db", 2)
    child = os.fork()
    if child == 0:  # pragma: no cover - the child's coverage is not collected
        try:
            append(log, "child")
            os._exit(0)
        finally:
            os._exit(1)
    append(log, "parent")
    _, status = os.waitpid(child, 0)
    append(log, "parent")
    assert os.waitstatus_to_exitcode(status) == 0
    assert sorted(str(entry.subject) for entry in log.entries()) == ["c0", "c1", "child", "parent", "parent"]
    assert log.verify() is None
    store.close()


def test_a_verification_while_others_append_is_no_false_alarm(store: RecordStore) -> None:
    """An entry that came after the sealing is no stranger."""
    log = AuditLog(store, key=given.KEY)
    append(log)
    other = AuditLog(store, key=given.KEY)
    seal = log.seal

    def seal_then_append() -> None:
        seal()
        append(other, "late")

    log.seal = seal_then_append  # type: ignore[method-assign]  # what another process may do
    assert log.verify() is None
    assert len(log.entries()) == 2
    assert log.verify() is None


def test_sealing_twice_changes_nothing(tmp_path: Path) -> None:
    store, log = given.log_of(tmp_path / "log.db", 3)
    log.seal()
    before = given.rows(tmp_path / "log.db")
    log.seal()
    assert given.rows(tmp_path / "log.db") == before
    store.close()


class Contested(MemoryStore):
    """Refuses the first writing units after they are done, as a store does whose writers overlap."""

    def __init__(self, conflicts: int) -> None:
        super().__init__()
        self.conflicts = conflicts

    def _end(self, unit: Any, *, commit: bool) -> None:
        if commit and unit._writes and self.conflicts:
            self.conflicts -= 1
            super()._end(unit, commit=False)
            raise ConflictError("another unit was faster")
        super()._end(unit, commit=commit)


def test_sealing_is_repeated_after_a_conflict() -> None:
    store = Contested(0)
    log = AuditLog(store, key=given.KEY)
    append(log)
    store.conflicts = 3
    assert len(log.entries()) == 1
    append(log)
    store.conflicts = 1000
    with pytest.raises(ConflictError):
        log.seal()
    store.conflicts = 0
    assert (log.verify(), len(log.entries())) == (None, 2)


def test_what_another_sealed_meanwhile_is_left_alone(store: RecordStore) -> None:
    log = AuditLog(store, key=given.KEY)
    append(log)
    with store.unit(write=False) as unit:
        waiting = unit.lookup("audit", "open", "1")
    other = AuditLog(store, key=given.KEY)
    other.seal()
    append(other)
    other.seal()
    from custinfo.govern._chain import seal_some

    with store.unit() as unit:
        assert seal_some(unit, log._macs, waiting)
    assert (log.verify(), len(log.entries())) == (None, 2)


class Stamp:
    def sign(self, message: bytes) -> bytes:
        return message[:2]


def test_a_checkpoint_is_signed_and_holds_later(store: RecordStore) -> None:
    log = AuditLog(store, Stamp(), key=given.KEY)
    append(log)
    line = log.checkpoint()
    assert line.split(":")[0] == "1"
    assert line.split(":")[2] == b"1:".hex()
    append(log)
    assert log.verify(line) is None
    assert AuditLog(MemoryStore(), key=given.KEY).verify(line) == 1


def test_a_checkpoint_of_another_log_does_not_hold(store: RecordStore) -> None:
    log, other = AuditLog(store, key=given.KEY), AuditLog(MemoryStore(), key=given.KEY)
    for one in (log, other):
        append(one)
        append(one)
    assert log.verify(other.checkpoint()) == 2


def test_a_log_can_be_verified_though_it_cannot_be_sealed(tmp_path: Path) -> None:
    store, log = given.log_of(tmp_path / "log.db", 3)

    def fail() -> None:
        raise CustInfoError("the disk is full")

    log.seal = fail  # type: ignore[method-assign]  # fault injection
    assert log.verify() is None
    store.close()

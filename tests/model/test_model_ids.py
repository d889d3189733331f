"""Ids: UUID version 7, strictly increasing in a process."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from custinfo.model import _ids, new_id


def test_an_id_is_a_uuid_of_version_7_made_now():
    before = time.time_ns() // 1_000_000
    made = uuid.UUID(new_id())
    after = time.time_ns() // 1_000_000
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert before <= made.int >> 80 <= after + 1000


def test_ids_are_strictly_increasing_within_each_thread_and_never_repeat():
    def many(_):
        return [new_id() for _ in range(2_000)]

    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(many, range(8)))
    assert all(run == sorted(set(run)) for run in runs)
    assert len({made for run in runs for made in run}) == 16_000


def test_ids_are_strictly_increasing_over_threads():
    made, lock = [], threading.Lock()

    def take(_):
        for _ in range(500):
            with lock:
                made.append(new_id())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, range(4)))
    assert made == sorted(set(made))


def test_a_clock_that_goes_back_or_stands_still_changes_nothing(monkeypatch):
    last = new_id()
    for now in (0, 0, 10**18, 10**18):
        monkeypatch.setattr(time, "time_ns", lambda now=now: now)
        following = new_id()
        assert following > last
        last = following


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="a warning about forking with threads is an error there")
def test_a_child_forked_while_another_thread_makes_an_id_can_make_ids():
    held = _ids._lock
    with held:
        child = os.fork()
        if child == 0:
            os._exit(0 if len(new_id()) == 36 else 1)
        assert os.waitpid(child, 0)[1] == 0
        _ids._renew_lock()
        assert len(new_id()) == 36


def test_no_id_can_be_taken_for_a_date_or_a_phone_number():
    tails = [new_id().rpartition("-")[2] for _ in range(5_000)]
    assert not any(re.search("[0-9]{6}", tail) for tail in tails)
    assert len(set(tails)) == 5_000

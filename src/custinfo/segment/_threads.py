"""Work in threads whose errors do not depend on which thread was faster."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable


def worker_count() -> int:
    """How many threads to use: CUSTINFO_THREADS, or the CPUs that the process may use."""
    given = os.environ.get("CUSTINFO_THREADS", "")
    if given.isdigit() and int(given) > 0:
        return int(given)
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1  # pragma: no cover - systems without affinity


def in_order(work: Callable[[int, int], None], *, tasks: int, workers: int) -> None:
    """Call ``work(worker, task)`` for each task; a worker takes its tasks in ascending order.

    Raises:
        Exception: what the lowest failing task raised; later tasks may not have been started.

    >>> done = []
    >>> in_order(lambda worker, task: done.append(task), tasks=3, workers=2)
    >>> sorted(done)
    [0, 1, 2]
    """
    failed: dict[int, BaseException] = {}
    lock = threading.Lock()
    following = iter(range(tasks))

    def run(worker: int) -> None:
        while True:
            with lock:
                task = None if failed else next(following, None)
            if task is None:
                return
            try:
                work(worker, task)
            except BaseException as exc:  # noqa: BLE001 - raised again below, in the caller's thread
                failed[task] = exc
                return

    threads = [threading.Thread(target=run, args=(worker,), daemon=True) for worker in range(1, workers)]
    for thread in threads:
        thread.start()
    run(0)
    for thread in threads:
        thread.join()
    if failed:
        raise failed[min(failed)]

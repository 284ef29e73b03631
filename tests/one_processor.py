"""A worker of the tests and its servers on one processor.

Who asks Redis has nothing to do until the answer is there, and to wake up a processor that sleeps
takes longer than the answer: together on one, a search takes a fifth less. Where there are enough
workers for all processors, each keeps to one, its servers and kernels with it. Processes that are
meant to run into each other have all of them.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterable, Iterator

import psutil

ALL = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
ENOUGH = 2  # workers for each processor
AT_ONCE = re.compile("browser|cluster|failover|install|learners|processes|restart|soak|strangers")


def keep() -> None:
    """Keep this worker of xdist to one processor; what it starts keeps to it too."""
    number = os.environ.get("PYTEST_XDIST_WORKER", "").removeprefix("gw")
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", 0))
    if ALL and number and workers >= ENOUGH * len(ALL):
        os.sched_setaffinity(0, {ALL[int(number) % len(ALL)]})


@contextlib.contextmanager
def left_for(module: str) -> Iterator[None]:
    """Give this process and what it has started all processors, for a module that needs them."""
    kept = os.sched_getaffinity(0) if ALL else set()
    if len(kept) == len(ALL) or not AT_ONCE.search(module):
        yield
        return
    _give(ALL)
    try:
        yield
    finally:
        _give(kept)


def _give(processors: Iterable[int]) -> None:
    own = psutil.Process()
    for process in [own, *own.children(recursive=True)]:
        with contextlib.suppress(OSError):  # it has ended meanwhile
            os.sched_setaffinity(process.pid, processors)

"""What every job does, in every engine: it notes when it begins and when it ends.

Standard library only, as it runs in every environment. A note is one write to a file that is open
for appending, so a process that is killed has written it or has not. Clocks are of one machine.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import cache

LOG, SECONDS = "QUEUE_BENCH_LOG", "QUEUE_BENCH_SECONDS"  # names in the environment


@cache
def _file() -> int:
    return os.open(os.environ[LOG], os.O_WRONLY | os.O_APPEND | os.O_CREAT)


def note(what: str, number: int) -> None:
    """Note that a job was put, begins or ends."""
    os.write(_file(), b"%s %d %d\n" % (what.encode(), number, time.monotonic_ns()))


def job(number: int) -> None:
    """Take so many seconds as the environment says; none, if it says nothing."""
    note("begin", number)
    seconds = float(os.environ.get(SECONDS, 0))
    if seconds:
        time.sleep(seconds)
    note("end", number)


async def async_job(number: int) -> None:
    """The same for the engines that run many jobs at a time in one thread."""
    import asyncio

    note("begin", number)
    seconds = float(os.environ.get(SECONDS, 0))
    if seconds:
        await asyncio.sleep(seconds)
    note("end", number)


def arguments() -> tuple[str, str, int, float]:
    """Return what the command line says: a verb, the server, how many jobs, how many a second."""
    verb, url, count, per_second = (*sys.argv[1:], "0", "0")[:4]
    return verb, url, int(count), float(per_second)


def put_all(put: Callable[[int], object], count: int, per_second: float) -> None:
    """Put jobs 0, 1, 2, …: as fast as it goes (0), or evenly over time."""
    began = time.monotonic()
    for number in range(count):
        if per_second:
            time.sleep(max(0.0, began + number / per_second - time.monotonic()))
        note("put", number)
        put(number)

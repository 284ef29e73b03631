"""The daemon that flushes a counter again and again, and stops cleanly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import sqlalchemy as sa
from redis import exceptions

from .counter_buffer import CounterBuffer
from .counts import MalformedCount, log_error
from .stream_counter import StreamCounter

_IN_REDIS = (exceptions.RedisError, exceptions.RedisClusterException)  # the latter is no RedisError
_SURVIVED = (*_IN_REDIS, sa.exc.SQLAlchemyError, MalformedCount)

Counter = CounterBuffer | StreamCounter


def run_flusher(
    counter: Counter,
    every: float,
    stop: threading.Event | None = None,
    on_error: Callable[[Exception], None] = log_error,
) -> None:
    """Flush each `every` seconds until `stop` is set; then flush once more and return.

    Errors of Redis and SQL, and MalformedCount, go to `on_error`, and the flusher goes on:
    what it could not carry stays in Redis. A hit waits `every` seconds and one flush at most.
    Setting `stop` ends a wait at once; a signal handler may do it.
    """
    if isinstance(every, bool) or not isinstance(every, int | float):
        raise TypeError(f"every must be seconds, not {type(every).__name__}")
    if not 0 < every < threading.TIMEOUT_MAX:
        raise ValueError(f"every must be over 0 seconds and finite, not {every}")
    stop = threading.Event() if stop is None else stop
    is_last = False
    while not is_last:
        due = time.monotonic() + every
        is_last = stop.is_set()
        try:
            counter.flush()
        except _SURVIVED as error:
            on_error(error)
        if not is_last:
            stop.wait(due - time.monotonic())

"""A worker: take a job, keep its lease alive while the handler runs, finish it."""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from redis import exceptions

from .job import Job, LeaseLost

_SERVER_GONE = (exceptions.ConnectionError, exceptions.TimeoutError)
_UNREACHABLE = (*_SERVER_GONE, exceptions.ClusterError, exceptions.RedisClusterException)
_log = logging.getLogger(__package__)


class Queue(Protocol):
    """What a worker asks of a queue: ReliableQueue and StreamQueue have it."""

    lease: float

    def take(self, worker: str, timeout: float = 0.0) -> Job | None:
        """Lease a job to `worker`, or None if none arrives within `timeout` s."""

    def renew(self, job: Job) -> None:
        """Begin its lease anew, or raise LeaseLost."""

    def done(self, job: Job) -> None:
        """Remove the finished job, or raise LeaseLost."""

    def fail(self, job: Job, reason: str = "") -> None:
        """Give the job back or set it aside, or raise LeaseLost."""

    def recover(self) -> int:
        """See to the jobs whose lease has run out; return how many."""


def run_worker(
    queue: Queue,
    handler: Callable[[Job], object],
    worker: str,
    *,
    stop: threading.Event | None = None,
) -> int:
    """Work until SIGTERM, or until `stop` is set; return the number of jobs finished.

    A job that has begun is finished first. While the handler runs, the lease is renewed
    from a second thread, every third of it. A handler that raises fails its job, which is
    tried again. The worker is its queue's janitor too: between jobs, it recovers twice in
    each lease. While Redis cannot be reached it tries again, five times a second.
    """
    stop = stop or threading.Event()
    finished, looked = 0, -math.inf
    with _stopped_by_sigterm(stop):
        while not stop.is_set():
            try:
                if time.monotonic() - looked >= queue.lease / 2:
                    queue.recover()
                    looked = time.monotonic()
                job = queue.take(worker, min(1.0, queue.lease / 2))
            except _UNREACHABLE as error:
                _pause(error)
                continue
            if job is not None:
                finished += _work(queue, handler, job, stop)
    return finished


def _work(queue: Queue, handler: Callable[[Job], object], job: Job, stop: threading.Event) -> bool:
    """Run the handler and tell the queue how it went; return whether the job is finished."""
    failure = ""
    with _kept_alive(queue, job):
        try:
            handler(job)
        except Exception as error:
            failure = f"{type(error).__name__}: {error}"
            _log.warning("job %s, try %d: %s", job.key, job.tries, failure)
    while True:
        try:
            if failure:
                queue.fail(job, failure)
            else:
                queue.done(job)
            return not failure
        except LeaseLost as error:
            _log.warning("%s", error)
            return False
        except _UNREACHABLE as error:
            _pause(error)
            if stop.is_set():
                return False


@contextmanager
def _kept_alive(queue: Queue, job: Job) -> Iterator[None]:
    """Renew the job's lease for as long as the block runs."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(queue.lease / 3):
            try:
                queue.renew(job)
            except LeaseLost:
                return
            except _UNREACHABLE:
                continue

    heart = threading.Thread(target=beat, name=f"lease of {job.key}", daemon=True)
    heart.start()
    try:
        yield
    finally:
        over.set()
        heart.join()


@contextmanager
def _stopped_by_sigterm(stop: threading.Event) -> Iterator[None]:
    """Let SIGTERM set the event; outside the main thread, where it cannot, do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, lambda *_: stop.set())
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _pause(error: Exception) -> None:
    _log.warning("%s: %s", type(error).__name__, error)
    time.sleep(0.2)

"""A worker: take a job, keep its lease alive while the handler runs, finish it."""

from __future__ import annotations

import logging
import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from redis import exceptions

from .job import Job, LeaseLost
from .reliable_queue import ReliableQueue
from .stream_queue import StreamQueue

_SERVER_GONE = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ReadOnlyError)
_UNREACHABLE = (*_SERVER_GONE, exceptions.ClusterError, exceptions.RedisClusterException)
_log = logging.getLogger(__package__)
PAUSE = 0.2  # seconds until we try again where Redis cannot be reached

Queue = ReliableQueue | StreamQueue
Handler = Callable[[Job], object]


def run_worker(
    queue: Queue, handler: Handler, worker: str, *, stop: threading.Event | None = None
) -> int:
    """Work until SIGTERM, or until `stop` is set; return the number of jobs finished.

    A job that has begun is finished first. While the handler runs, the lease is renewed
    from a second thread, every third of it. A handler that raises fails its job, which is
    tried again. The worker is its queue's janitor too: between jobs, it recovers twice in
    each lease. While Redis cannot be reached, or has become a replica, it tries again, five
    times a second.
    """
    stop = stop or threading.Event()
    finished, looked = 0, -math.inf

    def goes_on() -> bool:
        return not stop.is_set() and time.monotonic() - looked < queue.lease / 2

    hand: list[Job] = []  # the job in hand, if there is one
    with _stopped_by_sigterm(stop), _kept_alive(queue, hand):
        while not stop.is_set():
            try:
                if not goes_on():
                    queue.recover()
                    looked = time.monotonic()
                job = queue.take(worker, min(1.0, queue.lease / 2))
            except _UNREACHABLE as error:
                _log.warning("%s: %s", type(error).__name__, error)
                time.sleep(PAUSE)
                continue
            while job:
                hand[:] = [job]
                is_finished, job = _work(queue, handler, job, stop, goes_on)
                finished += is_finished
            hand.clear()
    return finished


def _work(
    queue: Queue, handler: Handler, job: Job, stop: threading.Event, goes_on: Callable[[], bool]
) -> tuple[bool, Job | None]:
    """Run the handler and tell the queue how it went; return whether it is done, and the next."""
    failure = ""
    try:
        handler(job)
    except Exception as error:
        failure = f"{type(error).__name__}: {error}"
        _log.warning("job %s, try %d: %s", job.key, job.tries, failure)
    while True:
        try:
            if not failure:
                return True, queue.done(job, take_next=goes_on())
            queue.fail(job, failure)
            return False, None
        except LeaseLost as error:
            _log.warning("%s", error)
            return False, None
        except _UNREACHABLE as error:
            _log.warning("%s: %s", type(error).__name__, error)
            time.sleep(PAUSE)
            if stop.is_set():
                return False, None


@contextmanager
def _kept_alive(queue: Queue, hand: list[Job]) -> Iterator[None]:
    """Renew the lease of the job in hand for as long as the block runs."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(queue.lease / 3):
            for job in hand[:]:
                with suppress(LeaseLost, exceptions.RedisError, *_UNREACHABLE):
                    queue.renew(job)

    heart = threading.Thread(target=beat, name="lease of the job in hand", daemon=True)
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

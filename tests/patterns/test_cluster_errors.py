"""What a cluster's client raises while a master is gone ends no worker and no flusher."""

from __future__ import annotations

import threading

import pytest
from redis import exceptions

from patterns.counters import run_flusher
from patterns.counters.counts import Flush
from patterns.queues import run_worker

ERRORS = (
    exceptions.ConnectionError("gone"),
    exceptions.ClusterDownError("CLUSTERDOWN Hash slot not served"),
    exceptions.ClusterError("TTL exhausted"),
    exceptions.RedisClusterException("no node can be reached"),
)


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_worker_goes_on(error: Exception) -> None:
    stop = threading.Event()

    class Queue:
        lease = 30.0
        asked = 0

        def recover(self) -> int:
            return 0

        def take(self, worker: str, timeout: float = 0.0) -> None:
            self.asked += 1
            if self.asked == 1:
                raise error
            stop.set()

    queue = Queue()
    assert run_worker(queue, print, "w1", stop=stop) == 0  # type: ignore[arg-type]
    assert queue.asked == 2


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_a_flusher_goes_on_and_says_what_it_met(error: Exception) -> None:
    stop, met = threading.Event(), []

    class Counter:
        asked = 0

        def flush(self) -> Flush:
            self.asked += 1
            if self.asked == 1:
                raise error
            stop.set()
            return Flush()

    counter = Counter()
    run_flusher(counter, 0.01, stop=stop, on_error=met.append)
    assert (counter.asked >= 2, met) == (True, [error])

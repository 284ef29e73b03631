"""The queues under test, each on every Redis that there is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import redis

from patterns.queues import Job, ReliableQueue, StreamQueue

AnyQueue = ReliableQueue | StreamQueue
Make = Callable[..., AnyQueue]


@pytest.fixture(params=[ReliableQueue, StreamQueue], ids=["lists", "stream"])
def make(request: pytest.FixtureRequest, redis_client: redis.Redis) -> Make:
    """A maker of queues of either kind, that share their server."""

    def a_queue(name: str = "jobs", **options: Any) -> AnyQueue:
        made: AnyQueue = request.param(redis_client, name, **options)
        return made

    return a_queue


@pytest.fixture
def queue(make: Make) -> AnyQueue:
    return make(lease=30, max_tries=3)


def run_out(queue: AnyQueue, job: Job) -> None:
    """Let the job's lease run out now, as if `lease` seconds had passed."""
    if isinstance(queue, ReliableQueue):
        assert queue.redis.delete(f"{queue.waiting}:alive:{job.worker}") == 1
    else:
        idle = round(queue.lease * 1000) + 1000
        late = queue.redis.execute_command(
            "XCLAIM", queue.stream, "workers", job.worker, 0, job.place, "IDLE", idle, "JUSTID"
        )
        assert len(late) == 1

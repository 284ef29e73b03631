"""The queue of the post: one list, LPUSH at one end, BRPOP at the other."""

from __future__ import annotations

import time

from redis import Redis

from ._checks import check_name, check_redis, check_seconds, check_text
from .commands import PAUSE, slice_of


class WorkQueue:
    """A list of jobs; each is handed to exactly one worker, at most once.

    From David Wolever, "Common messaging patterns implemented with Redis" (2016). BRPOP
    deletes what it returns: a worker that dies, or a reply that is lost, takes its job
    along. Good enough where a lost job costs nothing.

    Takes a blocking client with decode_responses=True and no retries of its own: these would
    queue a job twice, or lose one in silence. Raises TypeError or ValueError for others.
    """

    def __init__(self, redis: Redis, name: str) -> None:
        check_redis(redis, bare=True)
        check_name("name", name)
        self.redis = redis
        self.key = f"work-queue:{{{name}}}"

    def put(self, payload: str) -> None:
        """Queue a job: one command. Repeated after a lost reply, it may be there twice."""
        check_text("payload", payload)
        self.redis.lpush(self.key, payload)

    def take(self, timeout: float) -> str | None:
        """Remove the oldest job and return its payload, or None if none arrives within `timeout` s.

        If this raises, a job may be gone.
        """
        check_seconds("timeout", timeout)
        deadline = time.monotonic() + timeout
        while True:
            left = max(deadline - time.monotonic(), 0.001)
            found = self.redis.brpop([self.key], timeout=slice_of(left, self.redis))
            if found:
                return str(found[1])
            if time.monotonic() >= deadline:
                return None
            time.sleep(min(PAUSE, left))

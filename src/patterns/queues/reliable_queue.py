"""A queue that survives its workers: a list for each, a lease, and a limit on tries.

The pending lists are from David Wolever, "Common messaging patterns implemented with Redis"
(2016). What the post leaves open is added: how a failure is detected (a lease), how jobs are put
back (one LMOVE each), how a job that kills its workers is stopped (a limit on tries).
"""

from __future__ import annotations

import time
from typing import Any

from redis import Redis

from ._checks import check_name, check_queue, check_redis, check_seconds, check_text
from .commands import PAUSE, SLICE, as_text, readable, run_script
from .job import Job, KeyAlreadyUsed, LeaseLost, SetAside, new_key, sorted_aside
from .list_scripts import CLAIM, COUNTS, DONE, GIVE_BACK, PUT, RECOVER, RENEW, SET_ASIDE


class ReliableQueue:
    """A queue that hands each job out until a worker finishes it: at least once.

    Guarantee: a job that was put is waiting, in the pending list of one worker, set aside,
    or finished, whichever client dies and whichever reply is lost. One living worker has it at
    a time, unless that worker let `lease` seconds pass without a word, by the server's clock.
    Make the effect of a job happen once by storing `job.key` with it.

    A worker's name must be its own among the living, and it holds one job at a time. Names
    are remembered for good: use few and stable ones. Takes any blocking client of Redis, with
    decode_responses or without; raises TypeError for an asyncio one. Nothing to install.
    """

    def __init__(self, redis: Redis, name: str, *, lease: float = 30.0, max_tries: int = 5) -> None:
        check_redis(redis)
        check_queue(name, lease, max_tries)
        self.redis, self.name, self.lease, self.max_tries = redis, name, lease, max_tries
        self.waiting = f"queue:{{{name}}}"

    def put(self, payload: str, key: str | None = None) -> str:
        """Queue a job and return its key, in one step; without a key it gets a new one.

        If this raises, put again with the same `key`: as long as the job is not finished, it
        is queued once. Raises KeyAlreadyUsed if that key has another payload.
        """
        key = new_key() if key is None else key
        check_text("payload", payload)
        check_name("key", key)
        keys = [self.waiting, self._key("jobs")]
        if as_text(run_script(self.redis, PUT, keys, key, payload)) != payload:
            raise KeyAlreadyUsed(key)
        return key

    def take(self, worker: str, timeout: float = 0.0) -> Job | None:
        """Return the oldest job, leased to `worker`, or None if none arrives within `timeout` s.

        If this raises, take again: a job that was on its way to this worker, or that it
        held when it died under this name, comes first. Jobs without a payload, and jobs
        handed out `max_tries` times already, are set aside on the way.
        """
        check_name("worker", worker)
        check_seconds("timeout", timeout)
        keys, pending = self._keys(worker), self._key("pending", worker)
        deadline = time.monotonic() + timeout
        while True:
            claimed = run_script(self.redis, CLAIM, keys, worker, self._lease_ms())
            if claimed:
                job = self._job(worker, *claimed)
                if job:
                    return job
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            # what BLMOVE returns is only a hint: the job is in our list, and CLAIM finds it
            wait: Any = max(0.001, min(left, SLICE))
            if self.redis.blmove(self.waiting, pending, wait, "RIGHT", "LEFT") is None:
                time.sleep(max(0.0, min(PAUSE, deadline - time.monotonic())))

    def renew(self, job: Job) -> None:
        """Begin the lease anew. Raises LeaseLost if the job is not this worker's any more."""
        self._end(RENEW, job, self._lease_ms())

    def done(self, job: Job) -> None:
        """Remove a finished job. Raises LeaseLost if it is not this worker's any more."""
        self._end(DONE, job)

    def fail(self, job: Job, reason: str = "") -> None:
        """Give a job back, to the end of the line, or set it aside if this was its last try.

        Raises LeaseLost if it is not this worker's any more.
        """
        if job.tries < self.max_tries:
            self._end(GIVE_BACK, job)
        else:
            aside = SetAside(job.key, job.payload, job.tries, reason)
            self._end(SET_ASIDE, job, job.key, aside.to_json())

    def recover(self) -> int:
        """Put back the jobs of all workers whose lease has run out; return how many.

        Anybody may call this at any time. Each worker is one step; each job one LMOVE.
        """
        count = 0
        for worker in sorted(map(readable, self.redis.smembers(self._key("workers")))):
            keys = [self._key("pending", worker), self._key("alive", worker), self.waiting]
            count += run_script(self.redis, RECOVER, keys)
        return count

    def set_aside(self) -> list[SetAside]:
        """Return the jobs that were given up, by key. To try one again, put it again."""
        return sorted_aside(self.redis.hgetall(self._key("aside")))

    def counts(self) -> dict[str, int]:
        """Return how many jobs are waiting, held by a worker, and set aside, at one moment."""
        keys = [self.waiting, self._key("jobs"), self._key("aside")]
        waiting, jobs, aside = run_script(self.redis, COUNTS, keys)
        return {"waiting": waiting, "held": max(0, jobs - waiting), "aside": aside}

    def _job(self, worker: str, key: bytes, payload: bytes | None, tries: int) -> Job | None:
        """Return the job that was claimed, or set it aside and return None."""
        name, text = as_text(key), as_text(payload)
        if name is not None and text is not None and tries <= self.max_tries:
            return Job(name, text, tries, worker)
        reason = f"handed out {tries - 1} times, and never finished"
        if name is None or text is None:
            reason = "without a payload: another program queued it"
        aside = SetAside(readable(key), text, tries - 1, reason)
        keys = self._keys(worker)
        run_script(self.redis, SET_ASIDE, keys, key, tries, aside.key, aside.to_json())
        return None

    def _end(self, script: str, job: Job, *args: str | int) -> None:
        if not run_script(self.redis, script, self._keys(job.worker), job.key, job.tries, *args):
            raise LeaseLost(job)

    def _keys(self, worker: str) -> list[str]:
        pending, alive = self._key("pending", worker), self._key("alive", worker)
        jobs, tries, workers = self._key("jobs"), self._key("tries"), self._key("workers")
        return [self.waiting, pending, jobs, tries, workers, alive, self._key("aside")]

    def _key(self, *parts: str) -> str:
        return ":".join((self.waiting, *parts))

    def _lease_ms(self) -> int:
        return round(self.lease * 1000)

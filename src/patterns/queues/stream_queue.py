"""The reliable queue again, on a stream: here Redis knows which worker holds what, and since when.

XREADGROUP hands an entry out and writes down to whom; XACK ends that. XPENDING finds what no
worker has touched for a lease, XCLAIM takes it over, and Redis counts how often that happened.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from redis import Redis, ResponseError

from . import stream_scripts as scripts
from ._checks import check_name, check_queue, check_seconds
from .commands import PAUSE, as_text, readable, run_script, slice_of
from .job import Job, LeaseLost, SetAside, aside_json, put_jobs, sorted_aside
from .stream_claims import GROUP, awaited_entry, claimed_entry, make_group


class StreamQueue:
    """A queue on a Redis Stream with one consumer group: at least once.

    Guarantee: as for `ReliableQueue`. A job that was put is in the stream until it is
    finished or set aside. It is with one living worker at a time, unless that worker let
    `lease` seconds pass without a word. Make its effect happen once by storing `job.key`
    with it. Here the lease belongs to the job, not to the worker: what a worker held when
    it died waits for the lease to run out even if the worker is back before. Redis 7.

    Takes any blocking client of Redis, as `ReliableQueue` does. The consumer group is made
    when it is missing, by whichever verb misses it.
    """

    def __init__(self, redis: Redis, name: str, *, lease: float = 30.0, max_tries: int = 5) -> None:
        check_queue(redis, name, lease, max_tries)
        self.redis, self.name, self.lease, self.max_tries = redis, name, lease, max_tries
        self.stream = f"stream-queue:{{{name}}}"
        self._keys = [self.stream, f"{self.stream}:keys", f"{self.stream}:aside"]

    def put(self, payload: str, key: str | None = None) -> str:
        """Queue a job and return its key; all as in `ReliableQueue.put`."""
        key = uuid.uuid4().hex if key is None else key
        put_jobs(self.redis, scripts.PUT, self._keys, [(key, payload)])
        return key

    def put_many(self, jobs: Mapping[str, str]) -> None:
        """Queue jobs, payloads by key; all as in `ReliableQueue.put_many`."""
        put_jobs(self.redis, scripts.PUT, self._keys, [*jobs.items()])

    def take(self, worker: str, timeout: float = 0.0) -> Job | None:
        """Return a job, now leased to `worker`, or None if none arrives within `timeout` s.

        Jobs whose lease has run out come first, oldest first, then new ones. If this
        raises, take again: a job that was on its way here comes back after `lease` seconds.
        """
        check_name("worker", worker)
        check_seconds("timeout", timeout)
        deadline = time.monotonic() + timeout
        while True:
            reply = self._run(scripts.CLAIM, worker)
            claimed = claimed_entry(reply) if reply else None
            left = deadline - time.monotonic()
            if not claimed and left > 0:
                claimed = awaited_entry(self.redis, self.stream, worker, slice_of(left, self.redis))
            if claimed:
                if job := self._job(worker, *claimed):
                    return job
            elif left <= 0:
                return None
            else:
                time.sleep(max(0.0, min(PAUSE, deadline - time.monotonic())))

    def renew(self, job: Job) -> None:
        """Begin the lease anew. Raises LeaseLost if the job is not this worker's any more."""
        self._end(scripts.SET_IDLE, job, 0)

    def done(self, job: Job, *, take_next: bool = False) -> Job | None:
        """Remove a finished job; `take_next`: take one for its worker in the same step.

        Raises LeaseLost, and takes none, if the job is not this worker's any more. If this
        raises anything else, take: a job that was on its way here comes back after `lease` s.
        """
        reply = self._end(scripts.DONE_AND_CLAIM if take_next else scripts.DONE, job)
        if not take_next or not reply:
            return None
        return self._job(job.worker, *claimed_entry(reply)) or self.take(job.worker)

    def fail(self, job: Job, reason: str = "") -> None:
        """End the lease, so that the job is next, or set it aside; raises LeaseLost as `done`."""
        if job.tries < self.max_tries:
            self._end(scripts.SET_IDLE, job, round(self.lease * 1000) + 1)  # ms: it is over
        else:
            self._end(scripts.SET_ASIDE, job, aside_json(job.payload, job.tries, reason))

    def recover(self) -> int:
        """Return how many jobs have outlived their lease, 100 at most: `take` will claim them."""
        return int(self._run(scripts.COUNT_LATE))

    def set_aside(self) -> list[SetAside]:
        """Return the jobs that were given up, by key. To try one again, put it again."""
        return sorted_aside(self.redis.hgetall(self._keys[2]))

    def counts(self) -> dict[str, int]:
        """Return how many jobs are waiting, held by a worker, and set aside, at one moment."""
        entries, held, aside = self._run(scripts.COUNTS)
        return {"waiting": entries - held, "held": held, "aside": aside}

    def _job(self, worker: str, entry: bytes, fields: dict[bytes, bytes], tries: int) -> Job | None:
        """Return the job that was claimed, or set it aside and return None."""
        key, payload = as_text(fields.get(b"key")), as_text(fields.get(b"payload"))
        place = readable(entry)
        if key is not None and payload is not None and tries <= self.max_tries:
            return Job(key, payload, tries, worker, place)
        reason = f"handed out {tries - 1} times, and never finished"
        if key is None or payload is None:
            key, reason = f"entry {place}", "without key or payload: another program added it"
        aside = aside_json(payload, tries - 1, reason)
        self._run(scripts.SET_ASIDE, worker, place, tries, key, aside)
        return None

    def _end(self, script: str, job: Job, *args: str | int) -> Any:
        """Run a script that returns 0 if the job is not its worker's any more."""
        reply = self._run(script, job.worker, job.place, job.tries, job.key, *args)
        if reply == 0:
            raise LeaseLost(job)
        return reply

    def _run(self, script: str, worker: str = "", *args: str | int) -> Any:
        try:
            words = (GROUP, worker, round(self.lease * 1000), *args)
            return run_script(self.redis, script, self._keys, *words)
        except ResponseError as error:
            make_group(self.redis, self.stream, error)
            return self._run(script, worker, *args)

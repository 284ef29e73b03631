"""The reliable queue again, on a stream: here Redis knows which worker holds what, and since when.

XREADGROUP hands an entry out and writes down to whom; XACK ends that. XAUTOCLAIM takes over
what no worker has touched for a lease, and counts how often that happened.
"""

from __future__ import annotations

import time
from contextlib import suppress

from redis import Redis, ResponseError

from ._checks import check_name, check_queue, check_redis, check_seconds, check_text
from .commands import PAUSE, SLICE, as_text, readable, run_script
from .job import Job, KeyAlreadyUsed, LeaseLost, SetAside, new_key, sorted_aside
from .stream_claims import GROUP, late_entry, make_group, new_entry
from .stream_scripts import COUNTS, DONE, GIVE_BACK, PUT, RENEW, SET_ASIDE


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
        check_redis(redis)
        check_queue(name, lease, max_tries)
        self.redis, self.name, self.lease, self.max_tries = redis, name, lease, max_tries
        self.stream = f"stream-queue:{{{name}}}"
        self._keys = [self.stream, f"{self.stream}:keys", f"{self.stream}:aside"]

    def put(self, payload: str, key: str | None = None) -> str:
        """Queue a job and return its key; all as in `ReliableQueue.put`."""
        key = new_key() if key is None else key
        check_text("payload", payload)
        check_name("key", key)
        if as_text(run_script(self.redis, PUT, self._keys, key, payload)) != payload:
            raise KeyAlreadyUsed(key)
        return key

    def take(self, worker: str, timeout: float = 0.0) -> Job | None:
        """Return a job, now leased to `worker`, or None if none arrives within `timeout` s.

        Jobs whose lease has run out come first, oldest first, then new ones. If this
        raises, take again: a job that was on its way here comes back after `lease` seconds.
        """
        check_name("worker", worker)
        check_seconds("timeout", timeout)
        deadline = time.monotonic() + timeout
        while True:
            try:
                wait = min(deadline - time.monotonic(), SLICE)
                late = late_entry(self.redis, self.stream, worker, self._lease_ms())
                claimed = late or new_entry(self.redis, self.stream, worker, wait)
            except ResponseError as error:
                make_group(self.redis, self.stream, error)
                continue
            if claimed:
                job = self._job(worker, *claimed)
                if job:
                    return job
                continue
            left = deadline - time.monotonic()
            if left <= 0:
                return None
            time.sleep(min(PAUSE, left))

    def renew(self, job: Job) -> None:
        """Begin the lease anew. Raises LeaseLost if the job is not this worker's any more."""
        self._end(RENEW, job)

    def done(self, job: Job) -> None:
        """Remove a finished job. Raises LeaseLost if it is not this worker's any more."""
        self._end(DONE, job, job.key)

    def fail(self, job: Job, reason: str = "") -> None:
        """End the lease now, so that the job is next, or set it aside after its last try.

        Raises LeaseLost if it is not this worker's any more.
        """
        if job.tries < self.max_tries:
            self._end(GIVE_BACK, job, self._lease_ms())
        else:
            aside = SetAside(job.key, job.payload, job.tries, reason)
            self._end(SET_ASIDE, job, job.key, aside.to_json())

    def recover(self) -> int:
        """Return how many jobs have outlived their lease, 100 at most.

        There is nothing to put back: the next `take` claims them where they are.
        """
        try:
            lease = self._lease_ms()
            return len(self.redis.xpending_range(self.stream, GROUP, "-", "+", 100, idle=lease))
        except ResponseError as error:
            make_group(self.redis, self.stream, error)
            return 0

    def set_aside(self) -> list[SetAside]:
        """Return the jobs that were given up, by key. To try one again, put it again."""
        return sorted_aside(self.redis.hgetall(self._keys[2]))

    def counts(self) -> dict[str, int]:
        """Return how many jobs are waiting, held by a worker, and set aside, at one moment."""
        try:
            entries, held, aside = run_script(self.redis, COUNTS, self._keys, GROUP)
        except ResponseError as error:
            make_group(self.redis, self.stream, error)
            return self.counts()
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
        aside = SetAside(key, payload, tries - 1, reason)
        with suppress(LeaseLost):
            self._end(SET_ASIDE, Job(key, "", tries, worker, place), key, aside.to_json())
        return None

    def _end(self, script: str, job: Job, *args: str | int) -> None:
        mine = (GROUP, job.place, job.worker, job.tries)
        if not run_script(self.redis, script, self._keys, *mine, *args):
            raise LeaseLost(job)

    def _lease_ms(self) -> int:
        return round(self.lease * 1000)

"""The reliable queue again, on a stream: here Redis itself knows who holds what, and since when.

XREADGROUP hands an entry out and writes down to whom; XACK ends that. XAUTOCLAIM takes over
what nobody has touched for a lease, and counts how often that happened.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

from redis import Redis, ResponseError

from .commands import raw, run_script
from .job import (
    PAUSE,
    SLICE,
    IdAlreadyUsed,
    Job,
    LeaseLost,
    SetAside,
    as_text,
    check_name,
    check_queue,
    check_seconds,
    check_text,
    new_id,
    readable,
    sorted_aside,
)
from .stream_scripts import DONE, GIVE_BACK, PUT, RENEW, SET_ASIDE

GROUP = "workers"

Claimed = tuple[bytes, dict[bytes, bytes], int]  # entry, fields, try


class StreamQueue:
    """A queue on a Redis Stream with one consumer group: at least once.

    Guarantee: as for `ReliableQueue`. A job that was put is in the stream until it is
    finished or set aside. It is with one living worker at a time, unless that worker let
    `lease` seconds pass without a word. Make its effect happen once by storing `job.id`
    with it. Here the lease belongs to the job, not to the worker: what a worker held when
    it died waits for the lease to run out even if the worker is back before. Redis 7.
    """

    def __init__(self, redis: Redis, name: str, *, lease: float = 30.0, max_tries: int = 5) -> None:
        check_queue(name, lease, max_tries)
        self.redis, self.name, self.lease, self.max_tries = redis, name, lease, max_tries
        self.stream = f"stream-queue:{{{name}}}"
        self._keys = [self.stream, f"{self.stream}:ids", f"{self.stream}:aside"]

    def put(self, payload: str, id: str | None = None) -> str:
        """Queue a job and return its id; all as in `ReliableQueue.put`."""
        id = new_id() if id is None else id
        check_text("payload", payload)
        check_name("id", id)
        if as_text(run_script(self.redis, PUT, self._keys, id, payload)) != payload:
            raise IdAlreadyUsed(id)
        return id

    def take(self, worker: str, timeout: float = 0.0) -> Job | None:
        """Return a job, now leased to `worker`; None after `timeout` seconds without.

        Jobs whose lease has run out come first, oldest first, then new ones. If this
        raises, take again: a job that was on its way here comes back after `lease` seconds.
        """
        check_name("worker", worker)
        check_seconds("timeout", timeout)
        deadline = time.monotonic() + timeout
        while True:
            try:
                wait = min(deadline - time.monotonic(), SLICE)
                claimed = self._late(worker) or self._next(worker, wait)
            except ResponseError as error:
                self._make_group(error)
                continue
            if claimed:
                job = self._judge(worker, *claimed)
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
        self._end(DONE, job, job.id)

    def fail(self, job: Job, reason: str = "") -> None:
        """End the lease now, so that the job is next, or set it aside after its last try.

        Raises LeaseLost if it is not this worker's any more.
        """
        if job.tries < self.max_tries:
            self._end(GIVE_BACK, job, self._lease_ms())
        else:
            aside = SetAside(job.id, job.payload, job.tries, reason)
            self._end(SET_ASIDE, job, job.id, aside.to_json())

    def recover(self) -> int:
        """Return how many jobs have outlived their lease, 100 at most.

        There is nothing to put back: the next `take` claims them where they are.
        """
        try:
            lease = self._lease_ms()
            return len(self.redis.xpending_range(self.stream, GROUP, "-", "+", 100, idle=lease))
        except ResponseError as error:
            self._make_group(error)
            return 0

    def set_aside(self) -> list[SetAside]:
        """Return the jobs that were given up, by id. To try one again, put it again."""
        return sorted_aside(self.redis.hgetall(self._keys[2]))

    def counts(self) -> dict[str, int]:
        """Return how many jobs are waiting, held by a worker, and set aside, at one moment."""
        pipe = self.redis.pipeline(transaction=True)
        pipe.xlen(self.stream)
        pipe.xpending(self.stream, GROUP)
        pipe.hlen(self._keys[2])
        try:
            entries, pending, aside = pipe.execute()
        except ResponseError as error:
            self._make_group(error)
            return self.counts()
        held = pending["pending"]
        return {"waiting": entries - held, "held": held, "aside": aside}

    def _late(self, worker: str) -> Claimed | None:
        """Claim the first entry whose lease has run out; Redis counts the try."""
        lease, start = self._lease_ms(), "0-0"
        while True:
            claim = ("XAUTOCLAIM", self.stream, GROUP, worker, lease, start, "COUNT", 1)
            following, entries, *_ = raw(self.redis, *claim)
            for entry, fields in entries:
                held: Any = self.redis.xpending_range(self.stream, GROUP, entry, entry, 1)
                if held and readable(held[0]["consumer"]) == worker:
                    return entry, fields, int(held[0]["times_delivered"])
            start = readable(following)
            if start == "0-0":
                return None

    def _next(self, worker: str, wait: float) -> Claimed | None:
        """Take the first entry that nobody has had, waiting for one up to `wait` seconds."""
        block = ("BLOCK", max(1, round(wait * 1000))) if wait > 0 else ()
        read = ("XREADGROUP", "GROUP", GROUP, worker, "COUNT", 1, *block)
        found = raw(self.redis, *read, "STREAMS", self.stream, ">")
        if not found:
            return None
        [(_, [(entry, fields)])] = found
        return entry, fields, 1

    def _judge(
        self, worker: str, entry: bytes, fields: dict[bytes, bytes], tries: int
    ) -> Job | None:
        """Return the job that was claimed, or set it aside and return None."""
        id, payload = as_text(fields.get(b"id")), as_text(fields.get(b"payload"))
        place = readable(entry)
        if id is not None and payload is not None and tries <= self.max_tries:
            return Job(id, payload, tries, worker, place)
        reason = f"handed out {tries - 1} times, and never finished"
        if id is None or payload is None:
            id, reason = f"entry {place}", "without id or payload: another program added it"
        aside = SetAside(id, payload, tries - 1, reason)
        with suppress(LeaseLost):
            self._end(SET_ASIDE, Job(id, "", tries, worker, place), id, aside.to_json())
        return None

    def _end(self, script: str, job: Job, *args: str | int) -> None:
        mine = (GROUP, job.place, job.worker, job.tries)
        if not run_script(self.redis, script, self._keys, *mine, *args):
            raise LeaseLost(job)

    def _make_group(self, error: ResponseError) -> None:
        """Make the consumer group if that is what was missing; otherwise raise the error."""
        if "NOGROUP" not in str(error):
            raise error
        try:
            self.redis.xgroup_create(self.stream, GROUP, id="0", mkstream=True)
        except ResponseError as made:
            if "BUSYGROUP" not in str(made):  # somebody else made it: as good
                raise

    def _lease_ms(self) -> int:
        return round(self.lease * 1000)

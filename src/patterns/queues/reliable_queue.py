"""A queue that survives its workers: a list for each, a lease, and a limit on tries.

The pending lists are from David Wolever, "Common messaging patterns implemented with Redis"
(2016). What the post leaves open is added: how a failure is detected (a lease), how jobs are put
back (one LMOVE each), how a job that kills its workers is stopped (a limit on tries).
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from typing import Any

from redis import Redis

from . import list_scripts as scripts
from ._checks import check_name, check_queue, check_seconds
from .commands import PAUSE, as_text, raw, readable, run_script, slice_of
from .job import Job, LeaseLost, SetAside, aside_json, put_jobs, sorted_aside


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
        check_queue(redis, name, lease, max_tries)
        self.redis, self.name, self.lease, self.max_tries = redis, name, lease, max_tries
        self.waiting = f"queue:{{{name}}}"

    def put(self, payload: str, key: str | None = None) -> str:
        """Queue a job and return its key, in one step; without a key it gets a new one.

        If this raises, put again with the same `key`: as long as the job is not finished, it
        is queued once. Raises KeyAlreadyUsed if that key has another payload.
        """
        key = uuid.uuid4().hex if key is None else key
        put_jobs(self.redis, scripts.PUT, self._keys(), [(key, payload)])
        return key

    def put_many(self, jobs: Mapping[str, str]) -> None:
        """Queue jobs, payloads by key, in their order: a thousand in each step.

        If this raises, put them all again. KeyAlreadyUsed: those before that key are queued.
        """
        put_jobs(self.redis, scripts.PUT, self._keys(), [*jobs.items()])

    def take(self, worker: str, timeout: float = 0.0) -> Job | None:
        """Return the oldest job, leased to `worker`, or None if none arrives within `timeout` s.

        If this raises, take again: a job that was on its way to this worker, or that it
        held when it died under this name, comes first. Jobs without a payload, and jobs
        handed out `max_tries` times already, are set aside on the way.
        """
        check_name("worker", worker)
        check_seconds("timeout", timeout)
        ends = (self.waiting, self._key(f"pending:{worker}"), "RIGHT", "LEFT")
        deadline = time.monotonic() + timeout
        while True:
            claimed = self._run(scripts.CLAIM, worker)
            left = deadline - time.monotonic()
            if claimed:
                if job := self._job(worker, *claimed):
                    return job
            elif left <= 0:
                return None
            # what BLMOVE returns is only a hint: the job is in our list, and CLAIM finds it
            elif raw(self.redis, "BLMOVE", *ends, max(0.001, slice_of(left, self.redis))) is None:
                time.sleep(max(0.0, min(PAUSE, deadline - time.monotonic())))

    def renew(self, job: Job) -> None:
        """Begin the lease anew. Raises LeaseLost if the job is not this worker's any more."""
        self._end(scripts.RENEW, job)

    def done(self, job: Job, *, take_next: bool = False) -> Job | None:
        """Remove a finished job; `take_next`: take the oldest for its worker in the same step.

        Raises LeaseLost, and takes none, if the job is not this worker's any more. If this
        raises anything else, take: as there, a job that was on its way comes first.
        """
        claimed = self._end(scripts.DONE_AND_CLAIM if take_next else scripts.DONE, job)
        if not take_next or not claimed:
            return None
        return self._job(job.worker, *claimed) or self.take(job.worker)

    def fail(self, job: Job, reason: str = "") -> None:
        """Give a job back, to the end of the line, or set it aside; raises LeaseLost as `done`."""
        if job.tries < self.max_tries:
            self._end(scripts.GIVE_BACK, job)
        else:
            self._end(scripts.SET_ASIDE, job, aside_json(job.payload, job.tries, reason))

    def recover(self) -> int:
        """Put back the jobs of all workers whose lease has run out; return how many.

        Anybody may call this at any time. Each worker is one step; each job one LMOVE.
        """
        workers = sorted(map(readable, self.redis.smembers(self._key("workers"))))
        return sum(self._run(scripts.RECOVER, worker) for worker in workers)

    def set_aside(self) -> list[SetAside]:
        """Return the jobs that were given up, by key. To try one again, put it again."""
        return sorted_aside(raw(self.redis, "HGETALL", self._key("aside")))

    def counts(self) -> dict[str, int]:
        """Return how many jobs are waiting, held by a worker, and set aside, at one moment."""
        waiting, jobs, aside = self._run(scripts.COUNTS)
        return {"waiting": waiting, "held": max(0, jobs - waiting), "aside": aside}

    def _job(self, worker: str, key: bytes, payload: bytes | None, tries: int) -> Job | None:
        """Return the job that was claimed, or set it aside and return None."""
        name, text = as_text(key), as_text(payload)
        if name is not None and text is not None and tries <= self.max_tries:
            return Job(name, text, tries, worker)
        reason = f"handed out {tries - 1} times, and never finished"
        if name is None or text is None:
            reason = "without a payload: another program queued it"
        self._run(scripts.SET_ASIDE, worker, key, tries, aside_json(text, tries - 1, reason))
        return None

    def _end(self, script: str, job: Job, *args: str) -> Any:
        """Run a script that returns 0 if the job is not its worker's any more."""
        reply = self._run(script, job.worker, job.key, job.tries, *args)
        if reply == 0:
            raise LeaseLost(job)
        return reply

    def _run(self, script: str, worker: str = "", *args: str | bytes | int) -> Any:
        words = (worker, round(self.lease * 1000), *args)
        return run_script(self.redis, script, self._keys(worker), *words)

    def _keys(self, worker: str = "") -> list[str]:
        own = (f"pending:{worker}", "jobs", "tries", "workers", f"alive:{worker}", "aside")
        return [self.waiting, *map(self._key, own)]

    def _key(self, part: str) -> str:
        return f"{self.waiting}:{part}"

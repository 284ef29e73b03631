"""What goes into a queue and comes out of it, and what can be wrong with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from redis import Redis

from ._checks import check_name, check_text
from .commands import readable, run_script


@dataclass(frozen=True)
class Job:
    """One job in the hands of one worker.

    `key` stays the same however often the job is handed out: store it with the job's effect,
    and the effect happens once. `tries` says how often that was, this time included.
    """

    key: str
    payload: str
    tries: int
    worker: str
    place: str = field(default="", repr=False)  # the entry's id, for a job from a stream


@dataclass(frozen=True)
class SetAside:
    """A job that was given up; `payload` is None if another program queued a key without one."""

    key: str
    payload: str | None
    tries: int
    reason: str


class LeaseLost(Exception):
    """The job is not this worker's any more: it is finished, or its lease ran out."""

    def __init__(self, job: Job) -> None:
        super().__init__(job)
        self.job = job

    def __str__(self) -> str:
        what = f"job {self.job.key!r} is not with {self.job.worker!r} (try {self.job.tries}) any "
        return what + "more: it is finished, or the lease ran out and the job was handed on"


class KeyAlreadyUsed(ValueError):
    """A key names one job; here it was given to a second, different one."""

    def __init__(self, key: str) -> None:
        super().__init__(key)
        self.key = key

    def __str__(self) -> str:
        return f"key {self.key!r} names a job that is queued with another payload"


def put_jobs(redis: Redis, script: str, keys: list[str], jobs: list[tuple[str, str]]) -> None:
    """Queue jobs, (key, payload) each, with the script PUT, a thousand in each step."""
    for key, payload in jobs:
        check_text("payload", payload)
        check_name("key", key)
    for begin in range(0, len(jobs), 1000):
        words = [word for job in jobs[begin : begin + 1000] for word in job]
        used = run_script(redis, script, keys, *words)
        if used is not None:
            raise KeyAlreadyUsed(readable(used))


def aside_json(payload: str | None, tries: int, reason: str) -> str:
    """Return what is kept of a job that is set aside, under its key, as ASCII."""
    return json.dumps({"payload": payload, "tries": tries, "reason": reason})


def sorted_aside(found: dict[Any, Any]) -> list[SetAside]:
    """Return the jobs whose `aside_json` is in a hash, by key."""
    return [SetAside(readable(key), **json.loads(text)) for key, text in sorted(found.items())]

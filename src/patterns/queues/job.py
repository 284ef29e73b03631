"""What goes into a queue and comes out of it, and what can be wrong with it."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from .commands import readable


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

    def to_json(self) -> str:
        """Return all but the key, as ASCII."""
        return json.dumps({"payload": self.payload, "tries": self.tries, "reason": self.reason})


class LeaseLost(Exception):
    """The job is not this worker's any more: it is finished, or its lease ran out."""

    def __init__(self, job: Job) -> None:
        super().__init__(
            f"job {job.key!r} is not with {job.worker!r} (try {job.tries}) any more: "
            "it is finished, or the lease ran out and the job was handed on"
        )
        self.job = job


class KeyAlreadyUsed(ValueError):
    """A key names one job; here it was given to a second, different one."""

    def __init__(self, key: str) -> None:
        super().__init__(f"key {key!r} names a job that is queued with another payload")
        self.key = key


def new_key() -> str:
    """Return a key that no other job has."""
    return uuid.uuid4().hex


def sorted_aside(found: dict[Any, Any]) -> list[SetAside]:
    """Return the jobs whose `SetAside.to_json` is in a hash, by key."""
    return [SetAside(readable(key), **json.loads(text)) for key, text in sorted(found.items())]

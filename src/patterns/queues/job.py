"""What goes into a queue and comes out of it, and what a queue refuses."""

from __future__ import annotations

import json
import math
import uuid
from dataclasses import dataclass, field
from typing import Any

PAUSE = 0.01  # seconds until we look again where a server answers at once instead of waiting
SLICE = 1.0  # seconds that one blocking command waits at most, less than any socket time-out


@dataclass(frozen=True)
class Job:
    """One job in the hands of one worker.

    `id` stays the same however often the job is handed out: use it as the idempotency
    key of the effect. `tries` says how often that was, this time included.
    """

    id: str
    payload: str
    tries: int
    worker: str
    place: str = field(default="", repr=False)  # the entry's id, for a job from a stream


@dataclass(frozen=True)
class SetAside:
    """A job that was given up; `payload` is None if another program queued an id without one."""

    id: str
    payload: str | None
    tries: int
    reason: str

    def to_json(self) -> str:
        """Return all but the id, as ASCII."""
        return json.dumps({"payload": self.payload, "tries": self.tries, "reason": self.reason})


class LeaseLost(Exception):
    """The job is not this worker's any more: it is finished, or its lease ran out."""

    def __init__(self, job: Job) -> None:
        super().__init__(
            f"job {job.id!r} is not with {job.worker!r} (try {job.tries}) any more: "
            "it is finished, or the lease ran out and the job was handed on"
        )
        self.job = job


class IdAlreadyUsed(ValueError):
    """An id names one job; here it was given to a second, different one."""

    def __init__(self, id: str) -> None:
        super().__init__(f"id {id!r} names a job that is queued with another payload")
        self.id = id


def new_id() -> str:
    """Return an id that no other job has."""
    return uuid.uuid4().hex


def sorted_aside(found: dict[Any, Any]) -> list[SetAside]:
    """Return the jobs whose `SetAside.to_json` is in a hash, by id."""
    return [SetAside(readable(id), **json.loads(text)) for id, text in sorted(found.items())]


def as_text(raw: str | bytes | None) -> str | None:
    """Return what Redis sent as str; None for nothing, or for what is not UTF-8."""
    try:
        return raw.decode() if isinstance(raw, bytes) else raw
    except UnicodeDecodeError:
        return None


def readable(raw: str | bytes) -> str:
    """Return any bytes as text that shows what is in them."""
    return raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw


def check_queue(name: str, lease: float, max_tries: int) -> None:
    """Raise unless a queue can be called this, with this lease and this limit on tries."""
    check_name("name", name)
    if "{" in name or "}" in name:
        raise ValueError(f"name must not contain braces, which mark our Redis hash tag: {name!r}")
    check_seconds("lease", lease)
    if lease < 0.001:
        raise ValueError(f"lease must be a millisecond or more, not {lease} s")
    if isinstance(max_tries, bool) or not isinstance(max_tries, int):
        raise TypeError(f"max_tries must be a whole number, not {type(max_tries).__name__}")
    if max_tries < 1:
        raise ValueError(f"max_tries must be 1 or more, not {max_tries}")


def check_name(what: str, value: str) -> None:
    """Raise unless the value is a str of 1 to 200 characters that UTF-8 can encode."""
    check_text(what, value)
    if not 1 <= len(value) <= 200:
        raise ValueError(f"{what} must have 1 to 200 characters, not {len(value)}")


def check_text(what: str, value: str) -> None:
    """Raise unless the value is a str that UTF-8 can encode; Redis stores any such exactly."""
    if not isinstance(value, str):
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError(f"{what} contains a lone surrogate, which UTF-8 cannot encode")


def check_seconds(what: str, value: float) -> None:
    """Raise unless the value is a number of seconds that somebody can wait."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} must be a number of seconds, not {type(value).__name__}")
    if not 0 <= value <= 1e9 or math.isnan(value):
        raise ValueError(f"{what} must be 0 to 1e9 seconds, not {value}")

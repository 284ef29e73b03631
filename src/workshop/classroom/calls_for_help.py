"""A call for help: exactly one helper has it, and it comes back if they forget it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis

from patterns.queues import Job, LeaseLost, ReliableQueue
from workshop.classroom.opening import digest_of
from workshop.classroom.problems import Problem
from workshop.classroom.rooms import LEASE, help_queue


def ask(redis: Redis, learner: str, name: str, text: str, key: str) -> str:
    """Call for help, once for each key, and return the call's name."""
    call = digest_of(learner, key)[:16]
    said = json.dumps({"learner": learner, "name": name, "text": text})
    help_queue(redis).put(said, key=call)
    return call


def take(redis: Redis, helper: str, lease: float = LEASE) -> dict[str, Any] | None:
    """Return the call that the helper has, or the oldest that waits; None if there is none.

    Guarantee: no other living helper has it, until this one lets `lease` seconds pass without
    a word, finishes it or gives it back.
    """
    queue = help_queue(redis, lease)
    queue.recover()
    job = _held(queue, helper) or queue.take(helper)
    if job is None:
        return None
    return {"call": f"{job.key}-{job.tries}", "lease": lease, **json.loads(job.payload)}


def _held(queue: ReliableQueue, helper: str) -> Job | None:
    """The call that the helper has, with a new lease: to ask for it again is no other try."""
    key = queue.redis.lindex(f"{queue.waiting}:pending:{helper}", -1)
    if key is None:
        return None
    with queue.redis.pipeline() as together:
        together.hget(f"{queue.waiting}:jobs", str(key))
        together.hget(f"{queue.waiting}:tries", str(key))
        payload, tries = together.execute()
    if payload is None or tries is None:  # finished meanwhile, or another program put it there
        return None
    job = Job(str(key), payload, int(tries), helper)
    try:
        queue.renew(job)
    except LeaseLost:  # it was handed on meanwhile
        return None
    return job


def renew(redis: Redis, helper: str, call: str, lease: float = LEASE) -> None:
    """Keep the call for another `lease` seconds; Problem 409 if it is not the helper's any more."""
    with _told():
        help_queue(redis, lease).renew(_job(helper, call))


def finish(redis: Redis, helper: str, call: str) -> None:
    """Take the call off the list; once more is no error. Problem 409 if it was handed on."""
    queue, job = help_queue(redis), _job(helper, call)
    with _told():
        try:
            queue.done(job)
        except LeaseLost:
            if redis.hexists(f"{queue.waiting}:jobs", job.key):
                raise


def give_back(redis: Redis, helper: str, call: str) -> None:
    """Put the call at the end of the line; Problem 409 if it is not the helper's any more."""
    with _told():
        help_queue(redis).fail(_job(helper, call))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except LeaseLost:
        raise Problem(409, "this call is not yours any more: it was handed on") from None


def _job(helper: str, call: str) -> Job:
    """The job that a call handed out to a helper names; a try that it has not had fits none."""
    key, _, tries = call.rpartition("-")
    return Job(key, "", int(tries), helper)

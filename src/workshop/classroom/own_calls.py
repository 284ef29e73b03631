"""A learner's own call for help: one at a time, and where it stands."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

from redis import Redis

from patterns.queues import KeyAlreadyUsed
from workshop.classroom import calls_for_help
from workshop.classroom.opening import digest_of
from workshop.classroom.rooms import help_queue

LAST = "class:finished-calls"  # each learner's last call that was finished


def ask(redis: Redis, learner: str, name: str, text: str) -> str:
    """Call for help and return the call's name, which is the open one's if there is one.

    The name follows from the learner's last finished call. So two at once have the same, and
    the list of calls takes one of them.
    """
    key = str(redis.hget(LAST, learner) or "")
    with suppress(KeyAlreadyUsed):  # with other words
        return calls_for_help.ask(redis, learner, name, text, key)
    return digest_of(learner, key)[:16]


def finish(redis: Redis, helper: str, call: str) -> None:
    """Take the call off the list, as `calls_for_help.finish` does; its learner may call again."""
    key = call.rpartition("-")[0]
    payload: Any = redis.hget(f"{help_queue(redis).waiting}:jobs", key)
    calls_for_help.finish(redis, helper, call)
    if payload is not None:
        redis.hset(LAST, json.loads(payload)["learner"], key)


def standing(redis: Redis) -> dict[str, dict[str, Any]]:
    """Each learner's open call: how many are before it, and the id of the helper who has it."""
    queue = help_queue(redis)
    with redis.pipeline() as together:
        together.hgetall(f"{queue.waiting}:jobs")
        together.lrange(queue.waiting, 0, -1)  # the oldest is the last
        together.smembers(f"{queue.waiting}:workers")
        jobs, line, workers = together.execute()
    if not jobs:
        return {}
    helpers = sorted(workers)
    with redis.pipeline() as together:
        for helper in helpers:
            together.lrange(f"{queue.waiting}:pending:{helper}", 0, -1)
        pending = zip(helpers, together.execute(), strict=True)
    held = {key: helper for helper, keys in pending for key in keys}
    before = {key: place for place, key in enumerate(reversed(line))}
    return {
        json.loads(payload)["learner"]: {
            "before": 0 if key in held else before.get(key, 0),
            "helper": held.get(key, ""),
        }
        for key, payload in jobs.items()
    }

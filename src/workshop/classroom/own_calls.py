"""A learner's own call for help: one at a time, and where it stands."""

from __future__ import annotations

import json
from typing import Any

from redis import Redis, WatchError

from patterns.queues.list_scripts import PUT
from workshop.classroom.opening import digest_of
from workshop.classroom.rooms import help_queue


def ask(redis: Redis, learner: str, name: str, text: str) -> str:
    """Call for help and return the call's name, which is the open one's if there is one.

    Whether a learner's last call is open, the list of calls knows. A new one is put there and
    noted as the last one in one step. So there is nothing to note when a call is finished.
    """
    queue, last = help_queue(redis), f"class:last-call:{learner}"
    said = json.dumps({"learner": learner, "name": name, "text": text})
    while True:
        with redis.pipeline() as once:
            try:
                once.watch(last)  # type: ignore[no-untyped-call]
                call = str(once.get(last) or "")
                if call and once.hexists(f"{queue.waiting}:jobs", call):
                    return call
                call = digest_of(learner, call)[:16]
                once.multi()
                once.set(last, call)
                once.eval(PUT, 7, *queue._keys(), call, said)
                once.execute()
                return call
            except WatchError:  # two at once, or a lost reply: look again
                continue


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

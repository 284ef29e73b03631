"""A write that is repeated under the same key gets the answer that it got the first time.

The first request that comes with a key has it, before anything of it is written: another one under
that key is refused. Each write is safe to repeat by itself, so that a crash between the write and
the keeping of its answer costs nothing; what is kept here makes the repeated answer the same.
"""

from __future__ import annotations

import json
import re
from typing import Any

from redis import Redis

from workshop.classroom.opening import digest_of
from workshop.classroom.problems import Problem

KEPT = 24 * 3600  # seconds
USED = "this Idempotency-Key was used for another request; take a new one"
_KEY = re.compile(r'"?([A-Za-z0-9_.:-]{8,64})"?')
Answer = tuple[int, Any]  # status, body


def key_in(header: str | None) -> str:
    """The key in the header Idempotency-Key; Problem 400 if there is none."""
    found = _KEY.fullmatch(header or "")
    if found is None:
        raise Problem(400, "Idempotency-Key: a new one for each write, 8 to 64 of A-Z a-z 0-9 _.:-")
    return found[1]


def claim(redis: Redis, user: str, key: str, request: str) -> Answer | None:
    """Give the key of this user to the request; return the answer that it got before, if any.

    A request that had the key already, and has no answer, is being done by another server or
    thread, or was when that one died: it is to be done again. Problem 422 for another request.
    """
    place, digest = _place(user, key), digest_of(request)
    with redis.pipeline() as once:
        once.hsetnx(place, "request", digest)
        once.expire(place, KEPT)
        once.hmget(place, "request", "answer")
        has_it, answer = once.execute()[-1]
    if has_it != digest:
        raise Problem(422, USED)
    return None if answer is None else _read(answer)


def keep(redis: Redis, user: str, key: str, answer: Answer) -> Answer:
    """Keep the answer to the request that has the key; return it, or the one that is kept."""
    place = _place(user, key)
    with redis.pipeline() as once:
        once.hsetnx(place, "answer", json.dumps(answer))
        once.expire(place, KEPT)  # where the class was erased meanwhile, this is a new one
        once.hget(place, "answer")
        return _read(once.execute()[-1])


def _read(text: str) -> Answer:
    status, body = json.loads(text)
    return status, body


def _place(user: str, key: str) -> str:
    return f"class:write:{digest_of(user, key)}"

"""A write that is repeated under the same key gets the answer that it got the first time.

Each write is safe to repeat by itself, so that a crash between the write and the keeping of its
answer costs nothing; what is kept here makes the repeated answer the same.
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


def answered(redis: Redis, user: str, key: str, request: str) -> Answer | None:
    """The answer that this user's key got; Problem 422 if that was another request."""
    text = redis.get(_place(user, key))
    return None if text is None else _read(str(text), request)


def keep(redis: Redis, user: str, key: str, request: str, answer: Answer) -> Answer:
    """Keep the answer and return it, or the one that is kept already."""
    text = json.dumps([digest_of(request), *answer])
    kept = redis.set(_place(user, key), text, nx=True, ex=KEPT, get=True)
    return answer if kept is None else _read(str(kept), request)


def _read(text: str, request: str) -> Answer:
    digest, status, body = json.loads(text)
    if digest != digest_of(request):
        raise Problem(422, USED)
    return status, body


def _place(user: str, key: str) -> str:
    return f"class:answer:{digest_of(user, key)}"

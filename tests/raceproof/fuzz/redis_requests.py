"""Requests to Redis as bytes and as words, and which would be answered at once.

When a blocking command would be answered at once is written down here in plain words of what
is stored; the command itself is then really sent.
"""

from __future__ import annotations

from typing import Any

import redis

_POPS = ("BLPOP", "BRPOP", "BZPOPMIN", "BZPOPMAX")
_MOVES = ("BLMOVE", "BRPOPLPUSH")
_MANY = ("BLMPOP", "BZMPOP")


def parsed(packed: bytes) -> list[list[bytes]]:
    """Return the requests in what redis-py sends."""
    at, requests = 0, []

    def number() -> int:
        nonlocal at
        end = packed.index(b"\r\n", at)
        found, at = int(packed[at + 1 : end]), end + 2
        return found

    while at < len(packed):
        words = []
        for _ in range(number()):
            length = number()
            words.append(packed[at : at + length])
            at += length + 2
        requests.append(words)
    return requests


def packed_words(words: list[bytes]) -> bytes:
    parts = [b"$%d\r\n%s\r\n" % (len(word), word) for word in words]
    return b"*%d\r\n%s" % (len(words), b"".join(parts))


def blocks(words: list[bytes]) -> float | None:
    """Return for how many seconds a command waits (0: for ever), None if it never does."""
    name = words[0].decode().upper()
    if name in _POPS or name in _MOVES:
        return float(words[-1])
    if name in _MANY:
        return float(words[1])
    if name in ("XREAD", "XREADGROUP"):
        upper = [word.upper() for word in words[: words.index(b"STREAMS")]]
        return float(words[upper.index(b"BLOCK") + 1]) / 1000 if b"BLOCK" in upper else None
    return None


def would_answer(r: redis.Redis, words: list[bytes]) -> bool:
    """Whether the server would answer a blocking command at once; `r` only looks.

    A list, set or hash that exists is never empty; a key of another kind is an error at once.
    """
    name = words[0].decode().upper()
    if name in _POPS:
        return bool(r.exists(*words[1:-1]))
    if name in _MOVES:
        return bool(r.exists(words[1]))
    if name in _MANY:
        return bool(r.exists(*words[3 : 3 + int(words[2])]))
    after = words[words.index(b"STREAMS") + 1 :]
    pairs = zip(after[: len(after) // 2], after[len(after) // 2 :], strict=True)
    if name == "XREAD":
        return any(_newer(r, key, start) for key, start in pairs)
    return any(start != b">" or _undelivered(r, key, words[2]) for key, start in pairs)


def _newer(r: redis.Redis, key: bytes, start: bytes) -> bool:
    if r.type(key) not in ("stream", "none", b"stream", b"none"):
        return True
    return bool(r.xrange(key, min=b"(" + start if b"-" in start else b"(" + start + b"-0", count=1))


def _undelivered(r: redis.Redis, key: bytes, group: bytes) -> bool:
    try:
        groups = {words_of(g["name"]): g for g in r.xinfo_groups(key)}
    except redis.ResponseError:
        return True
    if words_of(group) not in groups:
        return True
    last = words_of(groups[words_of(group)]["last-delivered-id"])
    return bool(r.xrange(key, min=f"({last}", count=1))


def last_id(r: redis.Redis, key: bytes) -> bytes:
    """Return the last id that a stream has given; 0-0, if there is no stream."""
    try:
        return words_of(r.xinfo_stream(key)["last-generated-id"]).encode()
    except redis.ResponseError:
        return b"0-0"


def words_of(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)

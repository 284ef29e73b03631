"""What a notice board refuses, before anything is written: clients, names, keys, times."""

from __future__ import annotations

import math
import re
from typing import Any

LONGEST_NAME = 200  # bytes of UTF-8
LONGEST_TIME = 10**8  # seconds; about three years
VERSION = re.compile(r"[1-9]\d{0,18}-[0-9a-f]{16}")
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_CONTROL = re.compile(r"[\0-\x1f\x7f\ud800-\udfff]")


def check_redis(redis: Any, *, is_async: bool) -> None:
    """Raise unless this is a client of Redis of the right kind, and decodes replies."""
    other = hasattr(redis, "__aenter__") is not is_async or hasattr(redis, "execute")  # a pipeline
    if other or not hasattr(redis, "get_connection_kwargs"):
        wanted = "an asyncio client, redis.asyncio" if is_async else "a blocking client, redis"
        raise TypeError(f"redis must be {wanted}.Redis(…), not {type(redis)}")
    if getattr(redis, "read_from_replicas", 0) or getattr(redis, "load_balancing_strategy", 0):
        raise ValueError("redis must not read from a cluster's replicas, which may be behind")
    if not redis.get_connection_kwargs().get("decode_responses"):
        raise ValueError("redis must decode: make it with Redis(…, decode_responses=True)")


def check_name(name: str) -> None:
    """Raise unless a board can have this name: 1 to 200 bytes, no braces or control characters."""
    if not isinstance(name, str) or str(name) != name:  # an Enum has two texts
        raise TypeError(f"name must be a str, not {type(name).__name__}")
    if _CONTROL.search(name) or "{" in name or "}" in name:
        raise ValueError("name must not hold braces, control characters or lone surrogates")
    if not 1 <= len(name.encode()) <= LONGEST_NAME:
        raise ValueError(f"name must have 1 to {LONGEST_NAME} bytes, not {len(name.encode())}")


def check_key(key: str) -> None:
    """Raise unless this can name a post: 1 to 64 letters, digits, '_', '.' or '-'."""
    if not isinstance(key, str) or str(key) != key:  # an Enum has two texts
        raise TypeError(f"key must be a str, not {type(key).__name__}")
    if not _KEY.fullmatch(key):
        raise ValueError("key must be 1 to 64 letters, digits, '_', '.' or '-'")


def check_version(after: str | None, timeout: float = 0) -> None:
    """Raise unless a watcher can wait, so long or for ever, after this version; None: the first."""
    _check_seconds("timeout", timeout)
    if after is not None and not isinstance(after, str):
        raise TypeError(f"after must be a version or None, not {type(after).__name__}")
    if after is not None and not VERSION.fullmatch(after):
        raise ValueError("after must be a notice's version, such as '7-3f9a0c4418d2e6b5'")


def check_poll(poll: float) -> None:
    """Raise unless a watcher can look again each `poll` seconds."""
    _check_seconds("poll", poll, 0.001, LONGEST_TIME)


def to_milliseconds(expire: float | None) -> str:
    """Return a script's argument for an expiry ('' for None, never); raise unless it can be."""
    if expire is None:
        return ""
    _check_seconds("expire", expire, 0.001, LONGEST_TIME)
    return str(math.ceil(expire * 1000))


def _check_seconds(what: str, value: float, least: float = 0, most: float = math.inf) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} must be seconds, not {type(value).__name__}")
    if not least <= value <= most:  # nor is NaN
        raise ValueError(f"{what} must be {least:g} to {most:g} seconds, not {value}")

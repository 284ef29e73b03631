"""One command, with its reply as Redis sent it, and what to make of that."""

from __future__ import annotations

import hashlib
from typing import Any

from redis import Redis
from redis.client import NEVER_DECODE
from redis.exceptions import NoScriptError

PAUSE = 0.01  # seconds until we look again where a server answers at once instead of waiting
SLICE = 1.0  # seconds that one blocking command waits at most


def raw(redis: Redis, *args: str | bytes | float) -> Any:
    """Send one command; the reply stays bytes, as what other programs queued may not be UTF-8."""
    return redis.execute_command(*args, **{NEVER_DECODE: True})  # type: ignore[no-untyped-call]


def slice_of(left: float, redis: Redis) -> float:
    """Return how long one command may wait: SLICE, or half of a socket time-out that is short."""
    timeout = redis.get_connection_kwargs().get("socket_timeout") or 2 * SLICE
    return min(left, SLICE, timeout / 2)


def run_script(redis: Redis, script: str, keys: list[str], *args: str | bytes | float) -> Any:
    """Run a Lua script, which Redis does as one step; a server that knows it is sent its hash."""
    known_as = hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()
    try:
        return raw(redis, "EVALSHA", known_as, len(keys), *keys, *args)
    except NoScriptError:
        return raw(redis, "EVAL", script, len(keys), *keys, *args)


def as_text(raw: str | bytes | None) -> str | None:
    """Return what Redis sent as str; None for nothing, or for what is not UTF-8."""
    try:
        return raw.decode() if isinstance(raw, bytes) else raw
    except UnicodeDecodeError:
        return None


def readable(raw: str | bytes) -> str:
    """Return any bytes as text that shows what is in them."""
    return raw.decode("utf-8", "backslashreplace") if isinstance(raw, bytes) else raw

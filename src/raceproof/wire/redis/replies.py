"""Replies of Redis in words."""

from __future__ import annotations

from typing import Any

import redis

from raceproof.trace.command_text import reply_text
from raceproof.wire.redis.commands import Args, name_of


def words_of_reply(client: redis.Redis, args: Args, value: Any) -> str:
    """Return a reply as the client will see it, as far as redis-py can tell without options."""
    value = as_text(value)
    callbacks: Any = client.response_callbacks
    callback = callbacks.get(name_of(args))
    if callback is not None and not isinstance(value, Exception):
        try:
            value = callback(value)
        except Exception:  # it wants to know how it was asked
            return reply_text(value)
    return reply_text(value)


def as_text(value: Any) -> Any:
    """Return a reply with its bytes as text."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, list):
        return [as_text(item) for item in value]
    if isinstance(value, dict):
        return {as_text(key): as_text(item) for key, item in value.items()}
    return value

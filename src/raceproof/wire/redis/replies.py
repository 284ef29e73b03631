"""Replies of Redis: in words, and without what is of this machine."""

from __future__ import annotations

import re
from typing import Any

import redis

from raceproof.trace.command_text import reply_text
from raceproof.wire.redis.commands import Args, name_of

_STAYS = re.compile(
    rb"(?:^|(?<= ))(?:(?:redis_version|valkey_version|server_name|redis_mode):[^\r]*"
    rb"|(?:name|db|user|resp)=[^ \r\n]*)",
    re.MULTILINE,
)


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


def that_stays(reply: Any) -> Any:
    """Return of INFO and CLIENT INFO what is no number of this machine or of the real time."""
    if not isinstance(reply, bytes):
        return reply
    kept = _STAYS.findall(reply)
    return b"\r\n".join(kept) if b"\n" in reply.strip() else b" ".join([b"addr=world:0", *kept])

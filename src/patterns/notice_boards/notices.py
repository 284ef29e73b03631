"""What a notice board takes in and gives out, for both kinds of client, and what it refuses."""

from __future__ import annotations

import json
import math
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LONGEST_NAME = 200  # bytes of UTF-8
LONGEST_VALUE = 65_536  # characters of JSON; each of the watchers is sent all of them
LONGEST_TIME = 10**8  # seconds; about three years
_KEY = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_VERSION = re.compile(r"[1-9]\d{0,18}-[0-9a-f]{16}")
_CONTROL = re.compile(r"[\0-\x1f\x7f\ud800-\udfff]")

# To look whether this post is there already, to number it, to set it and to announce it is one
# step: between any two of these another poster would fit, or a death.
POST = """-- post: number, set and announce
if redis.call('EXISTS', KEYS[1]) == 0 then redis.call('DEL', KEYS[2]) end
for _, entry in ipairs(redis.call('LRANGE', KEYS[2], 0, -1)) do
  local key, version = entry:match('^(%S+) (%S+)$')
  if key == ARGV[1] then return version end
end
local number = redis.call('HINCRBY', KEYS[1], 'number', 1)
local version = string.format('%d', number) .. '-' .. ARGV[2]
redis.call('HSET', KEYS[1], 'version', version, 'value', ARGV[3])
redis.call('LPUSH', KEYS[2], ARGV[1] .. ' ' .. version)
redis.call('LTRIM', KEYS[2], 0, 99)
for _, key in ipairs(KEYS) do
  if ARGV[4] == '' then redis.call('PERSIST', key)
  else redis.call('PEXPIRE', key, ARGV[4]) end
end
redis.call('PUBLISH', KEYS[1], version)
return version
"""


class MalformedNotice(ValueError):
    """Another program wrote something to the board's key that no board writes."""

    def __init__(self, place: str, found: object) -> None:
        shown = repr(found)
        shown = shown if len(shown) <= 60 else shown[:59] + "…"
        super().__init__(f"{place} holds {shown}, which no board posted; DEL it, then post again")
        self.place, self.found = place, found


class ValueTooLong(ValueError):
    """A value is longer than what a board takes."""

    def __init__(self, length: int) -> None:
        super().__init__(
            f"the value has {length:,} characters of JSON, more than {LONGEST_VALUE:,}; "
            "post where it can be fetched instead"
        )
        self.length = length


@dataclass(frozen=True)
class Notice:
    """What is on a board: a JSON value, and the version that names the post.

    A version is the server's number for the post and a random token: '7-3f9a0c4418d2e6b5'. No
    two posts share one, also when the board was deleted or has expired in between and counts
    from 1 again. So ask whether two versions are equal, never which is greater.
    """

    version: str
    value: Any

    @property
    def number(self) -> int:
        """How many posts the board has had, this one included."""
        return int(self.version.partition("-")[0])


def keys_of(name: str) -> list[str]:
    """The board's two keys, in one slot of a cluster; the first is also its channel."""
    check_name(name)
    return [f"board:{{{name}}}", f"board:{{{name}}}:keys"]


def parse(place: str, found: Sequence[Any]) -> Notice | None:
    """The notice in a hash's fields `version` and `value`; None if it has neither.

    Raises MalformedNotice for what no board writes.
    """
    version, text = found
    if version is None and text is None:
        return None
    try:
        if not _VERSION.fullmatch(version):
            raise ValueError
        return Notice(version, json.loads(text))
    except (TypeError, ValueError, RecursionError):
        raise MalformedNotice(place, found) from None


def to_json(value: object) -> str:
    """The value as JSON; raise TypeError or ValueError unless it comes back equal."""
    try:
        text = json.dumps(value, allow_nan=False, separators=(",", ":"))
    except RecursionError:
        raise ValueError("value is nested too deeply, or holds itself") from None
    if len(text) > LONGEST_VALUE:
        raise ValueTooLong(len(text))
    if json.loads(text) != value:
        raise TypeError("value does not survive JSON: only dict with str keys, list, str, int, …")
    return text


def arguments(value: object, key: str | None, expire: str) -> list[str]:
    """The script's arguments for one post; raise before anything is sent if it cannot be made."""
    token = uuid.uuid4().hex[:16]
    key = token if key is None else key
    check_key(key)
    return [key, token, to_json(value), expire]


def to_milliseconds(expire: float | None) -> str:
    """The script's argument for an expiry in seconds; '' for None, never."""
    if expire is None:
        return ""
    _check_seconds("expire", expire)
    if not 0.001 <= expire <= LONGEST_TIME:
        raise ValueError(f"expire must be 0.001 to {LONGEST_TIME:,} seconds, not {expire}")
    return str(math.ceil(expire * 1000))


def check_name(name: str) -> None:
    """Raise unless a board can have this name: 1 to 200 bytes, no braces or control characters."""
    if not isinstance(name, str):
        raise TypeError(f"name must be a str, not {type(name).__name__}")
    if _CONTROL.search(name) or "{" in name or "}" in name:
        raise ValueError("name must not hold braces, control characters or lone surrogates")
    if not 1 <= len(name.encode()) <= LONGEST_NAME:
        raise ValueError(f"name must have 1 to {LONGEST_NAME} bytes, not {len(name.encode())}")


def check_key(key: str) -> None:
    """Raise unless this can name a post: 1 to 64 letters, digits, '_', '.' or '-'."""
    if not isinstance(key, str):
        raise TypeError(f"key must be a str, not {type(key).__name__}")
    if not _KEY.fullmatch(key):
        raise ValueError("key must be 1 to 64 letters, digits, '_', '.' or '-'")


def check_version(after: str | None) -> None:
    """Raise unless this is a version, or None, the place before the first."""
    if after is not None and not isinstance(after, str):
        raise TypeError(f"after must be a version or None, not {type(after).__name__}")
    if after is not None and not _VERSION.fullmatch(after):
        raise ValueError("after must be a notice's version, such as '7-3f9a0c4418d2e6b5'")


def check_wait(after: str | None, timeout: float) -> None:
    """Raise unless a watcher can wait this long (math.inf: for ever) after this version."""
    check_version(after)
    _check_seconds("timeout", timeout)


def check_poll(poll: float) -> None:
    """Raise unless a watcher can look again each `poll` seconds."""
    _check_seconds("poll", poll)
    if not 0 < poll <= LONGEST_TIME:
        raise ValueError(f"poll must be over 0 seconds and finite, not {poll}")


def _check_seconds(what: str, value: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} must be seconds, not {type(value).__name__}")
    if math.isnan(value) or value < 0:
        raise ValueError(f"{what} must be zero or more seconds, not {value}")

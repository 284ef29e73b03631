"""What a notice board takes in and gives out, for both kinds of client; what can be wrong."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from reprlib import repr as shown
from typing import Any

from redis import exceptions

from ._checks import VERSION, check_key, check_name

_SERVER_GONE = (exceptions.ConnectionError, exceptions.TimeoutError)
UNREACHABLE = (*_SERVER_GONE, exceptions.ClusterError, exceptions.RedisClusterException)
_AS_SENT = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
_SORTED = json.JSONEncoder(sort_keys=True).encode
LONGEST_VALUE = 65_536  # characters of JSON; each of the watchers is sent all of them

# To look whether this post is there already, to number it, to set it and to announce it is one
# step: between any two of these another poster would fit, or a death.
POST = """-- post: number, set and announce
local known = redis.call('HGET', KEYS[2], 'key ' .. ARGV[1])
if known and redis.call('EXISTS', KEYS[1]) == 1 then return known end
local number = redis.call('HINCRBY', KEYS[1], 'number', 1)
if number == 1 then redis.call('DEL', KEYS[2]) end
local version = string.format('%d', number) .. '-' .. ARGV[2]
redis.call('HSET', KEYS[1], 'version', version, 'value', ARGV[3])
local post, place = version .. ' ' .. ARGV[5], 'post ' .. number % 100
local forgotten = redis.call('HGET', KEYS[2], place)
if forgotten then redis.call('HDEL', KEYS[2], 'key ' .. forgotten) end
redis.call('HSET', KEYS[2], place, ARGV[1], 'key ' .. ARGV[1], post)
for _, key in ipairs(KEYS) do
  if ARGV[4] == '' then redis.call('PERSIST', key)
  else redis.call('PEXPIRE', key, ARGV[4]) end
end
redis.call('PUBLISH', KEYS[1], version)
return post
"""


class MalformedNotice(ValueError):
    """Another program wrote something to the board's key that no board writes."""

    def __init__(self, place: str, found: object) -> None:
        super().__init__(place, found)
        self.place, self.found = place, found

    def __str__(self) -> str:
        what = f"{self.place} holds {shown(self.found)}, which no board posted"
        return f"{what}; DEL it, then post again"


class KeyAlreadyUsed(ValueError):
    """A key names one post; here it was given to a second one, with another value."""

    def __init__(self, key: str, version: str) -> None:
        super().__init__(key, version)
        self.key, self.version = key, version

    def __str__(self) -> str:
        return f"key {self.key!r} names post {self.version}, which had another value"


class ValueTooLong(ValueError):
    """A value is longer than what a board takes."""

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def __str__(self) -> str:
        what = f"the value has {self.length:,} characters of JSON, more than {LONGEST_VALUE:,}"
        return f"{what}; post where it can be fetched instead"


@dataclass(frozen=True)
class Notice:
    """What is on a board: a JSON value, and the version that names the post.

    A version is the server's number for the post and a random token: '7-3f9a0c4418d2e6b5'. No
    two posts share one, also when the board was deleted or has expired in between and counts
    from 1 again. So ask whether two versions are equal, never which is greater.
    """

    version: str
    value: Any = field(hash=False)

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
        if not VERSION.fullmatch(version):
            raise ValueError
        return Notice(version, json.loads(text))
    except (TypeError, ValueError, RecursionError):
        raise MalformedNotice(place, found) from None


def to_json(value: object) -> str:
    """The value as JSON; raise TypeError or ValueError unless it comes back equal."""
    try:
        text = _AS_SENT(value)
    except RecursionError:
        raise ValueError("value is nested too deeply, or holds itself") from None
    if len(text) > LONGEST_VALUE:
        raise ValueTooLong(len(text))
    if json.loads(text) != value:
        raise TypeError("value does not survive JSON: only dict with str keys, list, str, int, …")
    return text


def arguments(value: object, key: str | None, expire: str) -> list[str]:
    """The script's arguments for one post; raise before anything is sent if it cannot be made."""
    token, text = secrets.token_hex(8), to_json(value)
    key = token if key is None else key
    check_key(key)
    return [key, token, text, expire, hashlib.sha256(_SORTED(value).encode()).hexdigest()]


def version_of(sent: list[str], found: str) -> str:
    """The version of a post, from what the script returned; raise KeyAlreadyUsed if it must be."""
    version, _, digest = found.partition(" ")
    if digest != sent[4]:
        raise KeyAlreadyUsed(sent[0], version)
    return version

"""What can be seen of a Redis keyspace, with time that only the world's clock moves.

A key that should expire is given an expiry in the far future that says when, by
the world's clock; the key goes when the clock gets there.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterable
from typing import Any

import redis

from raceproof.wire.clock import Clock
from raceproof.wire.redis_streams import StreamTime

_FAR = 4_000_000_000_000  # ms since 1970, in the year 2096: an expiry later than this is ours
_GRAIN = 100  # ms to which a time to live is rounded, since the real clock has moved a little
_TIME_IN_SCRIPT = re.compile(r"redis\.call\(\s*(['\"])TIME\1\s*\)", re.IGNORECASE)


class Keyspace:
    """All keys that a client can see."""

    def __init__(self, client: Any, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self.streams = StreamTime(client, clock)
        self.adopt(client.keys("*"))
        self.streams.adopt(client.keys("*"))

    def snapshot(self) -> Hashable:
        """Return every key with its value and its expiry by the world's clock."""
        keys = sorted(self._client.keys("*"))
        if not keys:
            return ()
        pipe = self._client.pipeline(transaction=False)
        for key in keys:
            pipe.type(key)
            pipe.pexpiretime(key)
        replies = pipe.execute()
        kinds, expiries = replies[::2], replies[1::2]
        for key, kind in zip(keys, kinds, strict=True):
            _read(pipe, key, _text(kind))
        values = pipe.execute()
        values = [
            (value, self._groups(key)) if _text(kind) == "stream" else value
            for key, kind, value in zip(keys, kinds, values, strict=True)
        ]
        return tuple(
            (key, _text(kind), _frozen(value), expiry - _FAR if expiry >= 0 else None)
            for key, kind, value, expiry in zip(keys, kinds, values, expiries, strict=True)
        )

    def adopt(self, keys: Iterable[Any]) -> None:
        """Give the keys that will expire their far expiry, by the world's clock."""
        keys = list(keys)
        pipe = self._client.pipeline(transaction=False)
        for key in keys:
            pipe.pexpiretime(key)
        for key, expiry in zip(keys, pipe.execute(), strict=True):
            if 0 <= expiry < _FAR:
                left = expiry - _server_ms(self._client)
                left = max(_GRAIN, -(-left // _GRAIN) * _GRAIN)
                self._client.pexpireat(key, _FAR + round(self._clock.now * 1000) + left)

    def expire(self) -> list[str]:
        """Remove the keys whose time has come; return their names."""
        now = round(self._clock.now * 1000)
        gone = [
            key
            for key in self._client.keys("*")
            if _FAR < self._client.pexpiretime(key) <= _FAR + now
        ]
        if gone:
            self._client.delete(*gone)
        return [_text(key) for key in gone]

    def _groups(self, stream: Any) -> list[Any]:
        """Return what consumer groups know: where each stands, and what is pending with whom."""
        groups: list[Any] = [self._client.xinfo_stream(stream)["last-generated-id"]]
        for group in self._client.xinfo_groups(stream):
            held = self.streams.deliveries(stream, group["name"]) if group["pending"] else []
            groups.append((group["name"], group["last-delivered-id"], held))
        return groups


def at_the_clock(client: Any, clock: Clock, args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the command with the server's time replaced by the world's."""
    name = str(args[0]).upper()
    if name == "EVAL":
        seconds, micros = _seconds(clock)
        fixed = f"({{'{seconds}', '{micros}'}})"
        return ("EVAL", _TIME_IN_SCRIPT.sub(fixed, _text(args[1])), *args[2:])
    if name == "XADD" and "*" in args[2:]:
        at = args.index("*", 2)
        return (*args[:at], _next_id(client, clock, args[1]), *args[at + 1 :])
    return args


def answer_with_clock(client: Any, clock: Clock, args: tuple[Any, ...]) -> Any:
    """Return the reply to TIME, TTL and PTTL by the world's clock; None for other commands."""
    name = str(args[0]).upper()
    if name == "TIME":
        return _seconds(clock)
    if name not in ("TTL", "PTTL"):
        return None
    expiry = client.pexpiretime(args[1])
    if expiry < _FAR:
        return expiry
    left = expiry - _FAR - round(clock.now * 1000)
    return left if name == "PTTL" else round(left / 1000)


def _next_id(client: Any, clock: Clock, stream: Any) -> str:
    now, sequence = round(clock.now * 1000), 0
    try:
        last = _text(client.xinfo_stream(stream)["last-generated-id"])
    except redis.ResponseError:
        last = "0-0"
    ms, _, seq = last.partition("-")
    if int(ms) >= now:
        now, sequence = int(ms), int(seq) + 1
    return f"{now}-{sequence}"


def _read(pipe: Any, key: Any, kind: str) -> None:
    if kind == "string":
        pipe.get(key)
    elif kind == "list":
        pipe.lrange(key, 0, -1)
    elif kind == "set":
        pipe.smembers(key)
    elif kind == "hash":
        pipe.hgetall(key)
    elif kind == "zset":
        pipe.zrange(key, 0, -1, withscores=True)
    elif kind == "stream":
        pipe.xrange(key)
    else:
        raise NotImplementedError(f"the search cannot look into a Redis {kind} ({_text(key)})")


def _frozen(value: Any) -> Hashable:
    if isinstance(value, dict):
        return tuple(sorted((k, _frozen(v)) for k, v in value.items()))
    if isinstance(value, set):
        return tuple(sorted(value))
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    hashable: Hashable = value
    return hashable


def _seconds(clock: Clock) -> tuple[int, int]:
    seconds = int(clock.now)
    return seconds, round((clock.now - seconds) * 1_000_000)


def _server_ms(client: Any) -> int:
    seconds, micros = client.time()
    return int(seconds) * 1000 + int(micros) // 1000


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)

"""What can be seen of a Redis keyspace, with time that only the world's clock moves."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from itertools import islice
from typing import Any

import redis

from raceproof.wire.calls import Unsearchable
from raceproof.wire.clock import Clock
from raceproof.wire.redis.commands import Args
from raceproof.wire.redis.expiry import FAR, asked_for, now_ms
from raceproof.wire.redis.replies import as_text
from raceproof.wire.redis.server import SharedConnection
from raceproof.wire.redis.stream_views import StreamViews
from raceproof.wire.redis.streams import StreamTime, milliseconds

KeyView = tuple[bytes, bytes, Hashable, Any, int | None, bytes]

_READ: dict[bytes, Callable[[bytes], Args]] = {
    b"string": lambda key: (b"GET", key),
    b"list": lambda key: (b"LRANGE", key, b"0", b"-1"),
    b"set": lambda key: (b"SMEMBERS", key),
    b"hash": lambda key: (b"HGETALL", key),
    b"zset": lambda key: (b"ZRANGE", key, b"0", b"-1", b"WITHSCORES"),
    b"stream": lambda key: (b"XRANGE", key, b"-", b"+"),
}
_ORDERED = (b"set", b"hash")  # in which order a server shows them depends on how it keeps them
_SMALL = 128  # members of a set that a server keeps in order; a larger one is a hash table


class Keyspace:
    """All keys that a client can see."""

    def __init__(self, line: SharedConnection, clock: Clock, streams: StreamTime) -> None:
        self._line, self.ask = line, line.ask
        self._small = 0 if line.server.fake else _SMALL
        self._clock = clock
        self.streams = streams
        self._views = StreamViews(self.ask, streams)
        self.fields_expire = False  # whether a field of a hash may have an expiry
        self.kinds: dict[bytes, bytes] = {}  # of the keys that were ever there
        self._adopt()

    def keys(self) -> list[bytes]:
        """Return the names of all keys."""
        return sorted(self.ask([(b"KEYS", b"*")])[0])

    def snapshot(self) -> tuple[KeyView, ...]:
        """Return every key: name, type, value, expiry of its fields and its own, its encoding.

        Expiries are by the world's clock. Which keys there are is asked together with what those
        hold that were ever there, by the type that each had: of another type, that is an error.
        """
        told = self._line.asked_ahead() or self.ask(self._requests())
        keys, known = sorted(told[0]), self._known(self.kinds.items(), told[1:])
        others = [k for k in keys if k not in known or isinstance(known[k][0], redis.ResponseError)]
        if others:
            kinds = dict(zip(others, self.ask([(b"TYPE", key) for key in others]), strict=True))
            for key, kind in kinds.items():
                if kind not in _READ:
                    raise Unsearchable(f"a Redis {kind.decode()} cannot be searched ({key!r})")
            self.kinds |= kinds
            known |= self._known(kinds.items(), self.ask(self._values(kinds.items())))
        return tuple(self._view(key, self.kinds[key], *known[key]) for key in keys)

    def then_read(self, request: Args) -> Any:
        """Make a request and return its reply; what the next snapshot asks is asked along."""
        return self.ask([request], self._requests())[0]

    def write(self, requests: Sequence[Args], *, at_once: bool) -> None:
        """Write keys: at once, or else before whatever is asked next."""
        self._line.send_later(requests)
        if at_once:
            self.ask([])

    def expire(self) -> None:
        """Remove the keys and the fields whose time has come."""
        keys, now = self.keys(), FAR + now_ms(self._clock)
        if not keys:
            return
        kinds, expiries = self._kinds_and_expiries(keys)
        gone = [key for key, at in zip(keys, expiries, strict=True) if FAR < at <= now]
        late: list[Args] = [(b"DEL", *gone)] if gone else []
        for key in self._hashes(keys, kinds):
            fields = [field for field, at in self._field_expiries(key) if FAR < at <= now]
            late += [(b"HDEL", key, *fields)] if fields else []
        if late:
            self.ask(late)

    def _requests(self) -> list[Args]:
        return [(b"KEYS", b"*"), *self._values(self.kinds.items())]

    def _values(self, kinds: Iterable[tuple[bytes, bytes]]) -> list[Args]:
        """Return what asks for all that is to be known of each key of a type."""
        return [request for key, kind in kinds for request in self._about(key, kind)]

    def _about(self, key: bytes, kind: bytes) -> list[Args]:
        more = self._views.requests(key) if kind == b"stream" else []
        if kind in _ORDERED and not self._line.server.fake:
            more = [(b"OBJECT", b"ENCODING", key)]
        return [_READ[kind](key), (b"PEXPIRETIME", key), *more]

    def _known(
        self, kinds: Iterable[tuple[bytes, bytes]], told: Sequence[Any]
    ) -> dict[bytes, list[Any]]:
        replies = iter(told)
        return {key: list(islice(replies, len(self._about(key, kind)))) for key, kind in kinds}

    def _view(self, key: bytes, kind: bytes, value: Any, expiry: int, *more: Any) -> KeyView:
        at = expiry - FAR if expiry >= 0 else None
        if kind == b"stream":
            return key, kind, (_frozen(value), self._views.view(key, more)), (), at, b""
        if kind == b"set" and len(value) > self._small:
            value = sorted(value)
        expire = self._field_expiries(key) if kind == b"hash" and self.fields_expire else ()
        fields = tuple(field for field in expire if field[1] >= 0)
        return key, kind, _frozen(value), fields, at, more[0] if more else b""

    def _adopt(self) -> None:
        """Give what will expire its far expiry: it was set just now, by the real clock."""
        keys = self.keys()
        if not keys:
            return
        kinds, expiries = self._kinds_and_expiries(keys)
        self.kinds = {k: kind for k, kind in zip(keys, kinds, strict=True) if kind in _READ}
        for key, at in zip(keys, expiries, strict=True):
            if 0 <= at < FAR:
                self.ask([(b"PEXPIREAT", key, self._far(at))])
        hashes = [key for key, kind in zip(keys, kinds, strict=True) if kind == b"hash"]
        for key in hashes:
            self._adopt_fields(key)
        streams = [key for key, kind in zip(keys, kinds, strict=True) if kind == b"stream"]
        self.streams.adopt(streams, before=True)

    def _adopt_fields(self, key: bytes) -> None:
        for field, at in self._field_expiries(key):
            self.fields_expire = self.fields_expire or at >= 0
            if 0 <= at < FAR:
                self.ask([(b"HPEXPIREAT", key, self._far(at), b"FIELDS", b"1", field)])

    def _far(self, at: int) -> bytes:
        """Return the far expiry in place of one by the real clock."""
        [time] = self.ask([(b"TIME",)])
        left = asked_for(at - milliseconds(time), self._clock, up=True)
        return b"%d" % (FAR + now_ms(self._clock) + left)

    def _kinds_and_expiries(self, keys: Sequence[bytes]) -> tuple[list[bytes], list[int]]:
        asked = [(word, key) for key in keys for word in (b"TYPE", b"PEXPIRETIME")]
        replies = self.ask(asked)
        return replies[::2], replies[1::2]

    def _hashes(self, keys: Sequence[bytes], kinds: Sequence[bytes]) -> list[bytes]:
        if not self.fields_expire:
            return []
        return [key for key, kind in zip(keys, kinds, strict=True) if kind == b"hash"]

    def _field_expiries(self, key: bytes) -> list[tuple[bytes, int]]:
        [fields] = self.ask([(b"HKEYS", key)])
        count = b"%d" % len(fields)
        [expiries] = self.ask([(b"HPEXPIRETIME", key, b"FIELDS", count, *fields)])
        if not isinstance(expiries, list):  # a server that knows no such thing
            return []
        return list(zip(fields, expiries, strict=True))


def expiring(keys: Iterable[KeyView]) -> list[str]:
    """Return the names of all keys and fields of a snapshot that have an expiry."""
    found = []
    for key, _, _, fields, expiry, _ in keys:
        found += [f"key {as_text(key)}"] if expiry is not None else []
        found += [f"field {as_text(field)} of {as_text(key)}" for field, _ in fields]
    return found


def _frozen(value: Any) -> Hashable:
    if isinstance(value, dict):
        return tuple((_frozen(key), _frozen(item)) for key, item in value.items())
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, set):
        return tuple(sorted(value))
    found: Hashable = value
    return found

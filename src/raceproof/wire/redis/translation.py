"""What is sent in place of a request, and what its reply goes through: time, chance, scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import redis

from raceproof.wire.clock import Clock
from raceproof.wire.redis.commands import (
    CHANCE,
    SCANS,
    SCRIPTS,
    Args,
    name_of,
    refuse_unknown,
    streams_of,
    unsearchable,
    waits_for_several,
)
from raceproof.wire.redis.expiry import FIELDS, now_ms, seconds_and_micros, timed
from raceproof.wire.redis.replies import that_stays
from raceproof.wire.redis.scripts import Scripts, look_for_refusal, with_prelude
from raceproof.wire.redis.server import Server
from raceproof.wire.redis.streams import StreamTime, group_fields

After = Callable[[Any], Any]

_MANY = re.compile(rb"LMPOP", re.IGNORECASE)
_FIELDS_EXPIRE = re.compile(rb"HP?EXPIRE|H[GS]ETEX", re.IGNORECASE)


class Translation:
    """The requests of one world, as its server must see them."""

    def __init__(self, server: Server, line: Any, clock: Clock) -> None:
        self._server = server
        self._line = line
        self._run = partial(server.run, line)
        self._clock = clock
        self.streams = StreamTime(self._run, clock)
        self.scripts = Scripts()

    def sent(
        self, args: Args, before: Sequence[Args] = (), *, queued: bool = False
    ) -> tuple[Args, After]:
        """Return the request to send and what its reply, or its error, goes through.

        `before` are those before it in the same transaction. Raises Unsearchable for what the
        search cannot have right.
        """
        name = name_of(args)
        refuse_unknown(args)
        if name in SCRIPTS and len(args) > 2:
            return self._script(name, args)
        if name.startswith("SCRIPT "):
            if queued:
                raise unsearchable(f"{name} in MULTI", "load the script before")
            return (b"PING",), lambda _: self.scripts.tell(name, args)
        if name == "SELECT" and args[1:] != (b"%d" % self._server.db,):
            raise unsearchable(name)
        if name in CHANCE:
            self._leave_no_choice(name, args, before)
        if name == "TIME":
            return args, lambda _: seconds_and_micros(self._clock)
        if name in ("INFO", "CLIENT INFO"):
            return args, that_stays
        if name == "KEYS":
            return args, lambda reply: sorted(reply) if isinstance(reply, list) else reply
        if name in SCANS:
            return args, lambda reply: _whole_scan(name, args, reply)
        sent, after = timed(args, now_ms(self._clock))
        if after is None:
            sent, after = self.streams.sent(sent, before)
        return sent, after or same

    def adopt(self, requests: Sequence[Args], keys: Any) -> bool:
        """Set right what the server's clock wrote or fakeredis left; may hash fields expire now?"""
        for args in requests:
            args = self._source(args)
            if _MANY.search(b" ".join(args[:2])):
                self._remove_empty_lists(keys)
            streams = self.streams.delivered_by(args)
            if streams is None or streams:
                self.streams.adopt(keys.keys() if streams is None else streams)
        return any(
            name_of(args) in FIELDS
            or (name_of(args) in SCRIPTS and bool(_FIELDS_EXPIRE.search(self._source(args)[1])))
            for args in requests
        )

    def script_publishes(self, args: Args) -> bool:
        """Return whether this is a script that may publish."""
        return name_of(args) in SCRIPTS and b"publish" in self._source(args)[1].lower()

    def _remove_empty_lists(self, keys: Any) -> None:
        """Remove what LMPOP leaves on fakeredis: lists without items, which DEL passes over."""
        for key in keys.keys():  # noqa: SIM118
            if self._run(b"TYPE", key) == b"list" and not self._run(b"LLEN", key):
                self._run(b"RPUSH", key, b"")
                self._run(b"DEL", key)

    def wait(self, args: Args, sent: Args) -> Any:
        """Make a request that waits where it need not: in a transaction it answers at once.

        Since Redis 7.2, one who waits is served as one who comes only then.
        """
        if waits_for_several(args) and self._server.older_than(7, 2):
            raise unsearchable(
                f"{name_of(args)} of several keys on a Redis before 7.2",
                "which of them is first depends on who came first; wait for one key",
            )
        newcomer = name_of(args) == "XREADGROUP" and not self._knows_consumer(args)
        replies = self._server.ask(self._line, [(b"MULTI",), sent, (b"EXEC",)])
        value = replies[-1][0] if isinstance(replies[-1], list) else replies[1]
        if newcomer and not value:
            self._forget_consumer(args)
        return value

    def _knows_consumer(self, args: Args) -> bool:
        """Return whether every stream that XREADGROUP reads knows the consumer already."""
        known = True
        for stream in streams_of(args)[0]:
            try:
                found = self._run(b"XINFO", b"CONSUMERS", stream, args[2])
            except redis.ResponseError:
                continue
            known = known and args[3] in [group_fields(one)[b"name"] for one in found]
        return known

    def _forget_consumer(self, args: Args) -> None:
        """Remove a consumer that XREADGROUP has made in vain: it comes back with an entry."""
        for stream in streams_of(args)[0]:
            try:
                self._run(b"XGROUP", b"DELCONSUMER", stream, args[2], args[3])
            except redis.ResponseError:
                continue

    def last_ids(self, args: Args) -> list[bytes]:
        """Return the ids after which XREAD reads, `$` being the last one there is now."""
        return [
            self._last_id(s) if id == b"$" else id for s, id in zip(*streams_of(args), strict=True)
        ]

    def _last_id(self, stream: bytes) -> bytes:
        try:
            found = group_fields(self._run(b"XINFO", b"STREAM", stream))
        except redis.ResponseError:
            return b"0-0"
        last: bytes = found[b"last-generated-id"]
        return last

    def _script(self, name: str, args: Args) -> tuple[Args, After]:
        whole = self.scripts.whole(name, args)
        if whole is None:
            return (b"EVALSHA", b"f" * 40, b"0"), same  # the server says NOSCRIPT

        def after(reply: Any) -> Any:
            if isinstance(reply, redis.ResponseError):
                look_for_refusal(reply, whole[1])
            return reply

        return with_prelude(whole, self._clock, self.streams.start), after

    def _source(self, args: Args) -> Args:
        """Return a script's EVAL in place of its EVALSHA."""
        if name_of(args) not in SCRIPTS:
            return args
        return self.scripts.whole(name_of(args), args) or args

    def _leave_no_choice(self, name: str, args: Args, before: Sequence[Args]) -> None:
        try:
            count = int(args[2]) if len(args) > 2 else 1
            there = self._run(CHANCE[name].encode(), *args[1:2])
        except (ValueError, redis.ResponseError):
            return  # the server will say what is wrong
        if there > max(abs(count), 1) or (there > 1 > count) or (before and there):
            raise unsearchable(
                name,
                f"it takes one of {there} by chance; name the one to take, or use one that sorts",
            )


def same(reply: Any) -> Any:
    """Return a reply as it is."""
    return reply


def _whole_scan(name: str, args: Args, reply: Any) -> Any:
    if not isinstance(reply, list):
        return reply
    if args[SCANS[name]] != b"0" or reply[0] not in (b"0", 0):
        raise unsearchable(name, "what it finds first is chance; give a COUNT that is enough")
    return [reply[0], sorted(reply[1])] if name == "SCAN" else reply

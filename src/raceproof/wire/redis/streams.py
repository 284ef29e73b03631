"""Streams: their ids, and when an entry was handed out, go by the world's clock.

Redis writes down when it handed an entry to a consumer, by its own clock. Right after each
command that may have done so, that moment is set to the world's; a command that asks how long an
entry has been idle is sent the difference along. Between asking the server what time it is and
the command that uses it the machine may stall: so a millisecond of the world is ten seconds of
the server's past, and a stall of less than five seconds is nothing.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import redis

from raceproof.wire.calls import Unsearchable
from raceproof.wire.clock import Clock
from raceproof.wire.redis.commands import Args, may_call, name_of, option, streams_of, unsearchable
from raceproof.wire.redis.expiry import asked_for, now_ms
from raceproof.wire.redis.server import SharedConnection

STRETCH = 10_000  # ms of the server's past for each ms of the world
BEGIN = 500_000_000_000  # ms since 1970, in 1985: the world's beginning on the server
REAL = 1_500_000_000_000  # ms since 1970, in 2017: a later delivery was stamped by the real clock
_ROOM = range(-50_000_000, 90_000_000)  # ms from the world's beginning: 13 hours back, a day on
_WHAT_IT_IS = ((b"TYPE",), (b"XINFO", b"GROUPS"))  # and then the key
_DELIVERS = re.compile(rb"XREADGROUP|XCLAIM|XAUTOCLAIM", re.IGNORECASE)


class StreamTime:
    """The ids and delivery times of one world's streams."""

    def __init__(self, line: SharedConnection, clock: Clock) -> None:
        self._ask, self._run = line.ask, line.run
        self._clock = clock
        self.start = now_ms(clock)

    def sent(self, args: Args, before: Iterable[Args]) -> tuple[Args, Callable[[Any], Any] | None]:
        """Return a command as the server must see it, and what its reply goes through.

        `before` are the commands that come before it in the same transaction.
        """
        name = name_of(args)
        if name == "XADD":
            return self._with_id(args, before), None
        if name == "XCLAIM" and len(args) > 5:
            return self._claim(args), None
        if name == "XAUTOCLAIM" and len(args) > 4:
            return (*args[:4], self._server_idle(args[4]), *args[5:]), None
        if name == "XPENDING" and len(args) > 3:
            idle = args[3].upper() == b"IDLE" and len(args) > 4
            sent = (*args[:4], self._server_idle(args[4]), *args[5:]) if idle else args
            now = self._server_ms()
            return sent, lambda reply: self._pending(reply, now)
        return args, None

    def delivered_by(self, args: Args) -> Args | None:
        """Return the streams of which a command may have handed out entries; None: of all."""
        name = name_of(args)
        if name == "XREADGROUP":
            return streams_of(args)[0]
        if name == "XAUTOCLAIM":
            return args[1:2]
        return None if name.startswith("EVAL") and may_call(_DELIVERS, args[1]) else ()

    def adopt(self, streams: Iterable[bytes], *, before: bool = False) -> None:
        """Set each new delivery to the moment that it is by the world's clock.

        That is now, or, of what was handed out before the search, so many seconds ago.
        """
        keys = list(streams)
        told = self._ask([(*words, key) for key in keys for words in _WHAT_IT_IS])
        pending = [
            (key, group[b"name"])
            for key, kind, groups in zip(keys, told[::2], told[1::2], strict=True)
            if kind == b"stream"
            for group in map(group_fields, groups)
            if group[b"pending"]
        ]
        if pending:
            self._adopt(pending, before)

    def deliveries(self, now: int, held: list[Any]) -> tuple[tuple[Any, ...], ...]:
        """Return what is pending: the entry, with whom, since when, and how often handed out."""
        return tuple((id, who, self._world_ms(now - idle), count) for id, who, idle, count in held)

    # --- the parts ------------------------------------------------------------------

    def _adopt(self, places: Sequence[tuple[bytes, bytes]], before: bool) -> None:
        held = [(b"XPENDING", *place, b"-", b"+", b"100000") for place in places]
        (time, *told), claims = self._ask([(b"TIME",), *held]), list[Args]()
        now, world = milliseconds(time), now_ms(self._clock)
        for place, entries in zip(places, told, strict=True):
            for id, who, idle, _ in entries:
                if now - idle > REAL:
                    since = asked_for(idle, self._clock, up=False) if before else 0
                    when = self.server_moment(world - since)
                    claims.append((b"XCLAIM", *place, who, b"0", id, b"TIME", when, b"JUSTID"))
        for claim, claimed in zip(claims, self._ask(claims), strict=True) if claims else ():
            if claimed != [claim[5]]:
                raise unsearchable(
                    f"the deletion of entry {claim[5].decode()}, which is pending,",
                    "when it was handed out cannot be set any more; acknowledge it first",
                )

    def _with_id(self, args: Args, before: Iterable[Args]) -> Args:
        at, count = 2, len(args)
        while at < count:
            word = args[at].upper()
            if word in (b"MAXLEN", b"MINID", b"LIMIT"):
                at += 2 + (word != b"LIMIT" and at + 1 < count and args[at + 1] in (b"=", b"~"))
            elif word in (b"NOMKSTREAM", b"KEEPREF", b"DELREF", b"ACKED"):
                at += 1
            else:
                break
        if at >= count or args[at] != b"*":
            return args
        ids = [other[2] for other in before if name_of(other) == "XADD" and other[1] == args[1]]
        with contextlib.suppress(redis.ResponseError):  # there is no such stream yet
            ids.append(group_fields(self._run(b"XINFO", b"STREAM", args[1]))[b"last-generated-id"])
        known = [int(id.partition(b"-")[0]) for id in ids if id[:1].isdigit()]
        return (*args[:at], b"%d-*" % max([now_ms(self._clock), *known]), *args[at + 1 :])

    def _claim(self, args: Args) -> Args:
        now, rest = now_ms(self._clock), args[5:]
        for word in (b"IDLE", b"TIME"):
            at = option(args, word, 6)
            if at is not None:
                given = int(args[at + 1])
                when = self.server_moment(now - given if word == b"IDLE" else given)
                rest = (*args[5:at], b"TIME", when, *args[at + 2 :])
                break
        else:
            rest = (*rest, b"TIME", self.server_moment(now))
        return (*args[:4], self._server_idle(args[4]), *rest)

    def _pending(self, reply: Any, now: int) -> Any:
        if not isinstance(reply, list):
            return reply
        world = now_ms(self._clock)
        return [[id, who, world - self._world_ms(now - idle), n] for id, who, idle, n in reply]

    def _server_idle(self, idle: bytes) -> bytes:
        try:
            least = int(idle)
        except ValueError:
            return idle
        if least <= 0:
            return idle
        since = int(self.server_moment(now_ms(self._clock) - least))
        return b"%d" % (self._server_ms() - since - STRETCH // 2)

    def server_moment(self, world: int) -> bytes:
        """Return the moment on the server, in ms, that stands for one in the world."""
        since = world - self.start
        if since not in _ROOM:
            raise Unsearchable("streams cannot be searched where the clock moves by over a day")
        return b"%d" % (BEGIN + since * STRETCH)

    def _world_ms(self, server: int) -> int:
        if server > REAL:  # handed out just now, in the same transaction
            return now_ms(self._clock)
        return self.start + round((server - BEGIN) / STRETCH)

    def _server_ms(self) -> int:
        return milliseconds(self._run(b"TIME"))


def milliseconds(time: list[bytes]) -> int:
    """Return the reply to TIME in ms."""
    return int(time[0]) * 1000 + int(time[1]) // 1000


def group_fields(reply: Any) -> dict[bytes, Any]:
    """Return what XINFO tells as a dictionary, whatever the protocol."""
    if isinstance(reply, dict):  # some of fakeredis have names that are not bytes
        return {n.encode() if isinstance(n, str) else n: value for n, value in reply.items()}
    return dict(zip(reply[::2], reply[1::2], strict=True))

"""What is sent in place of a request, and what its reply goes through: time, chance, scripts."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import redis

from raceproof.wire.clock import Clock
from raceproof.wire.redis import fakeredis_faults as faults
from raceproof.wire.redis.channels import Channels
from raceproof.wire.redis.commands import (
    CHANCE,
    SCANS,
    SCRIPTS,
    Args,
    may_call,
    name_of,
    option,
    refuse_unknown,
    says,
    unsearchable,
    waits_for_several,
)
from raceproof.wire.redis.consumers import forget_consumer, knows_consumer, last_ids
from raceproof.wire.redis.expiry import FIELDS, OPTIONS, PAST, now_ms, seconds_and_micros, timed
from raceproof.wire.redis.replies import that_stays
from raceproof.wire.redis.scripts import Scripts, look_for_refusal, with_prelude
from raceproof.wire.redis.server import SharedConnection
from raceproof.wire.redis.streams import StreamTime

After = Callable[[Any], Any]
Sent = tuple[Args, After]

_MANY = re.compile(rb"LMPOP", re.IGNORECASE)
_PUBLISH = re.compile(rb"PUBLISH", re.IGNORECASE)
_MAY_BE_PAST = re.compile(rb"XAT", re.IGNORECASE)  # of EXAT, PXAT
_FIELDS_EXPIRE = re.compile(rb"HP?EXPIRE|H[GS]ETEX", re.IGNORECASE)


class Translation:
    """The requests of one world, as its server must see them."""

    def __init__(self, line: SharedConnection, clock: Clock, channels: Channels) -> None:
        self._server = line.server
        self._line = line
        self._run = line.run
        self._clock = clock
        self._channels = channels
        self.streams = StreamTime(line, clock)
        self.scripts = Scripts()
        self.time_passes = bool(clock.ticks)

    def sent(self, args: Args, before: Sequence[Args] = (), *, queued: bool = False) -> Sent:
        """Return the request to send and what its reply, or its error, goes through.

        `before` are those before it in the same transaction. Raises Unsearchable for what the
        search cannot have right.
        """
        name = name_of(args)
        refuse_unknown(args)
        if name in SCRIPTS and len(args) > 2:
            return self._script(name, args, before, not queued and self.alone())
        if name.startswith("SCRIPT "):
            if queued:
                raise unsearchable(f"{name} in MULTI", "load the script before")
            sent = args if name == "SCRIPT LOAD" else (b"PING",)
            return sent, lambda reply: self.scripts.tell(name, args, reply)
        if name == "SELECT" and args[1:] != (b"%d" % self._server.db,):
            raise unsearchable(name)
        if name in CHANCE:
            self._leave_no_choice(name, args, before)
        if name == "COPY" and self._server.fake:
            faults.refuse_shared_values(self._run, args, before)
        if name == "TIME":
            return args, lambda _: seconds_and_micros(self._clock)
        if name in ("INFO", "CLIENT INFO"):
            return args, that_stays
        if name == "KEYS" or (name in faults.WITHOUT_ORDER and self._server.fake):
            return args, lambda reply: sorted(reply) if isinstance(reply, list | set) else reply
        if name in SCANS:
            return args, lambda reply: _whole_scan(name, args, reply)
        sent, after = timed(args, now_ms(self._clock))
        if sent is not args and PAST in sent and name in OPTIONS:
            return sent, partial(self._removing, args[1:2])
        if after is None:
            sent, after = self.streams.sent(sent, before)
        return sent, after or same

    def adopt(self, requests: Sequence[Args], keys: Any) -> bool:
        """Set right what the server's clock wrote or fakeredis left; may hash fields expire now?"""
        for args in requests:
            args = self._source(args)
            if says(_MANY, args[0]) or self._script_may(_MANY, args):
                faults.remove_empty_lists(self._run, keys.keys())
            streams = self.streams.delivered_by(args)
            if streams is None or streams:
                self.streams.adopt(keys.keys() if streams is None else streams)
        return any(name_of(a) in FIELDS or self._script_may(_FIELDS_EXPIRE, a) for a in requests)

    def marks_time(self, args: Args) -> bool:
        """Return whether this may have a stream write down when it was: `adopt` looks then."""
        return self.streams.delivered_by(self._source(args)) != ()

    def script_publishes(self, args: Args) -> bool:
        """Return whether this is a script that may publish."""
        return self._script_may(_PUBLISH, args)

    def alone(self) -> bool:
        """Return whether a script that is sent now shall see that no pattern hears it."""
        return all(kind != b"psubscribe" for kind, _ in self._channels.active())

    def _removing(self, keys: Args, reply: Any) -> Any:
        """Return a reply; what expired before it was set goes, when the server looks at it."""
        self._run(b"EXISTS", *keys)
        return reply

    def wait(self, args: Args, sent: Args) -> Any:
        """Make a request that waits where it need not: in a transaction it answers at once.

        Since Redis 7.2, one who waits is served as one who comes only then.
        """
        if waits_for_several(args) and self._server.older_than(7, 2):
            raise unsearchable(
                f"{name_of(args)} of several keys on a Redis before 7.2",
                "which of them is first depends on who came first; wait for one key",
            )
        newcomer = name_of(args) == "XREADGROUP" and not knows_consumer(self._run, args)
        at = option(sent, b"BLOCK", stop=b"STREAMS")
        if at is not None:  # fakeredis hands an entry out, and says that there is none
            sent = (*sent[:at], *sent[at + 2 :])
        replies = self._line.ask([(b"MULTI",), sent, (b"EXEC",)])
        value = replies[-1][0] if isinstance(replies[-1], list) else replies[1]
        if newcomer and not value:
            forget_consumer(self._run, args)
        return value

    def last_ids(self, args: Args) -> list[bytes]:
        """Return the ids after which XREAD reads, `$` being the last one there is now."""
        return last_ids(self._run, args)

    def _script(self, name: str, args: Args, before: Sequence[Args], alone: bool) -> Sent:
        whole = self.scripts.whole(name, args, before)
        if whole is None:
            return (b"EVALSHA", b"f" * 40, b"0"), same  # the server says NOSCRIPT
        start, fake = self.streams.start, self._server.fake
        if fake:
            faults.refuse_shared_values(self._run, whole, ())
        sent = with_prelude(whole, self._clock, start, bounded=fake, alone=alone)

        def after(reply: Any) -> Any:
            if isinstance(reply, redis.ResponseError):
                look_for_refusal(reply, sent[1], whole[1])
            self.scripts.ran(whole[1], reply)
            keys = whole[3 : 3 + int(whole[2])] if whole[2].isdigit() else ()
            past = keys and may_call(_MAY_BE_PAST, whole[1])
            return self._removing(keys, reply) if past else reply

        return sent, after

    def _script_may(self, what: re.Pattern[bytes], args: Args) -> bool:
        return name_of(args) in SCRIPTS and may_call(what, self._source(args)[1])

    def _source(self, args: Args) -> Args:
        """Return a script's EVAL in place of its EVALSHA."""
        if name_of(args) not in SCRIPTS:
            return args
        return self.scripts.whole(name_of(args), args) or args

    def _leave_no_choice(self, name: str, args: Args, before: Sequence[Args]) -> None:
        try:
            count = int(args[2]) if len(args) > 2 else 1
            if name == "RANDOMKEY":  # DBSIZE counts the keys of others on their server, too
                there = len(self._run(b"KEYS", b"*"))
            else:
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

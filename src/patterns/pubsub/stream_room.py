"""The same chat on a Redis Stream, which keeps its own history.

A stream is a list that only grows, and whose every entry has an id by which a reader finds
its place again: what `room.py` builds from a table and PUBLISH is one data type here.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, cast

from redis import Redis
from redis.client import NEVER_DECODE

from ._checks import check_message, check_place, check_redis, check_room
from .messages import UNREACHABLE, Hook, MalformedMessage, Message, log_error

Entries = list[tuple[bytes, dict[bytes, bytes]]]


class StreamRoom:
    """A chat room in one key of Redis: XADD to send, XRANGE and XREAD to read.

    Guarantee: as in `Room`, each message exactly once and in one order, for as long as Redis keeps
    the stream. Two things are weaker: a send that is repeated after a lost reply is stored a second
    time, and a Redis that comes back with older data has forgotten the newest messages. No program
    may add entries with ids from the clock: Redis then refuses ours, which are smaller.

    Takes a blocking client with decode_responses=True and no retries of its own; raises
    TypeError or ValueError for others. There is nothing to install.
    """

    def __init__(self, redis: Redis, name: str, *, poll: float = 1.0) -> None:
        check_redis(redis, alone=True)
        check_room(name, poll)
        timeout = redis.get_connection_kwargs().get("socket_timeout") or 2 * poll
        self.redis, self.name = redis, name
        self.poll = min(poll, timeout / 2)  # so that XREAD answers before the socket gives up
        self.stream = f"stream:{name}"

    def send(self, author: str, text: str) -> Message:
        """Add one message and return it with its number: one command, all or nothing."""
        check_message(author, text, key="-")
        # 0-* asks for the ids 0-1, 0-2, 0-3; with * alone they hold the server's clock
        entry = self.redis.xadd(self.stream, {"author": author, "text": text}, id="0-*")
        return Message(_number(str(entry)), author, text)

    def history(self, after: int = 0, on_error: Hook = log_error) -> list[Message]:
        """Return all messages with a number greater than `after`, in order."""
        check_place(after)
        return list(self._messages(self._xrange(f"0-{after}"), on_error))

    def listen(
        self, timeout: float, after: int = 0, on_error: Hook = log_error
    ) -> Iterator[Message]:
        """Yield every message with a number greater than `after`; all as in `Room.listen`."""
        check_place(after, timeout)
        return self._follow(timeout, f"0-{after}", on_error)

    def _follow(self, timeout: float, place: str, on_error: Hook) -> Iterator[Message]:
        deadline = time.monotonic() + timeout
        while True:
            wait = min(self.poll, max(0.0, deadline - time.monotonic()))
            entries: Entries = []
            try:
                if block := math.ceil(wait * 1000):  # to XREAD, BLOCK 0 means for ever
                    with suppress(UnicodeDecodeError):  # what is there, XRANGE tells
                        self.redis.xread({self.stream: place}, count=1, block=block)
                entries = self._xrange(place)
            except UNREACHABLE as error:
                on_error(error)
                time.sleep(wait)
            for message in self._messages(entries, on_error):
                yield message
                deadline = time.monotonic() + timeout
            if entries:
                place = entries[-1][0].decode()
            if time.monotonic() >= deadline:
                return

    def _xrange(self, place: str) -> Entries:
        send: Any = self.redis.execute_command  # one entry that is not UTF-8 must not stop the rest
        return cast(Entries, send("XRANGE", self.stream, f"({place}", "+", **{NEVER_DECODE: True}))

    def _messages(self, entries: Entries, on_error: Hook) -> Iterator[Message]:
        for entry, fields in entries:
            try:
                author, text = fields[b"author"].decode(), fields[b"text"].decode()
                yield Message(_number(entry.decode()), author, text)
            except (KeyError, ValueError):  # a field is missing or not UTF-8, the id has a time
                on_error(MalformedMessage(f"{self.stream} {entry.decode()}", fields))


def _number(entry: str) -> int:
    return int(entry.removeprefix("0-"))

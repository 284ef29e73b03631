"""What streams and their groups know: where each stands, and what is with whom."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Any

from raceproof.wire.redis.commands import Args
from raceproof.wire.redis.server import Asks
from raceproof.wire.redis.streams import StreamTime, group_fields, milliseconds

_STREAM = (b"last-generated-id", b"max-deleted-entry-id", b"entries-added")
_GROUP = (b"name", b"last-delivered-id", b"entries-read", b"consumers")


class StreamViews:
    """The streams of one world, each asked for with the groups that it had when last looked at."""

    def __init__(self, ask: Asks, streams: StreamTime) -> None:
        self._ask = ask
        self._streams = streams
        self._groups: dict[bytes, list[bytes]] = {}

    def requests(self, stream: bytes) -> list[Args]:
        """Return what asks for a stream, besides its entries."""
        asked: list[Args] = [(b"XINFO", b"STREAM", stream), (b"XINFO", b"GROUPS", stream)]
        asked.append((b"TIME",))
        for group in self._groups.get(stream, ()):
            asked.append((b"XINFO", b"CONSUMERS", stream, group))
            asked.append((b"XPENDING", stream, group, b"-", b"+", b"100000"))
        return asked

    def view(self, stream: bytes, replies: Sequence[Any]) -> Hashable:
        """Return what a stream that is there knows, from the replies to its requests."""
        groups = [group_fields(told) for told in replies[1]]
        names = [group[b"name"] for group in groups]
        if names != self._groups.get(stream, []):
            self._groups[stream] = names
            return self.view(stream, self._ask(self.requests(stream)))
        info, now = group_fields(replies[0]), milliseconds(replies[2])
        found: list[Hashable] = [info.get(name) for name in _STREAM]
        for group, consumers, pending in zip(groups, replies[3::2], replies[4::2], strict=True):
            there = sorted(group_fields(consumer)[b"name"] for consumer in consumers)
            held = self._streams.deliveries(now, pending)
            found.append((*(group.get(part) for part in _GROUP), *there, held))
        return tuple(found)

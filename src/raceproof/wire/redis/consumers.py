"""What a waiting read of a stream finds, and what it must not leave: ids and consumers."""

from __future__ import annotations

from typing import Any, Protocol

import redis

from raceproof.wire.redis.commands import Args, streams_of
from raceproof.wire.redis.streams import group_fields


class RunCommand(Protocol):
    """Makes one command on the server; returns its reply or raises its error."""

    def __call__(self, *args: bytes) -> Any:
        """Make the command."""


def knows_consumer(run: RunCommand, args: Args) -> bool:
    """Return whether every stream that XREADGROUP reads knows the consumer already."""
    known = True
    for stream in streams_of(args)[0]:
        try:
            found = run(b"XINFO", b"CONSUMERS", stream, args[2])
        except redis.ResponseError:
            continue
        known = known and args[3] in [group_fields(one)[b"name"] for one in found]
    return known


def forget_consumer(run: RunCommand, args: Args) -> None:
    """Remove a consumer that XREADGROUP has made in vain: it comes back with an entry."""
    for stream in streams_of(args)[0]:
        try:
            run(b"XGROUP", b"DELCONSUMER", stream, args[2], args[3])
        except redis.ResponseError:
            continue


def last_ids(run: RunCommand, args: Args) -> list[bytes]:
    """Return the ids after which XREAD reads, `$` being the last one there is now."""
    return [_last_id(run, s) if id == b"$" else id for s, id in zip(*streams_of(args), strict=True)]


def _last_id(run: RunCommand, stream: bytes) -> bytes:
    try:
        found = group_fields(run(b"XINFO", b"STREAM", stream))
    except redis.ResponseError:
        return b"0-0"
    last: bytes = found[b"last-generated-id"]
    return last

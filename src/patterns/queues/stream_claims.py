"""How a worker of a StreamQueue waits for an entry, and how what Redis says of one is read."""

from __future__ import annotations

from typing import Any

from redis import Redis, ResponseError

from .commands import raw

GROUP = "workers"

Claimed = tuple[bytes, dict[bytes, bytes], int]  # entry, fields, try


def claimed_entry(reply: list[Any]) -> Claimed:
    """Return the entry that a script has claimed."""
    entry, fields, tries = reply
    return entry, dict(zip(fields[::2], fields[1::2], strict=True)), tries


def awaited_entry(redis: Redis, stream: str, worker: str, wait: float) -> Claimed | None:
    """Take the first entry that no worker has had, waiting for one up to `wait` seconds."""
    read = ("XREADGROUP", "GROUP", GROUP, worker, "COUNT", 1, "BLOCK", max(1, round(wait * 1000)))
    try:
        found = raw(redis, *read, "STREAMS", stream, ">")
    except ResponseError as error:
        make_group(redis, stream, error)
        return None
    if not found:
        return None
    [(_, [(entry, fields)])] = found
    return entry, fields, 1


def make_group(redis: Redis, stream: str, error: ResponseError) -> None:
    """Make the consumer group if that is what was missing; otherwise raise the error."""
    if "NOGROUP" not in str(error):
        raise error
    try:
        redis.xgroup_create(stream, GROUP, id="0", mkstream=True)
    except ResponseError as made:
        if "BUSYGROUP" not in str(made):  # another client made it: as good
            raise

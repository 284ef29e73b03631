"""How a worker of a StreamQueue gets an entry from the consumer group: a late one, or a new one."""

from __future__ import annotations

from typing import Any

from redis import Redis, ResponseError

from .commands import raw, readable

GROUP = "workers"

Claimed = tuple[bytes, dict[bytes, bytes], int]  # entry, fields, try


def late_entry(redis: Redis, stream: str, worker: str, lease: int) -> Claimed | None:
    """Claim the first entry that no worker touched for `lease` ms; Redis counts the try."""
    start = "0-0"
    while True:
        claim = ("XAUTOCLAIM", stream, GROUP, worker, lease, start, "COUNT", 1)
        following, entries, *_ = raw(redis, *claim)
        for entry, fields in entries:
            held: Any = redis.xpending_range(stream, GROUP, entry, entry, 1)
            if held and readable(held[0]["consumer"]) == worker:
                return entry, fields, int(held[0]["times_delivered"])
        start = readable(following)
        if start == "0-0":
            return None


def new_entry(redis: Redis, stream: str, worker: str, wait: float) -> Claimed | None:
    """Take the first entry that no worker has had, waiting for one up to `wait` seconds."""
    block = ("BLOCK", max(1, round(wait * 1000))) if wait > 0 else ()
    read = ("XREADGROUP", "GROUP", GROUP, worker, "COUNT", 1, *block)
    found = raw(redis, *read, "STREAMS", stream, ">")
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

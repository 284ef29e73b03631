"""Subscribers outside of the world: what they hear is refused, since PUBLISH counts them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from raceproof.wire.calls import Unsearchable
from raceproof.wire.redis.server import Server, SharedConnection


def refuse_outsiders(
    server: Server, active: Sequence[tuple[bytes, bytes]], *, patterns: bool
) -> None:
    """Raise Unsearchable if anybody but the active of a world has subscribed to a channel.

    `patterns`: or to a pattern, of which a server tells only how many there are on all of it.
    """
    mine = Counter(name for kind, name in active if kind == b"subscribe")
    own = {name for kind, name in active if kind == b"psubscribe"}
    line = SharedConnection(server)
    there = line.run(b"PUBSUB", b"CHANNELS")
    counts = line.run(b"PUBSUB", b"NUMSUB", *there)
    others = patterns and line.run(b"PUBSUB", b"NUMPAT") != len(own)
    line.close()
    if others or dict(zip(counts[::2], counts[1::2], strict=True)) != mine:
        raise outsiders_hear()


def outsiders_hear() -> Unsearchable:
    """Return the refusal of what somebody outside of the world hears."""
    return Unsearchable(
        "a client outside of the world has subscribed on this server, and would be counted as a "
        "receiver; end that subscription before the search, or publish to another channel"
    )

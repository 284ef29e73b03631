"""Subscribers outside of the world: what they hear is refused, since PUBLISH counts them."""

from __future__ import annotations

import re
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


def refuse_server_events(server: Server, names: Sequence[bytes]) -> None:
    """Raise Unsearchable where a server tells of each change of a key, and one may hear of it.

    What the search itself does to keys would be told, too. A name may be a pattern.
    """
    told = [name for name in names if _may_be_told(name)]
    if not told:
        return
    line = SharedConnection(server)
    [found] = line.ask([(b"CONFIG", b"GET", b"notify-keyspace-events")])
    line.close()
    flags = found[1] if isinstance(found, list) and found else b""
    if flags or (isinstance(found, Exception) and not server.fake):
        raise Unsearchable(
            f"{told[0].decode(errors='replace')} hears of changes of keys (the server's "
            "notify-keyspace-events), which cannot be searched: let whoever changes a key publish "
            "that on a channel"
        )


def _may_be_told(name: bytes) -> bool:
    """Return whether a channel is that of a keyspace, or a pattern that such a name matches."""
    plain = re.split(rb"[*?\[\\]", name)[0]
    ours = (b"__keyspace@", b"__keyevent@")
    return any(plain.startswith(one) or (plain != name and one.startswith(plain)) for one in ours)

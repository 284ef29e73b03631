"""Keys are written as they were, so that a search need not play its way back to a state.

Only keys that differ are touched. When a field of a hash expires cannot be written, nor an open
MULTI, nor a stream in which what is pending was deleted.
"""

from __future__ import annotations

from ast import literal_eval
from collections.abc import Callable
from itertools import chain
from typing import Any

from raceproof.wire.exact import inexact
from raceproof.wire.redis.channels import Channels
from raceproof.wire.redis.commands import Args
from raceproof.wire.redis.expiry import FAR
from raceproof.wire.redis.keyspace import Keyspace, KeyView
from raceproof.wire.redis.scripts import Scripts
from raceproof.wire.redis.sessions import TiedConnections
from raceproof.wire.redis.streams import StreamTime

_WRITE: dict[bytes, Callable[[bytes, Any], Args]] = {
    b"string": lambda key, value: (b"SET", key, value),
    b"list": lambda key, items: (b"RPUSH", key, *items),
    b"set": lambda key, members: (b"SADD", key, *members),
    b"hash": lambda key, fields: (b"HSET", key, *_flat(fields)),
    b"zset": lambda key, scored: (b"ZADD", key, *_scores_first(_flat(scored))),
}


def put_back(
    keys: Keyspace,
    seen: tuple[KeyView, ...] | None,
    channels: Channels,
    connections: TiedConnections,
    scripts: Scripts,
    snapshot: Any,
) -> bool:
    """Bring a server to what a snapshot says; False: only the same calls can.

    `seen` are the keys that are there now, if they are known.
    """
    wanted, subscribed, tied, loaded = inexact(snapshot)
    if any(len(view) > 3 for _, view in tied) or not scripts.put_back(loaded):
        return False
    _subscribe(channels, subscribed)
    now = keys.snapshot() if seen is None else seen
    there, goal = set(now), set(wanted)
    changed, gone = [one for one in wanted if one not in there], there - goal
    if not all(map(_can_be_written, (*changed, *gone))):
        return False
    removed = sorted(one[0] for one in gone)
    requests: list[Args] = [(b"DEL", *removed)] if removed else []
    requests += [request for one in changed for request in _writes(one, keys.streams)]
    keys.write(requests, at_once=bool(tied))  # a WATCH comes after what is watched
    connections.put_back(tied)
    return True


def _subscribe(channels: Channels, wanted: Any) -> None:
    """Let just these be subscribed, with these messages in line."""
    views = dict(wanted)
    for key, subscriber in list(channels.subscribers.items()):
        if key not in views or views[key][1] != tuple(sorted(subscriber.active)):
            channels.close(*key)
    for key, (asked, active, line) in views.items():
        if key not in channels.subscribers:
            channels.subscribe(key, [(kind, name) for kind, name in active])
            channels.take_effect(key)
        subscriber = channels.subscribers[key]
        subscriber.asked, subscriber.line = list(asked), literal_eval(line)


def _can_be_written(one: KeyView) -> bool:
    kind, fields_expire = one[1], one[3]
    value: Any = one[2]
    if kind == b"stream":
        entries, (last, deleted, added, *groups) = value
        if None in (last, deleted, added):  # a server that does not tell, before Redis 7
            return False
        return {held[0] for *_, pending in groups for held in pending} <= {id for id, _ in entries}
    return kind in _WRITE and not fields_expire


def _writes(one: KeyView, streams: StreamTime) -> list[Args]:
    key, kind, expiry = one[0], one[1], one[4]
    value: Any = one[2]
    made = _stream(key, value, streams) if kind == b"stream" else [_WRITE[kind](key, value)]
    return made if expiry is None else [*made, (b"PEXPIREAT", key, b"%d" % (FAR + expiry))]


def _stream(key: bytes, value: Any, streams: StreamTime) -> list[Args]:
    """Return what makes a stream, as a server would write it into its log."""
    entries, (last, deleted, added, *groups) = value
    made = [(b"XADD", key, id, *fields) for id, fields in entries]
    made = made or [(b"XADD", key, b"MAXLEN", b"0", b"0-1" if last == b"0-0" else last, b"", b"")]
    made.append((b"XSETID", key, last, b"ENTRIESADDED", b"%d" % added, b"MAXDELETEDID", deleted))
    for name, read_to, count, _, *consumers, held in groups:
        read = b"%d" % (-1 if count is None else count)
        made.append((b"XGROUP", b"CREATE", key, name, read_to, b"ENTRIESREAD", read))
        made += [(b"XGROUP", b"CREATECONSUMER", key, name, who) for who in consumers]
        for id, who, since, times in held:
            when = (b"TIME", streams.server_moment(since), b"RETRYCOUNT", b"%d" % times)
            made.append((b"XCLAIM", key, name, who, b"0", id, *when, b"FORCE", b"JUSTID"))
    return made


def _flat(value: Any) -> list[bytes]:
    """Return members of a list of pairs, or of a list of members in turn, one after the other."""
    return list(chain(*value)) if value and isinstance(value[0], tuple) else list(value)


def _scores_first(members: list[bytes]) -> list[bytes]:
    return list(chain(*zip(members[1::2], members[::2], strict=True)))

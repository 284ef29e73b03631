"""Where fakeredis is not like a server, and a search has to see to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from raceproof.wire.redis.commands import Args, unsearchable

# Told in the order of a Python set, which comes from all that was done to it and from a seed.
WITHOUT_ORDER = {"SMEMBERS", "SINTER", "SUNION", "SDIFF"}


def watched_values(ask: Callable[..., Any], keys: Iterable[bytes]) -> list[Any]:
    """Return what is in keys: WATCH does not notice LMPOP, XDEL, HEXPIRE and HGETEX.

    Of a stream its entries: what a group has read changes nothing for WATCH, on a server neither.
    """
    values: list[Any] = []
    for key in keys:
        kind, whole, entries = ask([(b"TYPE", key), (b"DUMP", key), (b"XRANGE", key, b"-", b"+")])
        values += [kind, entries if kind == b"stream" else whole]
    return values


def remove_empty_lists(run: Callable[..., Any], keys: Iterable[bytes]) -> None:
    """Remove what LMPOP leaves: lists without items, which DEL passes over."""
    for key in keys:
        if run(b"TYPE", key) == b"list" and not run(b"LLEN", key):
            run(b"RPUSH", key, b"")
            run(b"DEL", key)


def refuse_shared_values(run: Callable[..., Any], args: Args, before: Sequence[Args]) -> None:
    """Refuse a COPY, or a script with one, after which who changes one key changes both."""
    if args[0].upper() == b"COPY":
        shared = bool(before) or run(b"TYPE", *args[1:2]) not in (b"string", b"none")
    else:
        shared = b"COPY" in args[1].upper()
    if shared:
        raise unsearchable(
            "COPY on fakeredis, of anything but a string,",
            "both keys are one value there, on a redis-server they are two; search on that",
        )

"""Who waits for whom on PostgreSQL, as `pg_locks` says it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .postgresql_twin import PostgresTwin

_WAITING = """SELECT pid, waitstart, pg_blocking_pids(pid),
        ARRAY[mode, relation::text, page::text, tuple::text, transactionid::text,
              classid::text, objid::text]
    FROM pg_locks WHERE NOT granted AND waitstart IS NOT NULL AND pid = ANY(%s)"""

_ALL_OUT = """SELECT count(*) > 0 FROM pg_locks
    WHERE mode = 'AccessExclusiveLock' AND pid = ANY(%s)"""
OUTSIDE = "PostgreSQL has locked a table or row for a connection that is not the search's"


class Wait(NamedTuple):
    """Since when a connection waits, for whom, and for which lock."""

    since: Any
    blockers: frozenset[int]
    lock: tuple[str | None, ...]


def waits_of(watch: Any, twins: Sequence[PostgresTwin]) -> dict[int, Wait]:
    """Return what those of the twins that wait for a lock wait for, by their process."""
    found = watch.execute(_WAITING, ([twin.pid for twin in twins],)).fetchall()
    return {pid: Wait(since, frozenset(by), tuple(lock)) for pid, since, by, lock in found}


def end_those_who_wait(watch: Any, twins: Sequence[PostgresTwin]) -> None:
    """Cancel each statement under way before any that it waits for, so that none goes on."""
    while going := [twin for twin in twins if twin.waits]:
        awaited = frozenset[int]().union(*(w.blockers for w in waits_of(watch, going).values()))
        next((twin for twin in going if twin.pid not in awaited), going[0]).cancel()


def locks_all_out(watch: Any, twins: Sequence[PostgresTwin]) -> bool:
    """Return whether one of the twins has, or waits for, a lock that keeps out who only reads."""
    [found] = watch.execute(_ALL_OUT, ([twin.pid for twin in twins],)).fetchone()
    return bool(found)

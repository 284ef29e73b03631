"""The same counters on a Redis Stream, which keeps every hit until you say otherwise.

A stream gives each hit an id that only grows. So SQL needs to remember one id, the last that
is in the sums, where `patterns.counters.counter_buffer` needs batches with names.
"""

from __future__ import annotations

import time
from typing import cast

import sqlalchemy as sa
from redis import Redis

from .counts import Counts, Flush, check_counter, check_hit, read_counts, start_of
from .sql_sums import add, read_sums
from .sql_sums import create_tables as create_sums

__all__ = ["StreamCounter", "create_tables"]

Entries = list[tuple[str, dict[str, str]]]

_tables = sa.MetaData()
_places = sa.Table(
    "counter_places",
    _tables,
    sa.Column("stream", sa.Text, primary_key=True),
    sa.Column("last", sa.Text, nullable=False),
)
_BEGIN = sa.text("""
    INSERT INTO counter_places (stream, last) VALUES (:stream, '0-0') ON CONFLICT DO NOTHING""")
_LAST = sa.text("SELECT last FROM counter_places WHERE stream = :stream")
_MOVE = sa.text("""
    UPDATE counter_places SET last = :last WHERE stream = :stream AND last = :before""")


def create_tables(sql: sa.Engine) -> None:
    """Create the tables where they are missing. Give an engine on SQLite or PostgreSQL."""
    create_sums(sql)
    try:
        _tables.create_all(sql)
    except sa.exc.DBAPIError:  # another process made them between our look and our CREATE
        _tables.create_all(sql)


class StreamCounter:
    """Counts for each key and period, from a stream of hits: XADD to hit, XRANGE to flush.

    Takes a client with decode_responses=True and no retries of its own. Guarantee: each hit
    that was answered is in SQL exactly once, as with `CounterBuffer`. Two things differ. Redis
    holds every hit, not one number for each key, until `trim`. And a Redis that comes back
    with older data makes no hit count twice, as long as its clock has not gone back: what
    SQL has is behind the last id.
    """

    def __init__(self, redis: Redis, name: str, period: int, *, at_once: int = 10_000) -> None:
        check_counter(name, period)
        self.redis, self.name, self.period, self.at_once = redis, name, period, at_once
        self.stream = f"counter:{{{name}/{period}}}:stream"

    def hit(self, key: str, by: int = 1, at: float | None = None) -> None:
        """Add one hit to the stream; all as in `CounterBuffer.hit`."""
        check_hit(key, by)
        start = start_of(self.period, time.time() if at is None else at)
        self.redis.xadd(self.stream, {"start": start, "key": key, "by": by})

    def flush(self, sql: sa.Engine) -> Flush:
        """Carry the hits after the last id to SQL, `at_once` in each transaction.

        Guarantees what `CounterBuffer.flush` does. A foreign entry raises MalformedCount, and
        stays in the way until it is removed with XDEL.
        """
        flushed = Flush()
        while True:
            with sql.begin() as tx:
                tx.execute(_BEGIN, {"stream": self.stream})
                before = str(tx.execute(_LAST, {"stream": self.stream}).scalar_one())
            found = self.redis.xrange(self.stream, min=f"({before}", count=self.at_once)
            entries = cast(Entries, found)
            if not entries:
                return flushed
            counts = self._sum(entries)
            move = {"stream": self.stream, "last": entries[-1][0], "before": before}
            with sql.begin() as tx:
                is_ours = tx.execute(_MOVE, move).rowcount == 1
                if is_ours:
                    add(tx, self.name, self.period, counts)
                    flushed += Flush(1, len(counts), sum(counts.values()))
            if is_ours and len(entries) < self.at_once:
                return flushed

    def counts(self, sql: sa.Engine) -> Counts:
        """Return {(start, key): hits} of what is in SQL."""
        return read_sums(sql, self.name, self.period)

    def _sum(self, entries: Entries) -> Counts:
        counts: Counts = {}
        for entry, hit in entries:
            field = f"{hit.get('start')}:{hit.get('key')}"
            place = f"{self.stream} {entry}"
            for slot, by in read_counts(place, {field: hit.get("by", "")}).items():
                counts[slot] = counts.get(slot, 0) + by
        return counts

    def trim(self, sql: sa.Engine) -> int:
        """Forget the hits that are in SQL, but for the last; return how many."""
        with sql.begin() as tx:
            last = tx.execute(_LAST, {"stream": self.stream}).scalar()
        return int(self.redis.xtrim(self.stream, minid=last, approximate=False)) if last else 0

"""The same counters on a Redis Stream, which keeps every hit until you say otherwise.

A stream gives each hit an id that only grows. So SQL needs to remember one id, the last that
is in the sums, where `CounterBuffer` needs batches with names.
"""

from __future__ import annotations

import time
from typing import cast

import sqlalchemy as sa
from redis import Redis

from ._checks import check_counter, check_hit, check_redis, check_sql, check_transaction, start_of
from .counts import NO_TEXT, Counts, Flush, MalformedCount, read_counts
from .sql_sums import add, create_tables, read_sums

Entries = list[tuple[str, dict[str, str]]]

_BEGIN = sa.text("""
    INSERT INTO counter_places (stream, last) VALUES (:stream, '0-0') ON CONFLICT DO NOTHING""")
_LAST = sa.text("SELECT last FROM counter_places WHERE stream = :stream")
_MOVE = sa.text("""
    UPDATE counter_places SET last = :last WHERE stream = :stream AND last = :before""")


class StreamCounter:
    """Counts for each key and period, from a stream of hits: XADD to hit, XRANGE to flush.

    Guarantee: each hit that was answered is in SQL exactly once, as with `CounterBuffer`. Two
    things differ. Redis holds every hit, not one number for each key, until `trim`. And a Redis
    that comes back with older data makes no hit count twice, as long as its clock has not gone
    back: what SQL has is behind the last id.

    Takes the clients that `CounterBuffer` takes. `install()` first, once.
    """

    def __init__(
        self, redis: Redis, sql: sa.Engine, name: str, period: int, *, at_once: int = 10_000
    ) -> None:
        check_redis(redis)
        check_sql(sql)
        check_counter(name, period, at_once)
        self.redis, self.sql, self.name = redis, sql, name
        self.period, self.at_once = period, at_once
        self.stream = f"counter:{{{name}/{period}}}:stream"

    def install(self) -> StreamCounter:
        """Make the tables that all counters share, if missing; any number may do so at once."""
        create_tables(self.sql)
        return self

    def hit(self, key: str, by: int = 1, at: float | None = None) -> None:
        """Add one hit to the stream; all as in `CounterBuffer.hit`."""
        check_hit(key, by)
        start = start_of(self.period, time.time() if at is None else at)
        self.redis.xadd(self.stream, {"start": start, "key": key, "by": by})

    def flush(self) -> Flush:
        """Carry the hits after the last id to SQL, `at_once` in each transaction.

        Guarantees what `CounterBuffer.flush` does. A foreign entry raises MalformedCount, and
        stays in the way until it is removed with XDEL.
        """
        flushed = Flush()
        while True:
            with self.sql.begin() as tx:
                tx.execute(_BEGIN, {"stream": self.stream})
                before = str(tx.execute(_LAST, {"stream": self.stream}).scalar_one())
            try:
                found = self.redis.xrange(self.stream, f"({before}", "+", self.at_once)
            except UnicodeDecodeError as error:
                raise MalformedCount(self.stream, error.object, NO_TEXT) from None
            entries = cast(Entries, found)
            if not entries:
                return flushed
            counts = self._sum(entries)
            move = {"stream": self.stream, "last": entries[-1][0], "before": before}
            with self.sql.begin() as tx:
                check_transaction(tx)
                is_ours = tx.execute(_MOVE, move).rowcount == 1
                if is_ours:
                    add(tx, self.name, self.period, counts)
                    flushed += Flush(1, len(counts), sum(counts.values()))
            if is_ours and len(entries) < self.at_once:
                return flushed

    def counts(self) -> Counts:
        """Return {(start, key): hits} of what is in SQL."""
        return read_sums(self.sql, self.name, self.period)

    def _sum(self, entries: Entries) -> Counts:
        counts: Counts = {}
        for entry, hit in entries:
            field, place = f"{hit.get('start')}:{hit.get('key')}", f"{self.stream} {entry}"
            for slot, by in read_counts(place, {field: hit.get("by", "")}).items():
                counts[slot] = counts.get(slot, 0) + by
        return counts

    def trim(self) -> int:
        """Forget the hits that are in SQL, but for the last; return how many."""
        with self.sql.begin() as tx:
            last = tx.execute(_LAST, {"stream": self.stream}).scalar()
        return int(self.redis.xtrim(self.stream, minid=last, approximate=False)) if last else 0

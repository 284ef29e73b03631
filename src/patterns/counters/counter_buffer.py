"""Counters that are hit in Redis and summed in SQL: every hit reaches SQL, once.

The idea, to count in Redis and let a daemon carry the sums to SQL, is from "Using Redis (or
Memcached) as a buffer for SQL resulting in near-realtime stats" (2010). What differs here:
counts leave Redis in a batch that has an identity, and SQL remembers which batches it has.
"""

from __future__ import annotations

import time
import uuid

import sqlalchemy as sa
from redis import Redis

from ._checks import check_counter, check_hit, check_redis, check_sql, start_of
from .counts import LARGEST_SUM, NO_TEXT, Counts, Flush, MalformedCount, read_counts
from .sql_sums import apply_once, create_tables, read_sums

# To look for a batch and to make one is one step: else two flushers would make two.
SEAL = """-- seal the open counts
local now = redis.call('TIME')
now = now[1] .. '.' .. string.format('%06d', now[2])
local fresh = redis.call('EXISTS', KEYS[2]) == 0
if fresh then
  if redis.call('EXISTS', KEYS[1]) == 1 then
    redis.call('RENAME', KEYS[1], KEYS[2])
    redis.call('HSET', KEYS[2], 'batch', ARGV[1], 'since', redis.call('GET', KEYS[3]) or '')
  end
  redis.call('SET', KEYS[3], now)
end
return {fresh and 1 or 0, now, redis.call('HGETALL', KEYS[2])}
"""
# A slow flusher must not drop the batch that came after its own.
RELEASE = """-- drop this batch
if redis.call('HGET', KEYS[1], 'batch') == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
LOOK = "return {redis.call('HGETALL', KEYS[1]), redis.call('HGETALL', KEYS[2])}"


class CounterBuffer:
    """Counts for each key and period: hit in Redis, carried to SQL by `flush`.

    Guarantee: each hit that was answered is in SQL exactly once, whatever flushers run, die or
    lose replies, and however late it comes. What Redis forgets is beyond it: run it with
    appendonly yes and maxmemory-policy noeviction.

    Takes a blocking client of Redis with decode_responses=True and no retries of its own (one
    that repeats a HINCRBY after a lost reply counts twice), and an engine on SQLite or
    PostgreSQL, which nothing connects to before a flush. Raises TypeError or ValueError for
    others; where only the driver is in AUTOCOMMIT, `flush` does, before it writes to SQL.
    `period` is in seconds. `install()` first, once.

    Redis holds at most two hashes, with one field for each key and period that waits: `open`
    takes the hits, `sealed` is the one batch on its way to SQL.
    """

    def __init__(self, redis: Redis, sql: sa.Engine, name: str, period: int) -> None:
        check_redis(redis)
        check_sql(sql)
        check_counter(name, period)
        self.redis, self.sql, self.name, self.period = redis, sql, name, period
        prefix, parts = f"counter:{{{name}/{period}}}", ("open", "sealed", "looked")
        self.open, self.sealed, self.looked = (f"{prefix}:{part}" for part in parts)
        self._seal = redis.register_script(SEAL)
        self._release = redis.register_script(RELEASE)
        self._look = redis.register_script(LOOK)

    def install(self) -> CounterBuffer:
        """Make the tables that all counters share, if missing; any number may do so at once."""
        create_tables(self.sql)
        return self

    def hit(self, key: str, by: int = 1, at: float | None = None) -> None:
        """Add `by` to the key, in the period that holds `at` (seconds since 1970; None: now).

        Atomic: one HINCRBY. If it raises a connection error you cannot know whether it
        counted; to repeat it may count it twice. `redis` may be a pipeline.
        """
        check_hit(key, by)
        start = start_of(self.period, time.time() if at is None else at)
        self.redis.hincrby(self.open, f"{start}:{key}", by)

    def flush(self) -> Flush:
        """Carry what has been counted to SQL; return what this call added there.

        Once it returns, every hit that was answered before the call is in SQL. Any number may
        run at once. If it raises, nothing is lost or doubled: flush again.
        """
        fresh, flushed = self._carry()
        if not fresh:  # that was a batch another flusher had sealed, before some of the hits
            flushed += self._carry()[1]
        return flushed

    def pending(self) -> Counts:
        """Return {(start, key): hits} of what waits in Redis; {} when all of it is in SQL."""
        places = [self.open, self.sealed]
        waiting: Counts = {}
        for place, flat in zip(places, self._look(keys=places), strict=True):
            pairs = zip(flat[::2], flat[1::2], strict=True)
            fields = {f: v for f, v in pairs if f not in ("batch", "since")}
            for slot, hits in read_counts(place, fields, LARGEST_SUM).items():
                waiting[slot] = waiting.get(slot, 0) + hits
        return waiting

    def counts(self) -> Counts:
        """Return {(start, key): hits} of what is in SQL."""
        return read_sums(self.sql, self.name, self.period)

    def _carry(self) -> tuple[bool, Flush]:
        """Take the one sealed batch to SQL, sealing it first if there is none."""
        began = time.monotonic()
        keys = [self.open, self.sealed, self.looked]
        try:
            fresh, now, flat = self._seal(keys=keys, args=[uuid.uuid4().hex])
        except UnicodeDecodeError as error:
            raise MalformedCount(self.sealed, error.object, NO_TEXT) from None
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        if not fields:
            return True, Flush()
        batch, since = fields.pop("batch", ""), fields.pop("since", "")
        if not batch:
            raise MalformedCount(self.sealed, "batch", batch)
        counts = read_counts(self.sealed, fields, LARGEST_SUM)
        is_new = apply_once(self.sql, batch, float(now), self.name, self.period, counts)
        stale = float(now) - float(since) + time.monotonic() - began if since else None
        self._release(keys=[self.sealed], args=[batch])
        flushed = Flush(1, len(counts), sum(counts.values()), stale) if is_new else Flush()
        return bool(fresh), flushed

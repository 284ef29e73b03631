"""Who asks how often, counted by our own counters in Redis, so that all servers count together."""

from __future__ import annotations

import sqlalchemy as sa
from redis import Redis

from patterns.counters import CounterBuffer
from workshop.classroom.problems import too_many

MINUTE = 60
REQUESTS = 600  # a minute, of one token
FROM_ADDRESS = 6000  # a minute, without a token: a whole class may be behind one address
GUESSES = 300  # wrong codes a minute, of one address (a room may share it) or for one name


def count(redis: Redis, sql: sa.Engine, who: str, now: float, by: int = 1) -> int:
    """Count one request of `who`, and return how many there were in this minute.

    A counter lives for two minutes and is never flushed: nothing connects to `sql`.
    """
    start = int(now) // MINUTE * MINUTE
    with redis.pipeline(transaction=False) as together:
        counter = CounterBuffer(together, sql, f"requests-{start}", MINUTE)
        counter.hit(who, by, at=start)
        together.hget(counter.open, f"{start}:{who}")
        together.expire(counter.open, 2 * MINUTE)
        return int(together.execute()[1])


def limit(redis: Redis, sql: sa.Engine, who: str, most: int, now: float) -> None:
    """Count one request; raise the Problem 429 if `who` has made more than `most` this minute."""
    if count(redis, sql, who, now) > most:
        raise too_many("too many requests in this minute", wait_of(now))


def wait_of(now: float) -> int:
    """Seconds until the next minute begins."""
    return MINUTE - int(now) % MINUTE

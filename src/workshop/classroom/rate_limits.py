"""Who asks how often: a person of the class, or the address of who is none.

What a person does is counted by our own counters in Redis, so that all servers count together and
more tokens allow no more. Who has no good token is counted by each server, before it asks Redis.
"""

from __future__ import annotations

import time
from collections import Counter

from patterns.counters import CounterBuffer
from workshop.classroom.problems import Problem
from workshop.classroom.rooms import Rooms

MINUTE, HOUR = 60, 3600
REQUESTS = 600  # a minute, of one person
SHARED = 5  # times as many, of the instructor: several people and tabs may have that link
FROM_ADDRESS = 6000  # a minute, without a token: a whole class may be behind one address
REFUSED = 1200  # a minute, of one address, for want of a good token
GUESSES = 300  # wrong codes a minute, of one address (a room may share it) or for one name
MESSAGES = 60  # an hour, of one person who is not the instructor
ADDRESSES = 10_000  # that are counted at once


def count(rooms: Rooms, who: str, by: int = 1, period: int = 0) -> int:
    """Count what `who` does, and return how often it was in this period; by default a minute.

    A counter lives for two periods and is never flushed: nothing connects to SQL.
    """
    period = period or MINUTE
    start = int(time.time()) // period * period
    with rooms.redis.pipeline(transaction=False) as together:
        counter = CounterBuffer(together, rooms.sql, f"requests-{start}", period)
        counter.hit(who, by, at=start)
        together.hget(counter.open, f"{start}:{who}")
        together.expire(counter.open, 2 * period)
        return int(together.execute()[1])


def limit(rooms: Rooms, who: str, most: int, period: int = 0) -> None:
    """Count one; raise the Problem 429 if `who` has had more than `most` in this period."""
    if count(rooms, who, period=period) > most:
        minutes = (period or MINUTE) // 60
        raise too_many(f"at most {most} in {minutes} min: wait for the next", period)


def too_many(detail: str, period: int = 0) -> Problem:
    """The refusal of who asks too often: 429, and in how many seconds the next period begins."""
    period = period or MINUTE
    return Problem(429, detail, Retry_After=str(period - int(time.time()) % period))


class Refusals:
    """How often each address, or bad token, was refused in this minute, by this server."""

    def __init__(self) -> None:
        self._minute, self._times = 0, Counter[str]()

    def check(self, who: str) -> None:
        """Raise the Problem 429 if it was too often."""
        minute = int(time.time()) // MINUTE
        if minute != self._minute or len(self._times) > ADDRESSES:
            self._minute, self._times = minute, Counter()
        if self._times[who] >= REFUSED:
            raise too_many("too many requests without a good token from where you are")

    def add(self, who: str) -> None:
        """Count one more."""
        self._times[who] += 1

"""An attempt at an exercise: counted once, and "first solved at" stored once and for all.

A solve is one document whose id is the learner and the exercise. CouchDB creates it or says that
it is there: whatever is repeated, and by whichever server, the first stays.
"""

from __future__ import annotations

import couchdb
import sqlalchemy as sa
from redis import Redis, WatchError

from patterns.counters import MINUTE, CounterBuffer
from workshop.classroom.opening import digest_of

TRIED = "class:tried"  # a stream: who tried what, for the grid
KEPT = 24 * 3600  # seconds in which a repeated attempt is known to be one
MOST_TRIED = 100_000


def record_attempt(
    redis: Redis,
    sql: sa.Engine,
    couch: couchdb.Database,
    learner: str,
    exercise: str,
    *,
    passed: bool,
    at: float,
    key: str,
    verdict: str = "",
) -> float | None:
    """Record one attempt, and return when the exercise was first solved; None if it failed.

    Guarantee: once this has returned, a solve is in CouchDB, with the time of the first, and the
    attempt is counted once. If it raises, or its reply is lost, do it again with the same `key`,
    here or on another server.
    """
    first = first_solved(couch, learner, exercise, at) if passed else None
    count_attempt(redis, sql, learner, exercise, passed=passed, at=at, key=key, verdict=verdict)
    return first


def first_solved(couch: couchdb.Database, learner: str, exercise: str, at: float) -> float:
    """Store that the exercise was solved, unless it is stored; return when it first was."""
    name = f"solved:{learner}:{exercise}"
    try:
        couch[name] = {"learner": learner, "exercise": exercise, "at": at}
    except couchdb.http.ResourceConflict:
        return float(couch[name]["at"])
    return at


def count_attempt(
    redis: Redis,
    sql: sa.Engine,
    learner: str,
    exercise: str,
    *,
    passed: bool,
    at: float,
    key: str,
    verdict: str = "",
) -> None:
    """Count the attempt for the chart and note it for the grid, unless this key was counted."""
    counted = f"class:counted:{digest_of(learner, key)}"
    tried = {"learner": learner, "exercise": exercise, "passed": int(passed), "said": verdict}
    while True:
        with redis.pipeline() as once:
            try:
                once.watch(counted)  # type: ignore[no-untyped-call]
                if once.exists(counted):
                    return
                once.multi()
                once.set(counted, 1, ex=KEPT)
                CounterBuffer(once, sql, "attempts", MINUTE).hit(exercise, at=at)
                once.xadd(TRIED, tried, maxlen=MOST_TRIED)  # type: ignore[arg-type]
                once.execute()
                return
            except WatchError:  # it was counted meanwhile, or the reply was lost: look again
                continue

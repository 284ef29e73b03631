"""redis.lock.Lock, unmodified, beside what wire/redis/test_libraries.py shows of it: its ends."""

from __future__ import annotations

import pytest
from redis.exceptions import LockError, LockNotOwnedError
from tests.raceproof.wire.redis.worlds import never, said, shop

from raceproof import explore


def test_who_is_killed_with_a_lock_lets_go_when_its_time_is_over_and_not_before(redis_client):
    def holds(world):
        with world.redis.lock("lock", timeout=30):
            world.redis.incr("n")

    def comes(world):
        lock = world.redis.lock("lock", timeout=30, blocking=False)
        world.journal.note(lock.acquire())

    def noted(ticks):
        report = explore(
            world=shop(redis_client, ticks=ticks),
            clients={"a": holds},
            check=never(lambda w: str(w.journal["b"])),
            afterwards={"b": comes},
            crashes=1,
        )
        return {found.violation for found in report.findings}

    assert noted(()) == {"[True]", "[False]"}
    killed = explore(
        world=shop(redis_client, ticks=(31.0,)),
        clients={"a": lambda w: w.redis.lock("lock", timeout=30).acquire()},
        check=never(lambda w: w.redis.exists("lock")),
    )
    assert killed.broken == 2  # the time that passed before it was taken, the end before the time


def test_who_is_killed_with_a_lock_without_a_time_out_holds_it_for_ever(redis_client):
    def guarded(world):
        with world.redis.lock("lock", blocking_timeout=5, sleep=1):
            world.redis.incr("n")

    report = explore(
        world=shop(redis_client),
        clients={"a": guarded},
        check=lambda w: None,
        afterwards={"b": guarded},
        crashes=1,
    )
    assert "Unable to acquire lock" in report.violation


@pytest.mark.parametrize("verb", ["release", "extend", "reacquire"])
def test_a_lock_that_ran_out_and_is_anothers_is_left_alone(redis_client, verb):
    def holder(world):
        lock = world.redis.lock("lock", timeout=30)
        lock.acquire(blocking=False)
        world.clock.time()
        try:
            lock.extend(30) if verb == "extend" else getattr(lock, verb)()
        except LockNotOwnedError:
            return "not mine", world.redis.exists("lock")
        except LockError:
            return "gone"
        return "mine"

    def thief(world):
        return world.redis.lock("lock", timeout=30).acquire(blocking=False)

    found = said(shop(redis_client, ticks=(31.0,)), holder, thief)
    assert "[('not mine', 1)], [True]" in found  # ran out, taken since: it is told, and lets be
    assert "['mine'], [False]" in found

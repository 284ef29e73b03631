"""Merged and full search find the same: the same violations, in as many schedules."""

from __future__ import annotations

import pytest
from tests.raceproof.toys import Shop, empty, in_full, memory

from raceproof import Violation, explore


def read_then_write(world):
    world.cells.write("n", world.cells.read("n") + 1)


def increments_all_count(world):
    if world.cells.numbers.get("n") != 2:
        raise Violation(f"n is {world.cells.numbers.get('n')}")


def swap(one, two):
    def run(world):
        value = world.cells.read(one)
        world.cells.write(two, value + 1)

    return run


def equal(world):
    a, b = world.cells.numbers.get("a", 0), world.cells.numbers.get("b", 0)
    if a == b:
        raise Violation(f"a and b are both {a}")


def retrying(world):
    for _ in range(2):
        try:
            return world.cells.write("n", world.cells.read("n") + 1)
        except ConnectionError:
            pass
    return None


def no_more_than_one(world):
    if world.cells.numbers.get("n", 0) > 1:
        raise Violation(f"counted {world.cells.numbers['n']} times")


def taker(world):
    job = world.redis.rpop("jobs")
    if job:
        world.redis.sadd("done", job)
        world.journal.note(job)


def every_job_is_done(world):
    done = world.redis.smembers("done")
    if done != {"1", "2"}:
        raise Violation(f"only {sorted(done)} done")


def jobs(client):
    empty(client).lpush("jobs", "1", "2")
    return Shop(client)


def waiter(world):
    world.redis.brpop("jobs", timeout=1)
    world.redis.brpop("extra", timeout=1)


def giver(world):
    world.redis.lpush("extra", "x")


CASES = {
    "lost update": dict(
        world=memory,
        clients={"a": read_then_write, "b": read_then_write},
        check=increments_all_count,
    ),
    "lost update, a crash": dict(
        world=memory,
        clients={"a": read_then_write, "b": read_then_write},
        check=increments_all_count,
        crashes=1,
    ),
    "crossed writes": dict(
        world=memory, clients={"a": swap("a", "b"), "b": swap("b", "a")}, check=equal
    ),
    "three clients": dict(
        world=memory,
        clients={"a": swap("a", "b"), "b": swap("b", "a"), "c": read_then_write},
        check=equal,
    ),
    "retry after a lost reply": dict(
        world=memory, clients={"a": retrying}, check=no_more_than_one, lost_replies=1
    ),
    "crash and lost reply": dict(
        world=memory,
        clients={"a": retrying, "b": read_then_write},
        check=increments_all_count,
        crashes=1,
        lost_replies=1,
    ),
    "bounded preemptions": dict(
        world=memory,
        clients={"a": read_then_write, "b": read_then_write},
        check=increments_all_count,
        preemptions=1,
    ),
}
ON_REDIS = {
    "a taken job is lost": dict(
        clients={"a": taker, "b": taker}, check=every_job_is_done, crashes=1
    ),
    "waiting and giving up": dict(
        clients={"a": waiter, "b": giver, "c": taker}, check=every_job_is_done
    ),
}


def found(search=explore, **case):
    report = search(**case)
    return (
        report.schedules,
        report.broken,
        {f.violation: (f.schedules, len(f.run.steps)) for f in report.findings},
        report.run,
    )


@pytest.mark.parametrize("name", CASES)
def test_merged_and_full_search_agree(name):
    merged = found(**CASES[name])
    assert merged == found(in_full, **CASES[name])
    assert merged[1] > 0


@pytest.mark.parametrize("name", ON_REDIS)
def test_merged_and_full_search_agree_on_redis(name, redis_client):
    case = {**ON_REDIS[name], "world": lambda: jobs(redis_client)}
    merged = found(**case)
    assert merged == found(in_full, **case)
    assert merged[1] > 0

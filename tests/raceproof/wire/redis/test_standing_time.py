"""Where no time passes, the report says what would expire if it did."""

from __future__ import annotations

import itertools
import time

import pytest
from tests.raceproof.wire.redis.worlds import never, shop

from raceproof import explore


def increments(world):
    """A counter as django-redis had it: the key may run out between its two steps."""
    if world.redis.exists("n"):
        world.redis.incr("n")


def without_a_ttl(world):
    return "n stays for ever" if world.redis.ttl("n") == -1 else ""


def test_a_key_that_would_expire_is_in_the_sentence(redis_client):
    make = shop(redis_client, ("SET", "n", 1, "EX", 10))
    case = dict(clients={"a": increments}, check=never(without_a_ttl))
    for merge in (True, False):
        report = explore(world=make, merge=merge, **case)
        assert report.holds
        assert "the clock stands still, so 1 key that would expire stays" in report.sentence
    ticking = explore(world=shop(redis_client, ("SET", "n", 1, "EX", 10), ticks=(10.0,)), **case)
    assert ticking.violation == "n stays for ever"
    assert "clock stands" not in ticking.sentence


@pytest.mark.parametrize(
    "set_it",
    [
        lambda r: r.set("k", 1, ex=5),
        lambda r: r.setex("k", 5, 1),
        lambda r: (r.set("k", 1), r.expire("k", 5)),
        lambda r: (r.set("k", 1), r.getex("k", ex=5)),
        lambda r: (r.hset("h", "f", 1), r.hexpire("h", 5, "f")),
        lambda r: r.pipeline().set("k", 1, px=5).execute(),
        lambda r: r.eval("redis.call('SET', KEYS[1], 1, 'EX', 5)", 1, "k"),
    ],
    ids=["SET", "SETEX", "EXPIRE", "GETEX", "HEXPIRE", "MULTI", "EVAL"],
)
def test_whatever_a_client_lets_expire_is_counted(redis_client, set_it):
    report = explore(
        world=shop(redis_client), clients={"a": lambda w: set_it(w.redis)}, check=lambda w: None
    )
    assert "the clock stands still, so 1 key that would expire stays" in report.sentence


def test_what_stays_is_not_counted(redis_client):
    report = explore(
        world=shop(redis_client),
        clients={"a": lambda w: (w.redis.set("k", 1), w.redis.ttl("k"))},
        check=lambda w: None,
    )
    assert "clock stands" not in report.sentence


def test_a_machine_that_stalls_while_a_world_is_made_changes_no_expiry(redis_client):
    """The server's clock goes on between the command that sets an expiry and the search."""
    stalls = itertools.cycle([0.0, 0.4, 0.7])
    make = shop(redis_client, ("SET", "n", 1, "EX", 7), ("HSET", "h", "f", 1))

    def slow():
        world = make()
        redis_client.hexpire("h", 3, "f")
        time.sleep(next(stalls))
        return world

    def look(world):
        world.journal.note([world.redis.pttl("n"), world.redis.hpttl("h", "f")])

    report = explore(world=slow, clients={"a": look}, check=never(lambda w: str(w.journal["a"])))
    assert report.violation == "[[7000, [3000]]]"

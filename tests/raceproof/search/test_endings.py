"""What only a client's frames hold ends with the client, as with a thread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import fakeredis
import pytest

from raceproof import Violation, explore


@dataclass
class World:
    redis: Any


def world():
    return World(fakeredis.FakeRedis())


def holds_a_lock(world):
    world.redis.set("lock", "1")
    try:
        yield
    finally:
        world.redis.delete("lock")


def fails(world):
    holding = holds_a_lock(world)
    next(holding)
    world.redis.incr("n")
    raise ValueError("not handled")


def fails_while_it_handles(world):
    try:
        fails(world)
    except ValueError:
        raise KeyError("handled badly") from None


def no_lock_is_left(world):
    if world.redis.exists("lock"):
        raise Violation("the lock is left")


@pytest.mark.parametrize("client", [fails, fails_while_it_handles])
def test_a_generator_that_nobody_holds_any_more_is_closed(client):
    case = dict(world=world, clients={"a": client}, check=no_lock_is_left)
    report = explore(**case, allow=(ValueError, KeyError))
    assert report.holds
    assert report.schedules == 1


def test_its_last_call_is_a_step_of_the_client():
    def looks(world):
        if world.redis.get("n"):
            world.redis.exists("lock")

    clients = {"a": fails, "b": looks}
    report = explore(world=world, clients=clients, check=lambda world: None, allow=(ValueError,))
    assert report.schedules == 2 + 2 + 1  # b looks before INCR; before DEL and once more; after DEL


def test_who_dies_lets_go_of_nothing():
    case = dict(world=world, clients={"a": fails}, check=no_lock_is_left)
    assert explore(**case, crashes=1, allow=(ValueError,)).violation == "the lock is left"

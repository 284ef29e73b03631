"""The members of a set have no order on fakeredis that two ways to the same set would share.

There it is the order of Python's own sets, which comes from all that was done to them, and from
a seed that each process draws.
"""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

SEARCH = """
from dataclasses import dataclass
import fakeredis
from raceproof import Journal, explore

@dataclass
class World:
    redis: fakeredis.FakeRedis
    journal: Journal

server = fakeredis.FakeServer()

def make():
    redis = fakeredis.FakeRedis(server=server, decode_responses=True)
    redis.flushall()
    return World(redis, Journal())

def client(name):
    def code(world):
        world.redis.sadd("set", name, "x", f"{name}2")
        world.redis.srem("set", "x")
        world.redis.response_callbacks.clear()
        seen = [world.redis.execute_command("SMEMBERS", "set")]
        seen += [world.redis.execute_command(f"S{word}", "set") for word in ("UNION", "INTER")]
        seen += [world.redis.execute_command("SDIFF", "set", "none")]
        seen += [world.redis.execute_command("SSCAN", "set", "0", "COUNT", "99")[1]]
        world.journal.note(seen)
    return code

def check(world):
    for seen in (note for name in ("ann", "bob") for note in world.journal[name]):
        assert all(members == sorted(members) for members in seen), seen

clients = {name: client(name) for name in ("ann", "bob")}
print(explore(world=make, clients=clients, check=check, crashes=1).sentence)
"""


@pytest.mark.parametrize("seed", [1, 5, 6])
def test_a_search_of_sets_on_fakeredis_is_the_same_for_every_seed(seed):
    ran = subprocess.run(
        [sys.executable, "-c", SEARCH],
        env={**os.environ, "PYTHONHASHSEED": str(seed)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "none breaks it" in ran.stdout, ran.stdout + ran.stderr

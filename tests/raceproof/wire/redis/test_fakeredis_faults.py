"""What fakeredis does otherwise than a server is put right, or refused by name."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from tests.raceproof.wire.redis.worlds import said, shop

from raceproof import Unsearchable

# The order of members is that of Python's own sets there: it comes from all that was done to them,
# and from a seed that each process draws.
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


def copies(world):
    world.redis.copy("h", "other")


def copies_in_multi(world):
    with world.redis.pipeline() as pipe:
        pipe.rename("h", "moved")
        pipe.copy("moved", "other")
        pipe.execute()


def copies_in_a_script(world):
    world.redis.eval("return redis.call('copy', KEYS[1], KEYS[2])", 2, "h", "other")


@pytest.mark.parametrize("code", [copies, copies_in_multi, copies_in_a_script])
@pytest.mark.parametrize("made", ["HSET h f 1", "RPUSH h 1", "SADD h 1", "ZADD h 1 1"])
def test_two_keys_of_one_value_are_refused(redis_client, code, made):
    fake = "server" in redis_client.connection_pool.connection_kwargs
    make = shop(redis_client, tuple(made.split()))

    def client(world):
        code(world)
        world.redis.delete("h")
        return world.redis.type("other")

    if fake:
        with pytest.raises(Unsearchable, match="COPY on fakeredis, of anything but a string, "):
            said(make, client)
    else:
        assert said(make, client) == {repr([make().redis.type("h")])}


def test_a_string_is_copied_and_so_is_nothing(redis_client):
    make = shop(redis_client, ("SET", "h", "1"))

    def client(world):
        world.redis.copy("none", "other")
        world.redis.copy("h", "other")
        world.redis.append("h", "2")
        return world.redis.mget("h", "other")

    assert said(make, client) == {"[['12', '1']]"}

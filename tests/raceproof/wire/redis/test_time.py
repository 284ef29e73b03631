"""Everything that expires, or tells the time, goes by the world's clock."""

from __future__ import annotations

import itertools
import time

import pytest
from tests.raceproof.wire.redis.worlds import never, said, shop

from raceproof import explore

NOW = 1000

SETS = {
    "SET EX": (("SET", "k", "v", "EX", 50), 50),
    "SET PX": (("SET", "k", "v", "PX", 50_000), 50),
    "SET EXAT": (("SET", "k", "v", "EXAT", NOW + 50), 50),
    "SET PXAT": (("SET", "k", "v", "PXAT", (NOW + 50) * 1000), 50),
    "SET KEEPTTL": (("SET", "k", "v", "KEEPTTL"), 20),
    "SET": (("SET", "k", "v"), -1),
    "SET EXAT past": (("SET", "k", "v", "EXAT", NOW - 50), -2),
    "SETEX": (("SETEX", "k", 50, "v"), 50),
    "PSETEX": (("PSETEX", "k", 50_000, "v"), 50),
    "GETEX EX": (("GETEX", "k", "EX", 50), 50),
    "GETEX PERSIST": (("GETEX", "k", "PERSIST"), -1),
    "EXPIRE": (("EXPIRE", "k", 50), 50),
    "EXPIRE GT": (("EXPIRE", "k", 50, "GT"), 50),
    "EXPIRE LT": (("EXPIRE", "k", 50, "LT"), 20),
    "EXPIRE NX": (("EXPIRE", "k", 50, "NX"), 20),
    "EXPIRE XX": (("EXPIRE", "k", 50, "XX"), 50),
    "EXPIRE past": (("EXPIRE", "k", -1), -2),
    "PEXPIRE": (("PEXPIRE", "k", 50_000), 50),
    "EXPIREAT": (("EXPIREAT", "k", NOW + 50), 50),
    "EXPIREAT LT": (("EXPIREAT", "k", NOW + 10, "LT"), 10),
    "PEXPIREAT": (("PEXPIREAT", "k", (NOW + 50) * 1000), 50),
    "PERSIST": (("PERSIST", "k"), -1),
}


def left_of(left):
    """TTL, PTTL, EXPIRETIME and TIME of a key that has so many seconds left."""
    return [left, left * 1000 if left >= 0 else left, NOW + left if left >= 0 else left, NOW]


def asks(key):
    return [("TTL", key), ("PTTL", key), ("EXPIRETIME", key), ("TIME",)]


def together(world, commands):
    pipe = world.redis.pipeline()
    for each in commands:
        pipe.execute_command(*each)
    return pipe.execute()


@pytest.mark.parametrize("how", ["alone", "in MULTI", "in a script"])
def test_an_expiry_is_the_worlds(redis_client, how):
    """One after the other, on a key that has 20 seconds left."""

    def asked(world, command):
        world.redis.set("k", "v", ex=20)
        if how == "alone":
            world.redis.execute_command(*command)
            *found, now = together(world, asks("k"))
        elif how == "in MULTI":
            *found, now = together(world, [command, *asks("k")])[1:]
        else:
            lines = (f"redis.call({', '.join(map(repr, each))})" for each in (command, *asks("k")))
            first, *others = lines
            *found, now = world.redis.eval(f"{first} return {{{', '.join(others)}}}", 0)
        return [*found, int(now[0])]

    def client(world):
        return {name: asked(world, command) for name, (command, _) in SETS.items()}

    expected = {name: left_of(left) for name, (_, left) in SETS.items()}
    assert said(shop(redis_client), client, calls=100) == {f"[{expected}]"}


def test_what_is_left_is_asked_by_one_command_each(redis_client):
    def client(world):
        *found, now = [world.redis.execute_command(*each) for each in asks("k")]
        return [*found, int(now[0])]

    make = shop(redis_client, ("SET", "k", "v", "EX", 20))
    assert said(make, client) == {f"[{left_of(20)}]"}


@pytest.mark.parametrize("how", ["alone", "in a script"])
def test_a_key_and_a_field_go_when_their_time_comes(redis_client, how):
    def a(world):
        if how == "alone":
            pipe = world.redis.pipeline().set("k", "v", px=30_000)
            pipe.hset("h", mapping={"f": 1, "g": 1}).hexpire("h", 30, "f").execute()
        else:
            world.redis.eval(
                "redis.call('SET', 'k', 'v', 'PX', 30000) redis.call('HSET', 'h', 'f', 1, 'g', 1) "
                "redis.call('HEXPIRE', 'h', 30, 'FIELDS', 1, 'f')",
                0,
            )
        looks = world.redis.pipeline().time().exists("k").hkeys("h").httl("h", "g")
        (now, _), *found = looks.execute()
        return [now, *found]

    assert said(shop(redis_client, ticks=(29.0, 1.0)), a) == {
        "[[1000, 1, ['f', 'g'], [-1]]]",
        "[[1029, 1, ['f', 'g'], [-1]]]",
        "[[1030, 0, ['g'], [-1]]]",
        # The time passes before anything is set.
        "[[1030, 1, ['f', 'g'], [-1]]]",
    }


def test_a_check_sees_the_worlds_time_and_may_move_it(redis_client):
    seen = []

    def check(world):
        seen.append([world.redis.ttl("k"), world.redis.time()[0], world.redis.exists("k")])
        world.clock.now += 60
        seen.append([world.redis.exists("k"), world.redis.time()[0]])

    clients = {"a": lambda w: w.redis.set("k", "v", ex=50)}
    assert explore(world=shop(redis_client), clients=clients, check=check).holds
    assert seen[:2] == [[50, NOW, 1], [0, NOW + 60]]


@pytest.mark.parametrize("how", ["alone", "in MULTI", "in a script"])
def test_ids_of_entries_are_the_worlds(redis_client, how):
    adds = [("XADD", "s", "*", "f", "*"), ("XADD", "s", "5000000-5", "f", "*")]
    adds += [("XADD", "s", "MAXLEN", "~", 9, "*", "f", "v"), ("XADD", "s", "*", "f", "v")]

    def a(world):
        if how == "alone":
            return [world.redis.execute_command(*add) for add in adds]
        if how == "in MULTI":
            pipe = world.redis.pipeline()
            for add in adds:
                pipe.execute_command(*add)
            return pipe.execute()
        calls = [f"redis.call({', '.join(map(repr, add))})" for add in adds]
        return world.redis.eval(f"return {{{', '.join(calls)}}}", 0)

    expected = ["1000000-0", "5000000-5", "5000000-6", "5000000-7"]
    assert said(shop(redis_client), a) == {f"[{expected}]"}


def test_a_machine_that_stalls_at_an_expiry_changes_nothing(redis_client, monkeypatch):
    from raceproof.wire.redis.adapter import RedisAdapter

    stalls = itertools.cycle([0, 0, 0.15])
    made = RedisAdapter.__init__

    def late(self, *args):
        time.sleep(next(stalls))
        made(self, *args)

    monkeypatch.setattr(RedisAdapter, "__init__", late)
    make = shop(redis_client, ("SET", "k", "v", "EX", 30), ticks=(29.95, 0.05))
    clients = {
        "a": lambda w: (w.redis.get("k"), w.journal.note(w.redis.pttl("k"))),
        "b": lambda w: w.redis.set("x", 1),
    }
    report = explore(world=make, clients=clients, check=never(lambda w: w.journal["a"]))
    assert {f.violation for f in report.findings} == {"[30000]", "[50]", "[-2]"}

"""A state is written where it can be, so that not all calls that led to it are made once more."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from tests.raceproof.wire.redis.worlds import shop

from raceproof import Clock, Journal, Report, Violation, explore
from raceproof.search import service_states
from raceproof.search.service_states import ServiceStates
from raceproof.wire.redis.adapter import RedisAdapter
from workshop import services

SCRIPT = "redis.call('HINCRBY', KEYS[1], 'n', 1) return redis.call('HGET', KEYS[1], 'n')"
TABLES = (
    "CREATE TABLE numbered (id INTEGER PRIMARY KEY AUTOINCREMENT, who TEXT)",
    "CREATE TABLE named (who TEXT PRIMARY KEY, n INTEGER) WITHOUT ROWID",
)


@dataclass
class World:
    redis: redis.Redis
    journal: Journal = field(default_factory=Journal)
    clock: Clock = field(default_factory=lambda: Clock(1000.0, step=0.5))


@dataclass
class Tables:
    sql: sa.Engine


@dataclass
class Other:
    redis: redis.Redis
    other: Any


@pytest.fixture
def written(monkeypatch):
    """What could be written, tried from the first time on: 2 a state, 1 one before it, 0 none."""
    monkeypatch.setattr(service_states, "REMADE_FIRST", 0)
    monkeypatch.setattr(service_states, "REMADE_LATER", 10**9)
    return observed(monkeypatch)


def observed(monkeypatch):
    found = []
    real = ServiceStates._begin_again

    def begin_again(self, path):
        rest, was_written = real(self, path)
        if self.merge:  # schedules that are made again from scratch are not
            found.append(0 if not was_written else 1 if rest else 2)
        return rest, was_written

    monkeypatch.setattr(ServiceStates, "_begin_again", begin_again)
    return found


def string(name, client):
    client.append("s", name)


def strings_that_expire(name, client):
    client.set(f"s:{name}", name, px=2000 if name == "ann" else 9000)
    client.set(f"s:{name}", "again", keepttl=True)


def lists(name, client):
    client.rpush("l", name, "x")
    client.lpop("l")


def sets(name, client):
    client.sadd("set", name, "x", f"{name}2")
    client.srem("set", "x")


def hashes(name, client):
    client.hset("h", mapping={name: 1, "x": name})
    client.hdel("h", name)


def sorted_sets(name, client):
    client.zadd("z", {name: 1.5, "x": -2e-7})
    client.zincrby("z", 0.1, name)


def scripts(name, client):
    digest = client.script_load(SCRIPT)
    client.evalsha(digest, 1, f"h:{name}")


def messages(name, client):
    if name == "bob":
        client.publish("news", "first")
        client.publish("news", "second")
        return
    with client.pubsub() as heard:
        heard.subscribe("news")
        client.rpush("heard", str(heard.get_message()), str(heard.get_message()))


def streams(name, client):
    client.xadd("stream", {"by": name})
    client.xadd("stream", {"by": name})


def watches(name, client):
    if name == "bob":
        client.set("w", "5")
        return
    with client.pipeline() as pipe:
        pipe.watch("w")
        n = int(pipe.get("w") or 0)
        pipe.multi()
        pipe.set("w", n + 1)
        try:
            pipe.execute()
        except redis.WatchError:
            client.set("failed", n)


def names_itself(name, client):
    with client.client() as own:
        own.client_setname(name)
        own.set("name", own.client_getname())


def groups(name, client):
    with contextlib.suppress(redis.ResponseError):
        client.xgroup_create("tasks", "workers", "0", mkstream=True)
    client.xadd("tasks", {"by": name})
    for _, found in client.xreadgroup("workers", name, {"tasks": ">"}, count=1) or ():
        client.xack("tasks", "workers", *(id for id, _ in found))


def deletes_what_is_pending(name, client):
    client.xadd("tasks", {"by": name}, id=f"{len(name)}-*")
    if name == "ann":
        client.xgroup_create("tasks", "workers", "0")
        client.xreadgroup("workers", name, {"tasks": ">"})
        client.xtrim("tasks", maxlen=0)


def types(name, client):
    """A key of a new type each time, of which two have the same name."""
    client.delete("t")
    with contextlib.suppress(redis.ResponseError):
        client.set("t", name, nx=True) if name == "ann" else client.rpush("t", name)


def open_transactions(name, client):
    with client.client() as own:
        own.execute_command("MULTI")
        own.execute_command("SET", "m", name)
        own.execute_command("EXEC")


def searched(code, world, **bounds):
    """How many schedules of two clients there are, and how many leave what behind."""

    def check(world):
        raise Violation(left_in(getattr(world, "redis", None) or world.sql))

    def client(name):
        return lambda world: code(name, getattr(world, "redis", None) or world.sql)

    clients = {name: client(name) for name in ("ann", "bob")}
    report = explore(world=world, clients=clients, check=check, **bounds)
    return report.schedules, {found.violation: found.schedules for found in report.findings}


def remade(monkeypatch, code, world):
    """What `searched` returns where nothing is written: all calls are made again for each state."""
    monkeypatch.setattr(service_states, "REMADE_LATER", 1)
    monkeypatch.setattr(Report, "confirm_some", lambda self: None)  # it would be once more
    return searched(code, world)


def left_in(service):
    if isinstance(service, sa.Engine):
        with service.connect() as connection:
            rows = [
                connection.execute(sa.text(f"SELECT * FROM {name}")).fetchall()
                for name in ("numbered", "named", "sqlite_sequence")
            ]
        return repr(rows)
    kinds = {key: service.type(key) for key in sorted(service.keys("*"))}
    read = {
        "string": service.get,
        "list": lambda key: service.lrange(key, 0, -1),
        "set": lambda key: sorted(service.smembers(key)),
        "hash": service.hgetall,
        "zset": lambda key: service.zrange(key, 0, -1, withscores=True),
        "stream": lambda key: [fields for _, fields in service.xrange(key)],
    }
    return repr([(key, read[kind](key), service.pttl(key)) for key, kind in kinds.items()])


WRITTEN = [string, strings_that_expire, lists, sets, hashes, sorted_sets, scripts, messages]
WRITTEN += [watches, streams, names_itself, groups, types]


def on_redis():
    return World(services.redis("test", fresh=True))


@pytest.mark.parametrize("code", [hashes, sets, sorted_sets, strings_that_expire])
def test_also_where_replies_are_of_the_third_protocol(code, redis_client, written, monkeypatch):
    make_shop = shop(redis_client, protocol=3)

    def make():
        return World(make_shop().redis)

    found = searched(code, make)
    assert written
    assert all(written)
    assert found == remade(monkeypatch, code, make)


@pytest.mark.parametrize("code", WRITTEN)
def test_a_state_that_is_written_is_the_state(code, redis_client, written, monkeypatch):
    found = searched(code, on_redis)
    assert written
    fake = "server" in redis_client.connection_pool.connection_kwargs
    assert min(written) == (1 if fake and code is groups else 2)  # it tells groups otherwise
    assert found == remade(monkeypatch, code, on_redis)


@pytest.mark.parametrize("code", [open_transactions, deletes_what_is_pending])
def test_where_a_state_cannot_be_written_one_before_it_is(code, redis_client, written, monkeypatch):
    found = searched(code, on_redis)
    assert min(written) < 2
    assert max(written) == 2
    assert found == remade(monkeypatch, code, on_redis)


def test_what_was_written_is_looked_at(redis_client, written, monkeypatch):
    monkeypatch.setattr(RedisAdapter, "put_back", lambda self, snapshot: True)
    found = searched(lists, on_redis)
    assert 0 in written
    assert found == remade(monkeypatch, lists, on_redis)


def test_time_is_put_back(redis_client, written, monkeypatch):
    def make():
        return World(services.redis("test", fresh=True), clock=Clock(ticks=(2.5,)))

    found = searched(strings_that_expire, make)
    assert all(written)
    assert found == remade(monkeypatch, strings_that_expire, make)
    assert len(found[1]) > 1


def test_at_first_and_then_now_and_then_the_world_is_made_anew(redis_client, monkeypatch):
    found = observed(monkeypatch)
    monkeypatch.setattr(service_states, "REMADE_FIRST", 3)
    monkeypatch.setattr(service_states, "REMADE_LATER", 4)
    searched(sets, on_redis, crashes=2, lost_replies=1)
    assert list(map(bool, found[:8])) == [False, False, False, False, True, True, True, False]


def insert(name, engine):
    with engine.begin() as tx:
        tx.execute(sa.text("INSERT INTO numbered (who) VALUES (:who)"), {"who": name})
        tx.execute(sa.text("DELETE FROM numbered WHERE who = 'x'"))
    with engine.begin() as tx:
        tx.execute(sa.text("INSERT INTO numbered (who) VALUES ('x')"))
        tx.execute(sa.text("INSERT OR REPLACE INTO named VALUES ('all', :n)"), {"n": len(name)})


def fresh_tables(*more):
    def make():
        engine = services.sql("test", fresh=True)
        with engine.begin() as tx:
            for statement in (*TABLES, *more):
                tx.execute(sa.text(statement))
        return Tables(engine)

    return make


def test_what_a_check_leaves_in_a_world_is_not_there_when_the_next_looks():
    looked = []

    def check(world):
        assert not hasattr(world, "looked")
        world.looked = True
        looked.append(world)

    def client(world):
        insert("a", world.sql)

    clients = {"a": client, "b": client}
    assert explore(world=fresh_tables(), clients=clients, check=check, always=check).holds
    assert len(looked) > 10


def test_rows_are_written_with_their_numbers(written, monkeypatch):
    found = searched(insert, fresh_tables())
    assert written
    assert all(written)
    assert found == remade(monkeypatch, insert, fresh_tables())


def test_rows_that_a_trigger_would_change_are_not_written(written):
    trigger = "CREATE TRIGGER t AFTER INSERT ON numbered BEGIN DELETE FROM named; END"
    searched(insert, fresh_tables(trigger))
    assert written
    assert not all(written)


def test_a_column_that_is_computed_is_not_written(written, monkeypatch):
    def code(name, engine):
        with engine.begin() as tx:
            tx.execute(sa.text("INSERT INTO computed VALUES (1)"))
        insert(name, engine)

    world = fresh_tables("CREATE TABLE computed (n INTEGER, more INTEGER AS (n + 1))")
    assert searched(code, world) == remade(monkeypatch, code, world)


@pytest.mark.parametrize("other", ["a word", object(), (1, 2), len])
def test_a_world_with_anything_else_in_it_is_made_anew(other, redis_client, written):
    searched(lists, lambda: Other(services.redis("test", fresh=True), other))
    assert written
    assert all(written) == (other == "a word")

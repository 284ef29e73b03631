"""A step of a run says whether it changed what is stored: what the diagram's dots are made of."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import Any

import couchdb
import redis
import sqlalchemy as sa
from tests.raceproof.toys import Shop, empty

from raceproof import Clock, Violation, explore
from workshop import services


@dataclass
class Shelf:
    store: Any
    clock: Clock


def broken(world):
    raise Violation("so that there is a run")


def changes(world, *clients, **bounds):
    """Return the calls of the shortest run, each with whether it changed what is stored."""
    named = {f"client {number}": code for number, code in enumerate(clients, 1)}
    run = explore(world=world, clients=named, check=broken, **bounds).run
    return [(step.call.split(" ")[0], step.changed) for step in run.steps]


def test_on_redis(redis_client):
    def client(world):
        r = world.redis
        r.set("x", "1")
        r.set("x", "1", nx=True)
        r.set("x", "1")
        r.get("x")
        r.lmove("none", "list")
        r.eval("return redis.call('DEL', KEYS[1])", 1, "none")
        r.eval("return redis.call('DEL', KEYS[1])", 1, "x")
        r.brpop("none", timeout=1)
        r.expire("x", 10)
        r.hset("h", "f", "1")
        r.expire("h", 10)

    found = changes(lambda: Shop(empty(redis_client)), client)
    expected = [True, False, False, False, False, False, True, False, False, True, True]
    assert [changed for _, changed in found] == expected


def test_a_watch_is_not_stored_and_a_refused_transaction_stores_nothing(redis_client):
    def client(world):
        with world.redis.pipeline() as pipe:
            for attempt in range(2):
                pipe.watch("x")
                if not attempt:
                    world.redis.set("x", "1")
                pipe.multi()
                pipe.set("y", "1")
                with contextlib.suppress(redis.WatchError):
                    pipe.execute()

    assert changes(lambda: Shop(empty(redis_client)), client) == [
        ("WATCH", False),
        ("SET", True),
        ("MULTI:", False),
        ("WATCH", False),
        ("MULTI:", True),
    ]


def test_a_message_is_stored_for_who_subscribes_and_for_nobody_else(redis_client):
    def client(world):
        world.redis.publish("news", "nobody")
        pubsub = world.redis.pubsub()
        pubsub.subscribe("news")
        pubsub.get_message(timeout=None)
        world.redis.publish("news", "me")

    assert changes(lambda: Shop(empty(redis_client)), client) == [
        ("PUBLISH", False),
        ("SUBSCRIBE", False),
        ("subscription", True),
        ("subscribed", True),
        ("PUBLISH", True),
    ]


def test_a_request_that_takes_effect_late(redis_client):
    def client(world):
        try:
            world.redis.set("x", "1")
        except redis.ConnectionError:
            world.redis.delete("x")

    world = lambda: Shop(empty(redis_client))  # noqa: E731
    clients = {"client": client}
    report = explore(world=world, clients=clients, check=lambda world: None, lost_replies=1, late=1)
    steps = [edge.step for node in report._graph.nodes for edge in node.edges or []]
    assert {s.changed for s in steps if s.fate == "late"} == {True}
    assert {s.changed for s in steps if s.fate == "request-lost"} == {False}
    assert {s.changed for s in steps if s.fate == "reply-lost" and "SET" in s.call} == {True}


def test_on_sql(sql_engine):
    with sql_engine.begin() as tx:
        tx.execute(sa.text("CREATE TABLE n (n INTEGER)"))

    def world():
        with sql_engine.begin() as tx:
            tx.execute(sa.text("DELETE FROM n"))
        return Shelf(sql_engine, Clock())

    def client(world):
        for statement in ("UPDATE n SET n = 1", "SELECT n FROM n", "INSERT INTO n VALUES (1)"):
            with world.store.begin() as tx:
                tx.execute(sa.text(statement))
        with world.store.connect() as tx:  # rolled back
            tx.execute(sa.text("INSERT INTO n VALUES (2)"))

    steps = changes(world, client)
    inserted = next(at for at, (call, _) in enumerate(steps) if call.startswith("INSERT"))
    assert [at for at, (_, changed) in enumerate(steps) if changed] == [inserted + 1]
    assert steps[inserted + 1][0] == "COMMIT"


def test_on_couchdb():
    def world():
        return Shelf(services.couch("test", fresh=True), Clock())

    def client(world):
        world.store["a"] = {"n": 1}
        with contextlib.suppress(couchdb.ResourceConflict):
            world.store["a"] = {"n": 2}
        list(world.store.view("_all_docs", keys=["a"]))

    found = changes(world, client)
    assert found == [("PUT", True), ("PUT", False), ("POST", False)]


def test_reading_a_clock_stores_nothing(redis_client):
    def client(world):
        world.clock.time()
        world.store.get("x")

    found = changes(lambda: Shelf(empty(redis_client), Clock(step=1.0)), client)
    assert [changed for _, changed in found] == [False, False]


def test_where_nobody_looked_nobody_says(redis_client):
    def client(world):
        world.redis.set("x", "1")

    assert changes(lambda: Shop(empty(redis_client)), client, merge=False) == [("SET", None)]

"""Broken and fixed, side by side, on real services."""

from __future__ import annotations

from dataclasses import dataclass, field

import couchdb
import pytest
import redis
import sqlalchemy as sa
from tests.raceproof.toys import Shop, empty

from raceproof import Journal, Violation, explore, verdicts


def shop(client):
    return lambda: Shop(empty(client))


# --- GET and SET against INCR ---------------------------------------------------------


def get_and_set(world):
    world.redis.set("n", int(world.redis.get("n") or 0) + 1)


def incr(world):
    world.redis.incr("n")


def both_count(world):
    if world.redis.get("n") != "2":
        raise Violation(f"n is {world.redis.get('n')}")


@pytest.mark.parametrize(("add", "broken"), [(get_and_set, 4), (incr, 0)])
def test_lost_update(redis_client, add, broken):
    report = explore(world=shop(redis_client), clients={"a": add, "b": add}, check=both_count)
    assert report.broken == broken


# --- GETDEL then SQL against a batch with an identity ------------------------------------

metadata = sa.MetaData()
counts = sa.Table("counts", metadata, sa.Column("n", sa.Integer))
batches = sa.Table("batches", metadata, sa.Column("id", sa.Text, primary_key=True))


@dataclass
class Site:
    redis: redis.Redis
    sql: sa.Engine


def flush_with_getdel(world):
    taken = int(world.redis.getdel("hits") or 0)
    with world.sql.begin() as tx:
        tx.execute(sa.text("UPDATE counts SET n = n + :n"), {"n": taken})


def flush_a_batch(world):
    world.redis.set("batch", "b1", nx=True)  # one batch in this small world: its identity
    if not world.redis.exists("sealed"):
        try:
            world.redis.rename("hits", "sealed")
        except redis.ResponseError:
            return  # nothing left to flush
    taken = world.redis.get("sealed")
    if taken is None:
        return  # somebody else has finished it
    try:
        with world.sql.begin() as tx:
            tx.execute(sa.insert(batches).values(id="b1"))
            tx.execute(sa.text("UPDATE counts SET n = n + :n"), {"n": int(taken)})
    except sa.exc.IntegrityError:
        pass
    world.redis.delete("sealed")


@pytest.fixture
def site(redis_client, sql_engine):
    metadata.create_all(sql_engine)

    def world():
        empty(redis_client).set("hits", 5)
        with sql_engine.begin() as tx:
            tx.execute(sa.delete(counts))
            tx.execute(sa.delete(batches))
            tx.execute(sa.insert(counts).values(n=0))
        return Site(redis_client, sql_engine)

    yield world
    metadata.drop_all(sql_engine)


def every_hit_counts_once_after_a_last_flush(flush):
    def check(world):
        flush(world)
        with world.sql.connect() as c:
            n = c.execute(sa.text("SELECT n FROM counts")).scalar_one()
        if n != 5:
            raise Violation(f"{n} of 5 hits counted")

    return check


@pytest.mark.parametrize(
    ("flush", "survives"),
    [(flush_with_getdel, False), (flush_a_batch, True)],
    ids=["getdel", "batch"],
)
def test_a_count_flushed_to_sql(site, flush, survives):
    case = dict(
        world=site,
        clients={"one": flush, "two": flush},
        check=every_hit_counts_once_after_a_last_flush(flush),
    )
    # All that has no crash is in it.
    report = explore(**case, crashes=1, preemptions=None if survives else 1)
    assert report.holds == survives
    if not survives:
        assert explore(**case).holds
        assert report.violation == "0 of 5 hits counted"
        assert len(report.run.steps) >= 1


# --- history then subscribe, against subscribe, acknowledged, then history ----------------


def history_first(world):
    seen = world.redis.lrange("log", 0, -1)
    pubsub = world.redis.pubsub()
    pubsub.subscribe("room")
    pubsub.get_message(timeout=None)
    follow(world, pubsub, seen)


def acknowledged_first(world):
    pubsub = world.redis.pubsub()
    pubsub.subscribe("room")
    pubsub.get_message(timeout=None)
    follow(world, pubsub, world.redis.lrange("log", 0, -1))


def follow(world, pubsub, seen):
    while len(seen) < 2:
        message = pubsub.get_message(timeout=None)["data"]
        if message not in seen:
            seen.append(message)
    world.journal.note(seen)


def sender(world):
    for text in ("one", "two"):
        world.redis.rpush("log", text)
        world.redis.publish("room", text)


@pytest.mark.parametrize(("reader", "holds"), [(history_first, False), (acknowledged_first, True)])
def test_from_history_into_live(redis_client, reader, holds):
    def check(world):
        if world.journal["reader"] != [["one", "two"]]:
            raise Violation(f"read {world.journal['reader']}")

    report = explore(
        world=shop(redis_client), clients={"reader": reader, "sender": sender}, check=check
    )
    assert report.holds == holds
    if not holds:
        assert "reader waits for ever" in report.violation


# --- check, then post, against create-if-absent -------------------------------------------


@dataclass
class Desk:
    couch: couchdb.Database
    journal: Journal = field(default_factory=Journal)


def check_then_post(name):
    def book(world):
        if not list(world.couch.view("_all_docs")):
            world.couch[f"seat-for-{name}"] = {"who": name}
            world.journal.note("booked")

    return book


def create_if_absent(name):
    def book(world):
        try:
            world.couch["seat"] = {"who": name}
        except couchdb.ResourceConflict:
            return
        world.journal.note("booked")

    return book


@pytest.mark.parametrize(
    ("book", "holds"), [(check_then_post, False), (create_if_absent, True)], ids=["check", "create"]
)
def test_booking_the_only_seat(couch_db, book, holds):
    def world():
        from workshop import services

        return Desk(services.couch("test", fresh=True))

    def check(world):
        told = world.journal["ann"] + world.journal["bob"]
        if told != ["booked"]:
            raise Violation(f"{len(told)} bookings of one seat")

    report = explore(world=world, clients={"ann": book("ann"), "bob": book("bob")}, check=check)
    assert report.holds == holds
    if not holds:
        assert report.violation == "2 bookings of one seat"
        assert report.schedules == 6


# --- the table ---------------------------------------------------------------------------


def test_verdicts_say_what_was_searched_in_each_cell(redis_client):
    def at_most_two(world):
        if int(world.redis.get("n") or 0) > 2:
            raise Violation("too many")

    case = dict(world=shop(redis_client), check=both_count)
    table = verdicts(
        {
            "GET and SET": dict(**case, clients={"a": get_and_set, "b": get_and_set}),
            "INCR": dict(**case, clients={"a": incr, "b": incr}),
            "both": [
                dict(**case, clients={"a": incr, "b": incr}),
                dict(world=shop(redis_client), check=at_most_two, clients={"a": incr, "b": incr}),
            ],
        },
        {"INCR": "each hit counts once, if nobody dies"},
    )
    lines = str(table).splitlines()
    assert "any interleaving" in lines[0]
    assert "✗ breaks: 4 of 6 " in lines[2]
    assert "✓ holds: 2 schedules" in lines[3]
    assert lines[3].endswith("each hit counts once, if nobody dies")
    assert "✓ holds: 4 schedules" in lines[4]
    assert "<table" in table._repr_html_()
    assert len(table.reports["both"]["one crash"]) == 2

"""Streams in a search: what is idle, and for how long, goes by the world's clock."""

from __future__ import annotations

import itertools
import time
from dataclasses import dataclass, field

import pytest
import redis
from tests.raceproof.toys import empty

from raceproof import Clock, Journal, Unsearchable, Violation, explore
from raceproof.wire.redis import expiry
from raceproof.wire.redis.streams import StreamTime


@dataclass
class Shop:
    redis: redis.Redis
    clock: Clock
    journal: Journal = field(default_factory=Journal)


def one_handed_out(client):
    """Leave a stream on the server, and nothing else, whose one entry ann has taken just now."""
    empty(client)
    client.xadd("s", {"job": "1"}, id="0-1")
    client.xgroup_create("s", "g", "0")
    client.xreadgroup("g", "ann", {"s": ">"})


@pytest.fixture
def shop(redis_client):
    """A maker of worlds: a stream with one new entry, and one that ann took at the beginning."""

    def world(*ticks):
        def make():
            one_handed_out(redis_client)
            redis_client.xadd("s", {"job": "2"}, id="0-2")
            return Shop(redis_client, Clock(1000, ticks=ticks))

        return make

    return world


def claimer(world):
    world.journal.note([entry for entry, _ in world.redis.xautoclaim("s", "g", "bob", 30_000)[1]])


def seen(world):
    raise Violation(str(world.journal["bob"]))


def outcomes(report):
    return {found.violation for found in report.findings}


def test_an_entry_is_claimed_once_it_has_been_idle_for_long_enough(shop):
    def search(*ticks):
        return explore(world=shop(*ticks), clients={"bob": claimer}, check=seen)

    assert outcomes(search()) == {"[[]]"}
    assert outcomes(search(29.0)) == {"[[]]"}
    assert outcomes(search(30.0)) == {"[[]]", "[['0-1']]"}


def test_a_claim_begins_the_idle_time_anew(shop):
    def bob(world):
        claimer(world)
        claimer(world)

    report = explore(world=shop(30.0), clients={"bob": bob}, check=seen)
    assert outcomes(report) == {"[[], []]", "[[], ['0-1']]", "[['0-1'], []]"}


def test_pending_says_how_long_by_the_worlds_clock(shop):
    def bob(world):
        held = world.redis.xpending_range("s", "g", "-", "+", 10)
        world.journal.note([p["time_since_delivered"] for p in held])
        late = world.redis.xpending_range("s", "g", "-", "+", 10, idle=5000)
        world.journal.note(len(late))

    report = explore(world=shop(7.0), clients={"bob": bob}, check=seen)
    assert outcomes(report) == {"[[0], 0]", "[[0], 1]", "[[7000], 1]"}


def test_a_claim_can_set_the_idle_time_itself(shop):
    def ann(world):
        world.redis.xclaim("s", "g", "ann", 0, ["0-1"], idle=40_000, justid=True)

    report = explore(world=shop(), clients={"ann": ann, "bob": claimer}, check=seen)
    assert outcomes(report) == {"[[]]", "[['0-1']]"}


def test_what_is_read_within_the_search_is_handed_out_at_the_worlds_time(shop):
    def ann(world):
        world.redis.xreadgroup("g", "ann", {"s": ">"})

    def bob(world):
        late = world.redis.xautoclaim("s", "g", "bob", 10_000, justid=True)
        world.journal.note(late)

    report = explore(world=shop(10.0), clients={"ann": ann, "bob": bob}, check=seen)
    assert outcomes(report) == {"[[]]", "[['0-1']]", "[['0-1', '0-2']]"}


def test_states_that_differ_in_the_idle_time_only_are_not_merged(shop):
    def ann(world):
        world.redis.xclaim("s", "g", "ann", 0, ["0-1"], justid=True)

    for merge in (True, False):
        clients = {"ann": ann, "bob": claimer}
        report = explore(world=shop(30.0), clients=clients, check=seen, merge=merge)
        # Of the 6 orders, bob finds it late in two: tick, bob, ann and ann, tick, bob.
        assert {f.violation: f.schedules for f in report.findings} == {"[[]]": 4, "[['0-1']]": 2}


def test_a_lease_in_a_transaction(shop):
    def bob(world):
        pipe = world.redis.pipeline(transaction=True)
        pipe.xautoclaim("s", "g", "bob", 30_000)
        pipe.xpending_range("s", "g", "-", "+", 10)
        claimed, held = pipe.execute()
        world.journal.note([claimed[1] != [], held[0]["time_since_delivered"]])

    report = explore(world=shop(30.0), clients={"bob": bob}, check=seen)
    assert outcomes(report) == {"[[False, 0]]", "[[True, 0]]"}


def test_a_script_is_told_the_worlds_idle_times(shop):
    script = """
    local held = redis.call('XPENDING', KEYS[1], 'g', '-', '+', 10)
    local late = redis.call('XPENDING', KEYS[1], 'g', 'IDLE', 30000, '-', '+', 10)
    local claimed = redis.call('XAUTOCLAIM', KEYS[1], 'g', 'bob', 30000, '0-0', 'JUSTID')[2]
    local now = redis.call('XPENDING', KEYS[1], 'g', '-', '+', 10)
    return {held[1][3], #late, #claimed, now[1][3]}
    """

    def bob(world):
        world.journal.note(world.redis.eval(script, 1, "s"))

    report = explore(world=shop(30.0), clients={"bob": bob}, check=seen)
    assert outcomes(report) == {"[[0, 0, 0, 0]]", "[[30000, 1, 1, 0]]"}


def test_a_machine_that_stalls_does_not_make_an_entry_older(shop, monkeypatch):
    """Between handing out and looking up since when, any time may pass on the real clock."""
    stalls = itertools.cycle([0, 0, 0.15])
    prompt = StreamTime._adopt

    def late(self, *place):
        time.sleep(next(stalls))
        prompt(self, *place)

    def bob(world):
        world.redis.xclaim("s", "g", "bob", 0, ["0-1"], idle=20_000)
        claimer(world)

    def ann(world):
        world.redis.xreadgroup("g", "ann", {"s": ">"})

    monkeypatch.setattr(StreamTime, "_adopt", late)
    report = explore(world=shop(10.0), clients={"ann": ann, "bob": bob}, check=seen)
    assert outcomes(report) == {"[[]]", "[['0-1']]"}


def test_a_script_hands_out_beside_a_key_that_is_no_stream(shop, redis_client):
    """After it, all keys are looked through for what the server's clock wrote."""
    read = "return redis.call('XREADGROUP', 'GROUP', 'g', 'bob', 'STREAMS', KEYS[1], '>')"

    def make():
        world = shop()()
        redis_client.set("text", "no stream")
        return world

    def bob(world):
        world.journal.note(len(world.redis.eval(read, 1, "s") or ()))

    assert outcomes(explore(world=make, clients={"bob": bob}, check=seen)) == {"[1]"}


def test_what_is_pending_and_deleted_is_refused_where_its_time_cannot_be_set(redis_client):
    def make():
        one_handed_out(redis_client)
        redis_client.xdel("s", "0-1")
        return Shop(redis_client, Clock(1000))

    with pytest.raises(Unsearchable, match="deletion of entry 0-1, which is pending"):
        explore(world=make, clients={"bob": claimer}, check=seen)


@pytest.mark.parametrize("idle", [0, 30_000])
def test_what_the_world_made_idle_is_idle_for_as_long(redis_client, idle):
    def make():
        one_handed_out(redis_client)
        redis_client.xclaim("s", "g", "ann", 0, ["0-1"], idle=idle)
        return Shop(redis_client, Clock(1000))

    def looks(world):
        [one] = world.redis.xpending_range("s", "g", "-", "+", 9)
        world.journal.note(one["time_since_delivered"])

    told = outcomes(explore(world=make, clients={"bob": looks}, check=seen))
    assert told == {str([idle])}


@pytest.mark.parametrize(
    ("found", "since", "up", "asked"),
    [
        (1500, 0.0, False, 1500),  # ms that an entry is idle, s since the world was begun
        (1507, 0.02, False, 1500),
        (1230, 0.0, False, 1230),
        (7, 0.02, False, 0),
        (30_004, 0.01, False, 30_000),
        (29_990, 0.02, True, 30_000),
        (1233, 0.02, True, 1250),
        (1233, 0.0, True, 1233),
    ],
)
def test_what_was_probably_asked_for_is_the_roundest_that_can_be(
    monkeypatch, found, since, up, asked
):
    clock = Clock(1000)
    monkeypatch.setattr(expiry, "monotonic", lambda: clock.began + since)
    assert expiry.asked_for(found, clock, up=up) == asked

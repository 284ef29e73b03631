"""Programs on which an earlier search was wrong: each has the right answer now, or is refused."""

from __future__ import annotations

import contextlib
import copy
import re
import threading
import time
from dataclasses import dataclass
from typing import Any

import pytest
import redis
import redis.asyncio
from redis.backoff import ExponentialBackoff
from redis.retry import Retry
from tests.raceproof.toys import empty, in_full
from tests.raceproof.wire.redis.worlds import counts, like, never, said, shop

from raceproof import Unsearchable, Violation, explore
from raceproof.wire.redis import looking
from raceproof.wire.redis.server import Server
from workshop.services import NotOurs, redis_service


@dataclass
class Plain:
    redis: Any


def test_one_is_not_the_same_request_as_one_point_nothing(redis_client):
    clients = {
        "b": lambda w: (w.redis.set("x", "y"), w.redis.delete("x")),
        "a": lambda w: w.redis.set("k", 1 if w.redis.get("x") is None else 1.0),
    }
    wrong = never(lambda w: w.redis.get("k") == "1.0")
    assert counts(shop(redis_client), clients, wrong) == (6, 2)


def test_the_order_of_a_hashs_fields(redis_client):
    clients = {
        "a": lambda w: w.redis.hset("h", "a", 1),
        "b": lambda w: w.redis.hset("h", "b", 1),
        "c": lambda w: w.journal.note((w.redis.hkeys("h") or ["none"])[0]),
    }
    check = never(lambda w: w.journal["c"][0])
    for search in (explore, in_full):
        report = search(world=shop(redis_client), clients=clients, check=check)
        first = {found.violation: found.schedules for found in report.findings}
        assert first == {"none": 2, "a": 2, "b": 2}


def test_a_consumer_without_entries_can_be_seen(redis_client):
    make = shop(redis_client, ("XGROUP", "CREATE", "s", "g", "0", "MKSTREAM"))
    clients = {
        "a": lambda w: w.redis.xgroup_createconsumer("s", "g", "ann"),
        "b": lambda w: w.journal.note(w.redis.xinfo_groups("s")[0]["consumers"]),
    }
    assert counts(make, clients, never(lambda w: w.journal["b"] == [1])) == (2, 1)


def test_how_many_entries_a_stream_is_said_to_have_had(redis_client):
    if "fakeredis" in str(type(redis_client)):
        pytest.skip("fakeredis has no XSETID")
    make = shop(redis_client, ("XADD", "s", "1-1", "f", "v"))
    clients = {
        "a": lambda w: w.redis.execute_command("XSETID", "s", "5-0", "ENTRIESADDED", 7),
        "b": lambda w: w.journal.note(w.redis.xinfo_stream("s")["entries-added"]),
    }
    assert counts(make, clients, never(lambda w: w.journal["b"] == [7])) == (2, 1)


def test_a_hash_is_read_in_the_order_in_which_it_was_written(redis_client):
    clients = {
        "a": lambda w: w.redis.hset("h", "a", 1),
        "b": lambda w: w.redis.hset("h", "b", 1),
        "c": lambda w: w.journal.note("".join(w.redis.hgetall("h"))),
    }
    report = explore(
        world=shop(redis_client), clients=clients, check=never(lambda w: w.journal["c"])
    )
    assert {f.violation: f.schedules for f in report.findings} == {
        "['']": 2,
        "['a']": 1,
        "['b']": 1,
        "['ab']": 1,
        "['ba']": 1,
    }


def test_consumer_groups_in_a_world_without_a_clock(redis_client):
    def world():
        empty(redis_client)
        redis_client.xgroup_create("s", "g", "0", mkstream=True)
        redis_client.xadd("s", {"f": 1}, id="1-1")
        redis_client.xadd("s", {"f": 2}, id="2-1")
        redis_client.xreadgroup("g", "late", {"s": ">"}, count=1)
        return Plain(redis_client)

    def works(name):
        def client(world):
            taken = world.redis.xautoclaim("s", "g", name, 0, "0")[1]
            world.redis.xreadgroup("g", name, {"s": ">"}, count=1)
            for id, _ in taken:
                world.redis.xack("s", "g", id)

        return client

    def check(world):
        if world.redis.xpending("s", "g")["pending"]:
            raise Violation("left behind")

    clients = {name: works(name) for name in "ab"}
    schedules, broken = counts(world, clients, check)
    assert 0 < broken < schedules


def test_the_expiry_of_a_field_and_the_name_of_a_connection_can_be_seen(redis_client):
    make = shop(redis_client, ("HSET", "h", "f", "1"))
    clients = {
        "a": lambda w: w.redis.hexpire("h", 50, "f"),
        "b": lambda w: w.journal.note(w.redis.httl("h", "f")),
    }
    assert counts(make, clients, never(lambda w: w.journal["b"] == [[50]])) == (2, 1)

    def named(world):
        with world.redis.client() as one:
            before = one.client_getname() or None
            one.client_setname("ann")
            return [before, one.client_getname()]

    assert said(shop(redis_client), named) == {"[[None, 'ann']]"}


def test_a_watch_whose_connection_breaks_is_a_watch_error_of_redis_pys_own(redis_client):
    def add(world):
        with world.redis.pipeline() as pipe:
            while True:
                try:
                    pipe.watch("n")
                    n = int(pipe.get("n") or 0)
                    pipe.multi()
                    pipe.set("n", n + 1)
                    pipe.execute()
                    return
                except redis.WatchError:
                    continue

    report = explore(
        world=shop(redis_client),
        clients={"a": add},
        check=never(lambda w: f"n is {w.redis.get('n')}" if w.redis.get("n") != "1" else ""),
        lost_replies=1,
    )
    assert "n is 2" in {f.violation for f in report.findings}


@pytest.mark.parametrize(
    "command",
    [
        ("SPOP", "s"),
        ("SRANDMEMBER", "s"),
        ("RANDOMKEY",),
        ("HRANDFIELD", "h"),
        ("ZRANDMEMBER", "z"),
        ("MOVE", "s", 1),
        ("FCALL", "f", 0),
        ("WAIT", 1, 1),
        ("SELECT", 1),
        ("CONFIG", "SET", "maxmemory", "1"),
        ("XINFO", "CONSUMERS", "x", "g"),
        ("OBJECT", "IDLETIME", "s"),
        ("FLUSHALL",),
        ("NONSENSE", "s"),
    ],
    ids=lambda command: command[0],
)
def test_what_cannot_be_right_is_refused_by_name_and_cannot_be_swallowed(redis_client, command):
    make = shop(
        redis_client,
        ("SADD", "s", *"abcdefgh"),
        ("HSET", "h", "a", "1", "b", "1"),
        ("ZADD", "z", 1, "a", 2, "b"),
    )

    def swallowing(world):
        with contextlib.suppress(Exception):
            world.redis.execute_command(*command)

    with pytest.raises(Unsearchable, match=command[0]):
        explore(world=make, clients={"a": swallowing}, check=lambda w: None)


def test_chance_that_has_nothing_to_choose_is_searched(redis_client):
    make = shop(redis_client, ("SADD", "s", "only"))
    assert said(make, lambda w: [w.redis.spop("s"), w.redis.spop("s")]) == {"[['only', None]]"}


def test_bytes_names_are_names(redis_client):
    def hear(world):
        pubsub = world.redis.pubsub()
        pubsub.subscribe(b"ch")
        pubsub.get_message(timeout=None)
        numbers = world.redis.pubsub_numsub("ch")
        world.redis.lpush("ready", 1)
        return [numbers, pubsub.get_message(timeout=None)["data"]]

    def speak(world):
        world.redis.blpop("ready", 0)
        return world.redis.publish(b"ch", b"hello")

    heard = said(shop(redis_client), hear, speak)
    assert heard == {"[[[('ch', 1)], 'hello']], [1]"}


def test_a_script_is_not_there_before_it_is_loaded(redis_client):
    sha = redis_client.script_load("return 7")

    def a(world):
        try:
            return world.redis.evalsha(sha, 0)
        except redis.exceptions.NoScriptError:
            return "NOSCRIPT"

    b = lambda world: world.redis.script_load("return 7") == sha  # noqa: E731
    assert said(shop(redis_client), a, b) == {"['NOSCRIPT'], [True]", "[7], [True]"}


def test_a_pipeline_whose_reply_is_lost_is_sent_again_whole(redis_client):
    def push(world):
        pipe = world.redis.pipeline(transaction=False)
        pipe.rpush("l", "x")
        pipe.rpush("l", "y")
        pipe.execute()

    make = shop(redis_client, retry=Retry(ExponentialBackoff(), 3))
    report = explore(
        world=make,
        clients={"a": push},
        check=never(lambda w: "".join(w.redis.lrange("l", 0, -1))),
        lost_replies=1,
    )
    lists = {f.violation for f in report.findings}
    assert lists == {"xy", "xxy", "xyxy"}


def test_what_is_ready_does_not_time_out(redis_client):
    reader = lambda w: len(w.redis.xread({"s": "0"}, block=100))  # noqa: E731
    make = shop(redis_client, ("XADD", "s", "1-1", "f", "v"))
    clients = {"a": reader, "b": lambda w: (w.redis.set("x", 1), w.redis.set("x", 2))}
    assert counts(make, clients, lambda w: None) == (3, 0)


@pytest.mark.parametrize(
    ("wait", "fill"),
    [
        (lambda r: r.bzpopmin("k", 0), lambda r: r.zadd("k", {"m": 1})),
        (lambda r: r.bzpopmax("k", 0), lambda r: r.zadd("k", {"m": 1})),
        (lambda r: r.blmpop(0, 1, "k", direction="LEFT"), lambda r: r.lpush("k", "m")),
        (lambda r: r.bzmpop(0, 1, ["k"], min=True), lambda r: r.zadd("k", {"m": 1})),
        (lambda r: r.blmove("k", "to", 0), lambda r: r.lpush("k", "m")),
        (lambda r: r.brpoplpush("k", "to"), lambda r: r.lpush("k", "m")),
        (lambda r: r.xread({"k": "0"}, block=0), lambda r: r.xadd("k", {"f": "m"})),
    ],
    ids=["BZPOPMIN", "BZPOPMAX", "BLMPOP", "BZMPOP", "BLMOVE", "BRPOPLPUSH", "XREAD"],
)
def test_who_waits_gets_what_comes(redis_client, wait, fill):
    clients = {
        "a": lambda w: w.journal.note("m" in str(wait(w.redis))),
        "b": lambda w: fill(w.redis),
    }
    wrong = never(lambda w: w.journal["a"] != [True])
    assert counts(shop(redis_client), clients, wrong) == (1, 0)


def test_a_read_of_what_comes_after_now_waits_for_it(redis_client):
    clients = {
        "a": lambda w: w.journal.note(w.redis.xread({"s": "$"}, block=0)[0][1][0][0]),
        "b": lambda w: (w.redis.xadd("s", {"f": 1}, id="1-1"), w.redis.xadd("s", {"f": 1}, id="2")),
    }
    report = explore(
        world=shop(redis_client), clients=clients, check=never(lambda w: w.journal["a"][0])
    )
    assert {f.violation for f in report.findings} == {
        "1-1",
        "2-0",
        "deadlock: a waits for ever for XREAD BLOCK 0 STREAMS s 2-0",
    }


@pytest.mark.parametrize(
    "script",
    [
        "while true do end",
        "while true do pcall(function() while true do end end) end",
        "redis.call('SET', KEYS[1], 1) return pcall(function() repeat until false end)",
    ],
    ids=["plain", "swallowing", "nearly swallowing"],
)
def test_a_script_that_does_not_end_is_refused(redis_client, monkeypatch, request, script):
    monkeypatch.setattr("raceproof.wire.redis.server.PATIENCE", 1.0)
    kind = redis_service.kind()
    if kind == "private":  # it spins until it lets somebody kill the script
        busy = redis_client.config_get("busy-reply-threshold")
        redis_client.config_set("busy-reply-threshold", 100)
        request.addfinalizer(lambda: [redis_client.config_set(*pair) for pair in busy.items()])
    refusals = (NotOurs, Unsearchable) if kind == "foreign" else Unsearchable
    if kind == "private" and "SET" in script:
        pytest.skip("a real server cannot kill a script that has written")
    began = time.monotonic()
    with pytest.raises(
        refusals, match=r"Lua script runs for more than|a loop of over 2000000 rounds"
    ):
        explore(
            world=shop(redis_client, client_name="endless"),
            clients={"a": lambda w: w.redis.eval(script, 1, "k")},
            check=lambda w: None,
        )
    assert time.monotonic() - began < 20
    assert redis_client.ping()
    assert redis_client.eval("local n = 0 for i = 1, 1e6 do n = n + 1 end return n", 0) == 10**6


def test_a_bound_on_scripts_changes_nothing_else_of_them(redis_client):
    """Replies, errors with their lines, comments at the end, several values, upvalues."""
    scripts = [
        "return {1, 'two', {3}, false}",
        "return 1, 2",
        "local n = #ARGV local function f() return n + #KEYS end return f() -- the end",
        "\n\nerror('here')",
        "return redis.call('INCR', KEYS[1], 2)",
        "return redis.pcall('HGET', KEYS[1])",
        "return redis.error_reply('MINE of my own')",
        "return redis.status_reply('FINE')",
        "return nosuch",
        "return )",
        "",
    ]

    def all_of_them(redis_):
        found = []
        for script in scripts:
            try:
                found.append(redis_.eval(script, 1, "k", "x", "y"))
            except redis.ResponseError as error:
                words = str(error).partition("\nstack traceback")[0]  # which fakeredis adds
                found.append(re.sub(r"[0-9a-f]{40}|@?user_script|\[string .*?\]", "", words))
        return found

    outside = all_of_them(empty(redis_client))
    [inside] = said(shop(redis_client), lambda w: [str(one) for one in all_of_them(w.redis)])
    assert inside == str([[str(one) for one in outside]])


def test_a_check_that_spins_is_ended(redis_client, monkeypatch):
    assert looking.MOST == 2_000
    monkeypatch.setattr(looking, "MOST", 100)

    def check(world):
        while not world.redis.set("lock", "mine", nx=True):
            pass

    make = shop(redis_client, ("SET", "lock", "theirs"))
    report = explore(world=make, clients={"a": lambda w: w.redis.get("lock")}, check=check)
    assert report.violation.startswith("the check is still going after 100 requests")


def test_a_thread_of_a_pubsub_is_refused_by_name(redis_client):
    def a(world):
        pubsub = world.redis.pubsub()
        pubsub.subscribe(ch=lambda message: None)
        thread = pubsub.run_in_thread(sleep_time=0.01)
        thread.join(2)

    with pytest.raises(Unsearchable, match="thread of its own"):
        explore(world=shop(redis_client), clients={"a": a}, check=lambda w: None)


def test_a_client_over_the_worlds_pool_is_on_the_wire_too(redis_client):
    def a(world):
        redis.Redis(connection_pool=world.redis.connection_pool).incr("n")

    make = shop(redis_client)
    assert counts(make, {"a": a, "b": a}, never(lambda w: w.redis.get("n") != "2")) == (2, 0)


def test_two_clients_of_one_server_in_a_world_are_refused_by_name(redis_client):
    """What is done through one would change what is seen, and heard, through the other."""

    @dataclass
    class Twice:
        redis: Any
        other: Any

    with pytest.raises(NotImplementedError, match=r"world\.redis and world\.other are on one"):
        explore(
            world=lambda: Twice(empty(redis_client), copy.copy(redis_client)),
            clients={"a": lambda w: w.redis.set("k", 1), "b": lambda w: w.other.get("k")},
            check=lambda w: None,
        )


SEVERAL = {
    "BLPOP": (
        lambda r: r.blpop(["k", "l"], 5),
        lambda r: r.pipeline().rpush("l", "L").rpush("k", "K").execute(),
    ),
    "BZPOPMIN": (
        lambda r: r.bzpopmin(["k", "l"], 5),
        lambda r: r.pipeline().zadd("l", {"L": 1}).zadd("k", {"K": 1}).execute(),
    ),
    "BRPOP": (
        lambda r: r.brpop(["k", "l"], 5),
        lambda r: r.eval("redis.call('RPUSH', 'l', 'L') redis.call('RPUSH', 'k', 'K')", 0),
    ),
}


@pytest.mark.parametrize("command", SEVERAL)
def test_who_waits_for_two_keys_gets_what_a_real_server_gives_to_one_that_waits(
    redis_client, command
):
    """Both are filled in one step: the order of its own keys decides, since Redis 7.2."""
    wait, fill = SEVERAL[command]
    empty(redis_client)
    got: list[Any] = []
    waiter = like(redis_client)
    thread = threading.Thread(target=lambda: got.append(wait(waiter)))
    thread.start()
    if "fakeredis" not in str(type(redis_client)):  # which does not tell who waits
        while not any("b" in one["flags"] for one in redis_client.client_list()):
            assert thread.is_alive()
    fill(redis_client)
    thread.join()
    clients = (lambda w: str(wait(w.redis)), lambda w: [fill(w.redis)][1:])
    searched = said(shop(redis_client), *clients, timeouts=0)
    assert searched == {f"{[str(got[0])]}, [[]]"}
    assert "K" in str(got[0])


@pytest.mark.parametrize("command", SEVERAL)
def test_waiting_for_two_keys_is_refused_on_a_server_that_goes_by_who_came_first(
    redis_client, command, monkeypatch
):
    monkeypatch.setattr(Server, "older_than", lambda self, *version: version > (7, 0))
    with pytest.raises(Unsearchable, match=rf"{command} of several keys.*wait for one key"):
        explore(
            world=shop(redis_client),
            clients={"a": lambda w: SEVERAL[command][0](w.redis)},
            check=lambda w: None,
        )
    one = {
        "a": lambda w: w.redis.blpop("k", 1),
        "b": lambda w: w.redis.rpush("k", 1),
    }
    assert explore(world=shop(redis_client), clients=one, check=lambda w: None).holds


def publish(redis):
    return redis.publish("ch", "m")


def publish_in_multi(redis):
    return redis.pipeline().incr("n").publish("ch", "m").execute()


def publish_by_script(redis):
    return redis.eval("return redis.call('PUBLISH', 'ch', 'm')", 0)


def ask_for_the_number(redis):
    return redis.pubsub_numsub("ch")


@pytest.mark.parametrize("act", [publish, publish_in_multi, publish_by_script, ask_for_the_number])
def test_a_subscriber_outside_of_the_world_is_not_counted_but_refused(redis_client, act):
    def hear(world):
        with world.redis.pubsub() as pubsub:
            pubsub.subscribe("ch")
            pubsub.get_message(timeout=None)
            world.redis.incr("ready")
            pubsub.get_message(timeout=1)

    clients = {"a": hear, "b": lambda w: w.journal.note(act(w.redis))}
    report = explore(
        world=shop(redis_client), clients=clients, check=never(lambda w: w.journal["b"])
    )
    assert {"0", "1"} <= {n for f in report.findings for n in re.findall(r"\d", f.violation)}
    outside = like(redis_client).pubsub()
    outside.subscribe("ch")
    outside.get_message(timeout=1)
    try:
        with pytest.raises(Unsearchable, match="outside of the world has subscribed"):
            explore(world=shop(redis_client), clients=clients, check=lambda w: None)
    finally:
        outside.unsubscribe()
        outside.get_message(timeout=1)  # fakeredis hears of a closed connection only later
        outside.close()


def ask_for_the_patterns(redis):
    return redis.pubsub_numpat()


@pytest.mark.parametrize("pattern", ["c*", "other*"])
@pytest.mark.parametrize(
    "act", [publish, publish_in_multi, publish_by_script, ask_for_the_number, ask_for_the_patterns]
)
def test_a_pattern_outside_of_the_world_matters_if_it_may_be_counted(redis_client, act, pattern):
    def search():
        clients = {"a": lambda w: w.journal.note(act(w.redis)), "b": lambda w: w.redis.get("k")}
        return explore(world=shop(redis_client), clients=clients, check=lambda w: None)

    assert search().holds
    counted = act is ask_for_the_patterns or (pattern == "c*" and act is not ask_for_the_number)
    outside = like(redis_client).pubsub()
    outside.psubscribe(pattern)
    outside.get_message(timeout=1)
    try:
        if counted:
            with pytest.raises(Unsearchable, match="outside of the world has subscribed"):
                search()
        else:
            assert search().holds
    finally:
        outside.punsubscribe()
        outside.get_message(timeout=1)  # fakeredis hears of a closed connection only later
        outside.close()

"""Lua scripts: what the search reads in their text, and which of them a server has loaded."""

from __future__ import annotations

import pytest
import redis
from tests.raceproof.wire.redis.worlds import never, said, shop

from raceproof import Violation, explore
from raceproof.wire.redis.commands import may_call, sha_of
from raceproof.wire.redis.translation import _PUBLISH

SCRIPT = "return 7"
SHA = sha_of(SCRIPT.encode()).decode()
ANY = "return redis.call(unpack(ARGV))"


@pytest.mark.parametrize(
    ("script", "may"),
    [
        ("return redis.call('PUBLISH', 'c', 'm')", True),
        ("return redis.call( 'publish' , 'c', 'm')", True),
        ("return redis.call('GET', KEYS[1])", False),
        ('return redis.pcall("PING")', False),
        ("local f = redis.call return f('GET', 'k')", True),
        (ANY, True),
        ("return redis.call(ARGV[1], 'c', 'm')", True),
        ("return redis.call('PUB' .. 'LISH', 'c', 'm')", True),
        ("return redis.call('\\80UBLISH', 'c', 'm')", True),
        ("return redis['call']('GET', 'k')", True),
        ("local recall = 1 return recall", False),
    ],
)
def test_a_script_may_call_what_it_names_and_where_it_names_none_anything(script, may):
    assert may_call(_PUBLISH, script.encode()) is may


def test_a_field_expires_that_a_script_was_told_to_expire(redis_client):
    def client(world):
        try:
            world.redis.eval(ANY, 0, "HEXPIRE", "h", 30, "FIELDS", 1, "f")
        except redis.ResponseError:
            pytest.skip("this server has no HEXPIRE")
        world.journal.note(world.redis.hget("h", "f"))

    world = shop(redis_client, ("HSET", "h", "f", "v", "g", "v"), ticks=(60.0,))
    assert said(world, client) == {"['v', None]", "[None, None]"}


def test_a_message_arrives_that_a_script_was_told_to_publish(redis_client):
    def hears(world):
        with world.redis.pubsub(ignore_subscribe_messages=True) as pubsub:
            pubsub.subscribe("c")
            pubsub.get_message(timeout=1)
            world.redis.set("there", 1)
            told = pubsub.get_message(timeout=1)
            world.journal.note(told and told["data"])

    def tells(world):
        if world.redis.get("there"):
            world.journal.note(world.redis.eval(ANY, 0, "PUBLISH", "c", "m"))

    check = never(lambda world: world.journal["a"] == ["m"])
    clients = {"a": hears, "b": tells}
    report = explore(world=shop(redis_client), clients=clients, check=check, timeouts=1)
    assert 0 < report.broken < report.schedules


def test_a_delivery_by_a_script_that_was_told_to_read_is_of_the_worlds_time(redis_client):
    made = (("XADD", "s", "0-1", "f", "v"), ("XGROUP", "CREATE", "s", "g", "0"))
    read = ("XREADGROUP", "GROUP", "g", "ann", "STREAMS", "s", ">")

    def client(world):
        world.redis.eval(ANY, 0, *read)
        world.journal.note(len(world.redis.xautoclaim("s", "g", "bob", 30_000)[1]))

    assert said(shop(redis_client, *made, ticks=(60.0,)), client) == {"[0, None]", "[1, None]"}


# --- which are loaded -----------------------------------------------------------------------------


def runs(redis_client):
    try:
        return redis_client.evalsha(SHA, 0)
    except redis.exceptions.NoScriptError:
        return "NOSCRIPT"


def test_a_script_in_a_transaction_that_was_refused_is_not_loaded(redis_client):
    def client(world):
        with world.redis.pipeline() as pipe:
            pipe.watch("k")
            pipe.get("k")
            pipe.multi()
            pipe.eval(SCRIPT, 0)
            try:
                pipe.execute()
            except redis.WatchError:
                world.journal.note("refused")
        world.journal.note(runs(world.redis))

    def other(world):
        world.redis.set("k", 2)

    told = said(shop(redis_client, ("SET", "k", "1")), client, other)
    assert told == {"['refused', 'NOSCRIPT', None], [None]", "[7, None], [None]"}


def test_one_in_a_transaction_is_there_for_what_comes_behind_it(redis_client):
    def client(world):
        with world.redis.pipeline() as pipe:
            pipe.eval(SCRIPT, 0)
            pipe.evalsha(SHA, 0)
            world.journal.note(pipe.execute())
        world.journal.note(runs(world.redis))

    assert said(shop(redis_client), client) == {"[[7, 7], 7, None]"}


def test_one_in_a_transaction_sent_request_by_request(redis_client):
    def client(world):
        with world.redis.client() as one:
            one.execute_command("MULTI")
            one.execute_command("EVAL", SCRIPT, 0)
            world.journal.note(runs(world.redis))
            one.execute_command("EXEC")
            world.journal.note(runs(world.redis))

    assert said(shop(redis_client), client) == {"['NOSCRIPT', 7, None]"}


def test_what_is_no_script_is_not_loaded(redis_client):
    bad = "return ((("

    def client(world):
        try:
            world.redis.eval(bad, 0)
        except redis.ResponseError:
            world.journal.note(world.redis.script_exists(sha_of(bad.encode()).decode()))

    if redis_client.connection_pool.connection_class.__module__.startswith("fakeredis"):
        pytest.skip("fakeredis reads a script only when it is run")
    assert said(shop(redis_client), client) == {"[[False], None]"}

    def loads(world):
        with pytest.raises(redis.ResponseError, match="Error compiling script"):
            world.redis.script_load(bad)

    explore(world=shop(redis_client), clients={"a": loads}, check=lambda w: None).assert_holds()


def test_one_that_failed_is_loaded_all_the_same(redis_client):
    fails = "return redis.call('INCR', 'text')"

    def client(world):
        with pytest.raises(redis.ResponseError):
            world.redis.eval(fails, 0)
        world.journal.note(world.redis.script_exists(sha_of(fails.encode()).decode()))

    assert said(shop(redis_client, ("SET", "text", "x")), client) == {"[[True], None]"}


@pytest.mark.parametrize("given", ["2.5", "0x10", " 5", "1e1", "five"])
def test_an_expiry_that_is_no_whole_number_is_an_error_in_a_script_too(redis_client, given):
    script = "redis.call('SET', 'k', 'v') return redis.call('EXPIRE', 'k', ARGV[1])"

    def client(world):
        with pytest.raises(redis.ResponseError, match="not an integer"):
            world.redis.eval(script, 0, given)
        world.journal.note(world.redis.ttl("k"))

    assert said(shop(redis_client), client) == {"[-1, None]"}


def test_nor_is_half_a_second_of_lua(redis_client):
    def client(world):
        with pytest.raises(redis.ResponseError, match="not an integer"):
            world.redis.eval("return redis.call('EXPIRE', 'k', 5 / 2)", 0)
        world.journal.note(world.redis.ttl("k"))

    assert said(shop(redis_client, ("SET", "k", "v")), client) == {"[-1, None]"}


@pytest.mark.parametrize("given", ["ARGV[1] / 2", "10 / 2", "'5'", "5"])
def test_one_that_is_a_whole_number_of_lua_is_none(redis_client, given):
    script = f"redis.call('SET', 'k', 'v') return redis.call('EXPIRE', 'k', {given})"

    def client(world):
        world.redis.eval(script, 0, 10)
        if world.redis.ttl("k") != 5:
            raise Violation(str(world.redis.ttl("k")))

    explore(world=shop(redis_client), clients={"a": client}, check=lambda w: None).assert_holds()

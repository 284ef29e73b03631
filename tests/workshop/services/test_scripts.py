"""Lua scripts on a server that is not ours: they reach what is ours, and they end."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterator

import pytest
import redis
from redis import asyncio as aredis
from tests.workshop.services.servers import foreign_redis, redis_contents

from workshop.services import redis_async_service, redis_service
from workshop.services.errors import NotOurs
from workshop.services.redis_keyspace import PrefixedKeyspace

pytestmark = pytest.mark.skipif(redis_service.binary() is None, reason="no redis-server")


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, redis.Redis]]:
    """Somebody else's server, and keys of theirs with the names that the scripts use."""
    with foreign_redis(tmp_path_factory.mktemp("theirs")) as (url, client):
        client.mset({"k": "theirs", "w_1": "9"})
        client.rpush("list", "theirs")
        client.xadd("s", {"f": "theirs"}, id="1-1")
        yield url, client


@pytest.fixture
def ours(theirs: tuple[str, redis.Redis]) -> Iterator[redis.Redis]:
    """Our part of it; theirs is as it was when the test has ended."""
    url, client = theirs
    client.execute_command("SELECT", 3)
    before = redis_contents(client)
    client.execute_command("SELECT", 3)
    plain = redis.Redis(connection_pool=redis_service._pool(url))
    connection = plain.connection_pool.get_connection()
    connection.send_command("COMMAND")
    keyspace = PrefixedKeyspace("btp-0123456789ab:test:", 3, connection.read_response())
    plain.connection_pool.disconnect()
    made = redis.Redis(connection_pool=redis_service._pool(url, keyspace=keyspace))
    made.mset({"k": "ours", "w_1": "7"})
    yield made
    redis_service._unlink(made, "*")
    made.connection_pool.disconnect()
    assert redis_contents(client) == before


WORK = {
    "return redis.call('GET', 'k')": "ours",
    "return {redis.call('get', 'k'), KEYS[1], redis.call('GET', KEYS[1])}": ["ours", "k", "ours"],
    "redis.call('SET', 'k', 'k') return redis.call('GET', 'k')": "k",
    "return redis.call('MGET', 'k', 'w_1', 'none')": ["ours", "7", None],
    "return redis.call('KEYS', 'k*')": ["k"],
    "return redis.call('SCAN', '0', 'COUNT', '1000', 'MATCH', 'w*')[2]": ["w_1"],
    "return #redis.call('SCAN', '0', 'COUNT', '1000')[2]": 2,
    "return redis.call('EXISTS', 'list', 's')": 0,
    "redis.call('RPUSH', 'list', 'a') return redis.call('LMPOP', 1, 'list', 'LEFT')": [
        "list",
        ["a"],
    ],
    "redis.call('XADD', 's', '1-1', 'f', 'v') return redis.call('XREAD', 'STREAMS', 's', '0')": [
        ["s", [["1-1", ["f", "v"]]]]
    ],
    "redis.call('SADD', 'ids', 1) redis.call('SORT', 'ids', 'LIMIT', 0, 1, 'BY', 'w_*', 'GET', '#',"
    " 'GET', 'w_*', 'STORE', 'to') return redis.call('LRANGE', 'to', 0, -1)": ["1", "7"],
    "redis.call('COPY', 'k', 'k2') return redis.call('GET', 'k2')": "ours",
    "redis.call('SET', 5, 'v') return redis.call('GET', '5')": "v",
    "return redis.call('PUBLISH', 'news', 'x')": 0,
    "return redis.call('PUBSUB', 'NUMSUB', 'news')": ["news", 0],
    "return redis.call('PING')['ok']": "PONG",
    "local sum = 0 for i = 1, 9 do sum = sum + i end return sum": 45,
    "local function f(a, ...) return a end return f(7)": 7,
    'return [[ do ]] .. [==[ ]] repeat ]==] .. "do\\"do" .. \'do\' -- do': (
        ' do  ]] repeat do"dodo'
    ),
    "--[[ while do\nfunction f() ]] return 1": 1,
    "return 1, 2": 1,
    "": None,
    "#!lua flags=no-writes\nreturn redis.call('GET', 'k')": "ours",
    "return redis.pcall('LPUSH', 'k', 'x')['err'] ~= nil": 1,
}


@pytest.mark.parametrize("script", WORK)
def test_every_key_that_a_script_names_is_ours(ours: redis.Redis, script: str) -> None:
    assert ours.eval(script, 1, "k") == WORK[script]


ENDLESS = [
    "while true do end",
    "redis.call('SET', 'k', 'x') repeat local a = 1 until false",
    "for i = 1, 1e18 do redis.call('INCR', 'n') end",
    "local function f() return f() end return f()",
    "return pcall(function() repeat until false end)",
    "local t = {} function t.f ( a, b ) return t.f(a, b) end return t.f()",
]


@pytest.mark.parametrize("script", ENDLESS)
def test_a_script_that_would_not_end_is_ended(ours: redis.Redis, script: str) -> None:
    with pytest.raises(NotOurs, match="a loop of over 2000000 rounds in a script is refused on a"):
        ours.eval(script, 0)
    assert ours.ping()


REFUSED = {
    "redis.call('FLUSHALL')": "FLUSHALL",
    "redis.pcall('flush' .. 'db')": "FLUSHDB",
    "redis.call('SELECT', 1)": "SELECT",
    "return pcall(redis.call, 'FLUSHALL')": "FLUSHALL",
    "redis.call('RANDOMKEY')": "RANDOMKEY",
    "redis.call('DBSIZE')": "DBSIZE",
    "redis.call('CONFIG', 'SET', 'maxmemory', 1)": "CONFIG",
    "redis.call('MOVE', 'k', 1)": "MOVE",
    "redis.call('COPY', 'k', 'k', 'REPLACE', 'DB', 1)": "COPY with DB",
    "loadstring('while true do end')()": "loading of code",
    "load(function() return nil end)": "loading of code",
    "redis.call('MSET', 'k', 'list', 'list', 'x')": "MSET of a key that is not in KEYS",
    "redis.call('XREAD', 'COUNT', '1', 'STREAMS', '1', '0')": "XREAD of a key that is not in KEYS",
}


@pytest.mark.parametrize("script", REFUSED)
def test_what_reaches_beyond_is_refused_by_name(ours: redis.Redis, script: str) -> None:
    said = f"^Redis: {REFUSED[script]} in a script is refused on a server that this run did not sta"
    with pytest.raises(NotOurs, match=said):
        ours.eval(script, 0)
    for transaction in (True, False):  # no reply of one request is taken for that of another
        pipe = ours.pipeline(transaction=transaction).eval(script, 0).get("w_1").get("k")
        with pytest.raises(NotOurs, match=said):
            pipe.execute()
        assert ours.get("k") == "ours"


def test_an_asyncio_client_is_told_the_same(ours: redis.Redis) -> None:
    async def ask() -> object:
        pool = ours.connection_pool
        kind = redis_async_service.KINDS[pool.connection_class]
        given = {**pool.connection_kwargs, "retry": None}
        client = aredis.Redis(connection_pool=aredis.ConnectionPool(kind, **given))
        pipe = client.pipeline(transaction=False)
        pipe.eval("redis.call('FLUSHDB')", 0)
        pipe.get("w_1")
        with pytest.raises(NotOurs, match="FLUSHDB in a script is refused"):
            await pipe.execute()
        found = [await client.eval("return redis.call('GET', 'k')", 0), await client.get("k")]
        await client.aclose()
        await client.connection_pool.disconnect()
        return found

    assert asyncio.run(ask()) == ["ours", "ours"]


def test_a_script_is_called_by_the_digest_of_what_was_given(
    ours: redis.Redis, theirs: tuple[str, redis.Redis]
) -> None:
    def digest(text: str) -> str:
        return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    text = "return redis.call('GET', 'k')"
    assert ours.script_load(text) == digest(text)
    assert ours.evalsha(digest(text), 0) == "ours"
    assert ours.evalsha(digest(text).upper(), 0) == "ours"
    assert ours.script_exists(digest(text), digest("return 1")) == [True, False]
    assert ours.register_script("return {KEYS[1], ARGV[1]}")(["k"], ["v"]) == ["k", "v"]
    with pytest.raises(redis.ResponseError, match=digest("return redis.call('LPUSH', 'k', 'v')")):
        ours.eval("return redis.call('LPUSH', 'k', 'v')", 0)
    other = "return redis.call('DEL', 'k')"
    theirs[1].script_load(other)
    assert ours.script_exists(digest(other)) == [False]
    with pytest.raises(redis.exceptions.NoScriptError):
        ours.evalsha(digest(other), 0)


def test_a_wrong_call_of_eval_is_answered_as_always(ours: redis.Redis) -> None:
    for words in (["EVAL"], ["EVALSHA"], ["EVAL", "return 1"], ["SCRIPT", "LOAD"]):
        with pytest.raises(redis.ResponseError, match="wrong number of arguments"):
            ours.execute_command(*words)


def test_keys_of_any_bytes_are_removed(ours: redis.Redis) -> None:
    ours.hset(b"h\xff", "f", "v")
    redis_service._unlink(ours, "*")
    assert ours.keys() == []

"""redis-py's asyncio clients, unmodified: a search of them is that of the same code that blocks."""

from __future__ import annotations

import asyncio
import inspect
import re
import socket
import textwrap
import time
from collections.abc import Callable
from contextvars import ContextVar
from types import SimpleNamespace
from typing import Any

import pytest
import redis
import redis.asyncio
from redis.asyncio.connection import Connection
from redis.exceptions import LockError
from tests.raceproof.toys import empty
from tests.raceproof.wire.redis.worlds import Shop, like, never

from raceproof import Clock, Journal, Report, Unsearchable, Violation, explore
from raceproof.search import onlooking
from raceproof.wire.redis import clients as wire_clients
from workshop import services

SOON = dict.fromkeys(["crashes", "lost_replies"], 1)


@pytest.fixture
def later(redis_client: redis.Redis) -> redis.asyncio.Redis:
    """An asyncio client of the same server."""
    return services.redis_async("test")


def blocking(code: Callable[..., Any]) -> Callable[..., Any]:
    """Return the same function without its `async` and `await`: redis-py has all names twice."""
    source = textwrap.dedent(inspect.getsource(code))
    source = re.sub(r"\b(async|await) ", "", source).replace("asyncio.sleep", "time.sleep")
    space: dict[str, Any] = {**globals(), "time": time}
    exec(compile(source, f"<{code.__name__}, blocking>", "exec"), space)
    made: Callable[..., Any] = space[code.__name__]
    return made


# --- programs ----------------------------------------------------------------------------------


async def counts(world: Shop) -> None:
    seen = int(await world.redis.get("n") or 0)
    await world.redis.set("n", seen + 1)


async def counts_watched(world: Shop) -> None:
    async with world.redis.pipeline() as pipe:
        while True:
            try:
                await pipe.watch("n")
                seen = int(await pipe.get("n") or 0)
                pipe.multi()
                pipe.set("n", seen + 1)
                await pipe.execute()
                return
            except redis.WatchError:
                continue


async def counts_locked(world: Shop) -> None:
    async with world.redis.lock("lock", timeout=30, sleep=1, blocking_timeout=3):
        seen = int(await world.redis.get("n") or 0)
        await world.redis.set("n", seen + 1)


async def counts_together(world: Shop) -> None:
    pipe = world.redis.pipeline(transaction=True)
    pipe.incr("n")
    pipe.rpush("list", "x")
    world.journal.note(await pipe.execute())


async def counts_one_by_one(world: Shop) -> None:
    pipe = world.redis.pipeline(transaction=False)
    pipe.incr("n")
    pipe.incr("n")
    world.journal.note(await pipe.execute())


async def counts_in_a_script(world: Shop) -> None:
    add = world.redis.register_script("return redis.call('INCRBY', KEYS[1], ARGV[1])")
    world.journal.note(await add(keys=["n"], args=[2]))


async def puts(world: Shop) -> None:
    await world.redis.lpush("list", "job")


async def takes(world: Shop) -> None:
    world.journal.note(await world.redis.brpop("list", timeout=2))


async def hears(world: Shop) -> None:
    async with world.redis.pubsub() as ears:
        await ears.subscribe("news")
        for _ in range(2):
            heard = await ears.get_message(timeout=5)
            world.journal.note(heard and heard["type"])


async def listens(world: Shop) -> None:
    async with world.redis.pubsub() as ears:
        await ears.psubscribe("new*")
        async for heard in ears.listen():
            world.journal.note(heard["data"])
            if heard["type"] == "pmessage":
                return


async def tells(world: Shop) -> None:
    world.journal.note(await world.redis.publish("news", "x"))


async def sleeps(world: Shop) -> None:
    await world.redis.set("key", "x", ex=10)
    await asyncio.sleep(5)
    world.journal.note(await world.redis.ttl("key"))


async def reads_a_group(world: Shop) -> None:
    try:
        await world.redis.xgroup_create("stream", "group", id="0", mkstream=True)
    except redis.ResponseError:
        world.journal.note("it is there")
    found = await world.redis.xreadgroup("group", "me", {"stream": ">"}, count=1, block=1000)
    world.journal.note(len(found))


async def adds(world: Shop) -> None:
    await world.redis.xadd("stream", {"a": "b"}, id="1-1")


async def hears_again(world: Shop) -> None:
    async with world.redis.pubsub() as ears:
        await ears.subscribe("news")
        for _ in range(3):
            try:
                heard = await ears.get_message(timeout=5)
                world.journal.note(heard and heard["type"])
            except redis.ConnectionError:
                world.journal.note("lost")


async def closes(world: Shop) -> None:
    pool = world.redis.connection_pool
    connection = await pool.get_connection()
    await connection.send_command("INCR", "n")
    world.journal.note(await connection.read_response())
    await connection.disconnect()
    try:
        await connection.read_response(timeout=1)
    except redis.ConnectionError:
        world.journal.note("it is closed")


async def is_refused(world: Shop) -> None:
    try:
        await world.redis.lpush("n", "x")
    except redis.ResponseError as error:
        world.journal.note(str(error)[:9])
    await world.redis.incr("n")


PROGRAMS: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "a lost update": ({"a": counts, "b": counts}, SOON),
    "WATCH": ({"a": counts_watched, "b": counts_watched}, {"crashes": 1}),
    "WATCH, its reply lost": ({"a": counts_watched, "b": counts}, {"lost_replies": 1}),
    "a lock": ({"a": counts_locked, "b": counts_locked}, {"crashes": 1}),
    "MULTI": ({"a": counts_together, "b": counts_together}, SOON),
    "a pipeline": ({"a": counts_one_by_one, "b": counts_one_by_one}, SOON),
    "a script": ({"a": counts_in_a_script, "b": counts_in_a_script}, SOON),
    "a queue": ({"a": puts, "b": takes}, SOON),
    "a late reader": ({"a": tells, "b": hears}, SOON),
    "a listener that is cut off": ({"a": tells, "b": hears_again}, {"lost_replies": 1}),
    "a connection": ({"a": closes, "b": closes}, SOON),
    "a pattern": ({"a": tells, "b": tells, "c": listens}, {}),
    "time": ({"a": sleeps, "b": sleeps}, {"crashes": 1}),
    "a group": ({"a": adds, "b": reads_a_group, "c": reads_a_group}, {}),
    "an error": ({"a": counts, "b": is_refused}, {}),
    "late": ({"a": counts, "b": counts}, {"crashes": 1, "late": 1}),
}


def searched(client: Any, plain: redis.Redis, clients: Any, bounds: Any) -> Report:
    def make() -> Shop:
        empty(plain)
        return Shop(client, Clock(1000, ticks=(5.0,)), Journal())

    def check(world: Shop) -> None:
        raise AssertionError("; ".join(str(world.journal[name]) for name in clients))

    return explore(world=make, clients=clients, check=check, allow=(LockError,), **bounds)


@pytest.mark.parametrize("name", PROGRAMS)
def test_with_await_or_without_it_is_the_same_search(
    redis_client: redis.Redis, later: redis.asyncio.Redis, name: str
) -> None:
    clients, bounds = PROGRAMS[name]
    plain = like(redis_client, decode_responses=False)
    awaited = searched(later, plain, clients, bounds)
    blocked = searched(
        redis_client, plain, {who: blocking(code) for who, code in clients.items()}, bounds
    )
    assert awaited.schedules == blocked.schedules > 1
    assert (awaited.states, awaited.broken) == (blocked.states, blocked.broken)
    found = {f.violation: (f.schedules, str(f.run)) for f in awaited.findings}
    assert found == {f.violation: (f.schedules, str(f.run)) for f in blocked.findings}


# --- what only asyncio has ------------------------------------------------------------------------


def refused(client: Any, code: Any, words: str) -> None:
    with pytest.raises(Unsearchable, match=words):
        explore(world=lambda: Shop(client), clients={"a": code}, check=lambda world: None)


def test_several_tasks_of_a_client_are_refused(later: redis.asyncio.Redis) -> None:
    async def gathers(world: Shop) -> None:
        await asyncio.gather(world.redis.get("a"), world.redis.get("b"))

    async def begins(world: Shop) -> None:
        background = asyncio.create_task(asyncio.sleep(1))
        await world.redis.get("a")
        await background

    async def swallows(world: Shop) -> None:
        await asyncio.gather(world.redis.get("a"), world.redis.get("b"), return_exceptions=True)

    for code in (gathers, begins, swallows):
        refused(later, code, "several tasks .* make each task a client of the search")


def test_a_time_out_of_asyncio_over_a_request_is_refused(later: redis.asyncio.Redis) -> None:
    async def hurries(world: Shop) -> None:
        async with asyncio.timeout(1):
            await world.redis.brpop("list", timeout=0)

    async def is_to_stop(world: Shop) -> None:
        asyncio.current_task().cancel()  # type: ignore[union-attr]
        await world.redis.get("a")

    for code in (hurries, is_to_stop):
        refused(later, code, "may end it at any moment .* give the command a time-out of its own")


def test_what_else_the_event_loop_has_to_do_is_refused(later: redis.asyncio.Redis) -> None:
    async def called_back(world: Shop) -> None:
        asyncio.get_running_loop().call_soon(print)
        await world.redis.get("a")

    async def reads(world: Shop) -> None:
        ours, theirs = socket.socketpair()
        with ours, theirs:
            asyncio.get_running_loop().add_reader(ours, print)
            await world.redis.get("a")

    for code in (called_back, reads):
        refused(later, code, "has something else to do .* let that be done before")


def test_a_time_out_of_asyncio_over_what_is_no_request_is_none_of_ours(
    later: redis.asyncio.Redis,
) -> None:
    async def naps(world: Shop) -> None:
        try:
            async with asyncio.timeout(1):
                await asyncio.sleep(99)
        except TimeoutError:
            world.journal.note(asyncio.get_running_loop().time())
        await world.redis.get("a")

    report = explore(
        world=lambda: Shop(later),
        clients={"a": naps},
        check=never(lambda world: world.journal["a"] != [1.0] and world.journal["a"]),
    )
    assert report.holds


def test_checks_may_await_too(redis_client: redis.Redis, later: redis.asyncio.Redis) -> None:
    async def all_are_there(world: Shop) -> None:
        if found := await world.redis.get("n"):
            assert found == "2", f"{found}, not 2"

    async def never_three(world: Shop) -> None:
        assert await world.redis.get("n") != "3"

    def make() -> Shop:
        empty(redis_client)
        return Shop(later)

    clients = {"a": counts, "b": counts}
    report = explore(world=make, clients=clients, check=all_are_there, always=never_three)
    assert report.violation.startswith("1, not 2")

    async def writes(world: Shop) -> None:
        await world.redis.set("n", "9")

    without = explore(world=make, clients=clients, check=lambda world: None)
    unseen = explore(world=make, clients=clients, check=nothing, always=writes)
    assert (unseen.schedules, unseen.states) == (without.schedules, without.states)


async def nothing(world: Shop) -> None:
    """Do nothing."""


def test_checks_may_await_where_an_event_loop_is_running(
    redis_client: redis.Redis, later: redis.asyncio.Redis
) -> None:
    """As one does in a notebook."""

    async def is_two(world: Shop) -> None:
        assert onlooking.current() is not None  # a check, which does not sleep
        assert await world.redis.get("n") in (None, "2"), "not 2"

    async def looks_twice(world: Shop) -> None:
        try:
            await asyncio.gather(world.redis.get("n"), world.redis.get("n"))
        except NotImplementedError:
            return

    async def search(check: Any) -> Report:
        make = emptied(redis_client, later)
        return explore(world=make, clients={"a": counts, "b": counts}, check=check)

    report = asyncio.run(search(is_two))
    assert report.violation is not None
    assert report.violation.startswith("not 2")
    with pytest.raises(Unsearchable, match="in a check, await one after the other"):
        asyncio.run(search(looks_twice))


@pytest.mark.parametrize("role", ["clients", "check", "always", "afterwards"])
def test_without_a_client_to_await_an_async_function_is_refused(
    redis_client: redis.Redis, role: str
) -> None:
    roles: dict[str, Any] = {
        "clients": {"a": lambda world: world.redis.get("n")},
        "check": lambda world: None,
        role: {"b": nothing} if role in ("clients", "afterwards") else nothing,
    }
    with pytest.raises(TypeError, match="is an async function: called, it would do nothing"):
        explore(world=lambda: Shop(redis_client), **roles)


def test_an_async_world_is_refused(later: redis.asyncio.Redis) -> None:
    async def make() -> Shop:
        return Shop(later)

    with pytest.raises(TypeError, match="world is an async function"):
        explore(world=make, clients={"a": counts}, check=lambda world: None)


def test_a_client_that_forgets_to_await_is_told_so(later: redis.asyncio.Redis) -> None:
    with pytest.raises(TypeError, match="client 'a' returned a coroutine, of which nothing ran"):
        explore(
            world=lambda: Shop(later),
            clients={"a": lambda world: world.redis.incr("n")},
            check=lambda world: None,
        )


def test_a_reply_that_is_lost_is_sent_for_again_as_often_as_the_client_says(
    redis_client: redis.Redis, later: redis.asyncio.Redis
) -> None:
    """As it comes, redis-py's asyncio client sends ten times: a hit counts twice."""
    pool = later.connection_pool
    given = {**pool.connection_kwargs, "retry": redis.asyncio.Redis().get_retry()}
    eager = redis.asyncio.ConnectionPool(pool.connection_class, **given)
    clients = {"a": is_hit, "b": is_hit}
    reports = [
        searched(client, like(redis_client, decode_responses=False), code, {"lost_replies": 1})
        for client, code in (
            (later, clients),
            (redis.asyncio.Redis.from_pool(eager), clients),
            (
                like(redis_client, retry=redis.Redis().get_retry()),
                dict.fromkeys("ab", blocking(is_hit)),
            ),
        )
    ]
    ends = [{found.violation: found.schedules for found in report.findings} for report in reports]
    assert not any("[3]" in end for end in ends[0])
    assert any("[3]" in end for end in ends[1])
    assert ends[1] == ends[2]


async def is_hit(world: Shop) -> None:
    world.journal.note(await world.redis.incr("n"))


async def comes_late(world: Shop) -> None:
    await asyncio.sleep(3)
    await world.redis.incr("n")


async def is_busy_and_naps(world: Shop) -> None:
    for _ in range(2):
        await world.redis.incr("n")
        await world.redis.incr("n")
        await asyncio.sleep(3)


def test_health_is_checked_when_a_connection_was_idle_for_long(
    redis_client: redis.Redis, later: redis.asyncio.Redis
) -> None:
    """Two requests, a PING, two requests; whether they are awaited or not."""
    pool = later.connection_pool
    given = {**pool.connection_kwargs, "health_check_interval": 2}
    careful = redis.asyncio.Redis.from_pool(
        redis.asyncio.ConnectionPool(pool.connection_class, **given)
    )
    careful_too = like(redis_client, health_check_interval=2)
    plain = like(redis_client, decode_responses=False)
    for code, pings in ((is_busy_and_naps, 1), (comes_late, 0)):
        for client, mine in ((careful, code), (careful_too, blocking(code))):
            report = searched(client, plain, {"a": mine}, {})
            assert [step.call for step in report.findings[0].run.steps].count("PING") == pings


def emptied(redis_client: redis.Redis, client: Any) -> Callable[[], Shop]:
    def make() -> Shop:
        empty(redis_client)
        return Shop(client)

    return make


def test_a_client_of_one_connection_has_one_of_ours(
    redis_client: redis.Redis, later: redis.asyncio.Redis
) -> None:
    alone: Any = later.client()
    alone.connection = SimpleNamespace(_close=lambda: None)  # which would go past the search
    make = emptied(redis_client, alone)
    report = explore(world=make, clients={"a": is_hit}, check=lambda world: None, crashes=1)
    assert report.schedules == 3
    alone.connection = None


def test_the_event_loop_is_that_of_asyncio_whatever_is_usual(
    redis_client: redis.Redis, later: redis.asyncio.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    def usual() -> None:
        raise AssertionError("uvloop, say")

    monkeypatch.setattr(asyncio.events, "new_event_loop", usual)
    make = emptied(redis_client, later)
    assert explore(world=make, clients={"a": is_hit}, check=lambda world: None).holds


def test_the_server_is_asked_by_one_client_for_all_worlds(later: redis.asyncio.Redis) -> None:
    assert wire_clients.blocking("redis", later) is wire_clients.blocking("redis", later)


def test_connections_of_a_class_that_nobody_knows_are_refused() -> None:
    class Mine(Connection):
        """One that may do anything."""

    client = redis.asyncio.Redis(connection_pool=redis.asyncio.ConnectionPool(Mine))
    refused(client, counts, "of the class .*Mine, .* explore_blocking")


def test_what_is_no_client_of_one_server_is_refused() -> None:
    sentinel = redis.asyncio.Sentinel([("localhost", 1)])
    refused(
        sentinel, counts, r"is a redis\.asyncio\.sentinel\.Sentinel; give the world a redis\.Redis"
    )


TENANT: ContextVar[str] = ContextVar("tenant")


def test_a_task_sees_the_context_of_who_searches_and_leaves_it_alone(
    redis_client: redis.Redis, later: redis.asyncio.Redis
) -> None:
    def make() -> Shop:
        empty(redis_client)
        return Shop(later)

    async def buys(world: Shop) -> None:
        await world.redis.incr(f"{TENANT.get()}:n")
        TENANT.set("another")  # its own: the next schedule begins with the first
        await world.redis.incr("m")

    async def check(world: Shop) -> None:
        if await world.redis.get(f"{TENANT.get()}:n") != "2":
            raise Violation("somebody bought for another tenant")

    token = TENANT.set("acme")
    try:
        found = explore(world=make, clients={"a": buys, "b": buys}, check=check)
        assert TENANT.get() == "acme"
    finally:
        TENANT.reset(token)
    assert (found.verdict, found.schedules) == ("holds", 6)

"""Every bad client is refused in the constructor, with what is wrong and how to make a good one."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import couchdb
import pytest
import redis as redis_py
import sqlalchemy as sa
from redis import asyncio as redis_asyncio
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy.ext.asyncio import create_async_engine

from patterns import counters, transfers
from patterns.counters import HOUR, CounterBuffer, StreamCounter
from patterns.notice_boards import AsyncNoticeBoard, NoticeBoard
from patterns.notice_boards.web import SharedSubscription
from patterns.pubsub import Room, StreamRoom
from patterns.queues import ReliableQueue, StreamQueue, WorkQueue
from patterns.transfers import Bank, Branch, InvalidAccount, InvalidKey, SqlBank

SQL = sa.create_engine("sqlite://")
Make = Callable[[Any], object]
BLOCKING: dict[str, Make] = {
    "Room": lambda redis: Room(redis, SQL, "a"),
    "StreamRoom": lambda redis: StreamRoom(redis, "a"),
    "WorkQueue": lambda redis: WorkQueue(redis, "a"),
    "ReliableQueue": lambda redis: ReliableQueue(redis, "a"),
    "StreamQueue": lambda redis: StreamQueue(redis, "a"),
    "NoticeBoard": lambda redis: NoticeBoard(redis, "a"),
    "CounterBuffer": lambda redis: CounterBuffer(redis, SQL, "a", HOUR),
    "StreamCounter": lambda redis: StreamCounter(redis, SQL, "a", HOUR),
}
ASYNCIO: dict[str, Make] = {
    "AsyncNoticeBoard": lambda redis: AsyncNoticeBoard(redis, "a"),
    "SharedSubscription": lambda redis: SharedSubscription(redis),
}
DECODING = {*BLOCKING, *ASYNCIO} - {"Room", "ReliableQueue", "StreamQueue"}
ONCE = {"StreamRoom", "WorkQueue", "CounterBuffer", "StreamCounter"}
COUNTING = {"CounterBuffer", "StreamCounter"}
ON_SQL: dict[str, Make] = {
    "Room": lambda sql: Room(good(), sql, "a"),
    "CounterBuffer": lambda sql: CounterBuffer(good(), sql, "a", HOUR),
    "StreamCounter": lambda sql: StreamCounter(good(), sql, "a", HOUR),
    "SqlBank": SqlBank,
}


IN_A_TRANSACTION: dict[str, Callable[[Any], None]] = {
    "counters": counters._checks.check_transaction,
    "transfers": transfers._checks.check_transaction,
}


def good(**settings: Any) -> redis_py.Redis:
    """A client that every blocking class takes. There is nothing on its port: nothing is sent."""
    return redis_py.Redis(
        **{"port": 1, "decode_responses": True, "retry": Retry(NoBackoff(), 0), **settings}
    )


def good_async(**settings: Any) -> redis_asyncio.Redis:
    return redis_asyncio.Redis(**{"port": 1, "decode_responses": True, **settings})


@pytest.mark.parametrize("name", BLOCKING)
def test_a_good_client_is_taken_and_nothing_is_sent(name: str) -> None:
    BLOCKING[name](good())


@pytest.mark.parametrize("name", BLOCKING)
def test_a_pipeline_answers_later_so_that_only_a_hit_can_use_it(name: str) -> None:
    if name in COUNTING:
        BLOCKING[name](good().pipeline())
        return
    with pytest.raises(TypeError, match=r"a blocking client, .*, not <class '.*\.Pipeline'>"):
        BLOCKING[name](good().pipeline())


@pytest.mark.parametrize("name", ASYNCIO)
def test_a_good_asyncio_client_is_taken_and_its_pipeline_is_not(name: str) -> None:
    ASYNCIO[name](good_async())
    with pytest.raises(TypeError, match=r"an asyncio client, .*, not <class '.*\.Pipeline'>"):
        ASYNCIO[name](good_async().pipeline())


@pytest.mark.parametrize("name", BLOCKING)
def test_an_asyncio_client_in_a_blocking_class(name: str) -> None:
    for bad in (good_async(), good_async().pipeline(), redis_asyncio.RedisCluster):
        with pytest.raises(TypeError, match=r"redis must be a blocking client, redis\.Redis\(…\)"):
            BLOCKING[name](bad)


@pytest.mark.parametrize("name", ASYNCIO)
def test_a_blocking_client_in_an_asyncio_class(name: str) -> None:
    with pytest.raises(TypeError, match=r"an asyncio client, redis\.asyncio\.Redis\(…\)"):
        ASYNCIO[name](good())


@pytest.mark.parametrize("name", [*BLOCKING, *ASYNCIO])
def test_what_is_no_client_at_all(name: str) -> None:
    for bad in (None, "redis://localhost", SQL):
        with pytest.raises(TypeError, match="redis must be"):
            {**BLOCKING, **ASYNCIO}[name](bad)


@pytest.mark.parametrize("name", [*BLOCKING, *ASYNCIO])
def test_a_client_that_does_not_decode(name: str) -> None:
    make, client = (BLOCKING, good) if name in BLOCKING else (ASYNCIO, good_async)
    bad = client(decode_responses=False)  # type: ignore[operator]
    if name not in DECODING:
        make[name](bad)
        return
    with pytest.raises(ValueError, match="decode_responses=True"):
        make[name](bad)


@pytest.mark.parametrize("name", BLOCKING)
@pytest.mark.parametrize(
    "retries",
    [
        {"retry": Retry(NoBackoff(), 1)},
        {"retry": Retry(NoBackoff(), -1)},
        {"retry": None, "retry_on_error": [redis_py.ConnectionError]},
    ],
    ids=["one", "for-ever", "on-error"],
)
def test_a_client_that_repeats(name: str, retries: dict[str, Any]) -> None:
    refused(name, good(**retries))


@pytest.mark.parametrize("name", BLOCKING)
def test_redis_py_as_it_comes_repeats(name: str) -> None:
    refused(name, redis_py.Redis(port=1, decode_responses=True))


@pytest.mark.parametrize("name", BLOCKING)
def test_a_client_with_a_pool_of_its_own(name: str) -> None:
    """Its settings are the pool's; a pool without the setting does not retry."""

    class Client(redis_py.Redis):
        pass

    calm = redis_py.ConnectionPool(port=1, decode_responses=True)
    eager = redis_py.ConnectionPool(port=1, decode_responses=True, retry=Retry(NoBackoff(), 3))
    BLOCKING[name](Client(connection_pool=calm))
    refused(name, Client(connection_pool=eager))


@pytest.mark.parametrize("name", BLOCKING)
def test_a_cluster_repeats_by_a_setting_of_its_own(name: str) -> None:
    class Cluster:
        """What a RedisCluster says of itself, without a cluster."""

        def __init__(self, retries: int) -> None:
            self.retry = Retry(NoBackoff(), retries)

        def get_connection_kwargs(self) -> dict[str, Any]:
            return {"decode_responses": True}

        def register_script(self, script: str) -> str:
            return script

    BLOCKING[name](Cluster(0))
    refused(name, Cluster(3))


def refused(name: str, client: Any) -> None:
    """Who must not repeat refuses the client, and says how to make a good one; others take it."""
    if name not in ONCE:
        BLOCKING[name](client)
        return
    with pytest.raises(ValueError, match=r"retry_on_error.*retry=Retry\(NoBackoff\(\), 0\)"):
        BLOCKING[name](client)


@pytest.mark.parametrize("name", ON_SQL)
def test_bad_engines(name: str) -> None:
    ON_SQL[name](SQL)
    for kind in (None, create_async_engine("postgresql+psycopg://h/d"), SQL.connect(), good()):
        with pytest.raises(TypeError, match="sql must be what sqlalchemy"):
            ON_SQL[name](kind)
    autocommit = sa.create_engine("sqlite://", isolation_level="AUTOCOMMIT")
    for bad in (
        autocommit,
        SQL.execution_options(isolation_level="AUTOCOMMIT"),
        sa.create_engine("postgresql+psycopg://", isolation_level="autocommit"),
    ):
        with pytest.raises(ValueError, match="must not be in AUTOCOMMIT"):
            ON_SQL[name](bad)
    other = sa.create_mock_engine("mysql://", lambda *_: None)
    with pytest.raises(ValueError, match="SQLite or PostgreSQL, not mysql"):
        ON_SQL[name](other)


def transaction(dialect: str, **says: Any) -> Any:
    """A transaction whose driver's connection says this of itself; PostgreSQL's, by itself."""
    driver = type("Driver", (), says)() if dialect == "sqlite" else SimpleNamespace(**says)
    connection = SimpleNamespace(dbapi_connection=driver)
    return SimpleNamespace(connection=connection, dialect=SimpleNamespace(name=dialect))


@pytest.mark.parametrize("name", IN_A_TRANSACTION)
def test_a_driver_that_commits_by_itself(name: str) -> None:
    check, old = IN_A_TRANSACTION[name], {"isolation_level": "", "in_transaction": False}
    for fine in (
        transaction("sqlite", **old),
        transaction("sqlite", **old, autocommit=False),
        transaction("sqlite", **old, autocommit=-1),  # as before Python 3.12
        transaction("sqlite", isolation_level=None, in_transaction=True),
        transaction("postgresql", autocommit=False),
    ):
        check(fine)
    for bad in (
        transaction("sqlite", isolation_level=None, in_transaction=False),
        transaction("sqlite", isolation_level="", in_transaction=True, autocommit=True),
        transaction("postgresql", autocommit=True),
    ):
        with pytest.raises(ValueError, match="must not be in AUTOCOMMIT"):
            check(bad)


@pytest.mark.parametrize("make", [Bank, lambda couch: Branch(couch, "north")])
def test_what_is_no_database_of_couchdb(make: Make) -> None:
    make(couchdb.Database("http://localhost:1/bank"))
    for bad in (None, couchdb.Server("http://localhost:1"), SQL, good()):
        with pytest.raises(TypeError, match="couch must be one database"):
            make(bad)


@pytest.mark.parametrize("name", ["", 5, "north@south", "@"])
def test_a_branch_without_a_name_of_its_own(name: Any) -> None:
    with pytest.raises(InvalidAccount):
        Branch(couchdb.Database("http://localhost:1/bank"), name)


@pytest.mark.parametrize(
    "call",
    [
        lambda north: north.open(5),
        lambda north: north.open(""),
        lambda north: north.deposit(5, 1, "k"),
        lambda north: north.transfer(5, "bob@north", 1, "k"),
    ],
)
def test_a_branch_refuses_what_no_bank_takes_before_it_asks_the_database(call: Make) -> None:
    north = Branch(couchdb.Database("http://localhost:1/bank"), "north")
    with pytest.raises(InvalidAccount):
        call(north)
    for key in (None, 7, "", "k" * 100):
        with pytest.raises(InvalidKey):
            north.deposit("alice@north", 1, key)  # type: ignore[arg-type]

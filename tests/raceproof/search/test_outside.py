"""What reaches a server past the world ends the search by name, and nobody can swallow it."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import random
import socket
import sqlite3
import subprocess
import sys
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import couchdb
import fakeredis
import kombu.connection
import numpy
import pandas
import psycopg
import pytest
import redis
import sqlalchemy as sa
from sqlalchemy.pool import StaticPool
from tests.raceproof.toys import memory, nothing_to_check

from raceproof import Journal, NotDeterministicError, Unsearchable, Violation, explore
from workshop import services


@dataclass
class Shop:
    redis: redis.Redis
    journal: Journal = field(default_factory=Journal)


def refused(act: Any, world: Any = memory, match: str = "not the world's") -> str:
    """The message with which a search ends whose client does this and swallows every error."""

    def client(world):
        if hasattr(world, "cells"):
            world.cells.read("x")
        try:
            act(world)
        except Exception:
            return

    with pytest.raises(Unsearchable, match=match) as found:
        explore(world=world, clients={"ann": client}, check=nothing_to_check)
    return str(found.value)


def allowed(act: Any) -> None:
    def client(world):
        world.cells.read("x")
        act(world)

    report = explore(world=memory, clients={"ann": client}, check=nothing_to_check)
    assert report.holds, report


def test_a_redis_of_ones_own(redis_client):
    class Around:
        def __init__(self, client):
            self.client = client

    redis_client.set("x", 1)
    for act in (
        lambda world: redis_client.set("x", 2),
        lambda world: Around(redis_client).client.incr("x"),
        lambda world: redis_client.pipeline().set("x", 2).execute(),
    ):
        message = refused(act)
        assert "redis" in message
    assert redis_client.get("x") == "1"
    services.redis("page")
    refused(lambda world: services.redis("page").set("x", 2))


def test_a_client_on_the_worlds_own_pool(redis_client):
    """The pool that a client finds in its world is the wire's: what is on it is searched too."""

    def fresh():
        redis_client.set("x", 1)
        return Shop(redis_client)

    def add(world):
        other = redis.Redis(connection_pool=world.redis.connection_pool)
        other.set("x", int(other.get("x")) + 1)

    def check(world):
        if world.redis.get("x") != "3":
            raise Violation("an addition is lost")

    report = explore(world=fresh, clients={"a": add, "b": add}, check=check)
    assert (report.schedules, report.broken) == (6, 4)


def test_fakeredis_made_in_a_client():
    assert "a fakeredis" in refused(lambda world: fakeredis.FakeRedis().set("x", 1))


@pytest.mark.parametrize("host", ["127.0.0.1", "redis.invalid"])
def test_kombu(host):
    def send(world):
        with kombu.connection.Connection(f"redis://{host}:1/0") as connection:
            connection.SimpleQueue("q").put("job")

    assert "a connection of redis" in refused(send)


def test_sockets_however_they_are_made():
    with socket.create_server(("127.0.0.1", 0)) as server:
        place = server.getsockname()
        with socket.create_connection(place) as before:
            refused(lambda world: before.sendall(b"PING\r\n"))
            refused(lambda world: before.send(b"PING\r\n"))
        refused(lambda world: socket.create_connection(place))
        refused(lambda world: socket.socket().connect_ex(place))
        refused(lambda world: socket.socket(type=socket.SOCK_DGRAM).sendto(b"x", place))
        refused(lambda world: urllib.request.urlopen(f"http://127.0.0.1:{place[1]}/"))
        refused(lambda world: asyncio.run(asyncio.open_connection(*place)))


def test_a_pair_of_sockets_is_the_clients_own():
    def talk(world):
        one, other = socket.socketpair()
        one.sendall(b"x")
        assert other.recv(1) == b"x"
        one.close()
        other.close()

    allowed(talk)
    allowed(lambda world: asyncio.run(asyncio.sleep(0)))


@pytest.mark.parametrize("file", ["./a.py", "~/a.py"])
def test_what_a_library_calls_back_is_the_clients_own(file):
    connects = compile("lambda _: socket.socket().connect(('127.0.0.1', 1))", file, "eval")
    callback = eval(connects, {"socket": socket})
    assert "uses a connection that" in refused(lambda world: pandas.Series([1]).map(callback))


def test_couchdb_of_ones_own(couch_db):
    assert "couchdb" in refused(lambda world: couch_db.save({"_id": "x"}))
    refused(lambda world: services.couch("other")["y"])
    refused(lambda world: couchdb.Server("http://localhost:1/").version())
    assert "x" not in couch_db


def test_sqlite(tmp_path):
    file = tmp_path / "shop.db"
    held = sa.create_engine(f"sqlite:///{file}")
    with held.begin() as connection:
        connection.exec_driver_sql("create table t (n int)")
    assert "an SQLite database" in refused(lambda world: sqlite3.connect(file))
    refused(lambda world: sqlite3.connect("file::memory:?cache=shared", uri=True))
    assert "an SQLAlchemy engine" in refused(lambda world: held.connect())
    refused(lambda world: sa.create_engine(f"sqlite:///{file}").connect())
    refused(lambda world: services.sql("page").connect())
    shared = sa.create_engine("sqlite://", poolclass=StaticPool)
    with shared.connect():
        pass
    refused(lambda world: shared.connect())


def test_a_database_in_the_clients_own_memory_is_harmless():
    def query(world):
        assert sqlite3.connect(":memory:").execute("select 1").fetchone() == (1,)
        with sa.create_engine("sqlite://").connect() as connection:
            assert connection.exec_driver_sql("select 1").scalar() == 1

    allowed(query)


def test_postgresql(postgresql_url):
    held = psycopg.connect(postgresql_url, autocommit=True)
    refused(lambda world: psycopg.connect(postgresql_url))
    refused(lambda world: psycopg.Connection.connect(postgresql_url).execute("select 1"))
    refused(lambda world: held.execute("create table seen ()"))
    url = sa.make_url(postgresql_url).set(drivername="postgresql+psycopg")
    refused(lambda world: sa.create_engine(url).connect())
    assert held.execute("select to_regclass('seen')").fetchone() == (None,)
    held.close()


LATE = """
from tests.raceproof.toys import memory
from raceproof import Unsearchable, explore
import random, sys

def client(world):
    world.cells.read("x")
    try:
        import psycopg
        psycopg.connect("host=127.0.0.1 port=1")
    except Exception:
        pass

assert "psycopg" not in sys.modules
seed, fork = random.Random.seed, __import__
try:
    explore(world=memory, clients={"a": client}, check=lambda world: None)
except Unsearchable as refusal:
    assert random.Random.seed is seed and __import__ is fork
    print(refusal)

def another(world):
    world.cells.read("x")
    import os
    os.system("true")

try:
    explore(world=memory, clients={"a": another}, check=lambda world: None)
except Unsearchable as refusal:
    print(refusal)
"""


def test_a_library_that_a_client_is_the_first_to_import():
    here = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", LATE], capture_output=True, text=True, cwd=here, check=False
    )
    assert "a connection of psycopg that is not the world's" in done.stdout, done.stderr
    assert "starts a process" in done.stdout  # the next search replaces everything again


def test_processes():
    for act in (
        lambda world: subprocess.run(["true"]),
        lambda world: os.system("true"),
        lambda world: os.fork(),
        lambda world: os.forkpty(),
        lambda world: os.posix_spawn("/bin/true", ["true"], {}),
        lambda world: multiprocessing.get_context("spawn").Process(target=print).start(),
    ):
        refused(act, match="starts a process")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_in_a_thread_of_the_client_too():
    import threading

    def act(world):
        thread = threading.Thread(target=lambda: socket.socket().connect(("127.0.0.1", 1)))
        thread.start()
        thread.join()

    refused(act)


@pytest.mark.parametrize("made", [random.Random, lambda: random.Random(7)], ids=["", "seeded"])
def test_a_generator_that_was_made_before_the_search(made):
    generator = made()
    for act in (
        lambda world: generator.random(),
        lambda world: generator.choice("ab"),
        lambda world: generator.shuffle([1, 2]),
        lambda world: generator.gauss(),
    ):
        refused(act, match=r"a random\.Random that it has not made itself")
    state = generator.getstate()
    generator.random()
    assert generator.getstate() != state  # elsewhere it is as ever


def test_a_generator_that_another_run_of_the_client_has_made():
    kept = {}

    def act(world):
        kept.setdefault("generator", random.Random(7)).random()
        world.cells.read("x")
        world.cells.read("y")

    with pytest.raises(Unsearchable, match="has not made itself"):
        explore(world=memory, clients={"a": act}, check=nothing_to_check, crashes=1)


def test_generators_of_a_clients_own():
    def act(world):
        own = random.Random(7)
        assert own.random() == random.Random(7).random()
        assert random.SystemRandom().random() != own.random()
        random.Random().sample(range(9), 3)
        random.shuffle([1, 2])
        numpy.random.default_rng().random()
        numpy.random.RandomState(7).rand()

    allowed(act)


def test_numpys_shared_generator():
    for act in (
        lambda world: numpy.random.rand(),
        lambda world: numpy.random.shuffle([1, 2]),
        lambda world: pandas.Series([1, 2, 3]).sample(1),
    ):
        refused(act, match=r"all users of numpy\.random share")
    assert 0 <= numpy.random.rand() < 1


def test_a_list_that_clients_share_is_met_by_a_replay():
    items: list[int] = []

    def appends(world):
        items.append(1)
        world.cells.write("x", len(items))
        world.cells.read("x")

    def other(world):
        world.cells.read("x")
        world.cells.read("x")

    with pytest.raises(NotDeterministicError):
        explore(world=memory, clients={"a": appends, "b": other}, check=nothing_to_check)


def test_elsewhere_connections_go_on_while_a_search_runs(redis_client):
    """The search's own thread and all others reach their servers as ever."""
    seen = []

    def check(world):
        seen.append(redis_client.ping())

    explore(world=memory, clients={"a": lambda w: w.cells.read("x")}, check=check)
    assert set(seen) == {True}

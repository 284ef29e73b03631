"""Requests to the world's server: as redis-py packs them, each packed once, and not all kept."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
import redis
from tests.raceproof.wire.redis.worlds import Shop, said, shop

from raceproof import explore
from raceproof.wire.redis import server
from raceproof.wire.redis.server import Server, SharedConnection


@pytest.fixture
def packed(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """What redis-py packs for the searches of this test, from none kept on."""
    monkeypatch.setattr(server, "_sent", type(server._sent)())
    monkeypatch.setattr(server, "_KEPT", 3)
    found: list[tuple[Any, ...]] = []
    real = redis.connection.AbstractConnection.pack_command

    def pack_command(self: Any, *args: Any) -> Any:
        found.append(args)
        return real(self, *args)

    monkeypatch.setattr(redis.connection.AbstractConnection, "pack_command", pack_command)
    return found


def test_a_request_is_packed_once_for_all_worlds(
    redis_client: redis.Redis, packed: list[tuple[Any, ...]]
) -> None:
    redis_client.set("k", "a value")
    packed.clear()
    for _ in range(2):
        world = Server(redis_client)
        connection = world.open()
        assert world.ask(connection, [(b"GET", b"k"), (b"GET", b"k")]) == [b"a value"] * 2
        world.close(connection, clean=True)
    assert packed.count((b"GET", b"k")) == 1


def test_of_many_requests_few_are_kept(
    redis_client: redis.Redis, packed: list[tuple[Any, ...]]
) -> None:
    world = Server(redis_client)
    connection = world.open()
    for n in range(10):
        assert world.ask(connection, [(b"SET", b"k", b"%d" % n), (b"GET", b"k")])[1] == b"%d" % n
        assert all(len(kept) <= 3 for kept in server._sent.values())
    world.close(connection, clean=True)


# ---------------------------------------------------------- fewer ways to the server and back


def test_what_may_wait_goes_before_the_next_request(redis_client: redis.Redis) -> None:
    line = SharedConnection(Server(redis_client))
    line.send_later([(b"SET", b"k", b"1"), (b"INCR", b"k")])
    assert redis_client.get("k") is None
    assert line.ask([(b"GET", b"k")]) == [b"2"]
    assert line.ask([(b"INCR", b"k")]) == [3]
    line.close()


def test_what_is_asked_ahead_holds_until_anything_else_is_asked(redis_client: redis.Redis) -> None:
    line = SharedConnection(Server(redis_client))
    assert line.ask([(b"INCR", b"k")], [(b"GET", b"k"), (b"EXISTS", b"k")]) == [1]
    assert line.asked_ahead() == [b"1", 1]
    line.forget_ahead()
    assert line.asked_ahead() is None
    for then in (lambda: line.ask([(b"PING",)]), lambda: line.send_later([(b"DEL", b"k")])):
        line.ask([(b"PING",)], [(b"GET", b"k")])
        then()
        assert line.asked_ahead() is None
    line.close()


def test_a_shared_connection_is_given_back_once(redis_client: redis.Redis) -> None:
    world = Server(redis_client)
    lines = [SharedConnection(world), SharedConnection(world)]
    lines[0].close()
    lines[0].close()
    assert world.open() is lines[0].connection
    assert world.open() is not lines[1].connection
    lines[1].close()


def test_what_was_read_beside_a_refused_command_is_not_taken_for_what_came_after(
    redis_client: redis.Redis,
) -> None:
    """The keys are read along with INCR, which is refused; the transaction goes another way."""

    def client(world: Shop) -> Any:
        with contextlib.suppress(redis.ResponseError):
            world.redis.incr("text")
        with world.redis.pipeline(transaction=True) as pipe:
            return pipe.incr("n").execute()

    make = shop(redis_client, ("SET", "text", "no number"))
    assert said(make, client, client) == {"[[1]], [[2]]", "[[2]], [[1]]"}


def test_a_step_that_changes_something_is_one_way_to_the_server(
    redis_client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[list[bytes]] = []
    real = Server.ask

    def ask(self: Server, connection: Any, requests: Any) -> Any:
        ways.append([args[0] for args in requests])
        return real(self, connection, requests)

    def client(world: Shop) -> None:
        for _ in range(5):
            world.redis.incr("n")

    monkeypatch.setattr(Server, "ask", ask)
    explore(world=shop(redis_client), clients={"a": client}, check=lambda world: None)
    made = [way for way in ways if way[0] == b"INCRBY"]
    assert len(made) >= 5
    assert all(way[:2] == [b"INCRBY", b"KEYS"] for way in made)
    assert len([way for way in ways if way[0] == b"KEYS"]) < len(made)

"""Requests to the world's server: as redis-py packs them, each packed once, and not all kept."""

from __future__ import annotations

from typing import Any

import pytest
import redis

from raceproof.wire.redis import server
from raceproof.wire.redis.server import Server


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

"""What a client does with a reply that is an error, and what is left of it afterwards."""

from __future__ import annotations

import contextlib
import weakref

import pytest
import redis
from tests.raceproof.toys import Shop, empty

from raceproof import explore


def wrong_kind(client):
    client.incr("text")


def no_such_script(client):
    client.evalsha("0" * 40, 0)


@pytest.mark.parametrize("request_", [wrong_kind, no_such_script])
def test_an_error_is_gone_when_nobody_has_it_any_more(redis_client, request_):
    """Python collects no cycles in a search, so an error with all its frames would stay."""
    told = []

    def asks(world):
        try:
            request_(world.redis)
        except redis.ResponseError as error:
            told.append(weakref.ref(error))

    def check(world):
        with contextlib.suppress(redis.ResponseError):
            request_(world.redis)

    def world():
        empty(redis_client).set("text", "a")
        return Shop(redis_client)

    assert explore(world=world, clients={"a": asks, "b": asks}, check=check).holds
    assert len(told) > 2
    assert not any(error() for error in told), "an error holds itself"

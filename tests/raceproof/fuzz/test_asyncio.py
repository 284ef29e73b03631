"""The random programs again, on redis-py's asyncio clients: the search finds the same.

Their clients are written as blocking code. A greenlet waits wherever one would block, so that
every request, pipeline, script and subscription is made by redis-py's asyncio code.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable
from typing import Any

import pytest
import redis.asyncio
from fakeredis import FakeAsyncRedisConnection
from redis.asyncio.client import Pipeline, PubSub
from redis.asyncio.connection import UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.commands.core import AsyncScript
from sqlalchemy.util.concurrency import await_only, greenlet_spawn
from tests.raceproof.fuzz.compare import searched
from tests.raceproof.fuzz.plan import planned
from tests.raceproof.fuzz.programs import Program
from tests.raceproof.fuzz.redis_servers import Server
from tests.raceproof.fuzz.redis_worlds import search_world
from tests.raceproof.fuzz.test_agreement import LARGE

from workshop.services import environment, redis_service

SEEDS = sorted({*range(60)} - LARGE["redis"])


class Blocking:
    """An asyncio client as code that blocks sees it, within a greenlet."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        return self._waits(found) if callable(found) else found

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._waits(self._inner)(*args, **kwargs)

    def _waits(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def wait(*args: Any, **kwargs: Any) -> Any:
            found = call(*args, **kwargs)
            if isinstance(found, Pipeline | PubSub | AsyncScript):
                return Blocking(found)
            return await_only(found) if inspect.isawaitable(found) else found

        return wait


def awaiting(code: Callable[[Any], object]) -> Callable[[Any], Any]:
    """Return an async function that does what a blocking one does."""

    async def run(world: Any) -> object:
        seen = dataclasses.replace(world, redis=Blocking(world.redis))
        return await greenlet_spawn(code, seen)

    return run


def later(program: Program, source: Any) -> Any:
    """Return a world whose client is one of asyncio, of the same server and options."""
    world = search_world(source, program)
    given = dict(world.redis.connection_pool.connection_kwargs)
    retries = Retry(NoBackoff(), given.pop("retry").get_retries())
    kind: Any = FakeAsyncRedisConnection if "server" in given else UnixDomainSocketConnection
    named = {name: given[name] for name in ("server", "path", "db") if name in given}
    how = {name: given[name] for name in ("decode_responses", "protocol", "socket_timeout")}
    pool = redis.asyncio.ConnectionPool(kind, retry=retries, **named, **how)
    return dataclasses.replace(world, redis=redis.asyncio.Redis(connection_pool=pool))


@pytest.mark.parametrize("on", ["fakeredis", "redis-server"])
def test_random_programs_agree(on: str) -> None:
    if environment.redis_url():
        pytest.skip("random programs run on servers of our own")
    if on == "redis-server" and (environment.only_fakeredis() or not redis_service.binary()):
        pytest.skip("no redis-server here")
    source, agreed = Server(on), 0  # that of other modules ended with them
    plans = [plan for seed in SEEDS for plan in planned("redis", seed, "test", small=True)]
    for program in [plan.program for plan in plans if plan.on == on]:
        right = _ends(searched, program, source)
        found = _ends(searched, program, source, make=later, using=awaiting)
        assert found == right, program
        agreed += isinstance(right, tuple)
    assert agreed > 10


def _ends(search: Callable[..., Any], *given: Any, **how: Any) -> Any:
    try:
        found = search(*given, True, states=200, **how)
    except NotImplementedError:
        return "refused"
    return found.ends, found.shortest

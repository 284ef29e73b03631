"""The servers of random Redis programs: fakeredis, or private ones, emptied for each world."""

from __future__ import annotations

import os
from contextlib import contextmanager
from functools import cache
from typing import Any

import fakeredis
import redis
import redis.driver_info
from fakeredis._clients._sync import FakeRedisConnection
from redis.backoff import NoBackoff
from redis.retry import Retry
from tests.raceproof.fuzz.programs import Program
from tests.raceproof.fuzz.redis_time import FakeTime, ServerTime

from workshop import services
from workshop.services import processes


def options_of(program: Program) -> dict[str, Any]:
    """How the clients of a program talk."""
    given = dict(program.options)
    return {
        "decode_responses": given.get("decode", True),
        "protocol": given.get("protocol", 2),
        "socket_timeout": None,
        "retry": Retry(NoBackoff(), given.get("retries", 0)),
    }


# redis-py reads its own version from a file for each new connection: one time in ten of a search.
_read = redis.utils.get_lib_version
redis.driver_info.get_lib_version = cache(_read)  # type: ignore[attr-defined]


class NoTime:
    """In place of a server's time where it cannot be told."""

    def set(self, now: float | None) -> None:
        """Nobody listens."""


class Server:
    """Where worlds of Redis come from.

    On a real server the search's worlds and the enumerator's are on servers of their own: only
    the enumerator's is told the time.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.time: Any = NoTime()
        self._clients: dict[str, redis.Redis] = {}
        if name == "fakeredis":
            self.time = FakeTime()
            return
        self._searched = services.redis_url("fuzz").removeprefix("unix://")
        if ServerTime.possible():
            self.time = ServerTime(processes.private_directory())
        with _environment(getattr(self.time, "environment", {})):
            self._stepped = services.redis_url("fuzz-time").removeprefix("unix://")
        control = self.client(self._stepped, {"protocol": 2})
        control.config_set("hz", 100)  # how often it looks for fields that have expired
        if self.tells_time:  # jemalloc's own thread would sleep until a time long past: not at all
            control.config_set("jemalloc-bg-thread", "no")

    @property
    def tells_time(self) -> bool:
        """Whether the enumerator's server has the time of the world."""
        return not isinstance(self.time, NoTime)

    def fresh(self, stepped: bool = False) -> Any:
        """Return an empty server: a FakeServer, or the path of a real one."""
        if self.name == "fakeredis":
            return fakeredis.FakeServer(version=(8, 2))
        path = self._stepped if stepped else self._searched
        control = self.client(path, {"protocol": 2}).pipeline(transaction=False)
        control.execute_command("FLUSHALL", "ASYNC")
        control.execute_command("SCRIPT", "FLUSH", "ASYNC")
        control.execute()
        return path

    def client(self, server: Any, options: dict[str, Any], kept: bool = True) -> redis.Redis:
        """Return a plain client of it."""
        if self.name == "fakeredis":
            pool = redis.ConnectionPool(
                connection_class=FakeRedisConnection, server=server, **options
            )
            return redis.Redis(connection_pool=pool)  # FakeRedis would drop the retries
        if not kept:
            return redis.Redis(unix_socket_path=server, **options)
        given = sorted((name, str(value)) for name, value in options.items() if name != "retry")
        known = f"{server} {given!r}"
        if known not in self._clients:
            self._clients[known] = redis.Redis(unix_socket_path=server, **options)
        return self._clients[known]


@contextmanager
def _environment(more: dict[str, str]) -> Any:
    before = dict(os.environ)
    os.environ.update(more)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

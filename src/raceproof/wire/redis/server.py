"""Connections to the real server of a world, made as the world's own client makes them."""

from __future__ import annotations

import contextlib
import re
import time
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from raceproof.wire.calls import Unsearchable
from raceproof.wire.redis.commands import Args

Asks = Callable[[Sequence[Args]], list[Any]]  # sends requests together, returns their replies

PATIENCE = 10.0  # seconds a command may take: only a script that does not end takes so long

_KEPT = 1000  # requests of a pool, as they are sent

_VERSION = re.compile(rb"redis_version:(\d+)\.(\d+)")
_versions: weakref.WeakKeyDictionary[Any, tuple[int, ...]] = weakref.WeakKeyDictionary()
_sent: weakref.WeakKeyDictionary[Any, dict[Args, bytes]] = weakref.WeakKeyDictionary()
_pools: weakref.WeakKeyDictionary[Any, redis.ConnectionPool] = weakref.WeakKeyDictionary()


class SharedConnection:
    """The connection of a world that requests share to which nothing is tied.

    Each way to a server and back takes a search time. So what need not be answered at once goes
    along with the next request, and what will probably be asked next may be asked along.
    """

    def __init__(self, server: Server) -> None:
        self.server = server
        self.connection = server.open()
        self._first: list[Args] = []
        self._ahead: list[Any] | None = None
        self._is_open = True

    def ask(self, requests: Sequence[Args], ahead: Sequence[Args] = ()) -> list[Any]:
        """Send requests together, after what was left for later; return their replies.

        `ahead` are sent last, and their replies kept, until anything else is asked.
        """
        first, self._first, self._ahead = self._first, [], None
        found = self.server.ask(self.connection, [*first, *requests, *ahead])[len(first) :]
        if ahead:
            self._ahead = found[len(requests) :]
        return found[: len(requests)]

    def asked_ahead(self) -> list[Any] | None:
        """Return the replies to what was asked ahead, if they still hold."""
        return self._ahead

    def forget_ahead(self) -> None:
        """Say that something is done on another connection: what was asked ahead may not hold."""
        self._ahead = None

    def run(self, *args: bytes) -> Any:
        """Make one command; return its reply or raise its error."""
        [reply] = self.ask([args])
        if isinstance(reply, redis.ResponseError):
            raise reply
        return reply

    def send_later(self, requests: Sequence[Args]) -> None:
        """Have these sent before the next request, whatever they are answered."""
        self._first += requests
        self.forget_ahead()

    def close(self) -> None:
        """Give the connection back, if that is not done."""
        if self._is_open:
            self.server.close(self.connection, clean=True)
        self._is_open = False


def settings_of(pool: Any) -> dict[str, Any]:
    """Return what a pool makes its connections with, but for what leads back to the pool."""
    given = pool.connection_kwargs.items()
    return {name: of for name, of in given if not name.startswith(("maint", "orig_", "oss_"))}


class Server:
    """The server behind one client of one world; connections are kept from world to world."""

    def __init__(self, client: redis.Redis) -> None:
        pool = client.connection_pool
        if pool not in _pools:
            given = settings_of(pool) | {"retry": Retry(NoBackoff(), 0), "socket_timeout": PATIENCE}
            given |= {"health_check_interval": 0, "decode_responses": False}
            made = redis.ConnectionPool(
                connection_class=pool.connection_class, max_connections=10_000, **given
            )
            _pools[pool] = made
        self._pool = _pools[pool]
        self._sent = _sent.setdefault(self._pool, {})
        given = pool.connection_kwargs
        self.db = int(given.get("db") or 0)
        self.fake = pool.connection_class.__module__.startswith("fakeredis")  # in this process
        named = ("server",) if given.get("server") else ("path", "host", "port", "keyspace")
        self.place = ("redis", *(str(given.get(name)) for name in named))

    def open(self) -> Any:
        """Return a connection that nothing is tied to."""
        return self._pool.get_connection()

    def close(self, connection: Any, *, clean: bool) -> None:
        """Take a connection back; one that something is tied to ends, and with it what is tied."""
        if not clean:
            connection.disconnect()
        self._pool.release(connection)

    def older_than(self, *version: int) -> bool:
        """Return whether the server says that it is of an older version."""
        if self._pool not in _versions:
            connection = self.open()
            [told] = self.ask(connection, [(b"INFO", b"server")])
            self.close(connection, clean=True)
            found = _VERSION.search(told) if isinstance(told, bytes) else None  # fakeredis: none
            _versions[self._pool] = tuple(map(int, found.groups())) if found else (99, 0)
        return _versions[self._pool] < version

    def ask(self, connection: Any, requests: Sequence[Args]) -> list[Any]:
        """Send requests together and return their replies; an error is a reply like others."""
        connection.send_packed_command([self._packed(connection, args) for args in requests])
        return [self._reply(connection) for _ in requests]

    def _packed(self, connection: Any, args: Args) -> bytes:
        """Return a request as it is sent: a search sends few, again and again."""
        found = self._sent.get(args)
        if found is None:
            if len(self._sent) >= _KEPT:
                self._sent.clear()
            found = self._sent[args] = b"".join(connection.pack_command(*args))
        return found

    def _reply(self, connection: Any) -> Any:
        try:
            return _read(connection)
        except redis.TimeoutError:
            connection.disconnect()
            self._kill_script()
            raise Unsearchable(
                f"a Lua script runs for more than {PATIENCE:g} s: it cannot be searched"
            ) from None

    def _kill_script(self) -> None:
        """End the script; return when the server answers again, or cannot be made to."""
        other: Any = self._pool.make_connection()
        other.driver_info = other.client_name = other.db = None  # now it answers little else
        deadline = time.monotonic() + PATIENCE
        with contextlib.suppress(redis.ConnectionError, redis.TimeoutError):
            while time.monotonic() < deadline:  # one that has written cannot be killed
                for command in (("SCRIPT", "KILL"), ("PING",)):
                    other.send_command(*command)
                    reply = _read(other)
                if not isinstance(reply, redis.ResponseError):
                    break
                time.sleep(0.01)
        other.disconnect()


def _read(connection: Any) -> Any:
    """Return one reply; an error is a reply like others."""
    try:
        return connection.read_response(disable_decoding=True)
    except redis.ResponseError as error:
        return error.with_traceback(None)

"""Redis for asyncio: the same servers, spaces and manners as in redis_service.

redis-py's asyncio connections are classes of their own, so what `redis_connection` does to the
blocking ones is done to them here once more.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis import asyncio as aredis
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from . import redis_service
from .errors import RedisGone
from .redis_connection import TCP, TLS, Unix
from .redis_keyspace import Keyspace


def client(space: str, *, fresh: bool) -> aredis.Redis:
    """An asyncio client of the given space; see services.redis_async."""
    blocking = redis_service.client(space, fresh=fresh)
    manners = {**redis_service.MANNERS, "retry": Retry(NoBackoff(), 0)}
    if redis_service.kind() == "fake":
        import fakeredis

        server = redis_service.fake_server(space)
        fake: aredis.Redis = fakeredis.FakeAsyncRedis(server=server, **manners)
        return fake
    pool = blocking.connection_pool
    given = {**pool.connection_kwargs, **manners}
    made = aredis.ConnectionPool(connection_class=KINDS[pool.connection_class], **given)
    return aredis.Redis.from_pool(made)


@contextmanager
def _clearly() -> Iterator[None]:
    try:
        yield
    except redis.ConnectionError as error:
        if type(error) is redis.ConnectionError:  # its subclasses say more: they stay
            raise RedisGone(
                "Redis: the server went away, or cannot be reached. "
                "If it is a private one, restart the kernel"
            ) from None
        raise


class _Ours:
    """Mixed into redis-py's asyncio connections; compare redis_connection._Ours."""

    def __init__(self, *args: Any, keyspace: Keyspace | None = None, **kwargs: Any) -> None:
        self._keyspace = keyspace
        super().__init__(*args, **kwargs)

    def pack_command(self, *args: Any) -> Any:
        if self._keyspace is not None:
            args = tuple(self._keyspace.outgoing(args, self.encoder.encode))  # type: ignore[attr-defined]
        return super().pack_command(*args)  # type: ignore[misc]

    async def connect_check_health(self, *args: Any, **kwargs: Any) -> None:
        with _clearly():
            await super().connect_check_health(*args, **kwargs)  # type: ignore[misc]

    async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
        with _clearly():
            await super().send_packed_command(*args, **kwargs)  # type: ignore[misc]

    async def can_read(self, *args: Any, **kwargs: Any) -> Any:
        with _clearly():
            return await super().can_read(*args, **kwargs)  # type: ignore[misc]

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        with _clearly():
            try:
                reply = await super().read_response(*args, **kwargs)  # type: ignore[misc]
            except redis.ResponseError as error:
                if self._keyspace is not None:
                    self._keyspace.incoming(error)
                raise
        return reply if self._keyspace is None else self._keyspace.incoming(reply)


class AsyncTCP(_Ours, Connection):
    """A TCP connection of ours."""


class AsyncTLS(_Ours, SSLConnection):
    """A TLS connection of ours."""


class AsyncUnix(_Ours, UnixDomainSocketConnection):
    """A Unix socket connection of ours."""


KINDS: dict[Any, type[AsyncTCP | AsyncTLS | AsyncUnix]] = {
    TCP: AsyncTCP,
    TLS: AsyncTLS,
    Unix: AsyncUnix,
}

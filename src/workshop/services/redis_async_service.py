"""Redis for asyncio: the same servers, spaces and manners as in redis_service.

redis-py's asyncio connections are classes of their own: here is what `redis_connection.Ours` and
an `await` make of them.
"""

from __future__ import annotations

from typing import Any

from redis import asyncio as aredis
from redis.asyncio.connection import Connection, SSLConnection, UnixDomainSocketConnection
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from . import redis_service
from .errors import NotOurs
from .redis_connection import TCP, TLS, Ours, Unix


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


class Awaited(Ours):
    """Mixed into redis-py's asyncio connections."""

    def pack_command(self, *args: Any) -> Any:
        """The bytes to send, with our prefix."""
        if self._keyspace is not None:
            args = tuple(self._keyspace.outgoing(args, self.encoder.encode))  # type: ignore[attr-defined]
        return super().pack_command(*args)  # type: ignore[misc]

    async def connect_check_health(self, *args: Any, **kwargs: Any) -> None:
        """Connect, as redis-py does."""
        with self.clearly():
            await super().connect_check_health(*args, **kwargs)  # type: ignore[misc]

    async def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
        """Send a command, as redis-py does."""
        with self.clearly():
            await super().send_packed_command(*args, **kwargs)  # type: ignore[misc]

    async def can_read(self, *args: Any, **kwargs: Any) -> Any:
        """Whether a reply is there, as redis-py does."""
        with self.clearly():
            return await super().can_read(*args, **kwargs)  # type: ignore[misc]

    async def read_response(self, *args: Any, **kwargs: Any) -> Any:
        """The reply, as redis-py reads it, without our prefix."""
        try:
            with self.clearly():
                reply = await super().read_response(*args, **kwargs)  # type: ignore[misc]
                return self.incoming(reply)
        except NotOurs:  # there may be more replies, which nobody would read
            await self.disconnect()  # type: ignore[attr-defined]
            raise


class AsyncTCP(Awaited, Connection):
    """A TCP connection of ours."""

    explore_blocking = TCP  # which a search uses


class AsyncTLS(Awaited, SSLConnection):
    """A TLS connection of ours."""

    explore_blocking = TLS  # which a search uses


class AsyncUnix(Awaited, UnixDomainSocketConnection):
    """A Unix socket connection of ours."""

    explore_blocking = Unix  # which a search uses


KINDS: dict[Any, type[AsyncTCP | AsyncTLS | AsyncUnix]] = {
    TCP: AsyncTCP,
    TLS: AsyncTLS,
    Unix: AsyncUnix,
}

"""Connections to Redis: one clear exception when the server goes away, and foreign keyspaces.

redis-py's blocking and asyncio connections are classes of their own: what is done to both of them
is in `Ours`, what is left for the blocking ones in `Blocking`.
"""

from __future__ import annotations

from typing import Any

import redis
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection

from .errors import NotOurs, RedisGone
from .redis_keyspace import Packer, PrefixedKeyspace


class Ours:
    """Mixed into redis-py's connections. `keyspace` is given on servers that are not ours."""

    def __init__(self, *args: Any, keyspace: PrefixedKeyspace | None = None, **kwargs: Any) -> None:
        self._keyspace = keyspace
        super().__init__(*args, **kwargs)

    def clearly(self) -> Clearly:
        """Raise RedisGone for a connection that broke, and errors without our prefix in them."""
        return Clearly(self)

    def incoming(self, reply: Any) -> Any:
        """The reply, or error, without our prefix."""
        return reply if self._keyspace is None else self._keyspace.incoming(reply)


class Clearly:
    """What is done about errors, for each command and each reply: a generator would be slower."""

    def __init__(self, connection: Ours) -> None:
        self._connection = connection

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, kind: Any, error: BaseException | None, traceback: Any) -> None:
        """Raise RedisGone, or take our prefix out of an error."""
        if isinstance(error, redis.ResponseError):
            self._connection.incoming(error)
        elif type(error) is redis.ConnectionError:  # its subclasses say more: they stay
            raise RedisGone(
                "Redis: the server went away, or cannot be reached. "
                "If it is a private one, restart the kernel"
            ) from None


class Blocking(Ours):
    """Mixed into redis-py's blocking connections."""

    def _construct_command_packer(self, packer: Any) -> Any:
        inner = super()._construct_command_packer(packer)  # type: ignore[misc]
        if self._keyspace is None:
            return inner
        return Packer(self._keyspace, inner, self.encoder.encode)  # type: ignore[attr-defined]

    def connect_check_health(self, *args: Any, **kwargs: Any) -> None:
        """Connect, as redis-py does."""
        with self.clearly():
            super().connect_check_health(*args, **kwargs)  # type: ignore[misc]

    def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
        """Send a command, as redis-py does."""
        with self.clearly():
            super().send_packed_command(*args, **kwargs)  # type: ignore[misc]

    def can_read(self, *args: Any, **kwargs: Any) -> Any:
        """Whether a reply is there, as redis-py does."""
        with self.clearly():
            return super().can_read(*args, **kwargs)  # type: ignore[misc]

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        """The reply, as redis-py reads it, without our prefix."""
        try:
            with self.clearly():
                return self.incoming(super().read_response(*args, **kwargs))  # type: ignore[misc]
        except NotOurs:  # there may be more replies, which nobody would read
            self.disconnect()  # type: ignore[attr-defined]
            raise


class TCP(Blocking, Connection):
    """A TCP connection of ours."""


class TLS(Blocking, SSLConnection):
    """A TLS connection of ours."""


class Unix(Blocking, UnixDomainSocketConnection):
    """A Unix socket connection of ours."""


KINDS: dict[Any, type[TCP | TLS | Unix]] = {
    Connection: TCP,
    SSLConnection: TLS,
    UnixDomainSocketConnection: Unix,
}

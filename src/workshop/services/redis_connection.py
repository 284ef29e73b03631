"""Connections to Redis: one clear exception when the server goes away, and foreign keyspaces."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.connection import Connection, SSLConnection, UnixDomainSocketConnection

from .errors import RedisGone
from .redis_keyspace import Keyspace, Packer


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
    """Mixed into redis-py's connections. `keyspace` is given on servers that are not ours."""

    def __init__(self, *args: Any, keyspace: Keyspace | None = None, **kwargs: Any) -> None:
        self._keyspace = keyspace
        super().__init__(*args, **kwargs)

    def _construct_command_packer(self, packer: Any) -> Any:
        inner = super()._construct_command_packer(packer)  # type: ignore[misc]
        if self._keyspace is None:
            return inner
        return Packer(self._keyspace, inner, self.encoder.encode)  # type: ignore[attr-defined]

    def connect_check_health(self, *args: Any, **kwargs: Any) -> None:
        with _clearly():
            super().connect_check_health(*args, **kwargs)  # type: ignore[misc]

    def send_packed_command(self, *args: Any, **kwargs: Any) -> None:
        with _clearly():
            super().send_packed_command(*args, **kwargs)  # type: ignore[misc]

    def can_read(self, *args: Any, **kwargs: Any) -> Any:
        with _clearly():
            return super().can_read(*args, **kwargs)  # type: ignore[misc]

    def read_response(self, *args: Any, **kwargs: Any) -> Any:
        with _clearly():
            try:
                reply = super().read_response(*args, **kwargs)  # type: ignore[misc]
            except redis.ResponseError as error:
                if self._keyspace is not None:
                    self._keyspace.incoming(error)
                raise
        return reply if self._keyspace is None else self._keyspace.incoming(reply)


class TCP(_Ours, Connection):
    """A TCP connection of ours."""


class TLS(_Ours, SSLConnection):
    """A TLS connection of ours."""


class Unix(_Ours, UnixDomainSocketConnection):
    """A Unix socket connection of ours."""


KINDS: dict[Any, type[TCP | TLS | Unix]] = {
    Connection: TCP,
    SSLConnection: TLS,
    UnixDomainSocketConnection: Unix,
}

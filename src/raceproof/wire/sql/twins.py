"""What the adapter asks of a database: twins, real connections that make the clients' requests."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, Protocol

import sqlalchemy as sa

from .dbapi import Connection, Send
from .requests import Reply, Request


class Twin(Protocol):
    """One real connection, in place of one connection of one client.

    `lingers`: it has, or may have, something in its session that outlives its transactions.
    """

    lingers: bool

    @property
    def open(self) -> bool:
        """Whether a transaction is open, or a statement under way."""

    def run(self, request: Request) -> Reply | None:
        """Make a request; None: it has to wait, and has left no trace."""

    def close(self) -> None:
        """End the connection; the server rolls back what is open."""


class Backend(Protocol):
    """The database of one world; `woken`: the last request let a waiting statement go on.

    One that is `elsewhere` is a server, which may get a request when its client has gone.

    Two that are in one `place` are the same database.
    """

    woken: bool
    elsewhere: bool
    name: str
    place: Hashable

    def level(self, request: Request) -> str:
        """Return the isolation level under which a request is made."""

    def twin(self) -> Twin:
        """Return a real connection for one connection of a client."""

    def connection(self, send: Send, forget: Callable[[Request], None], number: int) -> Connection:
        """Return what a client gets in place of a driver's connection."""

    def dump(self, schema: bool) -> bytes:
        """Return all that is committed; `schema`: it may have changed, too."""

    def put_back(self, committed: bytes) -> bool:
        """Bring one that is not elsewhere to what `dump` said; False: it cannot be written."""

    def refuses(self, request: Request) -> str | None:
        """Return why a statement cannot be searched on this database; None if it can."""

    def gives_up(self, request: Request) -> tuple[float, Reply] | None:
        """Return after how long a request that must wait gives up, and its reply then."""

    def private(self, request: Request) -> bool:
        """Whether nobody else can tell when a request is made: see Call."""

    def connection_lost(self) -> Exception:
        """Return what a client sees when its connection breaks."""

    def close(self) -> None:
        """End all connections, also those that wait."""


def raw(engine: sa.Engine) -> Any:
    """Return a new driver's connection, made and set up as the engine makes its own."""
    pool = engine.pool
    one = sa.pool.NullPool(pool._creator, dialect=engine.dialect, _dispatch=pool.dispatch)
    connection = one.connect()
    connection.detach()
    return connection.dbapi_connection

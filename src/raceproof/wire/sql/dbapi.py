"""The connection that SQLAlchemy's dialects get in a client: it asks the search for each request.

It has what the dialects for sqlite3 and psycopg touch, and no more; anything else ends the
search by name. Rows come all at once. BEGIN is the driver's own, on the twin; COMMIT and
ROLLBACK are sent only where a transaction is open, as both drivers do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from weakref import WeakSet

from .cursor import Cursor
from .requests import Reply, Request, copied
from .server_clock import clock_refused
from .session_settings import setting_refused
from .statements import why_refused

Send = Callable[[Request], Reply]


class Connection:
    """A connection of a client; `settings` are the attributes that the driver's BEGIN looks at."""

    SETTINGS: tuple[str, ...] = ()

    def __init__(self, send: Send, forget: Callable[[Request], None], number: int, like: Any):
        self._send, self._forget, self._number = send, forget, number
        self._thread = threading.get_ident()
        self._status: Any = self.IDLE
        self._over = False  # the search has ended this client: nobody listens any more
        self._set = {name: getattr(like, name) for name in self.SETTINGS}
        self.closed = False
        self.cursors: WeakSet[Cursor] = WeakSet()

    IDLE: Any = None
    inserted: int | None = None  # the rowid of the last row, where there is such a thing

    def request(self, verb: str, sql: str = "", parameters: Any = None) -> Reply:
        """Ask for one request, and for its reply if it has to wait; return or raise."""
        return self._ask(verb, sql, parameters)

    def _ask(self, verb: str, sql: str = "", parameters: Any = None, splits: bool = False) -> Reply:
        self.check()
        if verb == "execute" and (why := _why_refused(sql, parameters)):
            verb, sql, parameters = "refuse", why, None
        settings, parameters = tuple(self._set.values()), copied(parameters)
        inside = self._status != self.IDLE
        request = Request(verb, self._number, sql, parameters, settings, inside, splits)
        try:
            reply = self._send(request)
            if reply.waits:
                reply = self._send(Request("reply", self._number, sql, parameters))
        except Exception:
            self.closed = self._gone()
            raise
        except BaseException:
            self._over = self.closed = True
            raise
        self._status = reply.status
        if reply.error is not None:
            raise reply.error
        return reply

    def check(self) -> None:
        """Raise as the driver does if the connection is closed."""
        raise NotImplementedError

    def cursor(self, name: str = "", **_options: Any) -> Cursor:
        """Return a new cursor on this connection; `name`: the server keeps its rows."""
        made = Cursor(self, bool(name))
        self.cursors.add(made)
        return made

    def several(self) -> AbstractContextManager[None]:
        """Begin several statements of one call: here nothing more than each by itself."""
        return nullcontext()

    def execute(self, sql: str, parameters: Any = None) -> Cursor:
        """Execute on a new cursor."""
        return self.cursor().execute(sql, parameters)

    def commit(self) -> None:
        """Ask for COMMIT if a transaction is open."""
        if not self._over:
            self.check()
            if self._status != self.IDLE:
                self.request("commit")

    def rollback(self) -> None:
        """Ask for ROLLBACK if a transaction is open and this is the client's own thread."""
        elsewhere = threading.get_ident() != self._thread  # collected as garbage, by anybody
        if not self._over and not elsewhere:
            self.check()
            if self._status != self.IDLE:
                self.request("rollback")

    def close(self) -> None:
        """Tell the search that the client has closed the connection, once."""
        if not self.closed and not self._over:
            self._gone()
        self.closed = True

    def _gone(self) -> bool:
        self._forget(Request("close", self._number))
        return True

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self.refuse(name)

    def refuse(self, name: str) -> Any:
        """End the search: it does not support this attribute of a driver's connection."""
        self.refuse_for(
            f"connection.{name} of the driver is not supported: use SQLAlchemy's own means"
        )

    def refuse_for(self, why: str) -> None:
        """End the search, for a reason."""
        self._send(Request("refuse", self._number, why))

    def refuse_kept(self, sql: str) -> None:
        """End the search: only a server keeps rows."""
        self.refuse("cursor with a name")


class SqliteConnection(Connection):
    """In place of a sqlite3.Connection."""

    SETTINGS = ("isolation_level",)
    IDLE = False
    inserted = 0

    def check(self) -> None:
        """Raise sqlite3.ProgrammingError if the connection is closed."""
        if self.closed and not self._over:
            import sqlite3

            raise sqlite3.ProgrammingError("Cannot operate on a closed database.")

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open."""
        return bool(self._status)

    @property
    def isolation_level(self) -> str | None:
        """How sqlite3 begins a transaction ("", "IMMEDIATE", …); None: it does not."""
        level: str | None = self._set["isolation_level"]
        return level

    @isolation_level.setter
    def isolation_level(self, level: str | None) -> None:
        if level is None:
            self.commit()  # so does sqlite3
        self._set["isolation_level"] = level


def _why_refused(sql: str, parameters: Any) -> str | None:
    return why_refused(sql) or setting_refused(sql, parameters) or clock_refused(sql, parameters)

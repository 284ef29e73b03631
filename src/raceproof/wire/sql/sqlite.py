"""SQLite: what a search needs to know of a file, beside the connections of its clients."""

from __future__ import annotations

import os
import re
import sqlite3
from collections.abc import Callable, Hashable, Sequence
from contextlib import suppress
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from raceproof.wire.calls import Unsearchable

from .dbapi import Connection, Send, SqliteConnection
from .requests import Reply, Request, pickled
from .schema_parts import Danger, dangers, moves, why_in_danger
from .sqlite_rows import rowid_of, rows, write_back
from .sqlite_schema import TABLES, columns, parts
from .sqlite_twin import SqliteTwin
from .statements import Default, default_refused, moving_defaults
from .twins import raw

_IMMEDIATE = re.compile(r"\s*BEGIN\s+(?:IMMEDIATE|EXCLUSIVE)\b", re.IGNORECASE)
_exclusive: WeakKeyDictionary[sa.Engine, bool] = WeakKeyDictionary()

# Connections that only look, and so outlive a world; and others that may serve in the next.
_watches: WeakKeyDictionary[sa.Engine, Any] = WeakKeyDictionary()


def _file(connection: Any) -> tuple[str, int]:
    """Return the name of the database's file, and which file that is now."""
    name = connection.execute("PRAGMA database_list").fetchone()[2]
    if not name:
        raise Unsearchable(
            "an SQLite database in memory has one connection, which clients cannot share "
            "without a step; give the world an engine on a file"
        )
    return name, os.stat(name).st_ino


class ConnectionLost(sqlite3.OperationalError, sqlite3.ProgrammingError):
    """A broken connection, in the only words by which SQLAlchemy knows one on SQLite."""

    def __init__(
        self, words: str = "connection lost: Cannot operate on a closed database."
    ) -> None:
        super().__init__(words)


def _locked() -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("database is locked")
    error.sqlite_errorcode, error.sqlite_errorname = sqlite3.SQLITE_BUSY, "SQLITE_BUSY"
    return error


class Sqlite:
    """The file of one world."""

    name = "SQLite"
    elsewhere = False
    woken = False  # nothing goes on by itself: a busy statement is asked again

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._watch = self._looking(engine)
        self.place: Hashable = _file(self._watch)
        self._twins: list[SqliteTwin] = []
        if engine not in _exclusive:
            _exclusive[engine] = self._keeps_out_writers()
        self._exclusive = _exclusive[engine]
        self._seen = -1
        self._tables: list[Any] = []
        self._rowids: list[tuple[str, str | None]] = []
        self._defaults: Sequence[Default] = ()
        self._dangers: Sequence[Danger] = ()
        self._dump = b""

    def _looking(self, engine: sa.Engine) -> Any:
        """Return a connection that only looks; it outlives the world, if the file does."""
        connection, file, like, timeout, spare = _watches.get(engine, (None, (), None, 0.0, []))
        if connection is None or file != _file(connection):
            connection = raw(engine)
            like = SimpleNamespace(isolation_level=connection.isolation_level)
            connection.isolation_level = None
            timeout = connection.execute("PRAGMA busy_timeout").fetchone()[0] / 1000
            connection.execute("PRAGMA busy_timeout = 0")
            spare = []
            _watches[engine] = (connection, _file(connection), like, timeout, spare)
        self._like, self._timeout, self._spare = like, timeout, spare
        return connection

    def _keeps_out_writers(self) -> bool:
        """Whether a transaction of the engine has the write lock from its beginning."""
        with self._engine.connect() as connection, connection.begin():
            try:
                self._watch.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError:
                return True
            self._watch.execute("ROLLBACK")
            return False

    def level(self, request: Request) -> str:
        """Return SERIALIZABLE: SQLite has no other level between connections."""
        return "SERIALIZABLE"

    def twin(self) -> SqliteTwin:
        """Return a real connection to the file, new or as new."""
        made = None
        if self._spare:
            with suppress(sqlite3.OperationalError):  # a writer locks the whole file
                made = self._spare.pop().reopened()
        made = made or SqliteTwin(raw(self._engine))
        self._twins.append(made)
        return made

    def dump(self, schema: bool) -> bytes:
        """Return schema and rows with their rowids, which decide the order of every query."""
        watch = self._watch
        try:
            version = watch.execute("PRAGMA data_version").fetchone()[0]
            if version == self._seen:
                return self._dump
            tables = watch.execute(TABLES).fetchall()
            if tables != self._tables:
                self._tables, self._defaults = tables, moving_defaults(columns(watch, tables))
                self._dangers = dangers(parts(watch, tables), moves)
                names = [name for kind, name, _, _ in tables if kind == "table"]
                self._rowids = [(name, rowid_of(watch, name)) for name in names]
            content = [rows(watch, name, rowid) for name, rowid in self._rowids]
            marks = [
                watch.execute(f"PRAGMA {p}").fetchone() for p in ("user_version", "application_id")
            ]
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return self._dump  # a COMMIT waits for readers: nothing has changed since
        self._seen = version
        self._dump = pickled((tables, content, marks))
        return self._dump

    def put_back(self, committed: bytes) -> bool:
        """Write rows as they were; False: it cannot be, or somebody has a lock."""
        self._seen = -1  # a connection is not told of its own changes
        return write_back(self._watch, self._dump, committed)

    def connection(self, send: Send, forget: Callable[[Request], None], number: int) -> Connection:
        """Return a client's connection, which begins transactions as a real one does."""
        return SqliteConnection(send, forget, number, self._like)

    def refuses(self, request: Request) -> str | None:
        """Return why a statement cannot be searched on this file; None if it can."""
        return default_refused(request.sql, self._defaults) or why_in_danger(
            request.sql, self._dangers
        )

    def gives_up(self, request: Request) -> tuple[float, Reply] | None:
        """Return the busy timeout and the reply then; None for what never waits."""
        if request.verb not in ("execute", "reply", "commit") or not self._timeout:
            return None
        return self._timeout, Reply(request.verb == "reply", error=_locked())

    def private(self, request: Request) -> bool:
        """Inside a transaction that has kept everybody else out since it began, each request is.

        That is so where the engine begins all of them with BEGIN IMMEDIATE, and others wait. (With
        timeout=0 they are told at once. Readers could look in between where each statement is its
        own transaction: then that is refused.)
        """
        keeps_out = self._exclusive and self._timeout > 0
        if not keeps_out or request.verb not in ("execute", "commit", "rollback"):
            return False
        if not request.inside and not _IMMEDIATE.match(request.sql):
            raise Unsearchable(
                f"{request.sql!r} outside a transaction cannot be searched on an engine that "
                "begins its transactions with BEGIN IMMEDIATE; begin one, as with engine.begin()"
            )
        return request.inside

    def connection_lost(self) -> Exception:
        """Return the error by which SQLAlchemy knows a lost connection."""
        return ConnectionLost()

    def close(self) -> None:
        """Close the twins; the connection that only looks stays open."""
        for twin in self._twins:
            twin.close()
        self._spare.extend(twin for twin in self._twins if not twin.lingers)
        self._twins = []

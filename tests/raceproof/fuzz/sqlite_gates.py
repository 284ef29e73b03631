"""Real sqlite3 connections, under SQLAlchemy, that stop before each request.

One statement is one request; COMMIT and ROLLBACK are one where a transaction is open, and
nothing otherwise. BEGIN is the driver's own and comes with the first statement, unless it is
sent as a statement.

**SQLite** (write-ahead log): what needs the write lock while another connection has it must wait,
if its transaction has not read yet; otherwise it fails at once. Nothing of it has arrived while it
waits. Only where nobody else can move does it give up: "database is locked".
"""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from typing import Any

from tests.raceproof.fuzz.stepping import Gate, Request

WRITES = ("INSERT", "UPDATE", "DELETE", "REPLACE", "BEGIN IMMEDIATE", "CREATE", "DROP")


class GatedSqlite(sqlite3.Connection):
    """A sqlite3 connection whose requests are steps; `live` once SQLAlchemy has set it up."""

    gate: Gate
    world: Any
    live = False
    _touched = False  # whether the open transaction has read or written

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        return super().cursor(GatedSqliteCursor)

    def commit(self) -> None:
        if self.live and self.in_transaction:
            self.step("COMMIT", super().commit)
        elif not self.live:
            super().commit()

    def rollback(self) -> None:
        if self.live and self.in_transaction and not self.gate.dead:
            self.step("ROLLBACK", super().rollback)
        else:
            super().rollback()

    def close(self) -> None:
        """Roll back and close: a cursor that somebody keeps would keep the lock as well."""
        with suppress(sqlite3.Error):
            super().rollback()
        super().close()

    end = close

    def step(self, text: str, make: Any) -> Any:
        def lose() -> BaseException:
            self.end()
            return LostSqlite("Cannot operate on a closed database.")

        def outcome() -> Any:
            try:
                return make()
            except sqlite3.Error as error:
                return error
            finally:
                looked = not text.upper().startswith(("SAVEPOINT", "RELEASE"))
                self._touched = self.in_transaction and (self._touched or looked)

        waits = text.upper().startswith(WRITES) and not self._touched
        made = self.gate.step(
            Request(
                text,
                outcome,
                lose,
                self.world.nobody_writes if waits else None,
                timeout=self.world.patience if waits else None,
                gives_up=sqlite3.OperationalError("database is locked"),
                patient=True,
            )
        )
        if isinstance(made, Exception):
            raise made
        return made


class LostSqlite(sqlite3.OperationalError, sqlite3.ProgrammingError):
    """A broken connection as SQLAlchemy knows it on SQLite."""


class GatedSqliteCursor(sqlite3.Cursor):
    """Its cursor."""

    connection: GatedSqlite

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        if not self.connection.live:
            return super().execute(sql, parameters)
        return self.connection.step(
            sql, lambda: super(GatedSqliteCursor, self).execute(sql, parameters)
        )

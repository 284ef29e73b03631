"""A real sqlite3 connection that never waits; where SQLite would, it is asked again later.

SQLite lets a statement wait for a lock up to the connection's time-out, but not one that has
read in its transaction and now wants to write: that one fails at once. A COMMIT that must wait
for readers has arrived all the same: it lets no new reader in.
"""

from __future__ import annotations

import sqlite3
from itertools import count
from typing import Any

from .requests import Reply, Request
from .statements import first_word, lingers, writes

_NOT_INSERTED = -(2**63)  # the smallest rowid there is
_MARK = (
    "CREATE TEMP TABLE IF NOT EXISTS raceproof_mark (n INTEGER PRIMARY KEY)",
    f"INSERT INTO temp.raceproof_mark VALUES ({_NOT_INSERTED})",
    "DROP TABLE temp.raceproof_mark",
)
_MAY_INSERT = ("INSERT", "REPLACE", "WITH")
_TEMPORARY = 1  # the place of the temporary tables among a connection's databases
_numbers = count()


class SqliteTwin:
    """One real connection to the file."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._patient = connection.execute("PRAGMA busy_timeout").fetchone()[0] > 0
        connection.execute("PRAGMA busy_timeout = 0")
        self._earlier: list[tuple[str, Any]] = []  # statements of the open transaction
        self._closed = self.lingers = False
        self._level = connection.isolation_level

    @property
    def open(self) -> bool:
        """Whether a transaction is open."""
        return not self._closed and bool(self._connection.in_transaction)

    def run(self, request: Request) -> Reply | None:
        """Make a request; None: it must wait for a lock, and has left no trace."""
        connection = self._connection
        self.lingers = self.lingers or lingers(request.sql)
        if request.settings and connection.isolation_level != request.settings[0]:
            connection.isolation_level = request.settings[0]
        was_open = self.open
        try:
            reply = self._make(request)
        except sqlite3.Error as error:
            if not self._waits(request, error, was_open):
                reply = Reply(self.open, error=error)
            elif request.verb == "commit" and self._patient:
                return Reply(True, waits=True)
            elif self._patient:
                if not was_open:
                    connection.rollback()  # sqlite3's own BEGIN, which holds nothing
                return None
            else:
                reply = Reply(self.open, error=error)
        if not self.open:
            self._earlier = []
        elif request.verb == "execute":
            self._earlier.append((request.sql, request.parameters))
        return reply

    def close(self) -> None:
        """Roll back what is open, as the end of a connection does; `reopened` undoes the rest."""
        self._closed = True
        if self.lingers:
            self._connection.close()
        else:
            self._connection.rollback()
            self._connection.isolation_level = self._level

    def reopened(self) -> SqliteTwin:
        """Serve in another world: nothing that outlives a transaction was done here."""
        self._closed, self._earlier = False, []
        self._connection.execute("SELECT 1 FROM sqlite_master").close()  # forget the old schema
        return self

    def _make(self, request: Request) -> Reply:
        connection = self._connection
        if request.verb == "execute":
            parameters = () if request.parameters is None else request.parameters
            inserts = first_word(request.sql) in _MAY_INSERT and writes(request.sql)
            if inserts:
                self._mark()
            cursor = connection.execute(request.sql, parameters)
            rows = tuple(cursor.fetchall())
            columns, count = cursor.description, cursor.rowcount
            has = inserts and cursor.lastrowid != _NOT_INSERTED
            last = cursor.lastrowid if has else None  # else it is of some earlier statement
            cursor.close()
            return Reply(self.open, False, None, columns, rows, count, last)
        if request.verb == "rollback":
            connection.rollback()
        else:
            connection.commit()
        return Reply(self.open)

    def _mark(self) -> None:
        """Let the rowid that was last inserted be none of a client.

        An upsert may leave it as it is, and an INSERT into a table without rowids does.
        """
        if self._connection.in_transaction:
            for sql in _MARK:
                self._connection.execute(sql)
        else:
            self._connection.executescript(";".join(_MARK))  # which begins no transaction

    def _waits(self, request: Request, error: sqlite3.Error, was_open: bool) -> bool:
        """Whether SQLite would wait here rather than say at once that the database is locked."""
        if getattr(error, "sqlite_errorcode", 0) != sqlite3.SQLITE_BUSY:
            return False
        commits = request.verb != "execute"
        return commits or not was_open or not any(self._reads(*one) for one in self._earlier)

    def _reads(self, sql: str, parameters: Any) -> bool:
        """Whether a statement took a lock: whether its program begins a transaction on a file.

        It is asked with a number: sqlite3 keeps an EXPLAIN of the same text, and SQLite does not
        notice that what it tells of is of a schema that is gone.
        """
        if first_word(sql) in ("BEGIN", "SAVEPOINT", "RELEASE", "PRAGMA"):
            return False
        asked = f"EXPLAIN -- {next(_numbers)}\n{sql}"
        try:
            program = self._connection.execute(asked, parameters or ()).fetchall()
        except sqlite3.Error:  # it was an error then, too, as of a table that is not there
            return False
        return any(row[1] == "Transaction" and row[2] != _TEMPORARY for row in program)

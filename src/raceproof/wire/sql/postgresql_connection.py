"""The connection to PostgreSQL that a client gets: psycopg's, as far as SQLAlchemy touches it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from .dbapi import Connection
from .postgresql_steps import holds_until_commit
from .requests import Reply


class PsycopgConnection(Connection):
    """In place of a psycopg.Connection."""

    SETTINGS = ("autocommit", "isolation_level", "read_only", "deferrable")
    IDLE = 0

    def check(self) -> None:
        """Raise psycopg.OperationalError if the connection is closed."""
        if self.closed and not self._over:
            import psycopg

            raise psycopg.OperationalError("the connection is closed")

    def request(self, verb: str, sql: str = "", parameters: Any = None) -> Reply:
        """Ask for one request, and for COMMIT if it is a statement that AUTOCOMMIT commits.

        The server does both by itself. Others may come in between: they meet its locks, and a
        number that it drew comes before those drawn since, but is committed after them.
        """
        alone = self._set["autocommit"] and self._status == self.IDLE
        splits = verb == "execute" and alone and holds_until_commit(sql)
        try:
            reply = self._ask(verb, sql, parameters, splits)
        except Exception:
            if splits and not self.closed:
                self._ask("rollback")
            raise
        if splits:
            self._ask("commit")
        return reply

    @contextmanager
    def several(self) -> Iterator[None]:
        """Have AUTOCOMMIT commit several statements of one call as one, or none of them.

        psycopg sends them in a pipeline, which the server takes for one transaction.
        """
        before = self._set
        if not before["autocommit"] or self._status != self.IDLE:
            yield
            return
        self._set = dict.fromkeys(before) | {"autocommit": False}
        try:
            yield
            self._end_of_several("commit")
        except Exception:
            self._end_of_several("rollback")
            raise
        finally:
            self._set = before

    def _end_of_several(self, verb: str) -> None:
        if not self.closed and self._status != self.IDLE:
            self._ask(verb)

    def commit(self) -> None:
        """Ask for COMMIT: it ends what the server keeps for cursors."""
        super().commit()
        self._end_kept()

    def rollback(self) -> None:
        """Ask for ROLLBACK: it ends what the server keeps for cursors."""
        super().rollback()
        self._end_kept()

    def _end_kept(self) -> None:
        from psycopg.errors import InvalidCursorName

        for cursor in list(self.cursors):
            if cursor.kept and cursor.description is not None:
                cursor.gone = InvalidCursorName("the cursor does not exist: its transaction ended")

    def refuse_kept(self, sql: str) -> None:
        """End the search unless all rows are the same whenever they are fetched."""
        if self._set["autocommit"] or holds_until_commit(sql):
            self.refuse_for(
                f"{sql!r} with stream_results: the server runs it by and by, as rows are fetched; "
                "only a SELECT that locks nothing, in a transaction, is the same in one step"
            )

    @property
    def broken(self) -> bool:
        """Whether the connection is closed: here it ends in no other way."""
        return self.closed

    @property
    def info(self) -> PsycopgConnection:
        """What the driver knows of the connection: here its transaction status."""
        return self

    @property
    def transaction_status(self) -> Any:
        """Whether a transaction is open or has failed, as libpq counts it."""
        from psycopg.pq import TransactionStatus

        return TransactionStatus(self._status)

    def __getattr__(self, name: str) -> Any:
        if name in self.SETTINGS and "_set" in self.__dict__:
            return self._set[name]
        return super().__getattr__(name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self.SETTINGS:
            super().__setattr__(name, value)
        elif self._status != self.IDLE:
            import psycopg

            raise psycopg.ProgrammingError(f"can't change {name!r} now: a transaction is open")
        else:
            self._set[name] = value

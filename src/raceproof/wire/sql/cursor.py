"""The cursor that SQLAlchemy's dialects get in a client: its rows come all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from .requests import Reply


class Requests(Protocol):
    """What a cursor needs of its connection."""

    inserted: int | None

    def request(self, verb: str, sql: str = "", parameters: Any = None) -> Reply:
        """Ask the search for one request; return its reply, or raise its error."""

    def several(self) -> AbstractContextManager[None]:
        """Begin what executes a statement for several rows, as the driver does it."""

    def refuse(self, name: str) -> Any:
        """End the search: it does not support what is named."""

    def refuse_kept(self, sql: str) -> None:
        """End the search if a statement does something when its rows are fetched, by and by."""


class Cursor:
    """A cursor whose rows are here as soon as it has executed."""

    arraysize = 1

    def __init__(self, connection: Requests, kept: bool = False) -> None:
        self.connection = connection
        self.kept = kept  # by the server, whose name for it a client never needs
        self.gone: Exception | None = None  # why what was not fetched cannot be any more
        self.description: Sequence[Sequence[Any]] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.statusmessage: str | None = None
        self._rows: list[tuple[Any, ...]] = []
        self.sql = ""

    @property
    def unread(self) -> bool:
        """Whether there are rows that were not fetched: SQLite keeps its lock for them."""
        return bool(self._rows)

    def execute(self, sql: str, parameters: Any = None, **_options: Any) -> Cursor:
        """Ask for one statement; keep its rows and counts, return this cursor."""
        if not isinstance(sql, str):
            self.connection.refuse("execute of something that is not a str")
        if self.kept:
            self.connection.refuse_kept(sql)
        self.description, self._rows, self.sql = None, [], sql
        reply = self.connection.request("execute", sql, parameters)
        self.description, self._rows = reply.description, list(reply.rows)
        if reply.lastrowid is not None:
            self.connection.inserted = reply.lastrowid
        self.rowcount, self.lastrowid = reply.rowcount, self.connection.inserted
        self.statusmessage = reply.message
        return self

    def executemany(self, sql: str, rows: Sequence[Any], **_options: Any) -> Cursor:
        """Execute once for each row: each is a statement of its own to the server, too."""
        with self.connection.several():
            counts = [self.execute(sql, row).rowcount for row in rows]
        self.rowcount = -1 if -1 in counts else sum(counts)
        self.lastrowid = None
        return self

    def fetchone(self) -> Any:
        """Return the next row, None after the last."""
        self._check()
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int | None = None) -> list[Any]:
        """Return the next `size` rows, or as many as there are."""
        self._check()
        size = self.arraysize if size is None else size
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[Any]:
        """Return all rows that were not fetched yet."""
        self._check()
        taken, self._rows = self._rows, []
        return taken

    def __iter__(self) -> Iterator[Any]:
        while (row := self.fetchone()) is not None:
            yield row

    def _check(self) -> None:
        if self.gone is not None:
            raise self.gone

    def nextset(self) -> None:
        """Say that there is one result only."""

    def close(self) -> None:
        """Drop the rows that were not fetched."""
        self._rows = []

    def __enter__(self) -> Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

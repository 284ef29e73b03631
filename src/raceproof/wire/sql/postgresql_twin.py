"""A real psycopg connection with a thread, since a statement may wait for a lock."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from typing import Any, Protocol, cast

import psycopg

from raceproof.wire.calls import Unsearchable

from .postgresql_connection import PsycopgConnection
from .requests import Reply, Request
from .statements import lingers

SETTINGS = """SET deadlock_timeout = '1ms'; SET log_lock_waits = on;
    SET client_min_messages = log; SET lc_messages = 'C'"""
TIMEOUTS = """SELECT current_setting('lock_timeout'), current_setting('statement_timeout'),
    current_setting('idle_in_transaction_session_timeout')"""
_IN_A_TRANSACTION = (False, None, None, None)  # AUTOCOMMIT looks at no other setting
_NUMBERS = re.compile(rb"(?i)\b(process|transaction|pivot|database|relation|type) [\d/]+")

_FIRST_OF_A_USER, _TEXT = 16384, 25  # of types: one that a world makes is another in each world


class Settles(Protocol):
    """What a twin asks of its server: to begin something, and return when nothing moves."""

    def settle(self, begin: Callable[[], Future[Any]]) -> None:
        """Begin something; return when each statement is finished, or can only wait."""


class PostgresTwin:
    """One real connection, its thread, and the statement that it has under way."""

    def __init__(self, server: Settles, connection: Any) -> None:
        self.server = server
        self._connection = connection
        self.pid: int = connection.info.backend_pid
        self.lingers = False  # whether something outlives its transactions in the session
        self.heard = ""  # the last that the server said of a wait
        self.under_way: Future[Reply] | None = None
        self.ending: Future[None] | None = None
        connection.add_notice_handler(self._listen)
        self._thread = ThreadPoolExecutor(1)

    @property
    def open(self) -> bool:
        """Whether a transaction is open or a statement under way; at its end, whether it waits."""
        if self.ending is not None:
            return self.waits
        return self.under_way is not None or bool(self._connection.info.transaction_status)

    @property
    def waits(self) -> bool:
        """Whether the last statement, or the end of the connection, is not finished yet."""
        job: Future[Any] | None = self.ending or self.under_way
        return job is not None and not job.done()

    def run(self, request: Request) -> Reply | None:
        """Start a request, or take the reply to one; None: the reply is not there yet."""
        self.lingers = self.lingers or lingers(request.sql)
        if request.verb != "reply":
            self.server.settle(lambda: self._begin(request))
        assert self.under_way is not None
        if not self.under_way.done():
            return None if request.verb == "reply" else Reply(None, waits=True)
        reply, self.under_way = self.under_way.result(), None
        return reply

    def close(self) -> None:
        """Close the connection: a statement that waits is still carried out when it can be."""
        self.server.settle(self.begin_to_end)

    def cancel(self) -> None:
        """Have the server end the statement under way, unless it ends by itself."""
        self._connection.cancel_safe()
        job: Future[Any] | None = self.ending or self.under_way
        wait([job] if job else [], 1.0)

    def begin_to_end(self) -> Future[None]:
        """Begin to close the connection, once the statement under way is finished."""
        self.ending = self.ending or self._thread.submit(self._end)
        return self.ending

    def stopped(self) -> bool:
        """Return, once the connection is closed, whether it is as new and may serve again."""
        if self.ending is not None:
            self.ending.result()
        self.under_way = self.ending = None
        if self._connection.closed:
            self._thread.shutdown()
        return not self._connection.closed

    def let_go(self) -> None:
        """Close a connection that nobody uses any more."""
        self._connection.close()
        self._thread.shutdown(wait=False)

    def _end(self) -> None:
        """Roll back; when this returns the server has let go of every lock of the session."""
        with suppress(psycopg.Error):
            self._connection.rollback()
            if not self.lingers:
                return
            self._connection.autocommit = True
            self._connection.execute("DISCARD ALL")
        self._connection.close()

    def _begin(self, request: Request) -> Future[Reply]:
        assert self.under_way is None
        self.heard = ""
        self.under_way = self._thread.submit(self._make, request)
        return self.under_way

    def _make(self, request: Request) -> Reply:
        connection = self._connection
        if request.verb == "execute" and not request.inside:
            settings = _IN_A_TRANSACTION if request.splits else request.settings
            for name, value in zip(PsycopgConnection.SETTINGS, settings, strict=False):
                if getattr(connection, name) != value:
                    setattr(connection, name, value)
        found: dict[str, Any] = {}
        try:
            if request.verb == "execute":
                with connection.cursor() as cursor:
                    cursor.execute(request.sql, request.parameters)
                    if cursor.description is not None:
                        found["rows"] = tuple(cursor.fetchall())
                        found["description"] = tuple(_column(c) for c in cursor.description)
                    found["rowcount"] = cursor.rowcount
                    found["message"] = cursor.statusmessage
            else:
                getattr(connection, request.verb)()
        except psycopg.Error as error:
            if connection.closed:
                raise
            found["error"] = _the_same_each_time(error)
        return Reply(int(connection.info.transaction_status), **found)

    def _listen(self, said: Any) -> None:
        if said.source_function == "ProcSleep":
            self.heard = said.message_primary

    def has_looked(self, lock: tuple[Any, ...]) -> bool:
        """Whether the server has said that this connection still waits for this lock."""
        if "still waiting" not in self.heard:
            return False
        numbers = re.findall(r"\d+", self.heard.partition(" waiting for ")[2])
        mode, *named = lock
        return f"{mode} on" in self.heard and all(str(n) in numbers for n in named if n is not None)


def make_ready(connection: Any) -> None:
    """Have the server tell a new connection that it waits; refuse one that waits by real time.

    It prepares nothing: what it did in other worlds would decide when.
    """
    connection.commit()
    connection.prepare_threshold = None
    before, connection.autocommit = connection.autocommit, True
    try:
        connection.execute(SETTINGS)
    except psycopg.errors.InsufficientPrivilege as error:
        raise Unsearchable(
            "the search on PostgreSQL needs a role that may SET deadlock_timeout and "
            "log_lock_waits: a superuser, or GRANT SET ON PARAMETER"
        ) from error
    if set(connection.execute(TIMEOUTS).fetchone()) != {"0"}:
        raise Unsearchable(
            "lock_timeout, statement_timeout or idle_in_transaction_session_timeout is set, "
            "and would end statements in real time: connect without it"
        )
    connection.autocommit = before


def _column(column: Any) -> tuple[Any, ...]:
    name, kind, *more = (column[i] for i in range(7))
    return name, kind if kind < _FIRST_OF_A_USER else _TEXT, *more


def _the_same_each_time(error: psycopg.Error) -> psycopg.Error:
    """Return an error without the numbers of processes and transactions."""
    told = cast(Any, error.__reduce__())[2].get("_info") or {}
    info = {field: value and _NUMBERS.sub(rb"\1", value) for field, value in told.items()}
    return type(error)(re.sub(_NUMBERS.pattern.decode(), r"\1", str(error)), info=info or None)

"""Real psycopg connections, under SQLAlchemy, that stop before each request.

One statement is one request; COMMIT and ROLLBACK are one where a transaction is open, and
nothing otherwise. BEGIN is the driver's own and comes with the first statement, unless it is
sent as a statement.

**PostgreSQL**: a statement is sent, and either has its answer at once or waits for a lock: then
it has arrived (the server has taken it), and having its answer is one more request, which must
wait until the server has finished. Who dies or loses the connection meanwhile does not take the
statement back: it is still carried out once it can be, and then rolled back. A deadlock is found
by the statement that closes the circle.

A statement in AUTOCOMMIT that takes locks asks for COMMIT by itself, in a step of its own.

COMMIT, and a statement in AUTOCOMMIT outside a transaction, may be late: the connection, with the
locks that it has, stays until then. Nobody takes the reply.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import psycopg
import psycopg.pq
from tests.raceproof.fuzz.stepping import PATIENCE, Gate, Request

KEEPS = re.compile("INSERT|UPDATE|DELETE|FOR SHARE|advisory_xact")  # what others meet, or see


class Unclear(Exception):
    """Several statements went on at once, in an order that is the server's chance."""


class GatedPsycopg(psycopg.Connection[Any]):
    """A psycopg connection whose requests are steps, each made in a thread of its own."""

    gate: Gate
    world: Any
    live = False
    _worker: ThreadPoolExecutor
    _under_way: Future[Any] | None = None
    _left: psycopg.Connection[Any] | None = None  # what its client has left, until it ends

    def ready(self, gate: Gate, world: Any) -> None:
        self.gate, self.world, self.pid = gate, world, self.info.backend_pid
        self._worker = ThreadPoolExecutor(1)
        self.cursor_factory = GatedPsycopgCursor

    @property
    def _open(self) -> bool:
        return not self.closed and bool(self.info.transaction_status)

    def commit(self) -> None:
        if not self.live:
            super().commit()
        elif self._open:
            self.step("COMMIT", super().commit, psycopg.Connection.commit)

    def rollback(self) -> None:
        if not self.live:
            super().rollback()
        elif self._open and not self.gate.dead:
            self.step("ROLLBACK", super().rollback)

    def waits(self) -> bool:
        """Whether the server has a statement of this connection that is not finished."""
        return self._under_way is not None and not self._under_way.done()

    def step(self, text: str, make: Any, late: Any = None) -> Any:
        """Make a request; `late` makes it on another object for the same connection."""

        def lose() -> BaseException:
            self.end()
            return psycopg.OperationalError("server closed the connection unexpectedly")

        def send() -> Any:
            self._under_way = self._worker.submit(_outcome, make)
            self.world.locks.settle(self)
            return self._under_way.result() if self._under_way.done() else None

        def leave_behind() -> Callable[[], None]:
            left = self._leave()
            return lambda: self._then_end(left, late)

        made = self.gate.step(Request(text, send, lose, late=late and leave_behind))
        if made is None:
            waiting = self._under_way
            assert waiting is not None
            made = self.gate.step(Request(f"reply of {text}", waiting.result, lose, waiting.done))
        kind, value = made
        if kind == "error":
            raise value
        return value

    def end(self) -> None:
        """Close; a statement that waits is carried out first, when it can be."""
        if self.live:
            self._then_end(self._leave())

    def end_what_is_left(self) -> None:
        """Close what a client left behind with a request that has not arrived."""
        if self._left is not None:
            self._then_end(self._left)

    def _leave(self) -> psycopg.Connection[Any]:
        """Return another object for the connection: for this one, its client's, it is closed."""
        left = self._left = psycopg.Connection(self.pgconn)
        left._autocommit = self._autocommit
        self.live, self.pgconn = False, psycopg.pq.PGconn.connect_start(b"")
        self.pgconn.finish()
        return left

    def _then_end(self, left: psycopg.Connection[Any], late: Any = None) -> None:
        def made() -> None:
            with suppress(psycopg.Error):
                if late is not None:
                    late(left)
            with suppress(psycopg.Error):
                left.rollback()  # closing alone leaves it to the server when to let go of locks
            left.close()

        self._left, self._under_way = None, self._worker.submit(made)
        self.world.locks.settle(self)


def _outcome(make: Any) -> tuple[str, Any]:
    try:
        return "value", make()
    except psycopg.Error as error:
        return "error", error


class GatedPsycopgCursor(psycopg.Cursor[Any]):
    """Its cursor."""

    def execute(self, query: Any, params: Any = None, **options: Any) -> Any:
        connection: Any = self.connection
        if not connection.live:
            return super().execute(query, params, **options)
        make = super().execute
        if not connection.autocommit or connection._open:
            return connection.step(str(query), lambda: make(query, params, **options))

        def late(left: psycopg.Connection[Any]) -> Any:
            return psycopg.Cursor(left).execute(query, params, **options)

        def in_a_transaction() -> Any:
            connection._autocommit = not KEEPS.search(str(query))
            try:
                return make(query, params, **options)
            finally:
                connection._autocommit = True

        try:
            made = connection.step(str(query), in_a_transaction, late)
        except psycopg.Error:
            if connection.live:  # else it has ended, and its statement may still wait
                connection.rollback()
            raise
        connection.commit()
        return made


class Locks:
    """Waits until each statement under way on PostgreSQL is finished, or waits for a lock."""

    def __init__(self, watch: psycopg.Connection[Any]) -> None:
        self._watch = watch
        self.connections: list[GatedPsycopg] = []
        self.unclear = False

    def settle(self, latest: GatedPsycopg | None = None) -> None:
        """Return when all is at rest; `latest` has just sent something."""
        before = [c for c in self.connections if c.waits() and c is not latest]
        until, quiet = time.monotonic() + PATIENCE, 0
        while quiet < 2:
            going = [c for c in self.connections if c.waits()]
            blocked = self._blocked(going) if going else {}
            quiet = quiet + 1 if all(self._stays(c, blocked) for c in going) else 0
            if time.monotonic() > until:
                raise TimeoutError("PostgreSQL does not come to rest")
            if going:
                time.sleep(0.003)
        self.unclear |= sum(not c.waits() for c in before) > 1

    # Who waits looks once for a deadlock, deadlock_timeout (1 ms) after it began to: that is behind
    # it when it is counted as waiting, so that it is the last to wait who finds the circle.
    def _blocked(self, going: list[GatedPsycopg]) -> dict[int, list[int]]:
        rows = self._watch.execute(
            """SELECT pid, pg_blocking_pids(pid) FROM pg_locks WHERE NOT granted
               AND waitstart < clock_timestamp() - interval '25 ms' AND pid = ANY(%s)""",
            ([c.pid for c in going],),
        )
        return dict(rows.fetchall())

    def _stays(self, connection: GatedPsycopg, blocked: dict[int, list[int]]) -> bool:
        """Whether a statement waits for one of us, and not in a circle: that is about to end."""
        start = connection.pid
        reached, todo = set(), list(blocked.get(start, ()))
        if not todo or not {c.pid for c in self.connections}.issuperset(todo):
            return False
        while todo:
            pid = todo.pop()
            if pid not in reached:
                reached.add(pid)
                todo += blocked.get(pid, ())
        return start not in reached and not any(pid in _reach(pid, blocked) for pid in reached)


def _reach(start: int, blocked: dict[int, list[int]]) -> set[int]:
    reached, todo = set(), list(blocked.get(start, ()))
    while todo:
        pid = todo.pop()
        if pid not in reached:
            reached.add(pid)
            todo += blocked.get(pid, ())
    return reached

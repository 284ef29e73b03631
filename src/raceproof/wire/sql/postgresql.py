"""PostgreSQL: a twin is a real connection with a thread, since a statement may wait for a lock.

The server says who waits: `pg_locks`, and the line that it sends to a waiting connection once
it has looked for a deadlock (log_lock_waits, after deadlock_timeout: here 1 ms). A request is
over when each statement under way is finished, or has been seen waiting twice for the same lock
at the same place in time, with its look for a deadlock behind it: then nothing moves any more.
So it is always the last to wait that closes a circle and is told DeadlockDetected.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, wait
from time import monotonic
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary

import psycopg
import sqlalchemy as sa
from psycopg import IsolationLevel

from raceproof.wire.calls import Unsearchable

from .dbapi import Connection, PsycopgConnection, Send
from .postgresql_dump import ELSEWHERE, SCHEMA, rows_of
from .postgresql_twin import PostgresTwin
from .requests import Reply, Request, pickled
from .statements import Default, default_refused, moving_defaults, schema_refused
from .twins import raw

PATIENCE = 10.0  # seconds that a statement may compute
SETTINGS = """SET deadlock_timeout = '1ms'; SET log_lock_waits = on;
    SET client_min_messages = log; SET lc_messages = 'C'"""
TIMEOUTS = """SELECT current_setting('lock_timeout'), current_setting('statement_timeout'),
    current_setting('idle_in_transaction_session_timeout')"""
SCHEMAS = "SELECT current_schemas(false)"
WAITING = """SELECT pid, waitstart, mode, relation, page, tuple, transactionid, classid, objid
    FROM pg_locks WHERE NOT granted AND pid = ANY(%s)"""


# Connections that only look, and so outlive a world; and what a new connection is like.
_watches: WeakKeyDictionary[sa.Engine, tuple[Any, Any, list[PostgresTwin], Any]] = (
    WeakKeyDictionary()
)


class Postgres:
    """The database of one world."""

    woken = False

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        if engine not in _watches or _watches[engine][0].closed:
            watch = raw(engine)
            like = SimpleNamespace(
                **{name: getattr(watch, name) for name in PsycopgConnection.SETTINGS}
            )
            watch.rollback()
            watch.autocommit = True
            watch.prepare_threshold = 0
            watch.execute("SET lock_timeout = '50ms'")
            info, [schemas] = watch.info, watch.execute(SCHEMAS).fetchone()
            place = (info.host, info.port, info.dbname, tuple(schemas))
            _watches[engine] = (watch, like, [], place)
        self._watch, self._like, self._spare, self.place = _watches[engine]
        self.name = f"PostgreSQL {self._watch.info.server_version // 10000}"
        self._twins: list[PostgresTwin] = []
        self._schema: Any = None
        self._defaults: Sequence[Default] = ()
        self._elsewhere: Sequence[str] = ()
        self._rows = ""

    def level(self, request: Request) -> str:
        """Return the level that the client has set for this request, or the server's own."""
        level = request.settings[1] if request.settings else None
        if level is None:
            return str(self._engine.dialect.default_isolation_level)
        return IsolationLevel(level).name.replace("_", " ")

    def twin(self) -> PostgresTwin:
        """Return a real connection: one that a former world left as new, or a new one."""
        made = self._spare.pop() if self._spare else self._connected()
        made.server = self
        self._twins.append(made)
        return made

    def _connected(self) -> PostgresTwin:
        connection = raw(self._engine)
        connection.commit()
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
        return PostgresTwin(self, connection)

    def settle(self, latest: PostgresTwin | None = None) -> None:
        """Return when each statement under way is finished, or waits and can do nothing else."""
        waiters = [twin for twin in self._twins if twin.waits and twin is not latest]
        if latest is not None and latest.under_way is not None:
            wait([latest.under_way], 0.005)
        before: dict[int, Any] = {}
        until = monotonic() + PATIENCE
        while going := [twin for twin in self._twins if twin.waits]:
            now = self._waiting(going)
            still = now == before and len(now) == len(going) and all(t.waits for t in going)
            if still and all(twin.has_looked(now[twin.pid][1:]) for twin in going):
                break
            before = now
            if monotonic() > until:
                raise Unsearchable(f"a statement computes for more than {PATIENCE:g} s")
            wait([twin.under_way for twin in going if twin.under_way], 0.001, FIRST_COMPLETED)
        woken = [twin for twin in waiters if not twin.waits]
        self.woken = bool(woken)
        _no_race([twin.under_way.result() for twin in woken if twin.under_way is not None])

    def connection(self, send: Send, forget: Callable[[Request], None], number: int) -> Connection:
        """Return a client's connection, with the settings of a new real one."""
        return PsycopgConnection(send, forget, number, self._like)

    def refuses(self, sql: str) -> str | None:
        """Return why a statement cannot be searched on this database; None if it can."""
        return default_refused(sql, self._defaults) or schema_refused(sql, self._elsewhere)

    def gives_up(self, request: Request) -> None:
        """Return None: a statement waits for as long as it must."""

    def private(self, request: Request) -> bool:
        """Return False: other clients may see or block any request."""
        return False

    def connection_lost(self) -> Exception:
        """Return psycopg's error for a server that has gone."""
        return psycopg.OperationalError("server closed the connection unexpectedly")

    def dump(self, schema: bool) -> bytes:
        """Return schema and rows as bytes; read the schema again where it may have changed."""
        try:
            if self._schema is None or schema:
                self._schema = self._watch.execute(SCHEMA).fetchall()
                self._rows = rows_of(self._schema)
                self._elsewhere = [name for [name] in self._watch.execute(ELSEWHERE)]
                for kind, _, name, about in reversed(self._schema):  # a view before its rule
                    if why := schema_refused(about or "", self._elsewhere):
                        raise Unsearchable(f"{kind} {name}: {why}")
                self._defaults = moving_defaults(
                    (table, about.split()[1], about)
                    for kind, _, table, about in self._schema
                    if kind == "column"
                )
            rows = self._watch.execute(self._rows).fetchall()
        except psycopg.errors.LockNotAvailable:
            self._schema = None
            return b"a table is locked by a transaction: its requests make the state"
        return pickled((self._schema, rows))

    def close(self) -> None:
        """End the statements under way; keep the connections that are as new."""
        for twin in self._twins:
            twin.stop()
        self._spare.extend(twin for twin in self._twins if twin.stopped())
        self._twins = []

    def _waiting(self, twins: list[PostgresTwin]) -> dict[int, Any]:
        found = self._watch.execute(WAITING, ([twin.pid for twin in twins],)).fetchall()
        return {pid: rest for pid, *rest in found if rest[0] is not None}


def _no_race(replies: list[Reply]) -> None:
    """Refuse where several statements went on at once and their order might matter."""
    if len(replies) > 1 and not all(r.error is not None or r.rowcount == 0 for r in replies):
        raise Unsearchable(
            "several statements waited for one transaction and went on together: which is first "
            "is PostgreSQL's chance; search with fewer clients that wait for the same lock"
        )

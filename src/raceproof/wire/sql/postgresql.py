"""PostgreSQL: a twin is a real connection with a thread, since a statement may wait for a lock.

The server says who waits: `pg_locks`, and the line that it sends to a waiting connection once
it has looked for a deadlock (log_lock_waits, after deadlock_timeout: here 1 ms). A request is
over when each statement under way is finished, or has been seen waiting twice for the same lock
at the same place in time, with its look for a deadlock behind it: then nothing moves any more.
So it is always the last to wait that closes a circle and is told DeadlockDetected. And the step
of a COMMIT takes in all that the locks it frees let the server do by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from time import monotonic
from types import SimpleNamespace
from typing import Any
from weakref import WeakKeyDictionary, finalize

import psycopg
import sqlalchemy as sa
from psycopg import IsolationLevel

from raceproof.wire.calls import Unsearchable

from .dbapi import Connection, Send
from .postgresql_connection import PsycopgConnection
from .postgresql_dump import SCHEMA, rows_of
from .postgresql_locks import OUTSIDE, Wait, end_those_who_wait, locks_all_out, waits_of
from .postgresql_rules import SchemaRules, rules_of
from .postgresql_twin import PostgresTwin, make_ready
from .requests import Reply, Request, pickled
from .twins import raw

PATIENCE = 10.0  # seconds that a statement may compute
SCHEMAS = "SELECT current_schemas(false)"


# Connections that only look, and so outlive a world; and what a new connection is like.
_watches: WeakKeyDictionary[sa.Engine, tuple[Any, Any, list[PostgresTwin], Any]] = (
    WeakKeyDictionary()
)


class Postgres:
    """The database of one world."""

    woken = False
    elsewhere = True

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
            spare: list[PostgresTwin] = []
            _watches[engine] = (watch, like, spare, place)
            finalize(engine, _let_go, watch, spare)
        self._watch, self._like, self._spare, self.place = _watches[engine]
        self.name = f"PostgreSQL {self._watch.info.server_version // 10000}"
        self._twins: list[PostgresTwin] = []
        self._schema: Any = None
        self._rules: SchemaRules | None = None
        self._rows = ""

    def level(self, request: Request) -> str:
        """Return the level that the client has set for this request, or the server's own."""
        level = request.settings[1] if request.settings and not request.settings[0] else None
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
        make_ready(connection)
        return PostgresTwin(self, connection)

    def settle(self, begin: Callable[[], Future[Any]]) -> None:
        """Begin something; return when each statement is finished, or can only wait."""
        waiters = [twin for twin in self._twins if twin.waits]  # before: some soon do no longer
        wait([begin()], 0.005)
        before: dict[int, Wait] = {}
        until = monotonic() + PATIENCE
        while going := [twin for twin in self._twins if twin.waits]:
            now = waits_of(self._watch, going)
            still = now == before and len(now) == len(going) and all(t.waits for t in going)
            outside = self._outside(now)
            if still and not outside and all(twin.has_looked(now[twin.pid].lock) for twin in going):
                break
            before = now
            if monotonic() > until:
                raise Unsearchable(
                    OUTSIDE if outside else f"a statement computes for more than {PATIENCE:g} s"
                )
            wait([twin.under_way for twin in going if twin.under_way], 0.001, FIRST_COMPLETED)
        woken = [twin for twin in waiters if not twin.waits]
        self.woken = bool(woken)
        _no_race([twin.under_way.result() for twin in woken if twin.under_way is not None])

    def _outside(self, waits: dict[int, Wait]) -> bool:
        """Whether one waits for somebody who goes on by himself, as autovacuum does."""
        ours = {twin.pid for twin in self._twins}
        return any(not found.blockers or found.blockers - ours for found in waits.values())

    def connection(self, send: Send, forget: Callable[[Request], None], number: int) -> Connection:
        """Return a client's connection, with the settings of a new real one."""
        return PsycopgConnection(send, forget, number, self._like)

    def refuses(self, request: Request) -> str | None:
        """Return why a statement cannot be searched on this database; None if it can."""
        assert self._rules is not None
        return self._rules.why(request, self.level(request))

    def gives_up(self, request: Request) -> None:
        """Return None: a statement waits for as long as it must."""

    def private(self, request: Request) -> bool:
        """Return False: other clients may see or block any request."""
        return False

    def connection_lost(self) -> Exception:
        """Return psycopg's error for a server that has gone."""
        return psycopg.OperationalError("server closed the connection unexpectedly")

    def put_back(self, committed: bytes) -> bool:
        """Return that a server's database is not written."""
        return False

    def dump(self, schema: bool) -> bytes:
        """Return schema and rows as bytes; read the schema again where it may have changed."""
        until = monotonic() + PATIENCE
        while True:
            try:
                return self._dump(schema)
            except psycopg.errors.LockNotAvailable:
                self._schema = None
            if locks_all_out(self._watch, self._twins):
                return b"a table is locked by a transaction: its requests make the state"
            if monotonic() > until:
                raise Unsearchable(OUTSIDE)

    def _dump(self, schema: bool) -> bytes:
        if self._schema is None or schema:
            self._schema = self._watch.execute(SCHEMA).fetchall()
            self._rows = rows_of(self._schema)
            self._rules = rules_of(self._watch, self._schema)
        return pickled((self._schema, self._watch.execute(self._rows).fetchall()))

    def close(self) -> None:
        """End the statements under way; keep the connections that are as new.

        A check looks after this. So those who wait end first: a transaction rolled back before
        would let a waiting statement in AUTOCOMMIT be carried out, or not, by chance.
        """
        end_those_who_wait(self._watch, self._twins)
        for twin in self._twins:
            twin.begin_to_end()
        kept = [twin for twin in self._twins if twin.stopped()]
        for twin in kept:
            del twin.server  # which holds the engine, and would keep it with its connections
        self._spare.extend(kept)
        self._twins = []


def _let_go(watch: Any, spare: list[PostgresTwin]) -> None:
    """Close the connections that were kept for an engine, now that it is gone."""
    watch.close()
    for twin in spare:
        twin.let_go()


def _no_race(replies: list[Reply]) -> None:
    """Refuse where several statements went on at once and their order might matter."""
    if len(replies) > 1 and not all(r.error is not None or r.rowcount == 0 for r in replies):
        raise Unsearchable(
            "several statements waited for one transaction and went on together: which is first "
            "is PostgreSQL's chance; search with fewer clients that wait for the same lock"
        )

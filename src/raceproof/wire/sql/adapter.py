"""SQL: one statement is one step, and so are COMMIT and ROLLBACK where a transaction is open.

Where no transaction is open, the state is all that is committed. As long as one is, the state
is what was committed before it began and every request since, in order: what the open ones
have read and locked follows from that.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from raceproof.wire.adapter import PlainAdapter
from raceproof.wire.calls import Ask, Call, Outcome, Performed, Unsearchable
from raceproof.wire.clock import Clock

from .engine import backend, client_engine
from .requests import Reply, Request, exactly, lasts, pickled, words
from .statements import changes_the_schema, only_reads
from .twins import Twin
from .unread import refuse_unread


class SqlAdapter(PlainAdapter):
    """One engine of one world."""

    def __init__(self, store: str, engine: sa.Engine) -> None:
        super().__init__(store)
        self._engine = engine
        self._server = backend(engine)
        self.database = self._server.place
        self._twins: dict[tuple[str, int], Twin] = {}
        self._orphans: list[Twin] = []  # closed by the client, busy on the server
        self._new_schema = True
        self._levels: set[str] = set()  # of the clients' transactions, in this whole search
        self._deadlocks = False
        self._log: tuple[Hashable, ...] = ()
        self._committed = b""
        self._look()
        self._before = self._committed

    def proxy(self, ask: Ask, tell: Callable[[Call], None]) -> Any:
        """Return the engine that a client gets."""

        def send(request: Request) -> Reply:
            if request.verb == "execute":
                self._levels.add(self._server.level(request))
            reply: Reply = ask(self._call(request))
            self._deadlocks |= type(reply.error).__name__ == "DeadlockDetected"
            return reply

        def forget(request: Request) -> None:
            tell(self._call(request))

        engine = client_engine(self._engine, lambda n: self._server.connection(send, forget, n))
        if not self._server.elsewhere:  # a server has sent all rows
            refuse_unread(engine)
        return engine

    def perform(self, actor: str, call: Call) -> Performed | None:
        """Make a request on the twin of its connection; None: it waits for a lock."""
        request: Request = call.data
        key = (actor, request.number)
        if request.verb == "refuse":
            raise Unsearchable(request.sql)
        if request.verb == "execute" and (why := self._server.refuses(request)):
            raise Unsearchable(why)
        if request.verb == "close":
            self._close(key)
            self._note(actor, call.key)
            return Performed(Outcome.value(None, ""))
        if key not in self._twins:
            self._twins[key] = self._server.twin()
        twin, before, was_open = self._twins[key], self._committed, self._twins[key].open
        reply = twin.run(request)
        if reply is None:
            return None
        self._new_schema |= changes_the_schema(request.sql)
        if not twin.open or self._server.woken:
            self._look()
        silent = not (was_open or twin.open or self._log or twin.lingers)
        silent = silent and only_reads(request.sql) and before == self._committed
        if not silent:
            self._note(actor, call.key)
        return Performed(Outcome("value", pickled(reply), reply.text), changed=not silent)

    def snapshot(self) -> Hashable:
        """Return what is committed now, what was before, and the requests since."""
        return (self._committed, self._before, self._log)

    def stored(self, snapshot: Any) -> Hashable:
        """Return what is committed."""
        committed: Hashable = snapshot[0]
        return committed

    def put_back(self, snapshot: Any) -> bool:
        """Write what is committed, if nothing else was going on; False: it cannot be."""
        committed, _, log = snapshot
        if log or self._server.elsewhere:
            return False
        self._server.close()
        self._twins, self._orphans, self._log = {}, [], ()
        written = committed == self._server.dump(True) or self._server.put_back(committed)
        self._look()
        self._before = self._committed
        return written

    def remark(self) -> str:
        """Say under which isolation the clients ran, and what the search chose for them."""
        if not self._levels:
            return ""
        victim = ", the last to wait being the one that a deadlock ends" * self._deadlocks
        return f"{' and '.join(sorted(self._levels))} on {self._server.name}{victim}"

    def holds(self, snapshot: Any, actor: str) -> bool:
        """Return whether a transaction is open: a connection without one leaves no trace."""
        return bool(snapshot[2])

    def leave(self, actor: str) -> None:
        """Close the actor's connections: the server rolls back what they have open."""
        for key in [key for key in self._twins if key[0] == actor]:
            self._close(key)
        self._note(actor, "leave")

    def detach(self, actor: str, call: Call, late: str) -> None:
        """Hand the connection on which a COMMIT was sent, and its transaction, to `late`."""
        number = call.data.number
        if (actor, number) in self._twins:
            self._twins[late, number] = self._twins.pop((actor, number))
        self._note(late, ("detach", actor, call.key))

    def release(self) -> None:
        """End all connections at once, so that nobody who looks at the world has to wait."""
        self._server.close()

    def close(self) -> None:
        """End all connections of this world to the database."""
        self._server.close()

    def connection_error(self, call: Call) -> Exception:
        """Return the driver's error for a connection that is lost."""
        return self._server.connection_lost()

    def _close(self, key: tuple[str, int]) -> None:
        twin = self._twins.pop(key, None)
        if twin is not None:
            twin.close()
            self._orphans.append(twin)
            self._look()

    def _look(self) -> None:
        self._committed = self._server.dump(self._new_schema)
        self._new_schema = False

    def _note(self, actor: str, key: Hashable) -> None:
        """Write a request down, or forget all of them if nothing is open any more."""
        self._orphans = [twin for twin in self._orphans if twin.open]
        self._log = (*self._log, (actor, key))
        if not (self._orphans or any(t.open or t.lingers for t in self._twins.values())):
            self._log, self._before = (), self._committed

    def _call(self, request: Request) -> Call:
        verb, sql = request.verb, request.sql
        if verb == "execute":
            text = words(sql, request.parameters)
        elif verb == "reply":
            text = f"reply of {words(sql, request.parameters)}"
        else:
            text = "" if verb in ("close", "refuse") else verb.upper()
        key = (verb, request.number, sql, exactly(request.parameters), exactly(request.settings))
        gives_up = self._server.gives_up(request)
        return Call(
            self.store,
            key,
            text,
            request,
            waits=gives_up is not None or verb == "reply",
            timeout=None if gives_up is None else gives_up[0],
            gives_up=None if gives_up is None else gives_up[1],
            holds=not (verb == "commit" and self._server.elsewhere),
            lasts=self._server.elsewhere and lasts(request),
            late=replace(request, splits=False),  # nobody asks for its COMMIT any more
            patient=True,
            private=self._server.private(request),
        )


def make(store: str, engine: Any, clock: Clock) -> SqlAdapter:
    """Return the adapter for an engine."""
    if not isinstance(engine, sa.Engine):
        raise Unsearchable(
            f"world.{store} is a {type(engine).__name__}; give the world an Engine of SQLAlchemy, "
            "and let clients make their sessions and connections from it"
        )
    return SqlAdapter(store, engine)

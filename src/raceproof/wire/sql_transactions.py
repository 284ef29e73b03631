"""SQLAlchemy engines: a transaction is one step.

The statements between BEGIN and COMMIT run on the real database, one after the
other; no other client's transaction comes between them, as on a database that
is serializable. A client that dies or loses its connection before COMMIT has
changed nothing.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import OperationalError

from raceproof.trace.command_text import literal, shorten
from raceproof.wire.calls import Ask, Call, Outcome, Performed, PlainAdapter
from raceproof.wire.clock import Clock

_READS = ("SELECT", "PRAGMA", "EXPLAIN", "WITH")


class SqlAdapter(PlainAdapter):
    """One engine of one world."""

    def __init__(self, store: str, engine: sa.Engine) -> None:
        super().__init__(store)
        self._engine = engine
        self._open: tuple[str, sa.Connection] | None = None
        self._log: tuple[Hashable, ...] = ()
        self._wrote = False
        self._committed: Hashable = None
        self._committed = self._dump()

    def proxy(self, ask: Ask, tell: Callable[[Call], None]) -> Any:
        return EngineProxy(self.store, self._engine, ask)

    def perform(self, actor: str, call: Call) -> Performed | None:
        verb = call.data[0]
        if verb == "begin":
            if self._open is not None:
                return None
            self._open = (actor, self._engine.connect())
            self._log, self._wrote = (actor,), False
            return Performed(Outcome.value(None, ""))
        if verb == "schema":
            before = self._committed
            self._engine._run_ddl_visitor(*call.data[1], **call.data[2])
            self._committed = self._dump()
            return Performed(Outcome.value(None, ""), changed=self._committed != before)
        assert self._open is not None
        connection = self._open[1]
        if verb == "execute":
            return Performed(self._statement(connection, call))
        getattr(connection, verb)()
        connection.close()
        self._open, self._log = None, ()
        if verb == "commit" and self._wrote:
            self._committed = self._dump()
        return Performed(Outcome.value(None, ""))

    def snapshot(self) -> Hashable:
        return (self._committed, self._log)

    def leave(self, actor: str) -> None:
        if self._open is not None and self._open[0] == actor:
            self._open[1].rollback()
            self._open[1].close()
            self._open, self._log = None, ()

    def connection_error(self, call: Call) -> Exception:
        return OperationalError(call.text or "COMMIT", None, Exception("connection lost"))

    def close(self) -> None:
        if self._open is not None:
            self.leave(self._open[0])

    def _statement(self, connection: sa.Connection, call: Call) -> Outcome:
        _, statement, parameters = call.data
        self._log = (*self._log, call.key)
        self._wrote = self._wrote or not call.text.upper().startswith(_READS)
        try:
            result = connection.execute(statement, parameters)
        except sa.exc.SQLAlchemyError as error:
            return Outcome.error(error, type(error).__name__)
        if result.returns_rows:
            rows = [tuple(row) for row in result]
            return Outcome.value((tuple(result.keys()), rows, len(rows)), _rows_text(rows))
        count = result.rowcount
        return Outcome.value(((), [], count), f"{count} row{'s' * (count != 1)}")

    def _dump(self) -> Hashable:
        inspector = sa.inspect(self._engine)
        with self._engine.connect() as connection:
            tables = [
                (
                    name,
                    tuple(
                        sorted(map(repr, connection.execute(sa.text(f'SELECT * FROM "{name}"'))))
                    ),
                )
                for name in sorted(inspector.get_table_names())
            ]
            sequences: list[str] = []
            if self._engine.dialect.name == "postgresql":
                query = (
                    "SELECT sequencename, last_value FROM pg_sequences"
                    " WHERE schemaname = current_schema()"
                )
                sequences = sorted(map(repr, connection.execute(sa.text(query))))
            connection.rollback()
        return (*tables, *sequences)


class EngineProxy:
    """An engine whose transactions are steps of the search."""

    def __init__(self, store: str, engine: sa.Engine, ask: Ask) -> None:
        self._store = store
        self._ask = ask
        self.dialect = engine.dialect
        self.name = engine.name

    @contextmanager
    def begin(self) -> Iterator[ConnectionProxy]:
        """Run a transaction: COMMIT at the end of the block, ROLLBACK if it raises."""
        connection = ConnectionProxy(self._store, self.dialect, self._ask)
        connection.begin()
        try:
            yield connection
        except BaseException:
            connection.rollback()
            raise
        connection.commit()

    @contextmanager
    def connect(self) -> Iterator[ConnectionProxy]:
        """Open a connection; its transaction begins with the first statement."""
        connection = ConnectionProxy(self._store, self.dialect, self._ask)
        try:
            yield connection
        finally:
            connection.rollback()

    def _run_ddl_visitor(self, *args: Any, **kwargs: Any) -> None:
        tables = ", ".join(sorted(getattr(args[1], "tables", ()))) or str(args[1])
        text = f"{'drop' if 'Dropper' in args[0].__name__ else 'create'} {tables}"
        self._ask(Call(self._store, ("schema", text), text, ("schema", args, kwargs)))


class ConnectionProxy:
    """A connection inside a transaction."""

    def __init__(self, store: str, dialect: sa.Dialect, ask: Ask) -> None:
        self._store = store
        self._ask = ask
        self.dialect = dialect
        self._begun = False

    def begin(self) -> None:
        self._ask(Call(self._store, "begin", "", ("begin",), holds=True, part="first"))
        self._begun = True

    def execute(self, statement: Any, parameters: Any = None) -> Rows:
        """Execute one statement; return its rows."""
        if not self._begun:
            self.begin()
        text, key = _wording(statement, parameters, self.dialect)
        data = ("execute", statement, copy.deepcopy(parameters))
        call = Call(self._store, key, text, data, part="middle")
        return Rows(*self._ask(call))

    def scalar(self, statement: Any, parameters: Any = None) -> Any:
        """Execute one statement; return the first column of its first row."""
        return self.execute(statement, parameters).scalar()

    def scalars(self, statement: Any, parameters: Any = None) -> Any:
        """Execute one statement; return the first column of each row."""
        return self.execute(statement, parameters).scalars()

    def commit(self) -> None:
        self._end("commit")

    def rollback(self) -> None:
        self._end("rollback")

    def _end(self, verb: str) -> None:
        if self._begun:
            self._begun = False
            self._ask(Call(self._store, verb, "", (verb,), part="last"))


class Rows(IteratorResult[Any]):
    """A SQLAlchemy result made of rows that are already here."""

    def __init__(self, keys: tuple[str, ...], rows: list[tuple[Any, ...]], rowcount: int) -> None:
        super().__init__(SimpleResultMetaData(keys), iter(rows))
        self.rowcount = rowcount
        self.returns_rows = bool(keys)


def _wording(statement: Any, parameters: Any, dialect: sa.Dialect) -> tuple[str, Hashable]:
    bound = statement
    if isinstance(parameters, dict) and isinstance(statement, sa.TextClause):
        bound = statement.bindparams(**parameters)
    try:
        text = str(bound.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    except Exception:
        text = str(statement)
    return shorten(text, 200), (text, repr(parameters))


def _rows_text(rows: list[tuple[Any, ...]]) -> str:
    if not rows:
        return "no rows"
    if len(rows) == 1:
        return ", ".join(literal(value) for value in rows[0])
    if len(rows) <= 3 and all(len(row) <= 2 for row in rows):
        return "; ".join(", ".join(literal(value) for value in row) for row in rows)
    return f"{len(rows)} rows"


def make(store: str, engine: sa.Engine, clock: Clock) -> SqlAdapter:
    """Return the adapter for an engine."""
    return SqlAdapter(store, engine)

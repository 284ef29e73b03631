"""SQLAlchemy engines that tell a live session what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from sqlalchemy.exc import CompileError

if TYPE_CHECKING:
    from raceproof.record.recorder import Recorder


def recorded_engine(engine: sa.Engine, recorder: Recorder) -> sa.Engine:
    """Return an engine on the same connections; each transaction is recorded as one call.

    A transaction is recorded when it commits or rolls back, with its statements and
    the number of rows that the last one changed.
    """
    made = engine.execution_options()
    key = f"live:{id(made)}"

    @sa.event.listens_for(made, "before_execute")
    def told(connection: sa.Connection, clause: Any, many: Any, params: Any, options: Any) -> None:
        connection.info.setdefault(key, []).append(_words(clause, many, params, made.dialect))

    @sa.event.listens_for(made, "after_execute")
    def done(
        connection: sa.Connection, clause: Any, many: Any, params: Any, options: Any, result: Any
    ) -> None:
        rows = -1 if result.returns_rows else result.rowcount
        connection.info[f"{key}:reply"] = "" if rows < 0 else f"{rows} row{'s' * (rows != 1)}"

    @sa.event.listens_for(made, "commit")
    def commit(connection: sa.Connection) -> None:
        if statements := connection.info.pop(key, None):
            recorder.add("; ".join(statements), connection.info.pop(f"{key}:reply", ""))

    @sa.event.listens_for(made, "rollback")
    def rollback(connection: sa.Connection) -> None:
        if statements := connection.info.pop(key, None):
            reading = all(words.upper().startswith("SELECT") for words in statements)
            recorder.add("; ".join(statements if reading else [*statements, "ROLLBACK"]))

    return made


def _words(clause: Any, many: Any, params: Any, dialect: sa.Dialect) -> str:
    """Return the statement with its values in it, as far as they can be written so."""
    rows = [params] if params else list(many)
    if len(rows) > 1:
        return f"{' '.join(str(clause).split())} (for each of {len(rows)} rows)"
    try:
        bind = clause.bindparams if isinstance(clause, sa.TextClause) else clause.params
        bound = bind(**rows[0]) if rows else clause
        words = str(bound.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
    except (AttributeError, CompileError, NotImplementedError, sa.exc.InvalidRequestError):
        words = str(clause)
    return " ".join(words.split())

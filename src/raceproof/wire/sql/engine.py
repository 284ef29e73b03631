"""The engine that a client gets, SQLAlchemy's own over a pool of ours, and what is behind it."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine.base import OptionEngine

from raceproof.wire.calls import Unsearchable

from .twins import Backend

Connect = Callable[[int], Any]

_quiet = logging.Logger(__name__, logging.CRITICAL + 1)  # crashes are no news in a search


def client_engine(engine: sa.Engine, connect: Connect) -> sa.Engine:
    """Return a copy of an engine whose connections are made by `connect(number)`.

    Dialect, events and options are the engine's; its pool is of the same kind, and empty.
    What the engine does to each new connection is done to the twins instead.
    """
    if isinstance(engine, OptionEngine):
        made = client_engine(engine._proxied, connect)
        return made.execution_options(**engine.get_execution_options())
    count = 0

    def creator() -> Any:
        nonlocal count
        count += 1
        return connect(count)

    old = engine.pool
    pool = old.recreate()
    vars(pool).pop("dispatch", None)  # its listeners were the old pool's
    for name in ("checkout", "checkin", "reset"):
        for listener in getattr(old.dispatch, name):
            sa.event.listen(pool, name, listener)
    pool._creator = creator
    pool.logger = _quiet
    made = copy.copy(engine)
    made.pool = pool
    return made


def backend(engine: sa.Engine) -> Backend:
    """Return the database behind an engine, or raise Unsearchable."""
    if engine.dialect.driver == "pysqlite":
        from .sqlite import Sqlite

        return Sqlite(engine)
    if engine.dialect.driver == "psycopg":
        from .postgresql import Postgres

        return Postgres(engine)
    raise Unsearchable(
        f"{engine.name} through {engine.driver} cannot be searched: use SQLite through sqlite3, or "
        "PostgreSQL through psycopg (postgresql+psycopg://)"
    )

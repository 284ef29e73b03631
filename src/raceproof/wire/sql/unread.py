"""Results that a client has not read to their end: SQLite keeps its lock on the file for them."""

from __future__ import annotations

import gc
from typing import Any
from weakref import WeakSet

import sqlalchemy as sa

from raceproof.trace.command_text import shorten
from raceproof.wire.calls import Unsearchable

from .cursor import Cursor
from .dbapi import Connection


def refuse_unread(engine: sa.Engine) -> None:
    """Have a client's engine refuse each call, on whatever service, while rows are unread."""
    connections: WeakSet[Connection] = WeakSet()
    creator: Any = engine.pool._creator

    def connect() -> Any:
        made = creator()
        connections.add(made)
        return made

    def unread() -> list[Cursor]:
        opened = [one for one in connections if not one.closed]
        return [cursor for one in opened for cursor in one.cursors if cursor.unread]

    def before_each_call() -> None:
        if unread():
            gc.collect()  # one that nobody can reach any more
            for cursor in unread():
                raise Unsearchable(
                    f"the client goes on while rows of {shorten(cursor.sql, 100)!r} are unread: "
                    "SQLite keeps its lock until they are; read them with .all(), or close the "
                    "result"
                )

    engine.pool._creator = connect
    vars(engine)["before_each_call"] = before_each_call

"""Where SQL comes from: DATABASE_URL (PostgreSQL), else SQLite.

`with engine.begin() as tx:` is one transaction on both. On SQLite it is serializable: it holds
the write lock from its beginning. On PostgreSQL it is READ COMMITTED, the server's default.
"""

from __future__ import annotations

import os
import re
import sqlite3
import threading
from typing import Any

import sqlalchemy
from sqlalchemy import event, text

from . import environment, processes
from .errors import ServiceError
from .ownership import owned
from .sql_errors import SQLGone

_engines: dict[tuple[str | None, str], sqlalchemy.Engine] = {}  # by DATABASE_URL and space
_lock = threading.RLock()


def foreign() -> bool:
    """Whether the server is one that this run did not start."""
    return environment.database_url() is not None


def engine(space: str, *, fresh: bool) -> sqlalchemy.Engine:
    """An engine on the given space; see services.sql."""
    with _lock:
        key = (environment.database_url(), space)
        if key not in _engines:
            _engines[key] = _postgresql(space) if foreign() else engine_on(url(space))
        found = _engines[key]
    if fresh:
        (_empty_schema if foreign() else _empty_file)(found, space)
    return found


def url(space: str) -> str:
    """A SQLAlchemy URL of a space, password included; see services.sql_url."""
    if foreign():
        engine(space, fresh=False)
        return address().update_query_dict(_options(space)).render_as_string(hide_password=False)
    if space not in owned().sql:
        path = processes.private_directory() / f"{space}.sqlite"
        owned().sql[space] = f"sqlite:///{path}"
    return owned().sql[space]


def about() -> str:
    """One line: which database."""
    if not foreign():
        return f"SQLite {sqlite3.sqlite_version}, a private file"
    with engine("main", fresh=False).connect() as connection:
        version = connection.execute(text("SHOW server_version")).scalar_one()
    return f"PostgreSQL {str(version).split()[0]}, your server"


# --------------------------------------------------------------- SQLite


def engine_on(file: str) -> sqlalchemy.Engine:
    """An engine on an SQLite file that threads and processes may share.

    A transaction takes the write lock when it begins, so that what it has read is still true
    when it writes: SQLite's own default lets two readers both try to become writers.
    """
    made = sqlalchemy.create_engine(file, connect_args={"timeout": 30, "isolation_level": None})

    @event.listens_for(made, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode = WAL", "synchronous = OFF", "foreign_keys = ON"):
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(made, "begin")
    def on_begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return made


def _empty_file(found: sqlalchemy.Engine, _space: str) -> None:
    raw = found.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("PRAGMA foreign_keys = OFF")
        cursor.execute("BEGIN IMMEDIATE")
        cursor.execute(
            "SELECT type, name FROM sqlite_master"
            " WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
        for kind, name in cursor.fetchall():
            quoted = '"' + name.replace('"', '""') + '"'
            cursor.execute(f"DROP {kind} IF EXISTS {quoted}")
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_sequence'")
        if cursor.fetchone() == (1,):
            cursor.execute("DELETE FROM sqlite_sequence")
        cursor.execute("COMMIT")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()
    finally:
        raw.close()


# --------------------------------------------------------------- PostgreSQL


def address() -> sqlalchemy.URL:
    """DATABASE_URL as SQLAlchemy wants it; ServiceError if it is no PostgreSQL's."""
    given = str(environment.database_url())
    try:
        found = sqlalchemy.make_url(re.sub(r"^postgres(ql)?(?=:)", "postgresql+psycopg", given))
    except sqlalchemy.exc.ArgumentError:
        found = None
    if found is None or found.get_backend_name() != "postgresql":
        raise ServiceError(
            "SQL: DATABASE_URL is no PostgreSQL URL; it looks like "
            "postgresql://user:password@host/database, or is not set, for SQLite"
        ) from None
    return found


def _schema(space: str) -> str:
    return f"btp-{owned().id}-{space}"


def _options(space: str) -> dict[str, str]:
    return {"options": f'-csearch_path="{_schema(space)}"'}


def _postgresql(space: str) -> sqlalchemy.Engine:
    # Statements prepared by the server would outlive the tables of a space that is emptied.
    made = sqlalchemy.create_engine(
        address(),
        connect_args={**_options(space), "prepare_threshold": None, "connect_timeout": 10},
    )

    @event.listens_for(made, "handle_error")
    def on_error(context: sqlalchemy.ExceptionContext) -> None:
        refused = context.connection is None and isinstance(
            context.sqlalchemy_exception, sqlalchemy.exc.OperationalError
        )
        if context.is_disconnect or refused:
            raise SQLGone(
                "PostgreSQL: the server went away, or cannot be reached", context.original_exception
            ) from None

    with made.begin() as tx:
        owned().sweep("sql", address().render_as_string(hide_password=False))
        tx.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{_schema(space)}"'))
    return made


def _empty_schema(found: sqlalchemy.Engine, space: str) -> None:
    with found.begin() as tx:
        tx.execute(text("SET LOCAL lock_timeout = '10s'"))
        tx.execute(text(f'DROP SCHEMA IF EXISTS "{_schema(space)}" CASCADE'))
        tx.execute(text(f'CREATE SCHEMA "{_schema(space)}"'))


def remove(server: str, run_id: str) -> None:
    """Remove every schema of a run from a server that is not ours."""
    with sqlalchemy.create_engine(server, poolclass=sqlalchemy.NullPool).begin() as tx:
        tx.execute(text("SET LOCAL lock_timeout = '10s'"))
        mine = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, :mine)"
        for name in tx.execute(text(mine), {"mine": f"btp-{run_id}-"}).scalars().all():
            tx.execute(text(f'DROP SCHEMA "{name}" CASCADE'))


def _leave_to_parent() -> None:
    """A forked child must not talk on its parent's connections."""
    for found in _engines.values():
        found.dispose(close=False)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_to_parent)

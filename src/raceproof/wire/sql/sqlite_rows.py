"""The rows of an SQLite file, read with what decides their order, and written as they were."""

from __future__ import annotations

import pickle
import sqlite3
from typing import Any

_ROWID = ("rowid", "_rowid_", "oid")  # each is one, unless a column has that name


def rowid_of(connection: Any, table: str) -> str | None:
    """Return the name of a table's rowid, None if it has none."""
    columns = {row[1].lower() for row in connection.execute(f"PRAGMA table_info({_quoted(table)})")}
    name = next((name for name in _ROWID if name not in columns), None)
    try:
        connection.execute(f"SELECT {name} FROM {_quoted(table)} LIMIT 0").close()
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_BUSY:
            raise
        return None
    return name


def rows(connection: Any, table: str, rowid: str | None) -> list[Any]:
    """Return the rows of a table, each behind its rowid where there is one, in their order."""
    columns = "*" if rowid is None else f"{rowid}, *"
    order = "" if rowid is None else " ORDER BY 1"
    return list(connection.execute(f"SELECT {columns} FROM {_quoted(table)}{order}").fetchall())


def write_back(connection: Any, now: bytes, committed: bytes) -> bool:
    """Bring a file from one dump to another; False: it cannot be, or somebody has a lock."""
    tables, content, _ = pickle.loads(committed)
    there, before, _ = pickle.loads(now)
    if tables != there or any(kind == "trigger" for kind, *_ in tables):
        return False
    names = [name for kind, name, *_ in tables if kind == "table"]
    try:
        connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute("BEGIN IMMEDIATE")
        for name, old, new in zip(names, before, content, strict=True):
            if old != new:
                _write(connection, name, new)
        connection.execute("COMMIT")
    except sqlite3.Error:  # a column that is computed, a writer in between
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return False
    return True


def _write(connection: Any, table: str, new: list[Any]) -> None:
    """Make these the rows of a table; each begins with its rowid, where there is one."""
    name = _quoted(table)
    columns = [_quoted(row[1]) for row in connection.execute(f"PRAGMA table_info({name})")]
    if rowid := rowid_of(connection, table):
        columns.insert(0, rowid)
    marks = ", ".join("?" * len(columns))
    connection.execute(f"DELETE FROM {name}")
    connection.executemany(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({marks})", new)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

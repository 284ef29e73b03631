"""The rows of an SQLite file, read with what decides their order, and written as they were."""

from __future__ import annotations

import pickle
import sqlite3
from typing import Any


def rows(connection: Any, table: str) -> list[Any]:
    """Return the rows of a table, each behind its rowid where there is one, in their order."""
    name = _quoted(table)
    try:
        return list(connection.execute(f"SELECT rowid, * FROM {name} ORDER BY 1").fetchall())
    except sqlite3.OperationalError as error:
        if "rowid" not in str(error):
            raise
        return list(connection.execute(f"SELECT * FROM {name}").fetchall())


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
                _write(connection, _quoted(name), new)
        connection.execute("COMMIT")
    except sqlite3.Error:  # a column that is computed, a writer in between
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        return False
    return True


def _write(connection: Any, table: str, new: list[Any]) -> None:
    """Make these the rows of a table; each begins with its rowid, where there is one."""
    columns = [_quoted(row[1]) for row in connection.execute(f"PRAGMA table_info({table})")]
    connection.execute(f"DELETE FROM {table}")
    if new and len(new[0]) > len(columns):
        columns.insert(0, "rowid")
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", new)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

"""What is in the schema of an SQLite file.

`sqlite_sequence` comes last: SQLite makes it with the first table that needs it and keeps it for
good, so that only the file's past says where in the list it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from .schema_parts import SchemaPart

TABLES = """SELECT type, name, tbl_name, sql FROM sqlite_master
    ORDER BY name = 'sqlite_sequence', rowid"""
_COLUMNS = "SELECT name, dflt_value FROM pragma_table_info(?)"
_PARENTS = """SELECT "table" FROM pragma_foreign_key_list(?)"""
_DEFAULT = re.compile(
    r"""\bDEFAULT\s*(?:\((?:[^()]|\([^()]*\))*\) | '(?:[^']|'')*' | [\w.+-]+)""",
    re.IGNORECASE | re.VERBOSE,
)


def columns(connection: Any, tables: list[Any]) -> Iterator[tuple[str, str, str]]:
    """Yield the table, the name and the default of each column."""
    for kind, table, _, _ in tables:
        if kind == "table":
            for name, default in connection.execute(_COLUMNS, (table,)).fetchall():
                yield table, name, default or ""


def parts(connection: Any, tables: list[Any]) -> Iterator[SchemaPart]:
    """Yield what a statement may use that only names it; the columns' defaults are left out."""
    for kind, name, table, sql in tables:
        if kind == "table":  # who deletes a row of its parent deletes here
            for [parent] in connection.execute(_PARENTS, (name,)).fetchall():
                yield SchemaPart("foreign key", "", parent, name)
        yield SchemaPart(kind, name, table, _DEFAULT.sub(" ", sql or ""))

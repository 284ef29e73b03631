"""What passes between a client's connection and its twin: requests, replies, and their words."""

from __future__ import annotations

import copy
import io
import pickle
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from raceproof.trace.command_text import literal, shorten

from .statements import commits

_QMARK = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|\?")
_PYFORMAT = re.compile(r"%\((\w+)\)s(?:::[A-Z][A-Z ]*(?:\(\d+\))?)?|%s")


@dataclass(frozen=True)
class Request:
    """One request on one connection; `settings` are what the client has set on it.

    `inside`: a transaction was open when it was made. `splits`: it is a transaction of its own,
    and asks for COMMIT in a step of its own.

    Verbs: execute, commit, rollback, close; `reply` takes the reply of a statement that
    had to wait; `refuse` ends the search, for the reason in `sql`.
    """

    verb: str
    number: int
    sql: str = ""
    parameters: Any = None
    settings: tuple[Any, ...] = ()
    inside: bool = False
    splits: bool = False


class Reply(NamedTuple):
    """What the twin got: rows, or an error, or that the statement waits for a lock.

    `status` is what the driver says of the connection's transaction afterwards.
    """

    status: Any
    waits: bool = False
    error: Exception | None = None
    description: tuple[tuple[Any, ...], ...] | None = None
    rows: tuple[tuple[Any, ...], ...] = ()
    rowcount: int = -1
    lastrowid: int | None = None
    message: str | None = None

    @property
    def text(self) -> str:
        """The reply in the words of a transcript."""
        if self.waits:
            return "waits for a lock"
        if self.error is not None:
            return _error_text(self.error)
        if self.description is not None:
            return _rows_text(self.rows)
        if self.rowcount >= 0:
            return f"{self.rowcount} row{'s' * (self.rowcount != 1)}"
        return "OK"


def pickled(value: object) -> bytes:
    """Return a value as bytes: the same for equal values, whoever shares parts of them."""
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer)
    pickler.fast = True
    pickler.dump(value)
    return buffer.getvalue()


def copied(parameters: Any) -> Any:
    """Return parameters as they are now, whatever becomes of them; of a memoryview, its bytes.

    A memoryview, which SQLAlchemy gives sqlite3 for a column of bytes, can be neither copied nor
    pickled.
    """
    if isinstance(parameters, memoryview):
        return bytes(parameters)
    if type(parameters) in (list, tuple):
        return type(parameters)(copied(value) for value in parameters)
    if type(parameters) is dict:
        return {name: copied(value) for name, value in parameters.items()}
    return copy.deepcopy(parameters)


def exactly(value: Any) -> Any:
    """Return parameters as something hashable that keeps 1, 1.0, True and "1" apart."""
    if isinstance(value, Mapping):
        return ("map", tuple((key, exactly(item)) for key, item in value.items()))
    if isinstance(value, list | tuple):
        return (type(value).__name__, tuple(exactly(item) for item in value))
    if type(value).__module__ == "psycopg.types.json":  # its pickle holds the function dumps
        return (type(value).__name__, exactly(value.obj))
    return (type(value).__name__, value if isinstance(value, str) else pickled(value))


def lasts(request: Request) -> bool:
    """Return whether a server carries it out for good, also for a client that has gone."""
    alone = not request.inside and bool(request.settings) and bool(request.settings[0])
    return request.verb == "execute" and (alone or commits(request.sql))


def words(sql: str, parameters: Any) -> str:
    """Return a statement with its parameters filled in, for people to read."""
    if parameters:
        if isinstance(parameters, Mapping):
            sql = _PYFORMAT.sub(lambda m: _value(parameters.get(m[1])), sql).replace("%%", "%")
        else:
            left = iter(parameters)
            pattern = _PYFORMAT if "%s" in sql else _QMARK
            sql = pattern.sub(lambda m: _value(next(left, None)) if m[0] in "?%s" else m[0], sql)
    return shorten(sql, 200)


def _value(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool | int | float):
        return str(value)
    value = getattr(value, "obj", value)
    return "'" + str(value).replace("'", "''") + "'"


def _error_text(error: Exception) -> str:
    name = type(error).__name__
    if type(error).__module__.startswith("psycopg"):
        return name
    return shorten(f"{name}: {error}", 100)


def _rows_text(rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return "no rows"
    if len(rows) == 1:
        return ", ".join(literal(value) for value in rows[0])
    if len(rows) <= 3 and all(len(row) <= 2 for row in rows):
        return "; ".join(", ".join(literal(value) for value in row) for row in rows)
    return f"{len(rows)} rows"

"""SQL worlds on SQLite and PostgreSQL, for the enumerator and for the search."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import sqlalchemy as sa
from tests.raceproof.fuzz.databases import Database
from tests.raceproof.fuzz.postgresql_gates import Locks, Unclear
from tests.raceproof.fuzz.programs import Program, words
from tests.raceproof.fuzz.sql_programs import SqlClient
from tests.raceproof.fuzz.stepping import Gate

from raceproof import Journal


@dataclass
class SqlSearchWorld:
    """What the search gets."""

    sql: sa.Engine
    journal: Journal = field(default_factory=Journal)


@dataclass
class SqlView:
    """What one client of a stepped world gets."""

    sql: sa.Engine
    gate: Gate

    @property
    def journal(self) -> SqlView:
        return self

    def note(self, value: Any) -> None:
        self.gate.notes.append(value)


class SqlStepWorld:
    """What the enumerator gets."""

    patience = 5.0

    def __init__(self, source: Database, program: Program) -> None:
        self._source = source
        source.fresh()
        self.locks = Locks(source.watch)
        self._gates: list[Gate] = []
        self._engines: list[sa.Engine] = []
        for name, operations in program.clients.items():
            gate = Gate(name, partial(self._run, operations, len(self._gates)))
            self._gates.append(gate)
            self._engines.append(source.engine(program, name))
            source.owners[name].gate, source.owners[name].world = gate, self

    def _run(self, operations: Any, at: int, _world: Any) -> None:
        SqlClient(operations)(SqlView(self._engines[at], self._gates[at]))

    def gates(self) -> list[Gate]:
        return self._gates

    def moves(self) -> list[str]:
        return []

    def move(self, name: str) -> None:
        raise NotImplementedError(name)

    def nobody_writes(self) -> bool:
        """Whether the write lock of SQLite is free."""
        try:
            self._source.watch.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError:
            return False
        self._source.watch.execute("ROLLBACK")
        return True

    def settle(self) -> None:
        if self._source.name == "postgresql":
            self.locks.settle()

    def left(self, gate: Gate) -> None:
        for close in gate.closers:
            close()

    def peek(self, notes: dict[str, list[Any]]) -> str:
        return seen(self._source, notes)

    def look(self, notes: dict[str, list[Any]]) -> str:
        for gate in self._gates:
            self.left(gate)
        if self.locks.unclear:
            raise Unclear
        return seen(self._source, notes)

    def close(self) -> None:
        for connection in self.locks.connections:
            connection.end_what_is_left()
        for connection in self.locks.connections:
            connection._under_way and connection._under_way.result(20)
            connection._worker.shutdown()
        for engine in self._engines:
            engine.dispose(close=False)
        for owner in self._source.owners.values():
            owner.gate = owner.world = None


def seen(source: Database, notes: dict[str, list[Any]]) -> str:
    """Return all that can be seen at the end, as text."""
    rows = source.watch.execute("SELECT id, n FROM t ORDER BY id").fetchall()
    said = [f"{name}: {' '.join(map(words, found))}" for name, found in notes.items()]
    return "; ".join([words([tuple(row) for row in rows]), *said])

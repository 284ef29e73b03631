"""Worlds on a CouchDB: real couchdb-python clients, whose sessions stop before each request."""

from __future__ import annotations

import io
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import couchdb
import couchdb.http
from tests.raceproof.fuzz.couch_programs import DESIGN, CouchClient
from tests.raceproof.fuzz.programs import Program, words
from tests.raceproof.fuzz.stepping import Gate, Request

from raceproof import Journal
from workshop import services
from workshop.services import couch_service


class GatedSession(couch_service.OneTrySession):
    """A session whose requests are steps."""

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        def make() -> Any:
            try:
                status, headers, data = super(GatedSession, self).request(
                    method, url, *args, **kwargs
                )
            except couchdb.http.HTTPError as error:
                return error
            return status, headers, None if data is None else io.BytesIO(data.read())

        def later() -> Callable[[], None]:
            return lambda: make() and None

        def lose() -> BaseException:
            return ConnectionResetError("connection reset by peer")

        made = self._gate.step(Request(f"{method} {url}", make, lose, late=later))
        if isinstance(made, Exception):
            raise made
        return made


class Couch:
    """Where worlds of CouchDB come from."""

    name = "couch"

    def __init__(self, _name: str) -> None:
        self.db: Any = None

    def fresh(self, program: Program) -> Any:
        """Return an empty database with the design document, and what the program begins with."""
        self.db = services.couch("fuzz", fresh=True)
        self.db["_design/d"] = dict(DESIGN)
        for name, n in program.setup:
            self.db[name] = {"n": n}
        return self.db


@dataclass
class CouchSearchWorld:
    """What the search gets."""

    db: couchdb.Database
    journal: Journal = field(default_factory=Journal)


class CouchView:
    """What one client of a stepped world gets."""

    def __init__(self, gate: Gate, database: couchdb.Database) -> None:
        resource = couchdb.http.Resource(database.resource.url, GatedSession(gate))
        resource.credentials = database.resource.credentials
        self.db = couchdb.Database(resource, database.name)
        self.journal = self
        self._gate = gate

    def note(self, value: Any) -> None:
        self._gate.notes.append(value)


class CouchStepWorld:
    """What the enumerator gets."""

    def __init__(self, source: Couch, program: Program) -> None:
        self._db = source.fresh(program)
        self._gates: list[Gate] = []
        for name, operations in program.clients.items():
            gate = Gate(name, partial(self._run, operations, len(self._gates)))
            self._gates.append(gate)
        self._views = [CouchView(gate, self._db) for gate in self._gates]

    def _run(self, operations: Any, at: int, _world: Any) -> None:
        CouchClient(operations)(self._views[at])

    def gates(self) -> list[Gate]:
        return self._gates

    def moves(self) -> list[str]:
        return []

    def move(self, name: str) -> None:
        raise NotImplementedError(name)

    def left(self, gate: Gate) -> None:
        """A connection leaves nothing behind."""

    def settle(self) -> None:
        """One request at a time: nothing to wait for."""

    def peek(self, notes: dict[str, list[Any]]) -> str:
        return self.look(notes)

    def look(self, notes: dict[str, list[Any]]) -> str:
        return seen(self._db, notes)

    def close(self) -> None:
        """Nothing to close."""


def seen(db: Any, notes: dict[str, list[Any]]) -> str:
    """Return all that can be seen at the end, as text."""
    rows = db.view("_all_docs", include_docs=True, conflicts=True)
    docs = [
        f"{row.id}={row.value['rev']} {row.doc.get('n')} {row.doc.get('_conflicts', '')}"
        for row in rows
        if row.id != "_design/d"
    ]
    for name in "xy":
        with suppress(couchdb.http.ResourceNotFound):
            docs.append(f"local {name}={db.resource('_local', name).get_json()[2].get('n')}")
    said = [f"{name}: {' '.join(map(words, found))}" for name, found in notes.items()]
    return "; ".join([*docs, *said])

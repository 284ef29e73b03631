"""Worlds with CouchDB databases that the tests here share."""

from __future__ import annotations

from dataclasses import dataclass, field

import couchdb
from tests.raceproof.toys import in_full

from raceproof import Journal, explore
from workshop import services

VIEWS = {"sums": {"map": "function (doc) { emit(doc.kind, doc.n); }", "reduce": "_sum"}}


@dataclass
class Shelf:
    db: couchdb.Database
    journal: Journal = field(default_factory=Journal)


@dataclass
class Shelves:
    here: couchdb.Database
    there: couchdb.Database


def shelf() -> Shelf:
    db = services.couch("shelf", fresh=True)
    db["count"] = {"kind": "count", "n": 0}
    return Shelf(db)


def viewed_shelf() -> Shelf:
    made = shelf()
    made.db["_design/d"] = {"language": "javascript", "views": VIEWS}
    return made


def shelves() -> Shelves:
    return Shelves(services.couch("here", fresh=True), services.couch("there", fresh=True))


def once(client, check=lambda world: None, world=shelf, **bounds):
    return explore(world=world, clients={"ann": client}, check=check, **bounds)


def both(clients, check, world=shelf, **bounds):
    """The counts of a search, merged; made in full, they are the same."""
    found = explore(world=world, clients=clients, check=check, **bounds)
    full = in_full(world=world, clients=clients, check=check, **bounds)
    assert (found.schedules, found.broken) == (full.schedules, full.broken)
    return found.schedules, found.broken

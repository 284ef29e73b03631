"""CouchDB: real couchdb-python over connections of ours; an HTTP request is one step.

connections.py   what couchdb-python takes for its connections: each request is asked for
requests.py      a request as a plain value, what it may do, and what is refused by name
answers.py       answers without what differs from server to server and from run to run
adapter.py       makes the requests on the world's database, and describes its state
"""

from __future__ import annotations

import couchdb
import couchdb.http

from raceproof.wire.clock import Clock
from raceproof.wire.couch.adapter import CouchAdapter


def make(store: str, database: couchdb.Database, clock: Clock) -> CouchAdapter:
    """Return the adapter for a database; TypeError for what is none."""
    if not isinstance(database, couchdb.Database):
        raise TypeError(f"world.{store} must be a couchdb.Database, not {type(database).__name__}")
    if not isinstance(database.resource.session, couchdb.http.Session):
        name = type(database.resource.session).__name__
        raise TypeError(f"world.{store} must send through a couchdb.http.Session, not a {name}")
    return CouchAdapter(store, database, clock)

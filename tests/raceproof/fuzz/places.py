"""Where programs of each kind run: their servers, worlds and clients, and what is seen."""

from __future__ import annotations

from typing import Any

from tests.raceproof.fuzz.couch_programs import CouchClient
from tests.raceproof.fuzz.couch_worlds import Couch, CouchSearchWorld, CouchStepWorld
from tests.raceproof.fuzz.couch_worlds import seen as couch_seen
from tests.raceproof.fuzz.databases import Database, new_database
from tests.raceproof.fuzz.programs import Program
from tests.raceproof.fuzz.redis_clients import RedisClient
from tests.raceproof.fuzz.redis_servers import Server
from tests.raceproof.fuzz.redis_worlds import StepWorld, search_world
from tests.raceproof.fuzz.redis_worlds import seen as redis_seen
from tests.raceproof.fuzz.sql_programs import SqlClient
from tests.raceproof.fuzz.sql_worlds import SqlSearchWorld, SqlStepWorld
from tests.raceproof.fuzz.sql_worlds import seen as sql_seen

_sources: dict[str, Any] = {}
SOURCES = {"sqlite": Database, "postgresql": Database, "couch": Couch}


def source_of(name: str) -> Any:
    """Return where worlds come from: the server of that name, started when first asked for."""
    if name not in _sources:
        _sources[name] = SOURCES.get(name, Server)(name)
    return _sources[name]


def use_database(name: str, url: str) -> None:
    """Let worlds of SQL come from a database of their own on a server that is there already."""
    if name not in _sources:
        _sources[name] = Database(name, new_database(url))


def world_for(program: Program, source: Any) -> Any:
    """Return a world for the search."""
    if program.kind == "redis":
        return search_world(source, program)
    if program.kind == "couch":
        return CouchSearchWorld(source.fresh(program))
    source.fresh()
    return SqlSearchWorld(source.engine(program))


def seen_in(program: Program, source: Any, world: Any) -> str:
    """Return all that can be seen of a world of the search, as text."""
    notes = {name: world.journal[name] for name in program.clients}
    if program.kind == "redis":
        return redis_seen(world.redis, notes)
    return couch_seen(world.db, notes) if program.kind == "couch" else sql_seen(source, notes)


STEPPED: dict[str, Any] = {"redis": StepWorld, "sql": SqlStepWorld, "couch": CouchStepWorld}
CLIENTS: dict[str, Any] = {"redis": RedisClient, "sql": SqlClient, "couch": CouchClient}

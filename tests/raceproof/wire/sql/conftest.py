"""Worlds of one SQL database, made anew by statements, on each backend or on PostgreSQL alone."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
import sqlalchemy as sa

from raceproof import Journal
from workshop import services


@dataclass
class Shop:
    sql: sa.Engine
    journal: Journal = field(default_factory=Journal)


def does(*statements: str) -> Callable[[Shop], None]:
    """Return a client that makes each of these in a transaction of its own."""

    def client(world: Shop) -> None:
        for sql in statements:
            with world.sql.begin() as tx:
                tx.execute(sa.text(sql))

    return client


Fresh = Callable[..., Callable[[], Shop]]
KEPT = 8  # worlds, one after the other, with the same tables


def fresh(*statements: str, anew: bool = False) -> Callable[[], Shop]:
    """Return a maker of worlds whose database these statements have made.

    Tables take PostgreSQL longer than all the rest: most worlds get those of the world before, with
    the rows put back. Not where a client changes the schema (`anew`), and one in `KEPT` does not:
    in a page that is full, the server puts new rows in the place of those that are gone.
    """
    kinds = {statement.split()[0] for statement in statements if " TABLE " not in statement}
    tables = [statement.split()[2] for statement in statements if " TABLE " in statement]
    kept = 1 if anew or not tables or kinds - {"INSERT"} else KEPT
    empties = [f"DELETE FROM {table}" for table in tables]
    rows = [statement for statement in statements if statement.startswith("INSERT")]
    worlds = itertools.count()

    def world() -> Shop:
        made_before = next(worlds) % kept > 0
        engine = services.sql("test", fresh=not made_before)
        with engine.begin() as tx:
            for statement in (*empties, *rows) if made_before else statements:
                tx.execute(sa.text(statement))
        return Shop(engine)

    return world


@pytest.fixture
def shop(sql_engine: sa.Engine) -> Fresh:
    """A maker of worlds on SQLite and on PostgreSQL, in turn."""
    return fresh


@pytest.fixture
def pg_shop(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> Fresh:
    """A maker of worlds on PostgreSQL."""
    monkeypatch.setenv("DATABASE_URL", postgresql_url)
    return fresh

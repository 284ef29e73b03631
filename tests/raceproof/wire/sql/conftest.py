"""Worlds of one SQL database, made anew by statements, on each backend or on PostgreSQL alone."""

from __future__ import annotations

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


Fresh = Callable[..., Callable[[], Shop]]


def fresh(*statements: str) -> Callable[[], Shop]:
    """Return a maker of worlds whose database these statements have made."""

    def world() -> Shop:
        engine = services.sql("test", fresh=True)
        with engine.begin() as tx:
            for statement in statements:
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

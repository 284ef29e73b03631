"""A cache in Redis beside a database: stale or not is decided by the step after which it goes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import redis
import sqlalchemy as sa
from sqlalchemy import text
from tests.raceproof.toys import empty

from raceproof import Violation, explore
from workshop import services


@dataclass
class Library:
    redis: redis.Redis
    sql: sa.Engine


@pytest.fixture
def library(redis_client: redis.Redis, postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("DATABASE_URL", postgresql_url)

    def fresh() -> Library:
        engine = services.sql("test", fresh=True)
        with engine.begin() as tx:
            tx.execute(text("CREATE TABLE book (title TEXT)"))
            tx.execute(text("INSERT INTO book VALUES ('old')"))
        return Library(empty(redis_client), engine)

    return fresh


def cleared_before_commit(world):
    with world.sql.begin() as tx:
        tx.execute(text("UPDATE book SET title = 'new'"))
        world.redis.delete("book")


def cleared_after_commit(world):
    with world.sql.begin() as tx:
        tx.execute(text("UPDATE book SET title = 'new'"))
    world.redis.delete("book")


def reads_through(world):
    if world.redis.get("book") is None:
        with world.sql.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
            world.redis.set("book", connection.execute(text("SELECT title FROM book")).scalar_one())


def reads_through_under_a_lock(world):
    """It waits for whoever changes the book, and whoever changes it waits until it has cached."""
    if world.redis.get("book") is None:
        with world.sql.begin() as tx:
            query = text("SELECT title FROM book FOR SHARE")
            world.redis.set("book", tx.execute(query).scalar_one())


def cache_is_fresh(world):
    if (cached := world.redis.get("book")) is None:
        return
    with world.sql.connect() as connection:
        stored = connection.execute(text("SELECT title FROM book")).scalar_one()
    if cached != stored:
        raise Violation(f"{cached!r} is cached, {stored!r} is stored")


def test_a_cache_cleared_before_commit_stays_stale(library):
    clients = {"writer": cleared_before_commit, "reader": reads_through}
    report = explore(world=library, clients=clients, check=cache_is_fresh)
    assert report.violation == "'old' is cached, 'new' is stored"
    calls = [step.call for step in report.run.steps]
    assert calls.index("SELECT title FROM book") < calls.index("COMMIT")
    assert "READ COMMITTED on PostgreSQL" in report.sentence


def test_a_cache_cleared_after_commit_is_stale_only_where_a_reader_sets_it_later(library):
    clients = {"writer": cleared_after_commit, "reader": reads_through}
    report = explore(world=library, clients=clients, check=cache_is_fresh)
    assert report.broken
    for found in report.findings:
        calls = [step.call for step in found.run.steps]
        assert calls.index("SELECT title FROM book") < calls.index("COMMIT")
        assert calls.index("DEL book") < calls.index("SET book old")


@pytest.mark.parametrize("writer", [cleared_before_commit, cleared_after_commit])
def test_a_reader_that_the_server_makes_wait_leaves_nothing_stale(library, writer):
    clients = {"writer": writer, "reader": reads_through_under_a_lock}
    report = explore(world=library, clients=clients, check=cache_is_fresh)
    assert report.holds, str(report)

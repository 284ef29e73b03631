"""Small random programs: searched merged and in full, they end alike, as often."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import text

from raceproof import Violation, explore

MADE = (
    "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT)",
    "INSERT INTO t VALUES (1, 0), (2, 0)",
)
STATEMENTS = [
    "SELECT n FROM t WHERE id = {0}",
    "SELECT sum(n) FROM t",
    "UPDATE t SET n = n + 1 WHERE id = {0}",
    "UPDATE t SET n = (SELECT max(n) FROM t) + 1 WHERE id = {0}",
    "INSERT INTO t VALUES (3, {0}) ON CONFLICT DO NOTHING",
    "INSERT INTO t VALUES (3, {0})",
    "DELETE FROM t WHERE id = {0}",
    "SAVEPOINT s",
]
LEVELS = {
    "sqlite": [None],
    "postgresql": [None, "REPEATABLE READ", "SERIALIZABLE", "AUTOCOMMIT"],
}


def program(chance, levels):
    """Return a client of one or two transactions, which notes what it sees."""
    parts = [
        (chance.choice(levels), chance.random() < 0.8, chance.choices(STATEMENTS, k=length))
        for length in chance.choice([(1,), (2,), (1, 1)])
    ]
    ids = [chance.randint(1, 2) for _ in range(4)]

    def client(world):
        for level, commits, statements in parts:
            engine = world.sql.execution_options(isolation_level=level) if level else world.sql
            try:
                with engine.connect() as connection:
                    for sql, id in zip(statements, ids, strict=False):
                        done = connection.execute(text(sql.format(id)))
                        found = [list(row) for row in done] if done.returns_rows else done.rowcount
                        world.journal.note(found)
                    if commits:
                        connection.commit()
            except Exception as error:
                world.journal.note(type(getattr(error, "orig", error)).__name__)

    return client


def look(world):
    with world.sql.begin() as tx:
        rows = [tuple(row) for row in tx.execute(text("SELECT id, n FROM t"))]
    raise Violation(f"{rows}, {world.journal['a']}, {world.journal['b']}")


@pytest.mark.parametrize("seed", range(8))
def test_merged_and_full_find_the_same(shop, sql_engine, seed):
    chance = random.Random(seed)
    levels = LEVELS[sql_engine.name]
    fault = [{}, {"crashes": 1}, {"lost_replies": 1}][seed % 3]
    if sql_engine.name == "postgresql" and seed > 1:
        fault = {}  # a full search makes a world of its own for each schedule
    clients = {"a": program(chance, levels), "b": program(chance, levels)}
    case = dict(world=shop(*MADE), clients=clients, check=look, **fault)
    merged, full = explore(**case), explore(**case, merge=False)
    assert {f.violation: f.schedules for f in merged.findings} == {
        f.violation: f.schedules for f in full.findings
    }

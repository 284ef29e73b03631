"""Rows that a client has not fetched: SQLite keeps its lock on the file for them."""

from __future__ import annotations

import itertools
import time
from contextlib import suppress

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from tests.raceproof.wire.sql.conftest import Shop

from raceproof import Unsearchable, explore

NUMBERS = ("CREATE TABLE t (id INT, n INT)", "INSERT INTO t VALUES (1, 0), (2, 0), (3, 0)")
ALL = text("SELECT id FROM t")


@pytest.fixture
def file(tmp_path):
    """A maker of worlds on a file whose readers, as SQLAlchemy has it, begin no transaction."""
    engine = sa.create_engine(f"sqlite:///{tmp_path}/file")

    def world():
        with engine.begin() as tx:
            for sql in ("DROP TABLE IF EXISTS t", *NUMBERS):
                tx.execute(text(sql))
        return Shop(engine)

    yield world
    engine.dispose()


def anything(world):
    pass


def adds(world, id):
    with world.sql.begin() as writing:
        writing.execute(text(f"UPDATE t SET n = n + 1 WHERE id = {id}"))


def walks(world):
    with world.sql.connect() as reading:
        for [id] in reading.execute(ALL):
            adds(world, id)


def keeps_a_result(world):
    with world.sql.connect() as reading:
        result = reading.execute(ALL)
        result.fetchone()
    with suppress(Exception):
        adds(world, 1)
    result.fetchall()


def goes_on_on_the_same_connection(world):
    with world.sql.begin() as tx:
        for [id] in tx.execute(ALL):
            tx.execute(text(f"UPDATE t SET n = {id}"))


def sleeps(world):
    with world.sql.connect() as reading:
        result = reading.execute(ALL)
        result.fetchone()
        time.sleep(3)
        result.fetchall()


def fetches_some(world):
    with world.sql.connect() as reading:
        result = reading.execute(ALL)
        result.fetchmany(2)
        adds(world, 1)
        assert result is not None


@pytest.mark.parametrize(
    "client", [walks, keeps_a_result, goes_on_on_the_same_connection, sleeps, fetches_some]
)
def test_who_goes_on_while_rows_are_unread_is_refused(file, client):
    with pytest.raises(Unsearchable, match=r"rows of 'SELECT id FROM t' are unread: .* \.all\(\)"):
        explore(world=file, clients={"a": client}, check=anything)


def test_a_server_has_sent_all_rows(pg_shop):
    assert explore(world=pg_shop(*NUMBERS), clients={"a": walks}, check=anything).holds


def reads_all(world):
    with world.sql.connect() as reading:
        for [id] in reading.execute(ALL).all():
            adds(world, id)
            reading.rollback()
        for read in ("first", "all", "fetchall"):
            result = reading.execute(ALL)
            getattr(result, read)()
            adds(world, 1)
        assert reading.execute(ALL).scalar() == 1
        adds(world, 1)


def closes(world):
    with world.sql.connect() as reading:
        result = reading.execute(ALL)
        result.fetchone()
        result.close()
        adds(world, 1)


def lets_go(world):
    with world.sql.connect() as reading:
        reading.execute(ALL).fetchone()
        reading.execute(ALL)
        adds(world, 1)
        for [_] in reading.execute(ALL):
            break
        adds(world, 1)
        cycle = [reading.execute(ALL)]
        cycle.append(cycle)
        del cycle
        adds(world, 1)


def has_closed_the_connection(world):
    connection = world.sql.raw_connection()
    cursor = connection.cursor()
    cursor.execute("SELECT id FROM t")
    connection.detach()
    connection.close()
    adds(world, 1)
    assert cursor is not None


def reads_the_last(world):
    with world.sql.connect() as reading:
        result = reading.execute(ALL)
        for _ in itertools.repeat(None, 3):
            result.fetchone()
        adds(world, 1)
        assert result is not None


@pytest.mark.parametrize(
    "client", [reads_all, closes, lets_go, has_closed_the_connection, reads_the_last]
)
def test_who_has_read_or_left_them_is_searched(file, client):
    assert explore(world=file, clients={"a": client}, check=anything).holds

"""Who waits for whom on SQLite, where readers keep their transaction open, as with BEGIN."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from tests.raceproof.toys import in_full
from tests.raceproof.wire.sql.conftest import Shop

from raceproof import explore

Make = Callable[[], Shop]


def on_engine(file: Path, begin: str, **options: object) -> Iterator[Make]:
    """Yield a maker of worlds on an engine that begins transactions by SQLAlchemy's recipe."""
    engine = sa.create_engine(f"sqlite:///{file}", **options)

    @sa.event.listens_for(engine, "connect")
    def on_connect(connection, _):
        connection.isolation_level = None

    @sa.event.listens_for(engine, "begin")
    def on_begin(connection):
        connection.exec_driver_sql(begin)

    def world():
        with engine.begin() as tx:
            for sql in (
                "DROP TABLE IF EXISTS t",
                "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT)",
                "INSERT INTO t VALUES (1, 1), (2, 2)",
            ):
                tx.execute(text(sql))
        return Shop(engine)

    yield world
    engine.dispose()


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[Make]:
    yield from on_engine(tmp_path / "file", "BEGIN")


@pytest.fixture
def impatient(tmp_path: Path) -> Iterator[Make]:
    """Transactions have the write lock from their beginning, and nobody waits for it."""
    yield from on_engine(tmp_path / "file", "BEGIN IMMEDIATE", connect_args={"timeout": 0})


def anything(world):
    pass


def reads(world, pause=lambda: None):
    with world.sql.begin() as tx:
        for id in (1, 2):
            tx.execute(text(f"SELECT n FROM t WHERE id = {id}")).scalar_one()
            pause()


def writes(world):
    with world.sql.begin() as tx:
        tx.execute(text("UPDATE t SET n = 5 WHERE id = 1"))


def test_a_commit_waits_for_a_reader(begun):
    """Neither fails, in the search or by hand."""
    case = dict(world=begun, clients={"r": reads, "w": writes}, check=anything)
    report = explore(**case, timeouts=0)
    assert report.holds
    assert in_full(**case, timeouts=0).schedules == report.schedules
    world, done = begun(), []

    def writer():
        writes(world)
        done.append("written")

    thread = threading.Thread(target=writer)

    def pause():
        if thread.ident is None:
            thread.start()
            time.sleep(0.2)
            assert not done

    reads(world, pause)
    thread.join()
    assert done == ["written"]


def test_a_commit_that_waits_for_its_own_client_gives_up(begun):
    def client(world):
        with world.sql.connect() as reading:
            reading.execute(text("SELECT n FROM t")).all()
            with pytest.raises(sa.exc.OperationalError, match="database is locked"):
                writes(world)
        world.journal.note("gave up")

    def check(world):
        assert len(world.journal["a"]) == 1
        with world.sql.connect() as connection:
            assert connection.execute(text("SELECT n FROM t WHERE id = 1")).scalar_one() == 1

    explore(world=begun, clients={"a": client}, check=check).assert_holds()


def test_who_has_read_and_wants_to_write_is_told_at_once(begun):
    def both(world):
        reads(world)
        with world.sql.begin() as tx:
            tx.execute(text("SELECT n FROM t"))
            tx.execute(text("UPDATE t SET n = n + 1"))

    for _ in range(5):  # what sqlite3 keeps of an EXPLAIN tells of tables that are gone
        report = explore(world=begun, clients={"a": both, "b": both}, check=anything, preemptions=1)
        assert "database is locked" in report.violation


def test_who_has_read_only_a_temporary_table_waits(begun):
    def client(world):
        with world.sql.begin() as tx:
            tx.execute(text("CREATE TEMP TABLE IF NOT EXISTS mine (n INT)"))
            tx.execute(text("INSERT INTO temp.mine SELECT 1"))
            tx.execute(text("SELECT n FROM temp.mine"))
            tx.execute(text("UPDATE t SET n = n + 1 WHERE id = 1"))

    clients = {"a": client, "b": writes}
    explore(world=begun, clients=clients, check=anything, preemptions=1).assert_holds()


def test_a_statement_that_failed_has_locked_nothing(begun):
    def client(world):
        with world.sql.begin() as tx:
            try:
                tx.execute(text("SELECT n FROM settings"))
            except sa.exc.OperationalError:
                tx.execute(text("UPDATE t SET n = n + 1 WHERE id = 1"))

    def check(world):
        with world.sql.connect() as connection:
            assert connection.execute(text("SELECT n FROM t WHERE id = 1")).scalar_one() == 3

    explore(world=begun, clients={"a": client, "b": client}, check=check).assert_holds()


# --- timeout=0: whoever meets a lock is told at once ----------------------------------------------


def test_who_does_not_wait_is_told_that_another_has_begun(impatient: Make) -> None:
    def client(world: Shop) -> None:
        try:
            writes(world)
            world.journal.note("written")
        except sa.exc.OperationalError as error:
            world.journal.note(str(error.orig))

    found = set()
    case = dict(world=impatient, clients={"a": client, "b": client})
    explore(**case, check=lambda w: found.add((*w.journal["a"], *w.journal["b"]))).assert_holds()
    locked = "database is locked"
    assert found == {("written", "written"), ("written", locked), (locked, "written")}
    with impatient().sql.begin() as tx, pytest.raises(sa.exc.OperationalError, match=locked):
        writes(Shop(tx.engine))


def test_and_sees_outside_a_transaction_what_was_committed_before(impatient: Make) -> None:
    def client(world: Shop) -> None:
        connection = world.sql.raw_connection()
        for _ in range(2):
            [n] = connection.cursor().execute("SELECT n FROM t WHERE id = 1").fetchall()[0]
            world.journal.note(n)
        connection.close()

    found = set()
    case = dict(world=impatient, clients={"r": client, "w": writes})
    explore(**case, check=lambda w: found.add(tuple(w.journal["r"]))).assert_holds()
    assert found == {(1, 1), (1, 5), (5, 5)}

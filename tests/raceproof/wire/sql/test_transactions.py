"""Transactions: statement by statement, whole or not at all, whatever befalls the client."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from tests.raceproof.toys import in_full
from tests.raceproof.wire.sql.conftest import Fresh, Shop

from raceproof import Clock, Journal, Violation, explore

metadata = sa.MetaData()
hits = sa.Table(
    "hits",
    metadata,
    sa.Column("page", sa.Text, primary_key=True),
    sa.Column("n", sa.Integer),
)


@dataclass
class Books:
    sql: sa.Engine
    journal: Journal = field(default_factory=Journal)


@pytest.fixture
def books(sql_engine):
    metadata.drop_all(sql_engine)
    metadata.create_all(sql_engine)

    def world():
        with sql_engine.begin() as tx:
            tx.execute(sa.delete(hits))
            tx.execute(sa.insert(hits).values(page="home", n=0))
        return Books(sql_engine)

    yield world
    metadata.drop_all(sql_engine)


def total(world):
    with world.sql.connect() as c:
        return c.execute(sa.text("SELECT n FROM hits")).scalar_one()


def both_count(world):
    if total(world) != 2:
        raise Violation(f"n is {total(world)}")


def in_one(world):
    with world.sql.begin() as tx:
        n = tx.execute(sa.text("SELECT n FROM hits WHERE page = :p"), {"p": "home"}).scalar_one()
        done = tx.execute(sa.text("UPDATE hits SET n = :n"), {"n": n + 1})
        assert done.rowcount == 1


def in_two(world):
    with world.sql.connect() as c:
        n = c.execute(sa.select(hits.c.n)).scalar_one()
    with world.sql.begin() as tx:
        tx.execute(sa.update(hits).values(n=n + 1))


def test_reading_and_writing_in_one_transaction_is_up_to_the_isolation_level(books, sql_engine):
    report = explore(world=books, clients={"a": in_one, "b": in_one}, check=both_count)
    if sql_engine.name == "sqlite":
        assert (report.schedules, report.broken) == (2, 0)
        assert (
            report.sentence == "2 schedules of 2 clients, SERIALIZABLE on SQLite: none breaks it."
        )
    else:
        assert (report.schedules, report.broken) == (14, 12)


def test_reading_and_writing_in_two_transactions_loses_an_update(books):
    report = explore(world=books, clients={"a": in_two, "b": in_two}, check=both_count)
    assert 0 < report.broken < report.schedules
    assert [s.call for s in report.run.steps if s.actor == "a"][-2:] == [
        "UPDATE hits SET n=1",
        "COMMIT",
    ]


def adds_at_once(world):
    with world.sql.begin() as tx:
        tx.execute(sa.update(hits).values(n=hits.c.n + 1))


def test_merged_and_full_search_agree(books, sql_engine):
    """On PostgreSQL, where a full search takes its time, the clients are shorter."""
    if sql_engine.name == "sqlite":
        clients = {"a": in_two, "b": in_one}
    else:
        clients = {"a": in_one, "b": adds_at_once}
    case = dict(world=books, clients=clients, check=both_count, crashes=1, preemptions=1)
    merged, full = explore(**case), in_full(**case)
    assert (merged.schedules, merged.broken) == (full.schedules, full.broken)
    assert merged.run == full.run


def test_a_crash_leaves_the_transaction_whole_or_undone(books):
    def twice(world):
        with world.sql.begin() as tx:
            tx.execute(sa.text("UPDATE hits SET n = n + 1"))
            tx.execute(sa.text("UPDATE hits SET n = n + 1"))

    def never_half(world):
        if total(world) not in (0, 2):
            raise Violation(f"n is {total(world)}")

    report = explore(world=books, clients={"a": twice}, check=never_half, crashes=1)
    assert report.holds
    assert report.schedules > 3


def test_a_block_that_raises_changes_nothing(books):
    def fails(world):
        with world.sql.begin() as tx:
            tx.execute(sa.text("UPDATE hits SET n = 7"))
            raise LookupError

    def untouched(world):
        if total(world) != 0:
            raise Violation(f"n is {total(world)}")

    assert explore(world=books, clients={"a": fails}, check=untouched, allow=(LookupError,)).holds


def test_a_unique_key_is_a_compare_and_swap(books):
    def claim(world):
        try:
            with world.sql.begin() as tx:
                tx.execute(sa.insert(hits).values(page="mine", n=1))
            world.journal.note("won")
        except sa.exc.IntegrityError:
            world.journal.note("lost")

    def one_winner(world):
        told = world.journal["a"] + world.journal["b"]
        if sorted(told) != ["lost", "won"]:
            raise Violation(f"told {told}")

    report = explore(world=books, clients={"a": claim, "b": claim}, check=one_winner)
    assert report.holds
    assert report.schedules >= 2


def test_a_lost_reply_to_commit_has_taken_effect(books):
    def impatient(world):
        for _ in range(2):
            try:
                with world.sql.begin() as tx:
                    tx.execute(sa.text("UPDATE hits SET n = n + 1"))
                return
            except Exception:
                continue

    def once(world):
        if total(world) != 1:
            raise Violation(f"counted {total(world)} times")

    report = explore(world=books, clients={"a": impatient}, check=once, lost_replies=1)
    assert report.broken == 1
    assert report.violation == "counted 2 times"
    lost = next(s for s in report.run.steps if s.fate == "reply-lost")
    assert lost.call == "COMMIT"


def test_a_helper_may_create_its_tables(books):
    def creator(world):
        metadata.create_all(world.sql)
        in_one(world)

    def check(world):
        raise Violation("look at it")

    report = explore(world=books, clients={"a": creator}, check=check)
    assert "hits" in str([s.call for s in report.run.steps])
    assert report.violation == "look at it"


def test_a_commit_that_is_late_holds_its_locks_until_it_arrives(sql_engine, shop):
    """The server reads it from a connection whose client has gone; who waits for the row, waits.

    SQLite is no server: a COMMIT dies with its client.
    """
    make = shop("CREATE TABLE t (n INT)", "INSERT INTO t VALUES (0)")

    def add(world):
        with world.sql.begin() as tx:
            tx.execute(text("UPDATE t SET n = n + 1"))

    def tries_again(world):
        try:
            add(world)
        except sa.exc.OperationalError:
            add(world)

    def tell(world):
        with world.sql.connect() as connection:
            raise Violation(f"n is {connection.execute(text('SELECT n FROM t')).scalar_one()}")

    def found(clients, **bounds):
        case = dict(world=make, clients=clients, check=tell, **bounds)
        reports = [explore(**case), in_full(**case)]
        merged, full = ({f.violation: f.schedules for f in r.findings} for r in reports)
        assert merged == full
        return set(merged), reports[0]

    one, late = found({"a": add}, crashes=1, late=1)
    assert one == {"n is 0", "n is 1"}
    never_late = explore(world=make, clients={"a": add}, check=tell, crashes=1)
    if sql_engine.name == "sqlite":
        assert late.schedules == never_late.schedules
        return
    ends, before = ({f.violation: f.schedules for f in r.findings} for r in (late, never_late))
    assert ends == before | {"n is 1": before["n is 1"] + 1}  # dead before COMMIT, which arrives
    assert found({"a": tries_again}, lost_replies=1, late=1)[0] == {"n is 1", "n is 2"}
    both, _ = found({"a": add, "b": add}, crashes=1, late=1, preemptions=1)
    assert both == {"n is 1", "n is 2"}


def test_a_commit_in_a_text_is_late_only_where_there_is_a_server(sql_engine, shop):
    def client(world):
        with world.sql.connect() as connection:
            for sql in ("INSERT INTO t VALUES (1)", "COMMIT"):
                connection.exec_driver_sql(sql)

    make = shop("CREATE TABLE t (n INT)")
    search = {"world": make, "clients": {"a": client}, "check": lambda world: None, "crashes": 1}
    more = explore(**search, late=1).schedules - explore(**search).schedules
    assert more == (sql_engine.name == "postgresql")


# --- time passes in the middle of a transaction, also of one that keeps everybody else out --------


@dataclass
class Timed(Shop):
    clock: Clock = field(default_factory=lambda: Clock(0.0, ticks=(60.0,)))


@pytest.fixture
def timed(shop: Fresh) -> Callable[[], Timed]:
    make = shop("CREATE TABLE t (n INT)", "INSERT INTO t VALUES (0)")
    return lambda: Timed(make().sql)


def adds_twice(world: Timed, look: Callable[[], object] = lambda: None) -> None:
    with world.sql.begin() as tx:
        for _ in range(2):
            tx.execute(text("UPDATE t SET n = n + 1"))
            look()


def total_of(world: Timed) -> int:
    with world.sql.begin() as tx:
        return int(tx.execute(text("SELECT n FROM t")).scalar_one())


def measures(world: Timed) -> None:
    seen: list[float] = []
    adds_twice(world, lambda: seen.append(time.monotonic()))
    world.journal.note(seen)


def test_time_passes_in_a_transaction_for_who_measures_it(timed: Callable[[], Timed]) -> None:
    found: set[Any] = set()

    def check(world: Timed) -> None:
        found.add(tuple(world.journal["a"][0]))

    explore(world=timed, clients={"a": measures}, check=check).assert_holds()
    assert found == {(0, 0), (0, 60), (60, 60)}


def test_and_for_others_at_the_same_moment(
    sql_engine: sa.Engine, timed: Callable[[], Timed]
) -> None:
    found: set[Any] = set()

    def asks(world: Timed) -> None:
        world.journal.note(world.clock.time())
        total_of(world)

    def check(world: Timed) -> None:
        found.add((*world.journal["a"][0], *world.journal["b"]))

    report = explore(world=timed, clients={"a": measures, "b": asks}, check=check)
    report.assert_holds()
    assert found == {(*seen, now) for seen in ((0, 0), (0, 60), (60, 60)) for now in (0, 60)}
    if sql_engine.name == "sqlite":  # when no more time can pass, its transaction goes first again
        assert report.schedules == 33


def test_who_does_not_measure_is_not_held_up_there(
    sql_engine: sa.Engine, timed: Callable[[], Timed]
) -> None:
    report = explore(world=timed, clients={"a": adds_twice}, check=lambda world: None)
    assert report.schedules == (2 if sql_engine.name == "sqlite" else 4)

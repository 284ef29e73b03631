"""However slow the server, the search or somebody else is: each schedule goes one way only."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from sqlalchemy import text

from raceproof import Unsearchable, Violation, explore
from raceproof.wire.sql import postgresql
from raceproof.wire.sql.postgresql import Postgres
from raceproof.wire.sql.requests import Request
from workshop import services

STOCK = (
    "CREATE TABLE stock (id INT PRIMARY KEY, n INT)",
    "INSERT INTO stock VALUES (1, 1), (2, 1)",
)
SLOW_COMMIT = (
    "CREATE FUNCTION late() RETURNS trigger AS 'BEGIN PERFORM pg_sleep(0.05); RETURN NULL; END'"
    " LANGUAGE plpgsql",
    "CREATE CONSTRAINT TRIGGER late AFTER UPDATE ON stock DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION late()",
)
LATER = 0.05  # seconds: enough for a server to do whatever it is about to do


def adds(amount, *ids, level="READ COMMITTED"):
    def client(world):
        engine = world.sql.execution_options(isolation_level=level)
        with engine.begin() as connection:
            for id in ids:
                connection.execute(text(f"UPDATE stock SET n = n + {amount} WHERE id = {id}"))
        world.journal.note("done")

    return client


def alone(amount, id):
    return adds(amount, id, level="AUTOCOMMIT")


def numbers(world):
    with world.sql.begin() as connection:
        return [n for [n] in connection.execute(text("SELECT n FROM stock ORDER BY id"))]


def anything(world):
    pass


@pytest.fixture
def slow_cancel(monkeypatch):
    """A server that gets the request to cancel a statement late."""
    cancel = psycopg.Connection.cancel_safe

    def later(self, **options):
        time.sleep(LATER)
        cancel(self, **options)

    monkeypatch.setattr(psycopg.Connection, "cancel_safe", later)


@pytest.fixture
def slow_search(monkeypatch):
    """A search that gets to run again only when the server has done what it was asked for."""
    submit = ThreadPoolExecutor.submit

    def later(self, *args, **options):
        made = submit(self, *args, **options)
        time.sleep(LATER)
        return made

    monkeypatch.setattr(ThreadPoolExecutor, "submit", later)


@pytest.mark.parametrize("slow", ["nothing", "cancel", "commit"])
def test_a_look_does_not_let_a_statement_go_on_and_a_commit_does(pg_shop, request, slow):
    """While b waits, a look sees nothing of b; when a has committed, b has been carried out."""
    if slow == "cancel":
        request.getfixturevalue("slow_cancel")
    seen = []

    def note(world):
        found = (numbers(world)[0], *world.journal["a"], "|", *world.journal["b"])
        if found not in seen:
            seen.append(found)

    world = pg_shop(*STOCK, *(SLOW_COMMIT if slow == "commit" else ()))
    clients = {"a": adds(10, 1), "b": alone(100, 1)}
    report = explore(world=world, clients=clients, check=anything, always=note)
    assert report.holds
    assert sorted(seen) == [
        (1, "|"),
        (11, "done", "|"),
        (101, "|", "done"),
        (111, "done", "|", "done"),
    ]


def test_nor_does_it_where_one_waits_for_another_that_waits(pg_shop, slow_cancel):
    """To end c's wait for a would free the row that d waits for: so d ends first."""

    def not_by_itself(world):
        if numbers(world)[1] == 101 and not world.journal["d"]:
            raise Violation("the look has let d go on")

    free = "(SELECT id FROM stock WHERE id = 1 FOR UPDATE SKIP LOCKED)"  # a never waits itself
    clients = {"a": adds(1, free), "c": adds(10, 2, 1), "d": alone(100, 2)}
    case = dict(world=pg_shop(*STOCK), clients=clients, check=anything, always=not_by_itself)
    assert explore(**case, preemptions=1).holds


@pytest.fixture
def server(postgresql_url, monkeypatch):
    """The database of a world."""
    monkeypatch.setenv("DATABASE_URL", postgresql_url)
    engine = services.sql("test", fresh=True)
    with engine.begin() as connection:
        for statement in STOCK:
            connection.execute(text(statement))
    made = Postgres(engine)
    yield made
    made.close()


def run(twin, sql, autocommit=False):
    return twin.run(Request("execute", 1, sql, None, (autocommit, None, None, None)))


UPDATE = "UPDATE stock SET n = n + 1 WHERE id = 1"


def test_it_is_never_missed_that_a_statement_was_woken(server, slow_search):
    a, b = server.twin(), server.twin()
    run(a, "SAVEPOINT before")
    run(a, UPDATE)
    assert run(b, UPDATE, autocommit=True).waits
    run(a, "ROLLBACK TO before")
    assert server.woken


@pytest.mark.parametrize("ends", ["commits", "dies"])
def test_nor_that_two_were_woken_at_once(server, slow_search, ends):
    a, b, c = server.twin(), server.twin(), server.twin()
    run(a, "SELECT pg_advisory_xact_lock(7)")
    for twin in (b, c):
        assert run(twin, "SELECT pg_advisory_xact_lock(7)", autocommit=True).waits
    with pytest.raises(Unsearchable, match="several statements waited for one transaction"):
        a.close() if ends == "dies" else a.run(Request("commit", 1))


@pytest.fixture
def outsider(postgresql_url):
    """A connection that nobody in the search knows, with a lock; it lets go when somebody waits."""
    waits = """SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
        AND waitstart < clock_timestamp() - interval '200 ms'"""
    over = threading.Event()

    def let_go():
        with psycopg.connect(postgresql_url, autocommit=True) as connection:
            while not over.wait(0.01) and not connection.execute(waits).fetchone()[0]:
                pass
        if not over.is_set():
            holder.execute("SELECT pg_advisory_unlock(7)")

    with psycopg.connect(postgresql_url, autocommit=True) as holder:
        holder.execute("SELECT pg_advisory_lock(7)")
        thread = threading.Thread(target=let_go)
        yield thread
        over.set()
        if thread.ident is not None:
            thread.join()


def locks(world):
    with world.sql.begin() as connection:
        connection.execute(text("SELECT pg_advisory_xact_lock(7)"))


def test_who_waits_for_somebody_outside_is_waited_for(pg_shop, outsider):
    """As for autovacuum, which goes on by itself: that it was there is no part of a schedule."""
    outsider.start()
    report = explore(world=pg_shop(*STOCK), clients={"a": locks}, check=anything)
    assert report.holds
    assert report.schedules == 1


def test_and_refused_if_that_one_never_lets_go(pg_shop, outsider, monkeypatch):
    monkeypatch.setattr(postgresql, "PATIENCE", 0.5)
    with pytest.raises(Unsearchable, match="a connection that is not the search's"):
        explore(world=pg_shop(*STOCK), clients={"a": locks}, check=anything)


LOCK = "LOCK TABLE stock IN ACCESS EXCLUSIVE MODE"


def test_a_look_waits_for_somebody_outside(server):
    with server._engine.connect() as outside:
        outside.execute(text(LOCK))
        later = threading.Timer(0.3, outside.rollback)
        later.start()
        assert b"is locked" not in server.dump(schema=True)
        later.join()


def test_and_is_refused_if_that_one_never_lets_go(server, monkeypatch):
    monkeypatch.setattr(postgresql, "PATIENCE", 0.5)
    with server._engine.connect() as outside:
        outside.execute(text(LOCK))
        with pytest.raises(Unsearchable, match="a connection that is not the search's"):
            server.dump(schema=True)


def test_who_is_locked_out_by_the_search_itself_does_not_wait(server):
    run(server.twin(), LOCK)
    assert b"is locked" in server.dump(schema=True)

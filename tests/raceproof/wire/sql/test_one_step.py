"""A statement is one step on PostgreSQL only if it is so on the server; else it is refused."""

from __future__ import annotations

import contextlib

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from raceproof import Unsearchable, Violation, explore
from raceproof.wire.sql.postgresql_steps import holds_until_commit, several

JOBS = (
    "CREATE TABLE jobs (id INT PRIMARY KEY, state TEXT)",
    "INSERT INTO jobs VALUES (1, 'new'), (2, 'new')",
)
TAKE = """UPDATE jobs SET state = 'taken'
    WHERE id = (SELECT id FROM jobs WHERE state = 'new' ORDER BY id LIMIT 1) RETURNING id"""
TICKETS = ("CREATE TABLE tickets (n INT)",)
DRAW = "INSERT INTO tickets SELECT coalesce(max(n), 0) + 1 FROM tickets RETURNING n"
HITS = ("CREATE TABLE hits (n INT)", "INSERT INTO hits VALUES (0)")
HIT = """CREATE FUNCTION hit() RETURNS INT LANGUAGE plpgsql {} AS $$ DECLARE seen INT;
    BEGIN SELECT n INTO seen FROM hits; UPDATE hits SET n = seen + 1; RETURN seen; END $$"""


def does(sql, level=None):
    def client(world):
        options = {"isolation_level": level} if level else {}
        with world.sql.execution_options(**options).connect() as connection:
            done = connection.execute(text(sql))
            world.journal.note(done.scalar() if done.returns_rows else None)
            connection.commit()

    return {"a": client, "b": client}


def each_another(world):
    if world.journal["a"] == world.journal["b"]:
        raise Violation(f"{world.journal['a']} twice")


def anything(world):
    pass


@pytest.mark.parametrize("level", [None, "AUTOCOMMIT"])
@pytest.mark.parametrize(
    ("made", "sql"), [(JOBS, TAKE), (TICKETS, DRAW)], ids=["take a job", "draw a number"]
)
def test_a_look_and_a_write_in_one_statement(pg_shop, made, sql, level):
    """The look is before the lock, and the lock is kept until COMMIT."""
    report = explore(world=pg_shop(*made), check=each_another, clients=does(sql, level))
    assert report.violation == "[1] twice"


def in_autocommit(world):
    return world.sql.execution_options(isolation_level="AUTOCOMMIT").connect()


@contextlib.contextmanager
def refused_is_noted(world):
    try:
        yield
    except (sa.exc.IntegrityError, sa.exc.OperationalError):
        world.journal.note("refused")


OUTBOX = ("CREATE TABLE outbox (id SERIAL PRIMARY KEY, word TEXT)",)


def polls(world):
    with world.sql.begin() as connection:
        query = text("SELECT id FROM outbox ORDER BY id")
        world.journal.note(connection.execute(query).scalars().all())


def test_a_number_is_drawn_before_its_row_is_committed(pg_shop):
    """Who asks next for what is beyond 2 will never see 1."""

    def check(world):
        if world.journal["reader"] == [[2]]:
            raise Violation("1 comes after 2")

    writers = does("INSERT INTO outbox (word) VALUES ('x')", "AUTOCOMMIT")
    case = dict(world=pg_shop(*OUTBOX, anew=True), check=check, preemptions=1)
    report = explore(**case, clients={**writers, "reader": polls})
    assert report.violation == "1 comes after 2"


@pytest.mark.parametrize("how", ["SKIP LOCKED", "NOWAIT"])
def test_who_does_not_wait_meets_the_lock_of_a_statement_in_autocommit(pg_shop, how):
    def takes(world):
        with world.sql.begin() as tx, refused_is_noted(world):
            query = text(f"SELECT id FROM jobs WHERE id = 1 FOR UPDATE {how}")
            world.journal.note(tx.execute(query).scalar())

    def check(world):
        if world.journal["b"] != [1]:
            raise Violation("the job is missed")

    update = does("UPDATE jobs SET state = 'old' WHERE id = 1", "AUTOCOMMIT")["a"]
    report = explore(world=pg_shop(*JOBS), check=check, clients={"a": update, "b": takes})
    assert report.violation == "the job is missed"


def test_a_statement_that_fails_in_autocommit_lets_go_of_all(pg_shop):
    """And the connection can go on: what failed was a transaction of its own."""

    def client(world):
        with in_autocommit(world) as connection:
            try:
                connection.execute(text("INSERT INTO jobs VALUES (3, 'new'), (1, 'new')"))
            except sa.exc.IntegrityError:
                connection.execute(text("UPDATE jobs SET state = 'old' WHERE id = 2"))

    def check(world):
        with world.sql.begin() as connection:
            rows = connection.execute(text("SELECT id, state FROM jobs ORDER BY id")).all()
        if rows != [(1, "new"), (2, "old")]:
            raise Violation(str(rows))

    report = explore(world=pg_shop(*JOBS), check=check, clients={"a": client, "b": client})
    report.assert_holds()


def test_a_constraint_that_is_checked_at_the_end_is_an_error_of_the_statement(pg_shop):
    made = "CREATE TABLE t (n INT UNIQUE DEFERRABLE INITIALLY DEFERRED)"

    def client(world):
        with in_autocommit(world) as connection, refused_is_noted(world):
            connection.execute(text("INSERT INTO t VALUES (1), (1)"))

    def check(world):
        if world.journal["a"] != ["refused"]:
            raise Violation("both rows are there")

    explore(world=pg_shop(made), check=check, clients={"a": client}).assert_holds()


@pytest.mark.parametrize(
    "sql",
    [
        TAKE,
        DRAW,
        "DELETE FROM t",
        "WITH x AS (DELETE FROM t RETURNING n) SELECT * FROM x",
        "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE",
        "EXPLAIN ANALYZE DELETE FROM t",
        "TRUNCATE t",
        "SELECT id FROM t FOR UPDATE SKIP LOCKED",
        "SELECT id FROM t FOR NO KEY UPDATE",
        "SELECT id FROM t FOR KEY SHARE",
        "SELECT pg_advisory_xact_lock(1)",
        "SELECT pg_try_advisory_xact_lock(1)",
        "  CREATE TABLE t (n INT)",
        "ALTER TABLE t ADD m INT",
        "DROP TABLE t",
        "REFRESH MATERIALIZED VIEW v",
    ],
)
def test_what_others_meet_until_it_is_committed(sql):
    assert holds_until_commit(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1",
        "SELECT ' FOR UPDATE'",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "SELECT pg_advisory_lock(1)",
        "SHOW transaction_isolation",
        "BEGIN",
        "COMMIT",
        "LOCK TABLE t",
        "DECLARE c CURSOR WITH HOLD FOR SELECT id FROM t FOR UPDATE",
    ],
)
def test_what_they_do_not(sql):
    assert not holds_until_commit(sql)


def test_a_text_of_several_statements_is_refused(pg_shop):
    assert not several("UPDATE hits SET n = ';';  -- ;")
    both = "SELECT n FROM hits; UPDATE hits SET n = 1"
    with pytest.raises(Unsearchable, match="several statements in one text"):
        explore(world=pg_shop(*HITS), clients=does(both), check=anything)


def test_what_is_one_step_in_autocommit_counts_each_hit(pg_shop):
    case = dict(world=pg_shop(*HITS), check=each_another)
    assert explore(
        **case, clients=does("UPDATE hits SET n = n + 1 RETURNING n", "AUTOCOMMIT")
    ).holds


@pytest.mark.parametrize("level", ["READ COMMITTED", "AUTOCOMMIT"])
@pytest.mark.parametrize("sql", ["SELECT hit()", 'SELECT "hit"() FROM hits', "SELECT twice()"])
def test_a_function_of_several_statements_is_no_step(pg_shop, level, sql):
    """Each sees what others have committed since the one before."""
    twice = "CREATE FUNCTION twice() RETURNS INT LANGUAGE plpgsql AS 'BEGIN RETURN hit(); END'"
    world = pg_shop(*HITS, HIT.format(""), twice)
    with pytest.raises(Unsearchable, match="function hit: each statement in it sees"):
        explore(world=world, clients=does(sql, level), check=anything)


def test_where_they_share_a_snapshot_it_is_one(pg_shop):
    world = pg_shop(*HITS, HIT.format(""))
    case = dict(world=world, check=each_another, allow=(sa.exc.OperationalError,))
    assert explore(**case, clients=does("SELECT hit()", "REPEATABLE READ")).holds


def test_autocommit_has_the_servers_level_whatever_was_set_before(pg_shop):
    def client(world):
        with world.sql.connect() as connection:
            for level in ("REPEATABLE READ", "AUTOCOMMIT"):
                connection.execution_options(isolation_level=level)
                connection.execute(text("SELECT 1"))
                connection.rollback()
            connection.execute(text("SELECT hit()"))

    with pytest.raises(Unsearchable, match="function hit: each statement"):
        explore(world=pg_shop(*HITS, HIT.format("")), clients={"a": client}, check=anything)


@pytest.mark.parametrize(
    "lowers", ["SET TRANSACTION ISOLATION LEVEL READ COMMITTED", "SET transaction_isolation = 'x'"]
)
def test_a_level_is_not_lowered_behind_the_searchs_back(pg_shop, lowers):
    with pytest.raises(Unsearchable, match="READ COMMITTED under another level"):
        explore(world=pg_shop(*HITS), clients=does(lowers, "REPEATABLE READ"), check=anything)


def test_one_that_only_computes_is_one_and_so_is_one_that_is_stable(pg_shop):
    half = """CREATE FUNCTION half(n INT) RETURNS INT LANGUAGE plpgsql AS
        'BEGIN IF n IS DISTINCT FROM 0 THEN RETURN n / 2; END IF; RETURN 0; END'"""
    reads = "CREATE FUNCTION reads() RETURNS INT LANGUAGE sql STABLE AS 'SELECT n FROM hits'"
    world = pg_shop(*HITS, half, reads)
    for sql in ("UPDATE hits SET n = half(n) + 1", "SELECT reads()"):
        assert explore(world=world, clients=does(sql, "AUTOCOMMIT"), check=anything).holds
    clients = does("UPDATE hits SET n = reads() + 1 RETURNING n", "AUTOCOMMIT")
    assert explore(world=world, clients=clients, check=each_another).violation == "[1] twice"


COUNTS = "BEGIN UPDATE counts SET n = (SELECT count(*) FROM hits); RETURN NEW; END"
CHANGES_NEW = "BEGIN NEW.n = NEW.n + 100; RETURN NEW; END"


@pytest.mark.parametrize(
    ("body", "sql", "refused"),
    [
        (COUNTS, "INSERT INTO hits VALUES (1)", True),
        (COUNTS, "DELETE FROM owners", True),
        (COUNTS, "SELECT n FROM hits FOR UPDATE", False),
        (COUNTS, "UPDATE counts SET n = 1", False),
        (CHANGES_NEW, "INSERT INTO hits VALUES (1)", False),
    ],
)
def test_a_trigger_that_makes_statements(pg_shop, body, sql, refused):
    world = pg_shop(
        "CREATE TABLE owners (id INT PRIMARY KEY)",
        "CREATE TABLE hits (n INT, owner INT REFERENCES owners ON DELETE CASCADE)",
        "CREATE TABLE counts (n INT)",
        f"CREATE FUNCTION fired() RETURNS trigger LANGUAGE plpgsql AS $${body}$$",
        "CREATE TRIGGER up BEFORE INSERT OR DELETE ON hits FOR EACH ROW EXECUTE FUNCTION fired()",
    )
    case = dict(world=world, clients=does(sql), check=anything)
    if refused:
        with pytest.raises(Unsearchable, match="function fired: each statement"):
            explore(**case)
    else:
        assert explore(**case).holds

"""A statement is one step on PostgreSQL only if it is so on the server; else it is refused."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import text

from raceproof import Unsearchable, Violation, explore
from raceproof.wire.sql.postgresql_steps import reads_more, several

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


@pytest.mark.parametrize(
    ("made", "sql"), [(JOBS, TAKE), (TICKETS, DRAW)], ids=["take a job", "draw a number"]
)
def test_a_look_and_a_write_in_one_statement(pg_shop, made, sql):
    """The look is before the lock: in a transaction that is found, in AUTOCOMMIT nothing shows."""
    case = dict(world=pg_shop(*made), check=each_another)
    report = explore(**case, clients=does(sql))
    assert report.violation == "[1] twice"
    with pytest.raises(Unsearchable, match=r"in AUTOCOMMIT .* engine\.begin\(\)"):
        explore(**case, clients=does(sql, "AUTOCOMMIT"))


@pytest.mark.parametrize(
    "sql",
    [
        TAKE,
        DRAW,
        "UPDATE t SET n = u.n FROM u WHERE u.id = t.id",
        "DELETE FROM t USING u WHERE u.id = t.id",
        "DELETE FROM t WHERE n < (SELECT max(n) FROM t)",
        "WITH x AS (DELETE FROM t RETURNING n) INSERT INTO u VALUES (1)",
        "INSERT INTO u TABLE t",
        "INSERT INTO u SELECT n FROM (VALUES (1)) AS x(n), t ORDER BY 1",
        'INSERT INTO u SELECT n FROM "t" "x"(n)',
        "INSERT INTO u VALUES ((SELECT max(n) FROM u))",
        "INSERT INTO u VALUES (1) ON CONFLICT (n) DO UPDATE SET n = (SELECT max(n) FROM u)",
        "MERGE INTO t USING u ON t.id = u.id WHEN MATCHED THEN DELETE",
        "EXPLAIN ANALYZE DELETE FROM t",
        "SELECT t.id FROM t, u WHERE t.id = u.id FOR UPDATE OF t",
        "SELECT id FROM t JOIN u USING (id) FOR SHARE",
        "SELECT id FROM t WHERE id = (SELECT min(id) FROM t) FOR NO KEY UPDATE",
        "WITH x AS (SELECT id FROM t FOR UPDATE) SELECT * FROM x",
        "INSERT INTO u SELECT id FROM t FOR UPDATE",
    ],
)
def test_what_reads_more_than_the_rows_that_it_writes(sql):
    assert reads_more(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM t JOIN u USING (id) WHERE t.n > (SELECT min(n) FROM u)",
        "WITH x AS (SELECT 1) SELECT * FROM x",
        "UPDATE t SET n = n + 1 WHERE id = 1 RETURNING n",
        "UPDATE t SET n = 1 WHERE n IS DISTINCT FROM 1",
        "UPDATE t SET n = extract(year FROM day) WHERE id = 1",
        "UPDATE t SET word = 'SELECT 1 FROM t'",
        "DELETE FROM t WHERE n > 1",
        "INSERT INTO t VALUES (1, %(a)s::TIMESTAMP WITH TIME ZONE), (2, NULL)",
        "INSERT INTO t VALUES (1) ON CONFLICT (id) DO UPDATE SET n = t.n + excluded.n",
        "INSERT INTO t SELECT 1",
        "INSERT INTO t SELECT g FROM generate_series(1, 3) AS g",
        "INSERT INTO t (a, b) SELECT p0::INTEGER, p1::VARCHAR FROM (VALUES (%(a__0)s, %(b__0)s, 0),"
        " (%(a__1)s, %(b__1)s, 1)) AS imp_sen(p0, p1, sen_counter) ORDER BY sen_counter",
        "SELECT id FROM t ORDER BY id, n LIMIT 1 FOR UPDATE SKIP LOCKED",
        "TRUNCATE TABLE t",
        "CREATE TABLE c (p INT REFERENCES t ON DELETE CASCADE ON UPDATE CASCADE)",
    ],
)
def test_what_does_not(sql):
    assert not reads_more(sql)


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
    clients = does("UPDATE hits SET n = reads() + 1", "AUTOCOMMIT")
    with pytest.raises(Unsearchable, match=r"function reads: in AUTOCOMMIT"):
        explore(world=world, clients=clients, check=anything)


@pytest.mark.parametrize(
    "seen",
    [
        "CREATE VIEW seen AS SELECT n FROM hits WHERE n < (SELECT 5)",
        "CREATE VIEW below AS SELECT n FROM hits WHERE n < (SELECT 5);"
        "CREATE VIEW seen AS SELECT n FROM below",
    ],
)
def test_a_view_that_reads_more_is_not_written_to_in_autocommit(pg_shop, seen):
    case = dict(world=pg_shop(*HITS, *seen.split(";")), check=anything)
    assert explore(**case, clients=does("SELECT n FROM seen", "AUTOCOMMIT")).holds
    assert explore(**case, clients=does("UPDATE seen SET n = 1")).holds
    with pytest.raises(Unsearchable, match=r"view .*: in AUTOCOMMIT"):
        explore(**case, clients=does("UPDATE seen SET n = 1", "AUTOCOMMIT"))


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

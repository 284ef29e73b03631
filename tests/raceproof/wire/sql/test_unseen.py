"""What the state of PostgreSQL does not hold is refused; what it holds tells two states apart."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from tests.raceproof.toys import in_full
from tests.raceproof.wire.sql.conftest import Shop, does

from raceproof import Unsearchable, Violation, explore
from workshop import services

TABLE = ("CREATE TABLE t (n INT)", "INSERT INTO t VALUES (1)")


def anything(world):
    pass


@pytest.mark.parametrize(
    "sql",
    [
        "GRANT SELECT ON t TO public",
        "REVOKE SELECT ON t FROM public",
        "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
        "ALTER TABLE t OWNER TO CURRENT_USER",
        "ALTER TABLE t ALTER n SET STATISTICS 5",
        "ALTER TABLE t SET (fillfactor = 50)",
        "CREATE POLICY p ON t USING (true)",
        "CREATE DOMAIN d AS INT CHECK (value > 0)",
        "CREATE ROLE somebody",
        "CREATE TYPE r AS RANGE (subtype = INT)",
        "CREATE FUNCTION f() RETURNS INT LANGUAGE sql AS 'SELECT 1'",
        "CREATE INDEX CONCURRENTLY i ON t (n)",
        "DROP OWNED BY CURRENT_USER",
        "COMMENT ON TABLE t IS 'told'",
        "SECURITY LABEL ON TABLE t IS 'x'",
        "SELECT lo_create(4242)",
        "SELECT count(*) FROM pg_largeobject_metadata",
        "CREATE TABLE pg_temp.scratch (n INT)",
        "SELECT n INTO u FROM t",
        "PREPARE q AS SELECT 1",
    ],
)
def test_what_would_change_no_state_is_refused(pg_shop, sql):
    with pytest.raises(Unsearchable, match=r"no state|several steps|use CREATE TABLE"):
        explore(world=pg_shop(*TABLE), clients={"a": does(sql)}, check=anything)


@pytest.mark.parametrize(
    "sql",
    [
        "CREATE TABLE u (owner TEXT, options INT)",
        "ALTER TABLE t ADD COLUMN owner TEXT",
        "CREATE UNIQUE INDEX i ON t (n)",
        "CREATE OR REPLACE VIEW v AS SELECT n FROM t",
        "CREATE MATERIALIZED VIEW m AS SELECT n FROM t",
        "CREATE TYPE mood AS ENUM ('so', 'la')",
        "CREATE TEMPORARY TABLE mine (n INT)",
        "CREATE TABLE u AS SELECT n FROM t",
        "TRUNCATE t",
    ],
)
def test_what_the_state_holds_is_not(pg_shop, sql):
    world = pg_shop(*TABLE, anew=True)
    assert explore(world=world, clients={"a": does(sql)}, check=anything).holds


def test_a_sequence_is_as_it_was_altered(pg_shop):
    def a_drew_late(world):
        with world.sql.connect() as connection:
            if connection.execute(text("SELECT last_value FROM s")).scalar() == 2:
                raise Violation("both numbers were drawn before")

    draws = does("SELECT 1", "SELECT nextval('s')", "SELECT nextval('s')")
    clients = {"a": does("ALTER SEQUENCE s INCREMENT BY 10"), "b": draws}
    case = dict(world=pg_shop("CREATE SEQUENCE s"), clients=clients, check=a_drew_late)
    merged, full = explore(**case), in_full(**case)
    assert 0 < merged.broken < merged.schedules
    assert (merged.schedules, merged.broken) == (full.schedules, full.broken)


def test_numbers_that_a_session_keeps_to_itself_are_refused(pg_shop):
    world = pg_shop("CREATE SEQUENCE s CACHE 10")
    with pytest.raises(Unsearchable, match="sequence s has a CACHE"):
        explore(world=world, clients={"a": does("SELECT nextval('s')")}, check=anything)


def test_a_word_of_an_enum_has_a_place(pg_shop):
    adds = does("ALTER TYPE mood ADD VALUE 'b' BEFORE 'c'")
    also = does("ALTER TYPE mood ADD VALUE 'b' AFTER 'c'")

    def order(world):
        with world.sql.connect() as connection:
            raise Violation(
                connection.execute(text("SELECT enum_range(NULL::mood)::text")).scalar()
            )

    world = pg_shop("CREATE TYPE mood AS ENUM ('a', 'c')")
    case = dict(world=world, clients={"a": adds, "b": also}, check=order)
    case["allow"] = (sa.exc.ProgrammingError,)
    assert {found.violation for found in explore(**case).findings} == {"{a,b,c}", "{a,c,b}"}


# --- what psycopg prepares --------------------------------------------------------------------


def reads(times):
    def client(world):
        alone = world.sql.execution_options(isolation_level="AUTOCOMMIT")
        with alone.connect() as connection:
            for _ in range(times):
                connection.execute(text("SELECT * FROM t"))

    return client


def test_what_a_connection_did_in_other_worlds_prepares_nothing(postgresql_url, pg_shop):
    """Else psycopg prepares at the sixth time, and a table that is altered then is an error."""
    pg_shop(*TABLE)()
    engine = sa.create_engine(services.sql_url("test"))

    def world():
        with engine.begin() as tx:
            for sql in ("DROP TABLE IF EXISTS t", *TABLE):
                tx.execute(text(sql))
        return Shop(engine)

    clients = {"a": reads(7), "b": does("ALTER TABLE t ADD COLUMN m INT")}
    report = explore(world=world, clients=clients, check=anything, preemptions=1)
    assert report.holds, str(report)


def test_an_operator_of_chance_is_refused(pg_shop):
    made = "CREATE OPERATOR === (FUNCTION = random, LEFTARG = INT, RIGHTARG = INT)"
    with pytest.raises(Unsearchable, match="operator ===: random"):
        explore(
            world=pg_shop(*TABLE, made, anew=True),
            clients={"a": does("SELECT 1 === 9")},
            check=anything,
        )


def test_a_materialized_view_may_have_no_data_yet(pg_shop):
    view = "CREATE MATERIALIZED VIEW total AS SELECT sum(n) AS n FROM t WITH NO DATA"
    asks = "SELECT n FROM total"
    world = pg_shop(*TABLE, view, anew=True)
    with pytest.raises(sa.exc.OperationalError, match="has not been populated"):
        does(asks)(world())

    def client(world):
        try:
            does(asks)(world)
        except sa.exc.OperationalError:
            world.journal.note("no data")

    clients = {"a": does("REFRESH MATERIALIZED VIEW total"), "b": client}
    told = set()
    explore(
        world=world, clients=clients, check=lambda w: told.add(len(w.journal["b"]))
    ).assert_holds()
    assert len(told) == 2


def test_a_lock_of_the_session_that_a_function_takes_is_refused(pg_shop):
    made = """CREATE FUNCTION lock_job() RETURNS BOOL LANGUAGE sql
        AS 'SELECT pg_try_advisory_lock(7)'"""
    with pytest.raises(Unsearchable, match="function lock_job: it leaves something in the session"):
        explore(
            world=pg_shop(*TABLE, made, anew=True),
            clients={"a": does("SELECT lock_job()")},
            check=anything,
        )

"""What a view, a trigger or a function of the schema does is refused as if the client did it."""

from __future__ import annotations

import pytest
from sqlalchemy import text
from tests.raceproof.wire.sql.conftest import Fresh

from raceproof import Unsearchable, explore

JOBS = ("CREATE TABLE jobs (id INTEGER PRIMARY KEY, n INT, d TEXT)", "CREATE TABLE other (n INT)")
DUE = "CREATE VIEW due AS SELECT id FROM jobs WHERE d <= CAST(CURRENT_TIMESTAMP AS TEXT)"
FIRST = "CREATE VIEW first AS SELECT min(id) FROM due"
TOUCH = {
    "sqlite": (
        "CREATE TRIGGER touch AFTER UPDATE ON jobs BEGIN"
        " UPDATE jobs SET d = strftime('%H', 'now') WHERE id = NEW.id; END",
    ),
    "postgresql": (
        "CREATE FUNCTION touches() RETURNS trigger LANGUAGE plpgsql"
        " AS $$BEGIN NEW.d = now(); RETURN NEW; END$$",
        "CREATE TRIGGER touch BEFORE UPDATE ON jobs FOR EACH ROW EXECUTE FUNCTION touches()",
    ),
}


def anything(world):
    pass


def search(world, sql, level=None):
    def client(world):
        options = {"isolation_level": level} if level else {}
        with world.sql.execution_options(**options).begin() as tx:
            tx.execute(text(sql))

    return explore(world=world, clients={"a": client, "b": client}, check=anything)


@pytest.mark.parametrize(
    "sql", ["SELECT * FROM due", 'SELECT 1 FROM "first"', "SELECT 1 FROM FIRST"]
)
def test_a_view_that_asks_the_clock(shop, sql):
    with pytest.raises(Unsearchable, match=r"(?i)view due: current_timestamp reads the .* clock"):
        search(shop(*JOBS, DUE, FIRST), sql)


def test_a_view_that_shows_what_the_server_numbers(pg_shop: Fresh) -> None:
    world = pg_shop(*JOBS, "CREATE VIEW versions AS SELECT id, xmin::text AS version FROM jobs")
    with pytest.raises(Unsearchable, match="view versions: xmin shows numbers"):
        search(world, "SELECT version FROM versions")


def test_who_does_not_name_it_is_searched(shop):
    assert search(shop(*JOBS, DUE, FIRST), "UPDATE jobs SET n = 1").holds


@pytest.mark.parametrize(
    "sql", ["UPDATE jobs SET n = 1", "DELETE FROM parents", "UPDATE seen SET n = 1"]
)
def test_a_trigger_that_asks_the_clock(sql_engine, shop, sql):
    if sql_engine.name == "sqlite" and "seen" in sql:
        pytest.skip("no view of SQLite can be written to")
    world = shop(
        "CREATE TABLE parents (id INTEGER PRIMARY KEY)",
        "CREATE TABLE jobs (id INTEGER PRIMARY KEY, n INT, d TEXT,"
        " parent INT REFERENCES parents (id) ON DELETE SET NULL)",
        "CREATE TABLE other (n INT)",
        "CREATE VIEW seen AS SELECT n FROM jobs",
        *TOUCH[sql_engine.name],
    )
    with pytest.raises(Unsearchable, match=r"(trigger touch of jobs|function touches): "):
        search(world, sql)
    for reads in ("SELECT * FROM jobs", "SELECT * FROM seen", "INSERT INTO other VALUES (1)"):
        assert search(world, reads).holds


def test_a_check_that_asks_the_clock(shop):
    world = shop("CREATE TABLE t (n INT, d TEXT, CHECK (d <= CAST(CURRENT_TIMESTAMP AS TEXT)))")
    assert search(world, "SELECT n FROM t").holds
    with pytest.raises(Unsearchable, match=r"(?i)current_timestamp reads the server's clock"):
        search(world, "INSERT INTO t VALUES (1, '')")


def test_a_default_is_refused_only_where_it_is_used(shop):
    world = shop("CREATE TABLE t (n INT, d TEXT DEFAULT CURRENT_TIMESTAMP)")
    assert search(world, "INSERT INTO t (n, d) VALUES (1, '')").holds


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO log (msg) VALUES ('a new event')",
        "INSERT INTO log (id) SELECT id FROM event",
        "INSERT INTO log (event) VALUES (1) -- event",
        "UPDATE event SET note = replace(note, 'a', 'b') WHERE id = 1",
        "INSERT INTO event (id, created) VALUES (1, '') RETURNING id",
    ],
)
def test_nor_where_its_table_is_only_named(shop, sql):
    world = shop(
        "CREATE TABLE event (id INT, note TEXT, created TEXT DEFAULT CURRENT_TIMESTAMP)",
        "CREATE TABLE log (id INT, msg TEXT, event INT)",
    )
    assert search(world, sql).holds


@pytest.mark.parametrize(
    "sql",
    [
        "INSERT INTO event (id) VALUES (1)",
        "INSERT INTO event (id) VALUES (1) RETURNING id, created",
        'INSERT INTO "event" (id) VALUES (1)',
        "INSERT INTO event VALUES (1)",
        "INSERT INTO event DEFAULT VALUES",
    ],
)
def test_a_default_is_used_where_its_column_is_not_given(shop, sql):
    world = shop("CREATE TABLE event (id INT, created TEXT DEFAULT CURRENT_TIMESTAMP)")
    with pytest.raises(Unsearchable, match=r"a default of a column, event\.created: "):
        search(world, sql)


def test_and_where_it_is_asked_for_by_its_word(pg_shop):
    world = pg_shop("CREATE TABLE event (id INT, created TEXT DEFAULT CURRENT_TIMESTAMP)")
    for sql in (
        "INSERT INTO event (id, created) VALUES (1, DEFAULT)",
        "UPDATE event SET created = DEFAULT",
    ):
        with pytest.raises(Unsearchable, match=r"a default of a column, event\.created: "):
            search(world, sql)


def test_a_function_may_take_a_part_from_a_value(pg_shop):
    """There FROM is followed by no table."""
    tidy = """CREATE FUNCTION tidies() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        NEW.d := lower(trim(both ' ' FROM NEW.d)) || extract(day FROM NEW.at); RETURN NEW; END $$"""
    fires = "FOR EACH ROW EXECUTE FUNCTION tidies()"
    world = pg_shop(
        "CREATE TABLE jobs (id INT, d TEXT, at DATE)",
        tidy,
        f"CREATE TRIGGER tidy BEFORE INSERT OR UPDATE ON jobs {fires}",
    )
    assert search(world, "UPDATE jobs SET d = ' B'").holds


def test_a_type_of_the_world_is_another_in_each_world_and_its_rows_the_same(pg_shop):
    world = pg_shop(
        "CREATE TYPE colour AS ENUM ('red', 'blue')",
        "CREATE TABLE shirts (id INT PRIMARY KEY, colour colour, n INT)",
        "INSERT INTO shirts VALUES (1, 'red', 0)",
    )

    def client(world):
        with world.sql.begin() as tx:
            n = tx.execute(text("SELECT colour, n FROM shirts WHERE id = 1")).one().n
            tx.execute(text("UPDATE shirts SET n = :n WHERE id = 1"), {"n": n + 1})

    report = explore(world=world, clients={"a": client, "b": client}, check=anything)
    assert report.holds


FUNCTION = "CREATE FUNCTION f() RETURNS {} LANGUAGE {} AS $${}$$"
DEFAULT = "ALTER TABLE jobs ALTER d SET DEFAULT f()"
RULE = "CREATE RULE r AS ON UPDATE TO jobs DO ALSO INSERT INTO other SELECT extract(day FROM now())"


@pytest.mark.parametrize(
    ("made", "sql", "why"),
    [
        ([FUNCTION.format("FLOAT", "sql", "SELECT random()")], "SELECT f()", "function f: random"),
        (
            [FUNCTION.format("INT", "plpgsql", "BEGIN EXECUTE 'SELECT now()'; RETURN 1; END")],
            "SELECT f()",
            "EXECUTE in a function",
        ),
        (
            [FUNCTION.format("INT", "plpgsql", "BEGIN CREATE VIEW w AS SELECT 1; RETURN 1; END")],
            "SELECT f()",
            "CREATE in a function",
        ),
        (
            [FUNCTION.format("TEXT", "sql", "SELECT now()::text"), DEFAULT],
            "INSERT INTO jobs VALUES (1)",
            "function f: now",
        ),
        ([RULE], "UPDATE jobs SET n = 1", "rule r of jobs: now"),
    ],
)
def test_what_only_postgresql_has(pg_shop, made, sql, why):
    world = pg_shop(*JOBS, *made)
    assert search(world, "SELECT * FROM jobs", "SERIALIZABLE").holds
    with pytest.raises(Unsearchable, match=why):
        search(world, sql, "SERIALIZABLE")


def test_what_no_table_shows_is_found_after_a_world_with_the_same_tables(pg_shop):
    hour = "CREATE DOMAIN hour AS INT CHECK (VALUE < extract(hour FROM now()))"
    assert search(pg_shop(*JOBS), "SELECT * FROM jobs").holds
    with pytest.raises(Unsearchable, match="domain hour: now"):
        search(pg_shop(*JOBS, hour), "SELECT * FROM jobs")

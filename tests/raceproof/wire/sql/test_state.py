"""Whatever a later statement can see tells two states apart."""

from __future__ import annotations

import json
import pickle
from dataclasses import dataclass

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from tests.raceproof.toys import in_full
from tests.raceproof.wire.sql.conftest import does

from raceproof import Unsearchable, Violation, explore
from raceproof.wire.sql.sqlite_rows import rowid_of, rows, write_back
from workshop import services

NUMBERS = ("CREATE TABLE t (n INT)", "INSERT INTO t VALUES (5)")


def value(world, sql):
    with world.sql.begin() as tx:
        return tx.execute(text(sql)).scalar()


def never(wrong, sql):
    def check(world):
        if value(world, sql) == wrong:
            raise Violation(f"it is {wrong}")

    return check


def test_an_update_that_begins_with_with(sql_engine, shop):
    if sql_engine.name == "sqlite":
        changes = "UPDATE t SET n = n - {0} WHERE (SELECT n FROM x) >= {0}"
    else:
        changes = "UPDATE t SET n = t.n - {0} FROM x WHERE x.n >= {0}"
    changes = f"WITH x AS (SELECT n FROM t) {changes}"
    clients = {"a": does(changes.format(5)), "b": does(changes.format(3))}
    report = explore(world=shop(*NUMBERS), clients=clients, check=never(2, "SELECT n FROM t"))
    assert 0 < report.broken < report.schedules


def test_parameters_that_are_json(shop):
    docs = sa.Table("docs", sa.MetaData(), sa.Column("id", sa.Integer), sa.Column("d", sa.JSON))

    def a(world):
        with world.sql.begin() as tx:
            n = tx.execute(text("SELECT n FROM t")).scalar_one()
        with world.sql.begin() as tx:
            tx.execute(sa.insert(docs).values(id=1, d={"saw": n}))

    def saw_one(world):
        found = value(world, "SELECT d FROM docs")
        if (json.loads(found) if isinstance(found, str) else found) == {"saw": 1}:
            raise Violation("saw 1")

    world = shop(*NUMBERS, "CREATE TABLE docs (id INT, d JSON)")
    b = does("UPDATE t SET n = 1", "UPDATE t SET n = 5")
    report = explore(world=world, clients={"a": a, "b": b}, check=saw_one, preemptions=1)
    assert 0 < report.broken < report.schedules


def test_the_order_of_rows(shop):
    clients = {name: does(f"INSERT INTO t VALUES ('{name}')") for name in "ab"}
    check = never("b", "SELECT n FROM t LIMIT 1")
    report = explore(world=shop("CREATE TABLE t (n TEXT)"), clients=clients, check=check)
    assert 0 < report.broken < report.schedules


@pytest.mark.parametrize(
    "made",
    [
        "CREATE VIEW v AS SELECT n FROM t",
        "CREATE INDEX i ON t (n)",
        "CREATE TABLE u (n INT)",
    ],
)
def test_what_is_in_the_schema(sql_engine, shop, made):
    count = (
        "SELECT count(*) FROM sqlite_master"
        if sql_engine.name == "sqlite"
        else "SELECT count(*) FROM pg_class JOIN pg_namespace s ON s.oid = relnamespace"
        " WHERE nspname = current_schema()"
    )

    def counts(world):
        with world.sql.begin() as tx:
            world.journal.note(tx.execute(text(count)).scalar())

    def before(world):
        if world.journal["b"] == [2]:
            raise Violation("b came second")

    clients = {"a": does(made), "b": counts}
    report = explore(world=shop(*NUMBERS, anew=True), clients=clients, check=before)
    assert 0 < report.broken < report.schedules


def test_a_trigger_is_part_of_the_schema(sql_engine, shop):
    if sql_engine.name == "sqlite":
        function = "CREATE TABLE unused (n INT)"
        trigger = "AFTER INSERT ON t BEGIN UPDATE t SET n = n + 100 WHERE n = NEW.n; END"
    else:
        function = """CREATE FUNCTION hundred() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN NEW.n = NEW.n + 100; RETURN NEW; END $$"""
        trigger = "BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION hundred()"

    def fired(world):
        with world.sql.begin() as tx:
            if tx.execute(text("SELECT max(n) FROM t")).scalar() > 100:
                raise Violation("the trigger was there before the row")

    clients = {"a": does(f"CREATE TRIGGER up {trigger}"), "b": does("INSERT INTO t VALUES (7)")}
    for search in (explore, in_full):
        world = shop(*NUMBERS, function, anew=True)
        report = search(world=world, clients=clients, check=fired)
        assert 0 < report.broken < report.schedules


def test_one_and_one_point_zero(shop):
    def client(world):
        with world.sql.begin() as tx:
            seen = tx.execute(text("SELECT count(*) FROM t")).scalar_one()
        with world.sql.begin() as tx:
            insert = text("INSERT INTO u VALUES (:v)")
            tx.execute(insert, {"v": "1" if seen else "1.0"})

    world = shop(*NUMBERS, "CREATE TABLE u (v TEXT)")
    clients = {"a": client, "b": does("DELETE FROM t")}
    check = never("1.0", "SELECT v FROM u")
    report = explore(world=world, clients=clients, check=check, preemptions=1)
    assert 0 < report.broken < report.schedules


def test_pragma_user_version(sql_engine, shop):
    if sql_engine.name != "sqlite":
        pytest.skip("a PRAGMA is SQLite's")
    clients = {"a": does("PRAGMA user_version = 1"), "b": does("PRAGMA user_version = 2")}
    check = never(1, "PRAGMA user_version")
    report = explore(world=shop(*NUMBERS, "PRAGMA user_version = 0"), clients=clients, check=check)
    assert 0 < report.broken < report.schedules


def test_the_row_that_another_statement_inserted_is_no_reply(shop):
    """The driver's lastrowid is that of an earlier INSERT where an upsert updates."""
    upsert = "INSERT INTO u VALUES (1, 1) ON CONFLICT (id) DO UPDATE SET n = u.n + 1"
    clients = {name: does(f"INSERT INTO t VALUES ({name!r})", upsert) for name in "12"}
    world = shop("CREATE TABLE t (n TEXT)", "CREATE TABLE u (id INTEGER PRIMARY KEY, n INT)")
    report = explore(world=world, clients=clients, check=never(1, "SELECT n FROM u"))
    assert report.holds


def test_a_stale_cache(shop):
    """A reader does not wait for a writer, where the server does not make it wait."""

    def writer(world):
        with world.sql.begin() as tx:
            tx.execute(text("UPDATE t SET n = 6"))
        with world.sql.begin() as tx:
            tx.execute(text("DELETE FROM cache"))

    def reader(world):
        n = value(world, "SELECT n FROM cache")
        if n is None:
            does(f"INSERT INTO cache VALUES ({value(world, 'SELECT n FROM t')})")(world)

    world = shop(*NUMBERS, "CREATE TABLE cache (n INT)")
    clients = {"writer": writer, "reader": reader}
    check = never(5, "SELECT n FROM cache")
    report = explore(world=world, clients=clients, check=check, preemptions=1)
    assert 0 < report.broken < report.schedules


def test_a_database_in_memory_is_refused():
    from tests.raceproof.wire.sql.conftest import Shop

    def world():
        return Shop(sa.create_engine("sqlite://"))

    with pytest.raises(Unsearchable, match="in memory"):
        explore(world=world, clients={"a": does("SELECT 1")}, check=lambda world: None)


@dataclass
class TwoEngines:
    sql: sa.Engine
    other: sa.Engine


def test_two_engines_on_one_database_are_refused(shop):
    """Each would go by its own picture of what the other has changed."""

    def world():
        engine = shop(*NUMBERS)().sql
        return TwoEngines(engine, sa.create_engine(services.sql_url("test")))

    with pytest.raises(Unsearchable, match=r"world\.sql and world\.other are on one database"):
        explore(world=world, clients={"a": does("SELECT 1")}, check=lambda world: None)


@pytest.mark.parametrize("default", ["CURRENT_TIMESTAMP", "(random())"])
def test_a_column_whose_default_is_chance_or_time_is_refused(shop, default):
    world = shop(f"CREATE TABLE t (n INT, d TEXT DEFAULT {default})")
    a = does("INSERT INTO t (n) VALUES (1)")
    word = default.strip("()")
    with pytest.raises(Unsearchable, match=f"(?i)a default of a column.*{word}"):
        explore(world=world, clients={"a": a}, check=lambda world: None)


@pytest.mark.parametrize("name", ["rowid", "this_row", "here", "oid"])
def test_a_column_of_an_odd_name_hides_nothing(sql_engine, shop, name):
    if sql_engine.name == "postgresql" and name == "oid":
        pytest.skip("PostgreSQL has such a column itself")

    def adds(world):
        there = value(world, "SELECT count(*) FROM t")
        does(f"INSERT INTO t VALUES ('x', {there})")(world)

    world = shop(f"CREATE TABLE t ({name} TEXT, n INT)")
    clients = {"a": adds, "b": adds}
    check = never(0, "SELECT min(n) FROM t WHERE n > 0 OR (SELECT sum(n) FROM t) = 0")
    report = explore(world=world, clients=clients, check=check)
    assert 0 < report.broken < report.schedules
    full = in_full(world=world, clients=clients, check=check)
    assert (full.schedules, full.broken) == (report.schedules, report.broken)


def test_rows_of_a_column_that_hides_the_rowid_are_put_back_in_their_order(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/file")
    with engine.begin() as tx:
        connection = tx.connection.dbapi_connection
        for columns, expected in (
            ("n INT", "rowid"),
            ("RowId TEXT", "_rowid_"),
            ("rowid TEXT, _rowid_ TEXT", "oid"),
            ("rowid TEXT, _rowid_ TEXT, oid TEXT", None),
            ("n INT PRIMARY KEY", "rowid"),
        ):
            connection.executescript(f"DROP TABLE IF EXISTS t; CREATE TABLE t ({columns})")
            assert rowid_of(connection, "t") == expected
            assert rows(connection, "t", expected) == []
        connection.executescript("CREATE TABLE u (n INT PRIMARY KEY) WITHOUT ROWID")
        assert rowid_of(connection, "u") is None
        connection.executescript("DROP TABLE t; CREATE TABLE t (rowid TEXT, n INT)")
        connection.isolation_level = None
        there = [(7, "x", 1), (9, "a", 2)]
        dumps = [pickle.dumps(([("table", "t")], [content], [])) for content in ([], there)]
        assert write_back(connection, *dumps)
        assert rows(connection, "t", "_rowid_") == there

"""What the drivers do beside sending statements: row ids, many rows in one call, kept rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy import text
from tests.raceproof.wire.sql.conftest import Fresh, Shop

from raceproof import Unsearchable, Violation, explore

TAGS = (
    "CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT)",
    "CREATE TABLE tags (id INTEGER PRIMARY KEY, name TEXT UNIQUE)",
    "INSERT INTO posts VALUES (1, 'old'), (2, 'older')",
)
STOCK = (
    "CREATE TABLE stock (id INT PRIMARY KEY, n INT CHECK (n >= 0))",
    "INSERT INTO stock VALUES (1, 1), (2, 1)",
)
TAKE = text("UPDATE stock SET n = n - 1 WHERE id = :id")
BOTH = [{"id": 1}, {"id": 2}]


def anything(world):
    pass


# --- SQLite: each execution tells the row that its connection inserted last -----------------------

TAG = text("INSERT OR IGNORE INTO tags (name) VALUES ('race')")
UPSERT = text(
    "INSERT INTO tags (name) VALUES ('race') ON CONFLICT (name) DO UPDATE SET name = name"
)
STATEMENTS = {
    "ignored at first": "INSERT OR IGNORE INTO posts VALUES (1, 'old')",
    "a plain one": "INSERT INTO tags VALUES (7, 'a')",
    "ignored": "INSERT OR IGNORE INTO tags VALUES (8, 'a')",
    "not ignored": "INSERT OR IGNORE INTO tags VALUES (8, 'b')",
    "replaced": "REPLACE INTO tags VALUES (9, 'b')",
    "an upsert that updates": "INSERT INTO tags VALUES (3, 'a') ON CONFLICT DO NOTHING",
    "an upsert that inserts": "INSERT INTO tags VALUES (3, 'c') ON CONFLICT DO NOTHING",
    "behind with": "WITH x AS (SELECT 12) INSERT INTO tags SELECT 12, 'd'",
    "an update": "UPDATE tags SET name = 'e' WHERE id = 7",
    "a select": "SELECT 1",
    "in the same place": "INSERT INTO tags VALUES (12, 'd') ON CONFLICT DO UPDATE SET name = 'd'",
}


def tells(world):
    """Note the row id that each statement of a transaction tells, and after it."""
    for begin in (world.sql.begin, world.sql.begin):
        with begin() as tx:
            world.journal.note(tx.exec_driver_sql("SELECT 1").cursor.lastrowid)
            for sql in STATEMENTS.values():
                if not sql.startswith("SELECT"):
                    world.journal.note(tx.exec_driver_sql(sql).lastrowid)
            tx.exec_driver_sql("DELETE FROM tags")


def test_the_row_ids_are_those_that_sqlite_tells(sql_engine, shop):
    if sql_engine.name != "sqlite":
        pytest.skip("PostgreSQL tells none")
    seen = []

    def check(world):
        seen.append(world.journal["a"])

    explore(world=shop(*TAGS), clients={"a": tells}, check=check).assert_holds()
    real = shop(*TAGS)()
    expected = []
    real.sql.dispose()  # one connection that has inserted nothing yet
    tells(SimpleNamespace(sql=real.sql, journal=SimpleNamespace(note=expected.append)))
    assert seen
    assert all(told == expected for told in seen)
    assert len({*expected}) > 5


@pytest.mark.parametrize("insert", [TAG, UPSERT], ids=["or ignore", "upsert"])
def test_the_row_id_of_an_earlier_insert_is_taken_for_that_of_the_tag(sql_engine, shop, insert):
    if sql_engine.name != "sqlite":
        pytest.skip("PostgreSQL tells none")

    def posts(world):
        with world.sql.begin() as tx:
            tx.execute(text("INSERT INTO posts (title) VALUES ('new')"))
            tag = tx.execute(insert).lastrowid
            if tag is None:
                tag = tx.execute(text("SELECT id FROM tags")).scalar_one()
            world.journal.note(tag)

    def check(world):
        if {*world.journal["a"], *world.journal["b"]} != {1}:
            raise Violation(f"tagged {world.journal['a']} and {world.journal['b']}")

    report = explore(world=shop(*TAGS), clients={"a": posts, "b": posts}, check=check)
    assert report.broken == report.schedules
    assert report.violation in ("tagged (1,) and (4,)", "tagged [1] and [4]")


def test_a_table_without_row_ids_makes_none(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/file")
    tables = ("log (n INTEGER PRIMARY KEY)", "seen (w TEXT PRIMARY KEY) WITHOUT ROWID")

    def world():
        with engine.begin() as tx:
            for table in tables:
                tx.execute(text(f"DROP TABLE IF EXISTS {table.split()[0]}"))
                tx.execute(text(f"CREATE TABLE {table}"))
        return Shop(engine)

    def client(world):
        told = []
        for sql in ("REPLACE INTO seen VALUES ('a')", "REPLACE INTO log VALUES (5)") * 2:
            with world.sql.begin() as tx:
                told.append(tx.execute(text(sql)).lastrowid)
        assert told == [0, 5, 5, 5]

    clients = {"a": client, "b": client}
    explore(world=world, clients=clients, check=anything).assert_holds()
    real = world()
    real.sql.dispose()
    client(real)
    engine.dispose()


def test_what_python_takes_for_no_insert_begins_no_transaction(tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/file")

    def world():
        with engine.begin() as tx:
            for sql in ("DROP TABLE IF EXISTS t", "CREATE TABLE t (n INT)"):
                tx.execute(text(sql))
        return Shop(engine)

    def client(world):
        with world.sql.connect() as connection:
            connection.exec_driver_sql("WITH x AS (SELECT 5) INSERT INTO t SELECT 5 FROM x")
            connection.rollback()

    def check(world):
        with world.sql.connect() as connection:
            assert connection.execute(text("SELECT n FROM t")).scalar_one() == 5

    explore(world=world, clients={"a": client}, check=check).assert_holds()
    real = world()
    client(real)
    check(real)
    engine.dispose()


# --- columns of bytes: SQLAlchemy gives sqlite3 a memoryview --------------------------------------

files = sa.Table(
    "files",
    sa.MetaData(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("data", sa.LargeBinary),
    sa.Column("tags", sa.PickleType),
)


@pytest.mark.parametrize("given", [memoryview, lambda data: data], ids=["memoryview", "bytearray"])
def test_bytes_are_written_and_read(sql_engine: sa.Engine, shop: Fresh, given: Any) -> None:
    kind = "BLOB" if sql_engine.name == "sqlite" else "BYTEA"
    row = {"name": "a", "data": b"\x00'", "tags": {"new"}}
    rows = [row, {**row, "name": "b", "data": b""}]
    by_name, by_place = (":data", "?") if sql_engine.name == "sqlite" else ("%(data)s", "%s")

    def uploads(world: Shop) -> None:
        with world.sql.begin() as tx:
            tx.execute(sa.insert(files), rows)
            world.journal.note([dict(found) for found in tx.execute(sa.select(files)).mappings()])

    def changes(world: Shop, mark: str, among: Callable[[Any], object]) -> None:
        data = bytearray(mark.encode())
        with world.sql.begin() as tx:
            cursor = tx.connection.cursor()
            cursor.execute(f"UPDATE files SET data = {mark}", among(given(data)))
            data[:] = bytes(len(data))  # too late: it was sent

    found = set()

    def check(world: Shop) -> None:
        assert world.journal["a"] == [rows]
        with world.sql.begin() as tx:
            found.update(tx.execute(sa.select(files.c.data)).scalars())

    world = shop(f"CREATE TABLE files (name TEXT PRIMARY KEY, data {kind}, tags {kind})")
    clients = {
        "a": uploads,
        "b": partial(changes, mark=by_name, among=lambda data: {"data": data}),
        "c": partial(changes, mark=by_place, among=lambda data: [data]),
    }
    explore(world=world, clients=clients, check=check, preemptions=1).assert_holds()
    assert found == {by_name.encode(), by_place.encode(), *(row["data"] for row in rows)}


# --- PostgreSQL: in AUTOCOMMIT, what one call sends for many rows is one transaction --------------


def orders(world):
    engine = world.sql.execution_options(isolation_level="AUTOCOMMIT")
    with suppress(sa.exc.IntegrityError), engine.connect() as connection:
        connection.execute(TAKE, BOTH)


def buys(world):
    with suppress(sa.exc.IntegrityError), world.sql.begin() as tx:
        tx.execute(TAKE, {"id": 2})


def left(world):
    with world.sql.connect() as connection:
        rows = connection.execute(text("SELECT n FROM stock ORDER BY id")).scalars()
        return tuple(rows)


def test_many_rows_in_autocommit_are_taken_all_or_none(pg_shop):
    ends = set()

    def check(world):
        ends.add(left(world))

    clients = {"a": orders, "b": buys}
    explore(world=pg_shop(*STOCK), clients=clients, check=check).assert_holds()
    assert ends == {(0, 0), (1, 0)}
    real = pg_shop(*STOCK)()
    buys(real)
    orders(real)
    assert left(real) == (1, 0)


def test_so_they_are_when_the_client_dies_or_hears_nothing(pg_shop):
    ends = set()

    def check(world):
        ends.add(left(world))

    bounds = ({"crashes": 1}, {"lost_replies": 1}, {"crashes": 1, "late": 1})
    for bound in bounds:
        ends.clear()
        clients = {"a": orders}
        explore(world=pg_shop(*STOCK), clients=clients, check=check, allow=(Exception,), **bound)
        assert ends == {(1, 1), (0, 0)}, bound


def test_after_an_error_the_connection_is_as_before(pg_shop):
    def client(world):
        engine = world.sql.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            with pytest.raises(sa.exc.IntegrityError):
                connection.execute(TAKE, [*BOTH, *BOTH])
            connection.execute(TAKE, {"id": 1})

    ends = set()

    def check(world):
        ends.add(left(world))

    explore(world=pg_shop(*STOCK), clients={"a": client}, check=check).assert_holds()
    assert ends == {(0, 1)}


def test_a_client_is_told_why_its_connection_ended(pg_shop):
    def client(world):
        engine = world.sql.execution_options(isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                connection.execute(TAKE, BOTH)
        except sa.exc.OperationalError as error:
            world.journal.note(str(error.orig))

    told = set()

    def check(world):
        told.update(world.journal["a"])

    explore(world=pg_shop(*STOCK), clients={"a": client}, check=check, lost_replies=1)
    assert told == {"server closed the connection unexpectedly"}


@pytest.mark.parametrize("begins", ["by the driver", "by hand"])
def test_what_was_begun_before_is_not_committed_by_them(pg_shop, begins):
    def client(world):
        options = {} if begins == "by the driver" else {"isolation_level": "AUTOCOMMIT"}
        with world.sql.execution_options(**options).connect() as connection:
            if options:
                connection.exec_driver_sql("BEGIN")
            connection.execute(TAKE, BOTH)
            connection.exec_driver_sql("ROLLBACK")

    def check(world):
        assert left(world) == (1, 1)

    explore(world=pg_shop(*STOCK), clients={"a": client}, check=check).assert_holds()


def test_they_have_the_servers_level_whatever_was_set_before(pg_shop):
    def client(world):
        with world.sql.execution_options(isolation_level="SERIALIZABLE").connect() as connection:
            dbapi = connection.connection.dbapi_connection
            dbapi.autocommit = True
            connection.execute(TAKE, BOTH)

    report = explore(world=pg_shop(*STOCK), clients={"a": client}, check=anything)
    assert ", READ COMMITTED on PostgreSQL" in report.sentence


def test_in_a_transaction_they_are_its_statements(pg_shop):
    ends = set()

    def twice(world):
        with world.sql.begin() as tx:
            tx.execute(TAKE, [{"id": 1}])
            with suppress(sa.exc.IntegrityError), tx.begin_nested():
                tx.execute(TAKE, BOTH)

    def check(world):
        ends.add(left(world))

    report = explore(world=pg_shop(*STOCK), clients={"a": twice}, check=check, crashes=1)
    assert ends == {(1, 1), (0, 1)}
    assert report.holds


def test_after_them_the_connection_is_in_autocommit_again(pg_shop):
    def client(world):
        with world.sql.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(TAKE, BOTH)
            connection.execute(text("UPDATE stock SET n = 5"))

    def check(world):
        if left(world) == (5, 5):
            raise Violation("committed")

    report = explore(world=pg_shop(*STOCK), clients={"a": client}, check=check)
    calls = [step.call for step in report.run.steps if step.call]
    assert [call.split()[0] for call in calls] == ["UPDATE", "UPDATE", "COMMIT", "UPDATE", "COMMIT"]


# --- PostgreSQL: rows that the server keeps -------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "level"),
    [
        ("SELECT id FROM stock ORDER BY id FOR UPDATE", "READ COMMITTED"),
        ("SELECT id FROM stock FOR KEY SHARE", "READ COMMITTED"),
        ("UPDATE stock SET n = 2 RETURNING n", "READ COMMITTED"),
        ("INSERT INTO stock VALUES (3, 3)", "READ COMMITTED"),
        ("SELECT id FROM stock", "AUTOCOMMIT"),
    ],
)
def test_what_a_server_does_by_and_by_is_refused(pg_shop, sql, level):
    def client(world):
        with world.sql.connect().execution_options(isolation_level=level) as connection:
            connection.execution_options(stream_results=True).execute(text(sql))

    with pytest.raises(Unsearchable, match="with stream_results: the server runs it by and by"):
        explore(world=pg_shop(*STOCK), clients={"a": client}, check=anything)


def test_the_end_of_a_transaction_ends_what_a_server_keeps(pg_shop):
    def client(world, end="commit"):
        with world.sql.connect() as connection:
            rows = connection.execution_options(yield_per=1).execute(text("SELECT n FROM stock"))
            world.journal.note(rows.fetchone().n)
            getattr(connection.connection, end)()
            with pytest.raises(sa.exc.ProgrammingError, match=r"cursor .*does not exist"):
                rows.all()

    real = pg_shop(*STOCK)()
    for end in ("commit", "rollback"):
        client(SimpleNamespace(sql=real.sql, journal=real.journal), end)
        clients = {"a": lambda world, end=end: client(world, end)}
        explore(world=pg_shop(*STOCK), clients=clients, check=anything).assert_holds()


@pytest.mark.parametrize("name", ["kept", ""])
@pytest.mark.parametrize("fetch", ["fetchone", "fetchmany", "fetchall", "__iter__"])
def test_however_they_are_fetched(pg_shop, fetch, name):
    from psycopg.errors import InvalidCursorName

    def client(world):
        with world.sql.connect() as connection:
            driver = connection.connection.dbapi_connection
            with driver.cursor(*[name] * bool(name)) as cursor:
                cursor.execute("SELECT n FROM stock")
                driver.commit()
                if name:
                    with pytest.raises(InvalidCursorName):
                        list(getattr(cursor, fetch)())
                else:
                    assert getattr(cursor, fetch)()

    explore(world=pg_shop(*STOCK), clients={"a": client}, check=anything).assert_holds()


def test_rows_of_a_snapshot_are_the_same_whenever_they_are_fetched(pg_shop):
    def client(world):
        with world.sql.connect() as connection:
            rows = connection.execution_options(yield_per=1).execute(text("SELECT n FROM stock"))
            world.journal.note([row.n for row in rows])

    def check(world):
        if world.journal["a"] not in (([1, 1],), ([1, 0],), [[1, 1]], [[1, 0]]):
            raise Violation(f"saw {world.journal['a']}")

    clients = {"a": client, "b": buys}
    explore(world=pg_shop(*STOCK), clients=clients, check=check).assert_holds()


# --- what time it is, asked by a parameter --------------------------------------------------------

ASKS_THE_TIME = [
    sa.select(sa.func.datetime("now")),
    sa.select(sa.func.date("NOW", "+1 day")),
    sa.select(sa.func.strftime("%s", "now")),
    sa.select(sa.func.strftime("%s")),
]
ASKS_NOTHING = [
    sa.select(sa.func.datetime("2026-01-01")),
    sa.select(sa.func.strftime("%s", "2026-01-01")),
    sa.select(sa.literal("now"), sa.column("date")).select_from(text("(SELECT 1 AS date) AS t")),
]


@pytest.mark.parametrize("statement", ASKS_THE_TIME, ids=str)
def test_the_time_by_a_parameter_is_refused(statement, tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/file")
    with pytest.raises(Unsearchable, match="reads the server's clock"):
        explore(world=lambda: Shop(engine), clients={"a": asks(statement)}, check=lambda w: None)
    engine.dispose()


@pytest.mark.parametrize("statement", ASKS_NOTHING, ids=str)
def test_another_time_or_word_is_not(statement, tmp_path):
    engine = sa.create_engine(f"sqlite:///{tmp_path}/file")
    found = explore(
        world=lambda: Shop(engine), clients={"a": asks(statement)}, check=lambda w: None
    )
    engine.dispose()
    assert found.holds


def asks(statement):
    def client(world):
        with world.sql.connect() as connection:
            connection.execute(statement).all()

    return client


CASTS = {"now": True, "tomorrow": True, "2026-01-01": False}


@pytest.mark.parametrize("word", CASTS)
def test_a_word_that_postgresql_takes_for_the_time_is_refused(word, pg_shop):
    make = pg_shop("CREATE TABLE t (n INT)")
    statement = text("SELECT CAST(:word AS timestamp)").bindparams(word=word)
    clients = {"a": asks(statement)}
    if CASTS[word]:
        with pytest.raises(Unsearchable, match="reads the server's clock"):
            explore(world=make, clients=clients, check=lambda w: None)
    else:
        assert explore(world=make, clients=clients, check=lambda w: None).holds

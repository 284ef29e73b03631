"""SQLAlchemy as people use it, unmodified: each of its ways to the database is on the wire."""

from __future__ import annotations

import typing

import pandas
import pytest
import sqlalchemy as sa
from sqlalchemy import orm, text
from tests.raceproof.wire.sql.conftest import Fresh, Shop

from raceproof import Unsearchable, Violation, explore

TABLE = ("CREATE TABLE page (id INTEGER PRIMARY KEY, name TEXT, n INT, version INT)",)
ROWS = (*TABLE, "INSERT INTO page VALUES (1, 'home', 0, 1)")


class Base(orm.DeclarativeBase):
    pass


class Page(Base):
    __tablename__ = "page"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True, autoincrement=False)
    name: orm.Mapped[str]
    n: orm.Mapped[int]
    version = orm.mapped_column(sa.Integer, nullable=False)
    __mapper_args__: typing.ClassVar = {"version_id_col": version}


pages = Page.__table__


def hits(world):
    with world.sql.connect() as connection:
        return connection.execute(text("SELECT n FROM page WHERE id = 1")).scalar_one()


def expect(count):
    def check(world):
        if hits(world) != count:
            raise Violation(f"n is {hits(world)}")

    return check


def anything(world):
    pass


def is_postgresql(world_maker):
    return world_maker().sql.name == "postgresql"


def core_connect_commit(world):
    with world.sql.connect() as connection:
        connection.execute(sa.update(pages).where(pages.c.id == 1).values(n=pages.c.n + 1))
        connection.commit()


def core_nested_begin(world):
    with world.sql.connect() as connection, connection.begin():
        connection.exec_driver_sql("UPDATE page SET n = n + 1 WHERE id = 1")


def core_savepoint(world):
    with world.sql.begin() as tx:
        tx.execute(text("UPDATE page SET n = n + 1 WHERE id = 1"))
        try:
            with tx.begin_nested():
                tx.execute(text("UPDATE page SET n = n + 100 WHERE id = 1"))
                tx.execute(sa.insert(pages).values(id=1, name="again", n=0, version=1))
        except sa.exc.IntegrityError:
            pass


def session_unit_of_work(world):
    with orm.Session(world.sql) as session:
        query = sa.select(Page).where(Page.id == 1)
        if session.bind.name == "postgresql":
            query = query.with_for_update()
        session.scalars(query).one().n += 1
        session.commit()


def raw_cursor(world):
    connection = world.sql.raw_connection()
    try:
        cursor = connection.cursor()
        if world.sql.name == "sqlite":
            cursor.execute("BEGIN IMMEDIATE")
        cursor.execute("UPDATE page SET n = n + 1 WHERE id = 1")
        connection.commit()
    finally:
        connection.close()


def by_pandas(world):
    with world.sql.begin() as tx:
        lock = " FOR UPDATE" if world.sql.name == "postgresql" else ""
        frame = pandas.read_sql("SELECT n FROM page WHERE id = 1" + lock, tx)
        tx.execute(text("UPDATE page SET n = :n"), {"n": int(frame["n"][0]) + 1})


@pytest.mark.parametrize(
    "client",
    [
        core_connect_commit,
        core_nested_begin,
        core_savepoint,
        session_unit_of_work,
        raw_cursor,
        by_pandas,
    ],
)
def test_each_way_counts_each_hit(shop, client):
    counted = set()

    def two(world):
        counted.add(hits(world))
        expect(2)(world)

    clients = {"a": client, "b": client}
    assert explore(world=shop(*ROWS), clients=clients, check=two).holds
    assert counted == {2}


def test_reading_with_a_connection_and_writing_later_loses_a_hit(shop):
    def client(world):
        with orm.Session(world.sql) as session:
            n = session.get(Page, 1).n
        with orm.Session(world.sql) as session:
            session.execute(sa.update(Page).values(n=n + 1))
            session.commit()

    case = dict(world=shop(*ROWS), clients={"a": client, "b": client}, preemptions=1)
    report = explore(**case, check=expect(2))
    assert 0 < report.broken < report.schedules


def test_a_version_column_finds_out_who_was_second(shop):
    def optimistic(world):
        with orm.Session(world.sql) as session:
            page = session.get(Page, 1)
            page.n += 1
            try:
                session.commit()
            except orm.exc.StaleDataError:
                world.journal.note("too late")

    def no_hit_lost(world):
        late = len(world.journal["a"] + world.journal["b"])
        if hits(world) + late != 2:
            raise Violation(f"{hits(world)} hits, {late} refused")

    clients = {"a": optimistic, "b": optimistic}
    case = dict(world=shop(*ROWS), clients=clients)
    assert explore(**case, check=no_hit_lost).holds
    if is_postgresql(case["world"]):
        assert explore(**case, check=expect(2), preemptions=1).broken


def test_for_update_by_the_orm_keeps_two_sessions_apart_and_without_it_a_hit_is_lost(pg_shop):
    def adds(lock):
        def client(world):
            with orm.Session(world.sql) as session, session.begin():
                query = sa.select(Page).where(Page.id == 1)
                page = session.scalars(query.with_for_update() if lock else query).one()
                session.execute(sa.update(pages).values(n=page.n + 1))  # past the version column

        return {"a": client, "b": client}

    case = dict(world=pg_shop(*ROWS), check=expect(2))
    assert explore(**case, clients=adds(lock=True)).holds
    lost = explore(**case, clients=adds(lock=False), preemptions=1)
    assert lost.violation == "n is 1"
    assert "READ COMMITTED on PostgreSQL" in lost.sentence


def test_jobs_that_are_taken_with_skip_locked_go_to_one_session_each(pg_shop):
    def takes(**options):
        def client(world):
            with orm.Session(world.sql) as session, session.begin():
                query = sa.select(Page).where(Page.n == 0).order_by(Page.id).limit(1)
                page = session.scalars(query.with_for_update(**options)).first()
                if page is not None:
                    world.journal.note(page.id)
                    page.n = 1

        return {"a": client, "b": client}

    def each_once(world):
        if sorted(world.journal["a"] + world.journal["b"]) != [1, 2]:
            raise Violation(f"a did {world.journal['a']}, b did {world.journal['b']}")

    two = (*ROWS, "INSERT INTO page VALUES (2, 'about', 0, 1)")
    case = dict(world=pg_shop(*two), check=each_once)
    assert explore(**case, clients=takes(skip_locked=True)).holds
    # Who waits for a row looks at it again once it is free, and goes on to the next one.
    assert explore(**case, clients=takes()).holds


def test_get_or_create_by_the_orm(shop):
    def get_or_create(world):
        with orm.Session(world.sql) as session:
            if session.get(Page, 2) is None:
                session.add(Page(id=2, name="new", n=0))
                session.commit()

    world = shop(*ROWS)
    report = explore(world=world, clients={"a": get_or_create, "b": get_or_create}, check=anything)
    assert report.holds != is_postgresql(world)
    assert report.holds or isinstance(report.error, sa.exc.IntegrityError)


def test_many_rows_at_once(shop):
    def adds(world):
        with world.sql.begin() as tx:
            made = [{"id": id, "name": "x", "n": 1, "version": 1} for id in (2, 3, 4)]
            tx.execute(sa.insert(pages), made)
            insert = text("INSERT INTO page VALUES (:id, :name, 1, 1)")
            tx.execute(insert, [{"id": 5, "name": "a ? %s %(b)s"}, {"id": 6, "name": "'"}])
            found = tx.execute(sa.select(pages.c.id).order_by(pages.c.id)).scalars().all()
            world.journal.note(list(found))

    def all_there(world):
        if world.journal["a"] != [[1, 2, 3, 4, 5, 6]]:
            raise Violation(str(world.journal["a"]))

    assert explore(world=shop(*ROWS), clients={"a": adds}, check=all_there).holds


def test_tables_and_columns_may_be_called_as_functions_and_settings_are(shop: Fresh) -> None:
    columns = ("total_changes", "lock_timeout", "search_path", "busy_timeout", "date", "time")
    table = sa.table("changes", *map(sa.column, columns))

    def client(world: Shop) -> None:
        with world.sql.begin() as tx:
            tx.execute(sa.insert(table).values(dict.fromkeys(columns, "old")))
            tx.execute(sa.update(table).values(lock_timeout="busy_timeout"))
            tx.execute(text("SELECT date('2026-02-28')"))
            world.journal.note([tuple(row) for row in tx.execute(sa.select(table))])

    def check(world: Shop) -> None:
        assert world.journal["a"] == [[("old", "busy_timeout", "old", "old", "old", "old")]]

    made = ", ".join(f"{name} TEXT" for name in columns)
    report = explore(
        world=shop(f"CREATE TABLE changes ({made})"), clients={"a": client}, check=check
    )
    report.assert_holds()


def test_on_sqlite_a_column_may_be_called_as_a_system_column_of_postgresql(
    sql_engine: sa.Engine, shop: Fresh
) -> None:
    if sql_engine.name != "sqlite":
        pytest.skip("there a table has such columns already")
    boxes = sa.table("boxes", sa.column("xmin"), sa.column("xmax"))

    def client(world: Shop) -> None:
        with world.sql.begin() as tx:
            tx.execute(sa.insert(boxes).values(xmin=1, xmax=2))
            tx.execute(sa.select(boxes).where(boxes.c.xmin < boxes.c.xmax)).one()

    world = shop("CREATE TABLE boxes (xmin INT, xmax INT)")
    explore(world=world, clients={"a": client}, check=anything).assert_holds()


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT date()", "date"),
        ("SELECT time( )", "time"),
        ("SELECT datetime ( /* now */ )", "datetime"),
        ("SELECT julianday() - 1", "julianday"),
        ("SELECT unixepoch()", "unixepoch"),
        ("SELECT strftime('%H')", "strftime"),
        ("SELECT changes()", "changes"),
        ("SELECT total_changes ( /* all */ )", "total_changes"),
        ("PRAGMA main.busy_timeout = 5", "busy_timeout"),
    ],
)
def test_the_functions_and_settings_themselves_are_refused(
    sql_engine: sa.Engine, shop: Fresh, sql: str, names: str
) -> None:
    if sql_engine.name != "sqlite":
        pytest.skip("they are SQLite's")

    def client(world: Shop) -> None:
        with world.sql.begin() as tx:
            tx.execute(text(sql))

    with pytest.raises(Unsearchable, match=f"^{names} (reads|sets)"):
        explore(world=shop(*ROWS), clients={"a": client}, check=anything)


def test_tables_are_created_and_inspected(shop):
    def creates(world):
        Base.metadata.create_all(world.sql)
        world.journal.note(sorted(sa.inspect(world.sql).get_table_names()))

    def made(world):
        if world.journal["a"] != [["page"]]:
            raise Violation(str(world.journal["a"]))

    assert explore(world=shop(), clients={"a": creates}, check=made).holds


def test_a_connection_is_used_again_and_a_second_one_made_where_needed(shop):
    def client(world):
        with world.sql.connect() as first:
            first.execute(text("SELECT 1"))
        with world.sql.connect() as second:
            world.journal.note(first.closed)
            again = second.connection.dbapi_connection
        with world.sql.connect() as third:
            world.journal.note(third.connection.dbapi_connection is again)

    def noted(world):
        if world.journal["a"] != [True, True]:
            raise Violation(str(world.journal["a"]))

    assert explore(world=shop(*ROWS), clients={"a": client}, check=noted).holds


def test_a_lost_connection_is_replaced(shop):
    def client(world):
        for _ in range(2):
            try:
                with world.sql.begin() as tx:
                    tx.execute(text("UPDATE page SET n = n + 1 WHERE id = 1"))
                return
            except Exception:
                world.journal.note("gone")

    def at_least_once(world):
        said = world.journal["a"]
        if hits(world) not in (1, 1 + len(said)) or said not in ([], ["gone"]):
            raise Violation(f"{hits(world)}, {said}")

    case = dict(world=shop(*ROWS), clients={"a": client}, lost_replies=1)
    assert explore(**case, check=at_least_once).holds
    assert explore(**case, check=expect(1)).violation == "n is 2"


def test_what_is_not_an_engine_is_refused(shop):
    def world():
        made = shop(*ROWS)()
        return type(made)(orm.sessionmaker(made.sql))

    with pytest.raises(Unsearchable, match=r"world.sql is a sessionmaker; give .* Engine"):
        explore(world=world, clients={"a": anything}, check=anything)


def test_a_part_of_the_driver_that_is_not_there_is_named(shop):
    def client(world):
        connection = world.sql.raw_connection()
        connection.driver_connection.set_trace_callback(print)

    with pytest.raises(Unsearchable, match=r"connection\.set_trace_callback"):
        explore(world=shop(*ROWS), clients={"a": client}, check=anything)


def test_a_model_that_is_used_for_the_first_time(shop: Fresh) -> None:
    """SQLAlchemy remembers in a class of the learner what it has worked out of it."""
    base = orm.declarative_base()

    class Page(base):  # type: ignore[misc, valid-type]
        __tablename__ = "pages"
        id = orm.mapped_column(sa.Integer, primary_key=True)
        views = orm.mapped_column(sa.Integer)

    table = "CREATE TABLE pages (id INT PRIMARY KEY, views INT)"
    make = shop(table, "INSERT INTO pages VALUES (1, 0)")

    def views(world: Shop) -> None:
        with orm.Session(world.sql) as session, session.begin():
            page = session.get_one(Page, 1)
            page.views += 1
            session.add(Page(id=page.views + 1, views=0))

    def check(world: Shop) -> None:
        with orm.Session(world.sql) as session:
            if session.get_one(Page, 1).views != 2:
                raise Violation("a view is lost")

    found = [
        explore(
            world=make,
            clients={"a": views, "b": views},
            check=check,
            allow=(sa.exc.IntegrityError, sa.exc.OperationalError),
        )
        for _ in range(2)
    ]
    assert found[0].broken == found[1].broken
    assert (found[0].broken > 0) == (make().sql.dialect.name == "postgresql")

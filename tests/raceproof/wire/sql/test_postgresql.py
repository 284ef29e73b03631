"""Who waits, who fails and who goes on: PostgreSQL decides, statement by statement."""

from __future__ import annotations

import gc
import time
from typing import Literal

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy import text
from tests.raceproof.toys import in_full
from tests.raceproof.wire.sql.conftest import Fresh, Shop

from raceproof import Report, Unsearchable, Violation, explore

STOCK = ("CREATE TABLE stock (n INT)", "INSERT INTO stock VALUES (1)")
SYSTEM_COLUMNS = ("xmin", "xmax", "cmin", "cmax", "ctid")
PAIRS = ("CREATE TABLE pair (id INT PRIMARY KEY, n INT)", "INSERT INTO pair VALUES (1, 1), (2, 1)")


def one(world, sql):
    with world.sql.begin() as tx:
        return tx.execute(text(sql)).scalar_one()


def anything(world):
    pass


def sold_once(world):
    if one(world, "SELECT n FROM stock") < 0:
        raise Violation("sold twice")


def somebody(world):
    if one(world, "SELECT sum(n) FROM pair") < 1:
        raise Violation("nobody is on call")


def buyer(lock=""):
    def buy(world):
        with world.sql.begin() as tx:
            if tx.execute(text("SELECT n FROM stock" + lock)).scalar_one() >= 1:
                tx.execute(text("UPDATE stock SET n = n - 1"))

    return buy


def changes(*ids):
    def change(world):
        with world.sql.begin() as tx:
            for id in ids:
                tx.execute(text("UPDATE pair SET n = n + 1 WHERE id = :id"), {"id": id})

    return change


def leaves(id, level, retry=False):
    """A doctor who leaves if the other is on call."""

    def leave(world):
        engine = world.sql.execution_options(isolation_level=level)
        while True:
            try:
                with engine.begin() as tx:
                    if tx.execute(text("SELECT sum(n) FROM pair")).scalar_one() >= 2:
                        tx.execute(text("UPDATE pair SET n = 0 WHERE id = :id"), {"id": id})
                return
            except sa.exc.OperationalError:
                if not retry:
                    raise

    return leave


def both(client):
    return {"a": client, "b": client}


def test_read_committed_sells_one_thing_twice(pg_shop):
    report = explore(world=pg_shop(*STOCK), clients=both(buyer()), check=sold_once)
    assert (report.schedules, report.broken) == (14, 12)
    assert report.violation == "sold twice"
    assert "READ COMMITTED on PostgreSQL" in report.sentence


def test_for_update_makes_the_second_buyer_wait(pg_shop):
    report = explore(world=pg_shop(*STOCK), clients=both(buyer(" FOR UPDATE")), check=sold_once)
    assert report.holds
    assert report.schedules > 2


def test_nowait_raises_where_for_update_waits(pg_shop):
    client = buyer(" FOR UPDATE NOWAIT")
    report = explore(world=pg_shop(*STOCK), clients=both(client), check=sold_once)
    assert report.broken
    assert "LockNotAvailable" in str(report.error)
    assert report.schedules > report.broken


def test_get_or_create_in_one_transaction(pg_shop):
    def get_or_create(world):
        with world.sql.begin() as tx:
            if tx.execute(text("SELECT id FROM pair WHERE id = 3")).first() is None:
                tx.execute(text("INSERT INTO pair VALUES (3, 0)"))

    report = explore(world=pg_shop(*PAIRS), clients=both(get_or_create), check=anything)
    assert report.broken
    assert isinstance(report.error, sa.exc.IntegrityError)


def test_updates_in_opposite_order_meet_in_a_deadlock(pg_shop):
    clients = {"a": changes(1, 2), "b": changes(2, 1)}
    world = pg_shop(*PAIRS, anew=True)  # the error names the place of a row
    report = explore(world=world, clients=clients, check=anything)
    victims = {found.violation[0] for found in report.findings}
    assert report.broken
    assert "DeadlockDetected" in str(report.error)
    assert victims == {"a", "b"}
    assert "a deadlock ends" in report.sentence


def test_updates_in_one_order_hold(pg_shop):
    assert explore(world=pg_shop(*PAIRS), clients=both(changes(1, 2)), check=somebody).holds


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ"])
def test_write_skew(pg_shop, level):
    clients = {"a": leaves(1, level), "b": leaves(2, level)}
    report = explore(world=pg_shop(*PAIRS), clients=clients, check=somebody)
    assert (report.schedules, report.broken) == (20, 18)
    assert f"{level} on PostgreSQL" in report.sentence


def test_serializable_with_a_retry_prevents_write_skew(pg_shop):
    clients = {id: leaves(i, "SERIALIZABLE", retry=True) for i, id in [(1, "a"), (2, "b")]}
    report = explore(world=pg_shop(*PAIRS), clients=clients, check=somebody)
    assert report.holds, str(report)
    assert report.schedules > 2


def test_serialization_failures_reach_a_client_that_does_not_retry(pg_shop):
    def raise_it(world):
        with world.sql.execution_options(isolation_level="REPEATABLE READ").begin() as tx:
            n = tx.execute(text("SELECT n FROM stock")).scalar_one()
            tx.execute(text("UPDATE stock SET n = :n"), {"n": n + 1})

    report = explore(world=pg_shop(*STOCK), clients=both(raise_it), check=anything)
    assert report.broken
    assert "SerializationFailure" in str(report.error)


def test_skip_locked_skips(pg_shop):
    def take(world):
        with world.sql.begin() as tx:
            query = "SELECT id FROM pair ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
            id = tx.execute(text(query)).scalar_one()
            tx.execute(text("DELETE FROM pair WHERE id = :id"), {"id": id})
        world.journal.note(id)

    def different(world):
        if sorted(world.journal["a"] + world.journal["b"]) != [1, 2]:
            raise Violation("one was taken twice")

    report = explore(world=pg_shop(*PAIRS), clients=both(take), check=different)
    assert report.holds, str(report)


def test_a_lock_that_is_tried_and_one_that_waits(pg_shop):
    def locked(function):
        def client(world):
            with world.sql.begin() as tx:
                if tx.execute(text(f"SELECT {function}(7)")).scalar_one() is False:
                    world.journal.note("busy")
                    return
                n = tx.execute(text("SELECT n FROM stock")).scalar_one()
                tx.execute(text("UPDATE stock SET n = :n"), {"n": n + 1})

        return client

    def two_more(world):
        busy = world.journal["a"] + world.journal["b"]
        if one(world, "SELECT n FROM stock") != 3 or busy:
            raise Violation(f"{busy}")

    waits = both(locked("pg_advisory_xact_lock"))
    assert explore(world=pg_shop(*STOCK), clients=waits, check=two_more).holds
    tries = both(locked("pg_try_advisory_xact_lock"))
    report = explore(world=pg_shop(*STOCK), clients=tries, check=two_more, preemptions=1)
    assert report.violation == "['busy']"


def test_the_second_of_two_inserts_waits_for_the_first(pg_shop):
    def insert(world):
        with world.sql.begin() as tx:
            done = tx.execute(text("INSERT INTO pair VALUES (3, 1) ON CONFLICT DO NOTHING"))
            world.journal.note(done.rowcount)

    def once(world):
        if sorted(world.journal["a"] + world.journal["b"]) != [0, 1]:
            raise Violation("inserted twice, or never")

    assert explore(world=pg_shop(*PAIRS), clients=both(insert), check=once).holds


def test_a_lock_of_the_session_ends_with_its_world(pg_shop):
    def lock(world):
        with world.sql.begin() as tx:
            tx.execute(text("SELECT pg_advisory_lock(7)"))

    assert explore(world=pg_shop(*STOCK), clients={"a": lock}, check=anything, crashes=1).holds
    assert in_full(world=pg_shop(*STOCK), clients={"a": lock}, check=anything).holds


def test_a_name_of_the_session_ends_with_its_world(pg_shop):
    def rename(world):
        with world.sql.begin() as tx:
            world.journal.note(tx.execute(text("SHOW application_name")).scalar_one())
            tx.execute(text("SET application_name = 'mine'"))

    def unnamed(world):
        if "mine" in world.journal["a"]:
            raise Violation("left over from another world")

    report = explore(world=pg_shop(*STOCK), clients={"a": rename}, check=unnamed, crashes=1)
    assert report.holds


def test_numbers_of_a_sequence_are_given_to_one_client_each(pg_shop):
    def draw(world):
        with world.sql.begin() as tx:
            world.journal.note(tx.execute(text("SELECT nextval('tickets')")).scalar_one())

    def a_first(world):
        if world.journal["b"] == [1]:
            raise Violation("b was first")

    shop = pg_shop("CREATE SEQUENCE tickets")
    report = explore(world=shop, clients=both(draw), check=a_first)
    assert 0 < report.broken < report.schedules


def test_a_statement_that_waits_is_carried_out_though_its_client_has_died(pg_shop):
    def holder(world):
        with world.sql.begin() as tx:
            tx.execute(text("UPDATE stock SET n = n + 10"))

    def autocommits(world):
        engine = world.sql.execution_options(isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text("UPDATE stock SET n = n + 100"))
        world.journal.note("done")

    def look(world):
        n, said = one(world, "SELECT n FROM stock"), world.journal["a"]
        raise Violation(f"{n}, a said {said}")

    case = dict(world=pg_shop(*STOCK), clients={"h": holder, "a": autocommits}, check=look)
    merged, full = (search(**case, crashes=1) for search in (explore, in_full))
    ends = {found.violation: found.schedules for found in merged.findings}
    assert set(ends) == {
        f"{e}"
        for e in ("11, a said []", "101, a said ['done']", "111, a said []", "111, a said ['done']")
    }
    assert ends == {found.violation: found.schedules for found in full.findings}


@pytest.mark.parametrize(
    ("sql", "names"),
    [
        ("SELECT now()", "now"),
        ("SELECT random()", "random"),
        ("INSERT INTO stock SELECT 1 FROM gen_random_uuid()", "gen_random_uuid"),
        ("SELECT ctid FROM stock", "ctid"),
        *((f"SELECT s.{name} FROM stock s", name) for name in SYSTEM_COLUMNS),
        ("SET lock_timeout = '1s'", "lock_timeout"),
        ('SET /* us */ LOCAL "Statement_Timeout" TO 1', "Statement_Timeout"),
        ("RESET idle_session_timeout", "idle_session_timeout"),
        ("SET LOCAL client_min_messages = warning", "client_min_messages"),
        ("SELECT set_config('lc_messages', 'C', true)", "lc_messages"),
        ("SET log_lock_waits = off", "log_lock_waits"),
        ("RESET ALL", "RESET ALL undoes"),
        ("discard -- what we did\nALL", "discard ALL undoes"),
        ("BEGIN READ ONLY, -- at last\nDEFERRABLE", "DEFERRABLE lets"),
        ("SET TRANSACTION DEFERRABLE", "DEFERRABLE lets"),
        ("START TRANSACTION DEFERRABLE", "DEFERRABLE lets"),
        ("SET default_transaction_deferrable = on", "default_transaction_deferrable"),
        ("SET transaction_deferrable = on", "transaction_deferrable"),
        ("SELECT set_config('lock_timeout', '1s', true)", "lock_timeout"),
        ("LISTEN news", "LISTEN"),
        ("SELECT lastval()", "lastval"),
        ("PREPARE TRANSACTION 'x'", "PREPARE TRANSACTION"),
        ("CREATE SCHEMA mine", "SCHEMA"),
        ("SET search_path = elsewhere", "search_path"),
        ("SET SCHEMA 'elsewhere'", "SCHEMA"),
        ("SELECT set_config('search_path', 'elsewhere', true)", "search_path"),
    ],
)
def test_what_cannot_be_searched_is_named(pg_shop, sql, names):
    def client(world):
        try:
            with world.sql.begin() as tx:
                tx.execute(text(sql))
        except Exception:
            pass

    with pytest.raises(Unsearchable, match=names):
        explore(world=pg_shop(*STOCK), clients={"a": client}, check=anything)


@pytest.mark.parametrize("by", ["name", "place"])
def test_a_setting_is_named_that_is_a_parameter(
    pg_shop: Fresh, by: Literal["name", "place"]
) -> None:
    setting = sa.func.set_config("lock_timeout", "1s", True)

    def client(world: Shop) -> None:
        with world.sql.begin() as tx:
            if by == "name":
                tx.execute(sa.select(setting))
            else:
                tx.exec_driver_sql("SELECT set_config(%s, %s, true)", ("lock_timeout", "1s"))

    with pytest.raises(Unsearchable, match="lock_timeout sets a time-out"):
        explore(world=pg_shop(*STOCK), clients={"a": client}, check=anything)


def test_other_settings_are_left_to_the_client(pg_shop: Fresh) -> None:
    def client(world: Shop) -> None:
        with world.sql.begin() as tx:
            for sql in (
                "SET LOCAL application_name = 'lock_timeout'",
                "RESET application_name",
                "DISCARD PLANS",
                "SET SESSION CHARACTERISTICS AS TRANSACTION NOT\nDEFERRABLE",
                "CREATE TABLE t (n INT UNIQUE DEFERRABLE)",
            ):
                tx.execute(text(sql))
            tx.exec_driver_sql("SELECT set_config('app.schema', %s, %s)", ("schema 5", True))

    explore(world=pg_shop(*STOCK, anew=True), clients={"a": client}, check=anything).assert_holds()


@pytest.mark.parametrize(
    ("level", "only_reads", "defers"),
    [
        ("SERIALIZABLE", True, True),
        ("REPEATABLE READ", True, True),
        ("SERIALIZABLE", False, True),
        ("SERIALIZABLE", True, False),
    ],
)
def test_a_transaction_that_waits_for_a_safe_snapshot_is_refused(
    pg_shop: Fresh, level: str, only_reads: bool, defers: bool
) -> None:
    """Only one that is all three waits for it."""
    options = {"postgresql_readonly": only_reads, "postgresql_deferrable": defers}

    def client(world: Shop) -> None:
        engine = world.sql.execution_options(isolation_level=level, **options)
        with engine.connect() as connection:
            connection.execute(text("SELECT n FROM stock")).all()
            connection.commit()

    def search() -> Report:
        return explore(world=pg_shop(*STOCK), clients={"a": client}, check=anything)

    if (level, only_reads, defers) == ("SERIALIZABLE", True, True):
        with pytest.raises(Unsearchable, match="DEFERRABLE lets a transaction wait for others"):
            search()
    else:
        search().assert_holds()


@pytest.fixture
def elsewhere(postgresql_url):
    """A schema that is not on the search path of the tests."""
    with psycopg.connect(postgresql_url, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA elsewhere CREATE TABLE t (n INT)")
        yield
        connection.execute("DROP SCHEMA elsewhere CASCADE")


@pytest.mark.parametrize(
    "sql", ["UPDATE elsewhere.t SET n = 1", 'SELECT n FROM "elsewhere" . t elsewhere']
)
def test_a_schema_off_the_search_path_is_refused_by_name(pg_shop, elsewhere, sql):
    """One client would change what another reads, and no state would tell."""

    def client(world):
        with world.sql.begin() as tx:
            tx.execute(text(sql))

    with pytest.raises(Unsearchable, match="schema elsewhere is not on the search path"):
        explore(world=pg_shop(*STOCK), clients=both(client), check=anything)


def test_a_view_of_such_a_schema_too_and_an_alias_of_its_name_is_none(pg_shop, elsewhere):
    view = "CREATE VIEW seen AS SELECT n FROM elsewhere.t"
    with pytest.raises(Unsearchable, match="view seen: schema elsewhere"):
        explore(world=pg_shop(*STOCK, view), clients=both(buyer()), check=anything)

    def client(world):
        with world.sql.begin() as tx:
            tx.execute(text("SELECT elsewhere.n FROM stock AS elsewhere"))

    assert explore(world=pg_shop(*STOCK), clients={"a": client}, check=anything).holds


def test_names_in_strings_and_comments_are_no_refusal(pg_shop):
    def client(world):
        with world.sql.begin() as tx:
            tx.execute(text('SELECT \'now()\', "n" AS "random()" FROM stock -- ctid'))

    assert explore(world=pg_shop(*STOCK), clients={"a": client}, check=anything).holds


# --- what arrives when its client has gone ----------------------------------------------------


def in_autocommit(world, *statements):
    engine = world.sql.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for sql in statements:
            connection.exec_driver_sql(sql)


def test_a_statement_in_autocommit_may_be_late(pg_shop):
    """Sent again after a lost connection, the first one arrives last and undoes the second."""

    def client(world):
        for number in (1, 2):
            try:
                in_autocommit(world, f"UPDATE stock SET n = {number}")
            except sa.exc.OperationalError:
                in_autocommit(world, f"UPDATE stock SET n = {number}")

    def check(world):
        if (n := one(world, "SELECT n FROM stock")) != 2:
            raise Violation(f"n is {n}")

    search = {"world": pg_shop(*STOCK), "clients": {"a": client}, "check": check}
    assert explore(**search, lost_replies=1).holds
    for explores in (explore, in_full):
        assert explores(**search, lost_replies=1, late=1).violation == "n is 1"


def test_a_late_statement_that_has_to_wait_is_carried_out_when_it_can_be(pg_shop):
    def holder(world):
        with world.sql.begin() as tx:
            tx.execute(text("UPDATE stock SET n = 5"))
            tx.execute(text("SELECT 1"))

    def check(world):
        raise Violation(f"n is {one(world, 'SELECT n FROM stock')}")

    clients = {"a": lambda world: in_autocommit(world, "UPDATE stock SET n = 7"), "b": holder}
    case = dict(world=pg_shop(*STOCK), clients=clients, check=check, preemptions=1)
    found = [search(**case, crashes=1, late=1).findings for search in (explore, in_full)]
    merged, full = ({one.violation: one.schedules for one in some} for some in found)
    assert merged == full
    assert set(merged) == {"n is 5", "n is 7"}


def test_a_commit_in_a_text_may_be_late(pg_shop):
    clients = {"a": lambda world: in_autocommit(world, "BEGIN", "UPDATE stock SET n = 1", "COMMIT")}
    search = {"world": pg_shop(*STOCK), "clients": clients, "check": anything, "crashes": 1}
    never, late = (explore(**search, late=most).schedules for most in (0, 1))
    assert late == never + 2  # BEGIN may be late as well: it changes nothing


def test_the_connection_of_a_late_statement_ends_with_it(pg_shop):
    """Else the lock that it takes for its session would never be let go."""
    locks, frees = "SELECT pg_advisory_lock(1)", "SELECT pg_advisory_unlock(1)"
    clients = {name: lambda world: in_autocommit(world, locks, frees) for name in "ab"}
    report = explore(
        world=pg_shop(*STOCK), clients=clients, check=anything, crashes=1, late=1, preemptions=1
    )
    assert report.holds


def test_an_engine_that_each_world_makes_leaves_no_connections(postgresql_url: str) -> None:
    watch = sa.create_engine(postgresql_url)
    with watch.begin() as tx:
        tx.execute(text("CREATE TABLE each_world (n INT)"))

    def make() -> Shop:
        engine = sa.create_engine(postgresql_url)
        with engine.begin() as tx:
            tx.execute(text("DELETE FROM each_world"))
        engine.dispose()
        return Shop(engine)

    def adds(world: Shop) -> None:
        with world.sql.begin() as tx:
            tx.execute(text("INSERT INTO each_world VALUES (1)"))

    def connections() -> int:
        gc.collect()
        with watch.connect() as tx:
            asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            return int(tx.execute(text(asked)).scalar_one())

    before = connections()
    for _ in range(3):
        explore(world=make, clients={"a": adds, "b": adds}, check=lambda world: None)
    until = time.monotonic() + 60
    while connections() > before + 10 and time.monotonic() < until:
        time.sleep(0.05)  # the server ends a connection some time after it was closed
    left = connections() - before
    with watch.begin() as tx:
        tx.execute(text("DROP TABLE each_world"))
    watch.dispose()
    assert left <= 10  # it was 35 with each search


def test_what_a_query_calls_its_results_is_no_system_column(pg_shop: Fresh) -> None:
    def client(world: Shop) -> None:
        assert one(world, "SELECT min(n) AS xmin FROM stock") == 1

    found = explore(world=pg_shop(*STOCK), clients={"a": client}, check=anything)
    assert found.holds

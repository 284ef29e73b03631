"""What the services promise on every backend."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import couchdb
import psutil
import pytest
import redis
from sqlalchemy import Engine, text
from sqlalchemy.exc import IntegrityError

from workshop import services
from workshop.services import redis_service


def test_redis_round_trip(redis_client: redis.Redis) -> None:
    assert redis_client.set("key", "wört")
    assert services.redis("test").get("key") == "wört"


def test_spaces_do_not_meet(redis_client: redis.Redis) -> None:
    other = services.redis("test-other", fresh=True)
    listening = other.pubsub()
    listening.subscribe("channel")
    assert listening.get_message(timeout=60)["type"] == "subscribe"
    redis_client.set("key", "1")
    assert redis_client.publish("channel", "x") == 0
    assert other.get("key") is None
    listening.close()


def test_fresh_empties_one_space_only(redis_client: redis.Redis) -> None:
    other = services.redis("test-other", fresh=True)
    other.set("key", "other")
    redis_client.set("key", "here")
    assert services.redis("test", fresh=True).get("key") is None
    assert other.get("key") == "other"


def test_redis_never_retries(redis_client: redis.Redis) -> None:
    connection = redis_client.connection_pool.get_connection()
    assert connection.retry.get_retries() == 0
    assert connection.socket_timeout is None
    assert connection.protocol == 2
    redis_client.connection_pool.release(connection)


def test_couch_round_trip(couch_db: couchdb.Database) -> None:
    name, rev = couch_db.save({"_id": "a/ö +", "n": 1})
    assert services.couch("test")[name]["_rev"] == rev
    again = services.couch("test", fresh=True)
    assert list(again) == []


def test_couch_spaces_do_not_meet(couch_db: couchdb.Database) -> None:
    other = services.couch("test-other", fresh=True)
    couch_db.save({"_id": "a"})
    assert "a" not in other


def test_sql_round_trip(sql_engine: Engine) -> None:
    with sql_engine.begin() as tx:
        tx.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
        tx.execute(text("INSERT INTO t VALUES (:n)"), {"n": 7})
    with services.sql("test").begin() as tx:
        assert tx.execute(text("SELECT n FROM t")).scalars().all() == [7]


def test_sql_transaction_is_undone_as_a_whole(sql_engine: Engine) -> None:
    with sql_engine.begin() as tx:
        tx.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY)"))

    def interrupted() -> None:
        with sql_engine.begin() as tx:
            tx.execute(text("CREATE TABLE u (n INTEGER)"))
            tx.execute(text("INSERT INTO t VALUES (1)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        interrupted()
    with sql_engine.begin() as tx:
        assert tx.execute(text("SELECT count(*) FROM t")).scalar_one() == 0
        tx.execute(text("CREATE TABLE u (n INTEGER)"))


def test_sql_fresh_drops_tables_that_refer_to_each_other(sql_engine: Engine) -> None:
    for _ in range(2):
        with services.sql("test", fresh=True).begin() as tx:
            tx.execute(text("CREATE TABLE a (n INTEGER PRIMARY KEY)"))
            tx.execute(text("CREATE TABLE b (n INTEGER REFERENCES a (n))"))
            tx.execute(text("CREATE VIEW c AS SELECT * FROM a"))
            tx.execute(text("INSERT INTO a VALUES (1)"))
            tx.execute(text("INSERT INTO b VALUES (1)"))


def test_sql_foreign_keys_are_enforced(sql_engine: Engine) -> None:
    with sql_engine.begin() as tx:
        tx.execute(text("CREATE TABLE a (n INTEGER PRIMARY KEY)"))
        tx.execute(text("CREATE TABLE b (n INTEGER REFERENCES a (n))"))
    sql_engine.dispose()  # on a new connection too
    with pytest.raises(IntegrityError), sql_engine.begin() as tx:
        tx.execute(text("INSERT INTO b VALUES (1)"))


def test_an_sqlite_transaction_is_serializable(own_servers: None) -> None:
    """What it has read is still true when it writes, though others read at the same time."""
    engine = services.sql("test", fresh=True)
    with engine.begin() as tx:
        tx.execute(text("CREATE TABLE counter (n INTEGER)"))
        tx.execute(text("INSERT INTO counter VALUES (0)"))

    def count() -> None:
        for _ in range(25):
            with engine.begin() as tx:
                n = tx.execute(text("SELECT n FROM counter")).scalar_one()
                tx.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(count) for _ in range(4)]:
            done.result()
    with engine.begin() as tx:
        assert tx.execute(text("SELECT n FROM counter")).scalar_one() == 100


@pytest.mark.parametrize("space", ["", "Main", "a b", "a:b", "a" * 31, "1", "a{b}", "ä", None])
def test_a_bad_name_of_a_space_is_refused(space: str) -> None:
    for call in (services.redis, services.couch, services.sql):
        with pytest.raises(ValueError, match="names no space"):
            call(space)


def test_status_shows_no_address_and_no_password() -> None:
    services.redis()
    services.couch()
    shown = repr(services.status()) + services.status()._repr_html_()
    for secret in (
        "://",
        "/tmp",
        "127.0.0.1",
        "localhost",
        services.couch_url().split("@")[0][-20:],
    ):
        assert secret not in shown
    assert "services.redis()" in shown
    assert "CouchDB protocol" in shown


def test_a_private_redis_can_be_ended_before_its_process_and_begin_again() -> None:
    client = services.redis("test-ended")
    if redis_service.kind() != "private":
        pytest.skip("no server of our own")
    client.set("key", "1")
    server = psutil.Process(client.info("server")["process_id"])
    services.redis("test-other").set("key", "1")
    redis_service.end("test-ended")
    redis_service.end("test-never-begun")
    assert not server.is_running()
    assert "test-ended" not in json.loads(services.invitation())["redis"]
    assert services.redis("test-ended").get("key") is None
    assert services.redis("test-other").get("key") == "1"


def test_who_asks_for_redis_does_not_wait_for_the_other_libraries() -> None:
    code = (
        "import sys; from workshop import services; services.redis\n"
        "print({'couchdb', 'pandas', 'raceproof', 'sqlalchemy'} & {*sys.modules})\n"
        "from sqlalchemy.exc import OperationalError; from workshop.services import SQLGone\n"
        "assert services.SQLGone is SQLGone and issubclass(SQLGone, OperationalError)\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout == "set()\n"
    unknown = "mongo"
    with pytest.raises(AttributeError, match="has no attribute 'mongo'"):
        getattr(services, unknown)

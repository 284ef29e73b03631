"""On servers that are not ours nothing changes but what is ours, and nothing of ours stays."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import couchdb
import pytest
import redis
import sqlalchemy
from sqlalchemy import text
from tests.workshop.services.servers import foreign_couch, foreign_redis, python, redis_contents

from workshop import services
from workshop.services import redis_service, sql_service

needs_redis = pytest.mark.skipif(redis_service.binary() is None, reason="no redis-server")

USE_REDIS = """
import asyncio, redis, threading, time
from workshop import services
r = services.redis(fresh=True)
assert type(r).__module__.startswith("redis.") and r.keys() == []
assert r.set("theirs", "ours") and r.get("theirs") == "ours" and r.keys("the*") == ["theirs"]
assert r.exists("hash") == 0 and r.rename("theirs", "mine") and r.delete("theirs") == 0
r.mset({"a": "1", "b": "2"}); assert r.mget("a", "b", "counter") == ["1", "2", None]
assert sorted(r.scan_iter()) == ["a", "b", "mine"] and list(r.scan_iter("m*")) == ["mine"]
r.rpush("list", "x", "y"); assert r.blmove("list", "list2", 1) == "x"
assert r.brpop(["none", "list"], 1) == ("list", "y") and r.lrange("list2", 0, -1) == ["x"]
pipe = r.pipeline(); pipe.watch("a"); pipe.multi()
pipe.incr("a"); pipe.get("b"); pipe.keys("list*")
assert pipe.execute() == [2, "2", ["list2"]]
script = r.register_script(
    "redis.call('SET', KEYS[1], ARGV[1]); return {KEYS[1], redis.call('GET', KEYS[2])}")
assert script(keys=["s", "b"], args=["v"]) == ["s", "2"] and r.get("s") == "v"
r.eval("return redis.call('PUBLISH', KEYS[1], 'x')", 1, "nobody")
r.xadd("stream", {"f": "v"}, id="1-1"); r.xgroup_create("stream", "g", id="0")
got = r.xreadgroup("g", "me", {"stream": ">"}, count=1)
assert got == [["stream", [("1-1", {"f": "v"})]]], got
assert r.xread({"stream": "0"})[0][0] == "stream" and r.xinfo_stream("stream")["length"] == 1
assert r.xautoclaim("stream", "g", "you", 0)[1] == [("1-1", {"f": "v"})]
r.zadd("z", {"one": 1}); r.zunionstore("zz", ["z"]); assert r.zrange("zz", 0, -1) == ["one"]
assert r.bzpopmin(["zz"], 1) == ("zz", "one", 1.0)
r.sadd("ids", "1"); r.set("w_1", "7")
assert r.sort("ids", by="w_*", get=["#", "w_*"]) == ["1", "7"]
r.sort("ids", store="sorted"); assert r.lrange("sorted", 0, -1) == ["1"]
assert r.copy("a", "c") and r.object("encoding", "c") == "int" and r.memory_usage("c") > 0
r.set("{tag}:1", "x", ex=100); assert r.ttl("{tag}:1") == 100 and r.getdel("{tag}:1") == "x"
p = r.pubsub(); p.subscribe("news"); p.psubscribe("n*")
subscribed = p.get_message(timeout=60), p.get_message(timeout=60)
assert [m["channel"] for m in subscribed] == ["news", "n*"]
assert r.publish("news", "m") == 3  # the test listens too
first, second = p.get_message(timeout=60), p.get_message(timeout=60)
assert (first["channel"], first["data"]) == ("news", "m") and second["pattern"] == "n*"
assert r.pubsub_channels() == ["news"] and r.pubsub_numsub("news") == [("news", 1)]
p.close()
try: r.lpush("a", "x")
except redis.ResponseError as error: assert "WRONGTYPE" in str(error)
REFUSED = [["FLUSHALL"], ["FLUSHDB"], ["SWAPDB", "0", "1"], ["CONFIG", "SET", "maxmemory", "1"],
  ["SHUTDOWN"], ["SCRIPT", "FLUSH"], ["FUNCTION", "FLUSH"], ["DBSIZE"], ["RANDOMKEY"], ["MONITOR"],
  ["SELECT", "1"], ["MOVE", "a", "1"], ["COPY", "a", "b", "DB", "1"],
  ["CLIENT", "KILL", "TYPE", "normal"],
  ["CLIENT", "PAUSE", "1000"], ["DEBUG", "SLEEP", "0"], ["ACL", "SETUSER", "x"],
  ["REPLICAOF", "NO", "ONE"],
  ["MIGRATE", "127.0.0.1", "1", "a", "0", "1"],
  ["NOSUCHCOMMAND", "theirs"], ["BGREWRITEAOF"], ["SAVE"], ["CLUSTER", "RESET"], ["FAILOVER"]]
for command in REFUSED:
    try: r.execute_command(*command)
    except services.NotOurs as error: assert command[0] in str(error), error
    else: raise AssertionError(command)
other = services.redis("other"); other.set("a", "other"); services.redis(fresh=True)
assert r.keys() == [] and other.get("a") == "other"
r.set("left", "over"); r.execute_command("LPUSH", b"bin", b"\\xff")
print(services.about("redis")); print(services.status())
"""


def fill_redis(client: redis.Redis) -> None:
    """Keys with the names that the child uses, in its database and in another."""
    for db in (3, 0):
        client.execute_command("SELECT", db)
        client.mset({"a": b"\x00\xff", "theirs": "1", "btp-": "2", "main:a": "3"})
        client.hset("hash", mapping={"f": "v"})
        client.rpush("list", "1", "2")
        client.zadd("z", {"m": 1.5})
        client.xadd("stream", {"f": "v"}, id="5-1")
        client.set("expires", "x", ex=100_000)


@needs_redis
def test_redis_keys_survive_byte_for_byte(tmp_path: Path) -> None:
    with foreign_redis(tmp_path) as (url, client):
        fill_redis(client)
        before = redis_contents(client)
        listener = client.pubsub()
        listener.psubscribe("*")
        printed = python(USE_REDIS, REDIS_URL=url)
        assert "your server" in printed
        assert url.split("@")[1] not in printed
        assert redis_contents(client) == before
        assert len(before) == 18
        client.publish("the last one", "")
        heard = iter(lambda: listener.get_message(timeout=None)["channel"], b"the last one")
        channels = [channel for channel in heard if channel != b"*"]
        assert channels
        assert all(channel.startswith(b"btp-") for channel in channels)
        listener.close()


@needs_redis
def test_two_runs_on_one_redis_do_not_meet(tmp_path: Path) -> None:
    code = """
from workshop import services
r = services.redis(); assert r.get("k") is None; r.set("k", "v"); print(r.keys())
import subprocess, sys, os
if "AGAIN" not in os.environ:
    os.environ["AGAIN"] = "1"
    subprocess.run([sys.executable, "-c", os.environ["CODE"]], check=True)
    assert r.get("k") == "v"
"""
    with foreign_redis(tmp_path) as (url, client):
        assert python(code, REDIS_URL=url, CODE=code).count("['k']") == 2
        assert redis_contents(client) == {}


@needs_redis
def test_an_invited_child_shares_a_foreign_redis(tmp_path: Path) -> None:
    code = """
from workshop import services
import subprocess, sys, os
services.redis("jobs").set("k", "v"); services.redis()
child = "from workshop import services; print(services.redis('jobs').get('k'))"
env = {**os.environ, "PATTERNS_JOIN": services.invitation()}
subprocess.run([sys.executable, "-c", child], env=env, check=True)
assert services.redis("jobs").get("k") == "v"
try: services.redis_url()
except services.NotOurs: print("no URL")
"""
    with foreign_redis(tmp_path) as (url, client):
        printed = python(code, REDIS_URL=url)
        assert printed.split("\n")[:-1] == ["v", "no URL"] or printed == "no URL\nv\n"
        assert redis_contents(client) == {}


USE_COUCH = """
from workshop import services
db = services.couch(fresh=True)
db.save({"_id": "theirs", "n": 2})
assert db.name not in ("main", "theirs")
again = services.couch(fresh=True); assert list(again) == [] and again.name != db.name
services.couch("other").save({"_id": "x"})
assert services.couch()["_design/none"] if "_design/none" in services.couch() else True
print(services.about("couch"))
"""


@pytest.fixture(scope="module")
def a_couch() -> Iterator[tuple[str, couchdb.Server]]:
    with foreign_couch() as found:
        yield found


@pytest.fixture
def their_couch(a_couch: tuple[str, couchdb.Server]) -> tuple[str, couchdb.Server]:
    """Somebody else's CouchDB with nothing in it, and its URL; one for all tests."""
    for name in a_couch[1]:
        a_couch[1].delete(name)
    return a_couch


def test_couch_databases_survive_byte_for_byte(their_couch: tuple[str, couchdb.Server]) -> None:
    url, server = their_couch
    for name in ("main", "btp-main", "theirs"):
        server.create(name).save({"_id": "theirs", "n": 1})
    before = {name: server[name].get("theirs") for name in server}
    printed = python(USE_COUCH, COUCHDB_URL=url)
    assert "your server" in printed
    assert {name: server[name].get("theirs") for name in server} == before
    assert sorted(before) == ["btp-main", "main", "theirs"]


def test_a_wrong_couch_password_says_so(their_couch: tuple[str, couchdb.Server]) -> None:
    code = """
from workshop import services
import couchdb
try: services.couch()
except couchdb.Unauthorized as error: print(error)
"""
    wrong = their_couch[0].replace("owner:", "owner:x")
    assert "incorrect" in python(code, COUCHDB_URL=wrong)


USE_SQL = """
from workshop import services
from sqlalchemy import text, inspect, MetaData, Table, Column, Integer
engine = services.sql(fresh=True)
table = Table("theirs", MetaData(), Column("m", Integer))
table.create(engine, checkfirst=True)
with engine.begin() as tx:
    tx.execute(table.insert(), {"m": 5})
    assert tx.execute(text("SELECT m FROM theirs")).scalars().all() == [5]
assert inspect(engine).get_table_names() == ["theirs"]
services.sql("other").connect().close()
assert inspect(services.sql(fresh=True)).get_table_names() == []
table.create(engine)
import sqlalchemy
with sqlalchemy.create_engine(services.sql_url()).begin() as tx:
    tx.execute(text("INSERT INTO theirs VALUES (6)"))
print(services.about("sql"))
"""


@pytest.fixture
def foreign_table(postgresql_url: str) -> Iterator[tuple[str, sqlalchemy.Engine]]:
    """A PostgreSQL with a table of somebody else's in its public schema."""
    url = postgresql_url.replace("postgresql:", "postgresql+psycopg:")
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.NullPool)
    with engine.begin() as tx:
        tx.execute(text("CREATE TABLE public.theirs (n INTEGER)"))
        tx.execute(text("INSERT INTO public.theirs VALUES (1)"))
    yield postgresql_url, engine
    with engine.begin() as tx:
        tx.execute(text("DROP TABLE public.theirs"))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_the_ways_to_write_a_database_url(monkeypatch: pytest.MonkeyPatch, scheme: str) -> None:
    monkeypatch.setenv("DATABASE_URL", f"{scheme}://user:p%40ss@host:1/name?sslmode=require")
    address = sql_service.address()
    assert address.drivername == "postgresql+psycopg"
    assert (address.password, address.database) == ("p@ss", "name")
    assert address.query == {"sslmode": "require"}


def test_postgresql_tables_survive(foreign_table: tuple[str, sqlalchemy.Engine]) -> None:
    url, engine = foreign_table
    mine = "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'btp-') ORDER BY 1"
    with engine.begin() as tx:
        before = tx.execute(text(mine)).scalars().all()
    printed = python(USE_SQL, DATABASE_URL=url)
    assert "PostgreSQL" in printed
    assert "your server" in printed
    with engine.begin() as tx:
        assert tx.execute(text("SELECT n FROM public.theirs")).scalars().all() == [1]
        assert tx.execute(text(mine)).scalars().all() == before


@pytest.mark.parametrize("url", ["mysql://u:secret@h/d", "nonsense", "sqlite:///x", "postgresql"])
def test_a_database_url_that_is_no_postgresql_is_refused(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("DATABASE_URL", url)
    with pytest.raises(services.ServiceError, match="DATABASE_URL") as caught:
        services.sql()
    assert "secret" not in str(caught.value)


KILLED = """
import os, signal
from workshop import services
services.redis("left").set("k", "v")
services.redis().set("k", "v")
services.couch().save({"_id": "d"})
services.couch("left", fresh=True)
with services.sql("left").begin() as tx: tx.exec_driver_sql("CREATE TABLE t (n INTEGER)")
os.kill(os.getpid(), signal.SIGKILL)
"""


@needs_redis
def test_a_process_that_is_killed_leaves_nothing(
    tmp_path: Path,
    foreign_table: tuple[str, sqlalchemy.Engine],
    their_couch: tuple[str, couchdb.Server],
) -> None:
    (sql_url, engine), (couch_url, server) = foreign_table, their_couch
    mine = "SELECT count(*) FROM pg_namespace WHERE starts_with(nspname, 'btp-')"
    with foreign_redis(tmp_path) as (redis_url, client):
        client.set("theirs", "1")
        server.create("theirs")
        with engine.begin() as tx:
            before = tx.execute(text(mine)).scalar_one()
        variables = {"REDIS_URL": redis_url, "COUCHDB_URL": couch_url, "DATABASE_URL": sql_url}
        killed = subprocess.run(
            [sys.executable, "-c", KILLED], env={**os.environ, **variables}, capture_output=True
        )  # it returns when the process that cleans up has ended, too: that holds its stderr
        assert (killed.returncode, killed.stderr) == (-9, b"")
        assert client.keys() == [b"theirs"]
        assert list(server) == ["theirs"]
        with engine.begin() as tx:
            assert tx.execute(text(mine)).scalar_one() == before


@needs_redis
def test_what_cannot_be_removed_is_said(tmp_path: Path) -> None:
    code = """
import os, signal
from workshop import services
services.redis().set("k", "v")
os.kill(services.redis().info("server")["process_id"], signal.SIGKILL)
"""
    with foreign_redis(tmp_path) as (url, _):
        ran = subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "REDIS_URL": url},
            capture_output=True,
            text=True,
        )
        assert ran.returncode == 0
        assert ran.stderr.startswith("patterns: left behind on your server: ")
        assert url.split("@")[0].split(":")[-1] not in ran.stderr


@needs_redis
@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_forked_child_leaves_the_removal_to_its_parent(
    tmp_path: Path, their_couch: tuple[str, couchdb.Server]
) -> None:
    code = """
import os
from workshop import services
services.redis().set("k", "v")
child = os.fork()
if not child:
    services.couch("child").save({"_id": "d"})
    services.redis("child").set("k", "v")
    services.ownership.processes.release_all()
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
assert services.redis().get("k") == services.redis("child").get("k") == "v"
services.couch()
"""
    couch_url, server = their_couch
    with foreign_redis(tmp_path) as (redis_url, client):
        python(code, REDIS_URL=redis_url, COUCHDB_URL=couch_url)
        assert client.keys() == []
        assert list(server) == []


@needs_redis
def test_a_run_can_end_before_its_process_and_begin_again(tmp_path: Path) -> None:
    code = """
import os, redis
from workshop import services
plain = redis.Redis.from_url(os.environ["REDIS_URL"])
services.redis().set("k", "v")
services.ownership.owned().end()
assert plain.keys() == [], plain.keys()
services.redis().set("k", "v")
services.redis("other").set("k", "v")
assert len(plain.keys()) == 2
"""
    with foreign_redis(tmp_path) as (url, client):
        python(code, REDIS_URL=url)
        assert client.keys() == []

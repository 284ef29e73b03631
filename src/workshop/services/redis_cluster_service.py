"""Where a Redis Cluster comes from: six private redis-servers, or there is none.

A run has one cluster, without spaces: what two of them would share is the pub-sub of the whole.
"""

from __future__ import annotations

import subprocess

from redis import asyncio as aredis
from redis.asyncio.cluster import ClusterNode as AsyncClusterNode
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster

from . import redis_cluster_start, redis_service
from .errors import ServiceError
from .ownership import owned
from .redis_cluster_homes import NAMES
from .redis_cluster_nodes import ClusterNodes
from .redis_cluster_start import address, password, program


def client(*, fresh: bool) -> RedisCluster:
    """A client of the cluster; see services.redis_cluster."""
    _make_sure(fresh)
    nodes = [ClusterNode(**address(name)) for name in NAMES]  # type: ignore[no-untyped-call]
    return RedisCluster(startup_nodes=nodes, password=password(), **redis_service.MANNERS)


def async_client(*, fresh: bool) -> aredis.RedisCluster:
    """An asyncio client of the cluster; see services.redis_cluster_async."""
    _make_sure(fresh)
    nodes = [AsyncClusterNode(**address(name)) for name in NAMES]
    manners = {**redis_service.MANNERS, "retry": Retry(NoBackoff(), 0)}
    return aredis.RedisCluster(startup_nodes=nodes, password=password(), **manners)


def is_here() -> bool:
    """Start the cluster, if need be; where it cannot be started, say why in one line."""
    try:
        redis_cluster_start.start()
    except ServiceError as error:
        said, _, _ = str(error).partition(". ")
        print(f"Left out: {said}.")
        return False
    return True


def _make_sure(fresh: bool) -> None:
    redis_cluster_start.start()
    if fresh:
        ClusterNodes().restore()


def about() -> str:
    """One line: which Redis. Nothing is started to find out."""
    ran = subprocess.run([program(), "--version"], capture_output=True, text=True, check=True)
    version = ran.stdout.partition("v=")[2].split()[0]
    return f"Redis Cluster {version}, private servers"


def lost() -> list[str]:
    """The nodes that were started and cannot be reached."""
    return [name for name in owned().redis_cluster if not redis_cluster_start.is_alive(name)]

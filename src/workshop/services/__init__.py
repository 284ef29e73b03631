"""Where the servers come from: one call for each service, from a notebook or a test.

    r = services.redis()      # a redis.Redis
    c = services.redis_cluster()  # a redis.cluster.RedisCluster
    db = services.couch()     # a couchdb.Database
    engine = services.sql()   # a sqlalchemy.Engine

Each takes the name of a *space*, a separate place of this run, and `fresh=True` to empty it
first. A server that somebody else started is used only where an environment variable names it
(see environment.py), and there nothing is touched but what this run makes. That is removed, and
servers of our own end, when the process ends, however it ends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import redis as redis_py
from redis import asyncio as redis_asyncio
from redis.cluster import RedisCluster

from . import ownership, redis_async_service, redis_cluster_service, redis_service
from .errors import CouchGone, NotOurs, RedisGone, ServiceError, ServiceGone
from .ownership import checked, join
from .redis_cluster_nodes import ClusterNodes

if TYPE_CHECKING:  # else when first asked for: most processes of a run need only one of them
    import couchdb
    import sqlalchemy

    from raceproof.draw.tables import Table

    from . import couch_service
    from .sql_errors import SQLGone

__all__ = [
    "ClusterNodes",
    "CouchGone",
    "NotOurs",
    "RedisGone",
    "SQLGone",
    "ServiceError",
    "ServiceGone",
    "about",
    "couch",
    "couch_server",
    "couch_url",
    "invitation",
    "join",
    "redis",
    "redis_async",
    "redis_cluster",
    "redis_cluster_async",
    "redis_cluster_is_here",
    "redis_url",
    "sql",
    "sql_url",
    "status",
]


def redis(space: str = "main", *, fresh: bool = False) -> redis_py.Redis:
    """A Redis client on a space of ours: str in, str out, no silent retries.

    It waits for a blocking command as long as the command says. Processes that are forked may
    go on using it. Raises RedisGone, a redis.ConnectionError, when the server goes away.
    """
    return redis_service.client(checked(space), fresh=fresh)


def redis_async(space: str = "main", *, fresh: bool = False) -> redis_asyncio.Redis:
    """An asyncio client on the same space, with the same manners; `await` its `aclose()`.

    Each call makes a client with connections of its own, which belong to one event loop.
    """
    return redis_async_service.client(checked(space), fresh=fresh)


def redis_cluster(*, fresh: bool = False) -> RedisCluster:
    """A client of the one cluster of this run, with the manners of `redis()`; it has no spaces.

    Three masters and a replica for each: `ClusterNodes()` names them, kills them, moves their
    slots. `fresh` undoes that, and empties them. Raises ServiceError without a redis-server.
    """
    return redis_cluster_service.client(fresh=fresh)


def redis_cluster_is_here() -> bool:
    """Whether `redis_cluster()` can be had; where it cannot, one line is printed that says why."""
    return redis_cluster_service.is_here()


def redis_cluster_async(*, fresh: bool = False) -> redis_asyncio.RedisCluster:
    """An asyncio client of the same cluster, with the same manners; `await` its `aclose()`."""
    return redis_cluster_service.async_client(fresh=fresh)


def couch(space: str = "main", *, fresh: bool = False) -> couch_service.Database:
    """A CouchDB database of ours, one for each space; nothing is retried. `a.replicate(b)` copies.

    Raises CouchGone, a ConnectionError, when the server goes away.
    """
    from . import couch_service

    return couch_service.database(checked(space), fresh=fresh)


def couch_server() -> couchdb.Server:
    """The CouchDB server that the databases are on, for what concerns more than one of them."""
    from . import couch_service

    return couch_service.server()


def sql(space: str = "main", *, fresh: bool = False) -> sqlalchemy.Engine:
    """A SQLAlchemy engine on a space of ours; each `with engine.begin()` is one transaction.

    Raises SQLGone, a sqlalchemy.exc.OperationalError, when the server goes away.
    """
    from . import sql_service

    return sql_service.engine(checked(space), fresh=fresh)


def redis_url(space: str = "main") -> str:
    """The space's address on a private server, for another program (rq, a worker, a child).

    It may hold a password: not for printing. Raises ServiceError on fakeredis, which lives in
    this process only, and NotOurs on a server that this run did not start.
    """
    return redis_service.url(checked(space))


def couch_url(space: str = "main") -> str:
    """The address of the space's database with user and password, for another program.

    For `_replicate`, give user and password in a header: Apache does not decode them in a URL.
    """
    from . import couch_service

    return couch_service.database_url(checked(space))


def sql_url(space: str = "main") -> str:
    """A SQLAlchemy URL of the space, for a child process. It may hold a password."""
    from . import sql_service

    return sql_service.url(checked(space))


def invitation() -> str:
    """What a child process needs to share the spaces that are open here.

    The child calls `services.join(text)` first, or finds the text in PATTERNS_JOIN. It holds
    passwords. fakeredis cannot be shared: each process has its own.
    """
    return ownership.owned().invitation()


def about(service: str) -> str:
    """One line on "redis", "redis_cluster", "couch" or "sql": which, which version, whose."""
    from . import status_table

    return status_table.ABOUT[service]()


def status() -> Table:
    """A small table of all services: what was found, why there is none, or that it was lost."""
    from . import status_table

    return status_table.status()


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name == "SQLGone":
            from .sql_errors import SQLGone

            return SQLGone
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

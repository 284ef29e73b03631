"""What a client of the search holds: its own kind of redis-py client, over connections of ours."""

from __future__ import annotations

import asyncio
import copy
import sys
import threading
import weakref
from typing import Any

import redis
import redis.asyncio
from redis.maint_notifications import MaintNotificationsConfig

from raceproof.wire.calls import Unsearchable
from raceproof.wire.redis.async_connection import AsyncWireConnection
from raceproof.wire.redis.commands import unsearchable
from raceproof.wire.redis.connection import Wire, WireConnection
from raceproof.wire.redis.requests import patient
from raceproof.wire.redis.server import settings_of

_OWN = """db encoding encoding_errors decode_responses health_check_interval client_name protocol
legacy_responses retry retry_on_error retry_on_timeout himport_registry"""
_ASYNC = redis.asyncio.connection
_BLOCKING: dict[type, type] = {
    _ASYNC.Connection: redis.Connection,
    _ASYNC.SSLConnection: redis.SSLConnection,
    _ASYNC.UnixDomainSocketConnection: redis.UnixDomainSocketConnection,
}
_twins: weakref.WeakKeyDictionary[Any, redis.Redis] = weakref.WeakKeyDictionary()
_patience: weakref.WeakKeyDictionary[Any, tuple[Any, float | None]] = weakref.WeakKeyDictionary()


def blocking(store: str, client: Any) -> redis.Redis:
    """Return the client if it blocks, else one that does, on the same server.

    Raises Unsearchable for what is of redis-py and no client of one server.
    """
    if isinstance(client, redis.Redis):
        return client
    if not isinstance(client, redis.asyncio.Redis):
        kind = type(client)
        raise Unsearchable(
            f"world.{store} is a {kind.__module__.partition('.client')[0]}.{kind.__name__}; give "
            "the world a redis.Redis, or a redis.asyncio.Redis with async functions as clients"
        )
    pool = client.connection_pool
    if pool not in _twins:
        given = {k: v for k, v in pool.connection_kwargs.items() if not k.startswith("retry")}
        made = redis.ConnectionPool(_blocking_kind(store, pool), pool.max_connections, **given)
        _twins[pool] = redis.Redis(connection_pool=made)
    return _twins[pool]


def _blocking_kind(store: str, pool: Any) -> Any:
    """Return the blocking class of connections that does what the one of asyncio does.

    A class of others may name it: `explore_blocking`.
    """
    kind, fake = pool.connection_class, sys.modules.get("fakeredis")
    if fake is not None and kind is fake.FakeAsyncRedisConnection:
        return fake.FakeRedisConnection
    found = _BLOCKING.get(kind) or vars(kind).get("explore_blocking")
    if found is None:
        raise Unsearchable(
            f"the connections of world.{store} are of the class {kind.__qualname__}, and what it "
            "does beside redis-py is not known; give it explore_blocking, a class that blocks"
        )
    return found


def _patience_of(pool: Any) -> float | None:
    """Return how many seconds the connections of a pool wait for a reply; None: for ever.

    Only a connection knows, and to make one takes as long as a whole run of a client.
    """
    asked = (pool.connection_class, settings_of(pool))
    before, found = _patience.get(pool, (None, None))
    if before != asked:
        found = pool.connection_class(**pool.connection_kwargs).socket_timeout
        _patience[pool] = asked, found
    return found


def client_on(client: Any, wire: Wire) -> Any:
    """Return a client like another, whose connections are ours."""
    pool = client.connection_pool
    if getattr(pool, "cache", None) is not None:
        raise unsearchable("client-side caching", "leave cache_config out")
    kinds: tuple[Any, type] = (redis.ConnectionPool, WireConnection)
    if isinstance(client, redis.asyncio.Redis):
        kinds = (_ASYNC.ConnectionPool, AsyncWireConnection)
    given = pool.connection_kwargs
    wire.ask = patient(wire.ask, _patience_of(pool))
    made = copy.copy(client)
    made.connection_pool = kinds[0](
        connection_class=kinds[1],
        max_connections=pool.max_connections,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        driver_info=None,  # nobody is told, and to look up the version takes long
        wire=wire,
        **{name: given[name] for name in _OWN.split() if name in given},
    )
    made.response_callbacks = type(client.response_callbacks)({})
    dict.update(made.response_callbacks, client.response_callbacks)  # as its own copying, sooner
    if isinstance(made, redis.asyncio.Redis):
        made._single_conn_lock, made.connection = asyncio.Lock(), None
    else:
        made.single_connection_lock = threading.RLock()
        made.connection = made.connection_pool.get_connection() if client.connection else None
    return made

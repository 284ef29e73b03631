"""What a client of the search holds: its own kind of redis-py client, over connections of ours."""

from __future__ import annotations

import copy
import threading

import redis
from redis.maint_notifications import MaintNotificationsConfig

from raceproof.wire.calls import Unsearchable
from raceproof.wire.redis.commands import unsearchable
from raceproof.wire.redis.connection import Wire, WireConnection

_OWN = """db encoding encoding_errors decode_responses health_check_interval client_name protocol
legacy_responses retry retry_on_error retry_on_timeout himport_registry"""


def refuse_others(store: str, client: object) -> None:
    """Raise Unsearchable for what is of redis-py and no blocking client of one server."""
    if not isinstance(client, redis.Redis):
        kind = type(client)
        raise Unsearchable(
            f"world.{store} is a {kind.__module__.partition('.client')[0]}.{kind.__name__}; give "
            "the world a redis.Redis, and let clients be blocking functions over it"
        )


def client_on(client: redis.Redis, wire: Wire) -> redis.Redis:
    """Return a client like another, whose connections are ours."""
    pool = client.connection_pool
    if getattr(pool, "cache", None) is not None:
        raise unsearchable("client-side caching", "leave cache_config out")
    given = pool.connection_kwargs
    options = {name: given[name] for name in _OWN.split() if name in given}
    made = copy.copy(client)
    made.connection_pool = redis.ConnectionPool(
        connection_class=WireConnection,
        max_connections=pool.max_connections,
        maint_notifications_config=MaintNotificationsConfig(enabled=False),
        driver_info=None,  # nobody is told, and to look up the version takes long
        wire=wire,
        **options,
    )
    made.response_callbacks = type(client.response_callbacks)({})
    dict.update(made.response_callbacks, client.response_callbacks)  # as its own copying, sooner
    made.single_connection_lock = threading.RLock()
    made.connection = made.connection_pool.get_connection() if client.connection else None
    return made

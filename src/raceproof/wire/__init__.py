"""What is particular to a client library, one module each, loaded only when it is met.

A world's field is matched by the library that its class comes from; a field of
no known library (a string, a number) is passed to the clients as it is.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any, cast

from raceproof.wire.adapter import Adapter
from raceproof.wire.clock import Clock

_LIBRARIES = {
    "redis": "raceproof.wire.redis.adapter",
    "couchdb": "raceproof.wire.couch",
    "sqlalchemy": "raceproof.wire.sql",
}


def adapt(store: str, client: Any, clock: Clock) -> Adapter | None:
    """Return the adapter for a service client, or None if it is not one."""
    for cls in type(client).__mro__:
        module = _LIBRARIES.get(cls.__module__.partition(".")[0])
        if module is not None:
            return cast(Adapter, import_module(module).make(store, client, clock))
        custom = getattr(cls, "explore_adapter", None)
        if custom is not None:
            return cast(Adapter, custom(client, store, clock))
    return None

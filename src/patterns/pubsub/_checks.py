"""What a room refuses, before anything is written: clients, names, messages, places."""

from __future__ import annotations

import math
from typing import Any


def check_redis(redis: Any, *, alone: bool) -> None:
    """Raise unless a room can use this client of Redis; `alone`: it keeps the messages too."""
    other = hasattr(redis, "__aenter__") or hasattr(redis, "execute")  # asyncio; a pipeline
    if other or not hasattr(redis, "get_connection_kwargs"):
        raise TypeError(f"redis must be a blocking client, redis.Redis(…), not {type(redis)}")
    lags = getattr(redis, "read_from_replicas", 0) or getattr(redis, "load_balancing_strategy", 0)
    if alone and lags:
        raise ValueError("redis must not read from a cluster's replicas, which may be behind")
    settings = redis.get_connection_kwargs()
    if alone and not settings.get("decode_responses"):
        raise ValueError("redis must decode: make it with redis.Redis(…, decode_responses=True)")
    retry = getattr(redis, "retry", None) or settings.get("retry")
    once_more = settings.get("retry_on_error") or settings.get("retry_on_timeout")
    if alone and (retry.get_retries() if retry else once_more):
        raise ValueError(
            "redis repeats what has no reply (retry, retry_on_error): "
            "XADD would store twice. Make it with redis.Redis(…, retry=Retry(NoBackoff(), 0))"
        )


def check_sql(sql: Any) -> None:
    """Raise unless this is a blocking engine on SQLite or PostgreSQL, with transactions."""
    dialect = getattr(sql, "dialect", None)
    if dialect is None or hasattr(sql, "sync_engine") or not hasattr(sql, "connect"):
        raise TypeError(f"sql must be what sqlalchemy.create_engine(…) makes, not {type(sql)}")
    if dialect.name not in ("sqlite", "postgresql"):
        raise ValueError(f"sql must be on SQLite or PostgreSQL, not {dialect.name}")
    options: Any = getattr(sql, "get_execution_options", dict)()
    level = options.get("isolation_level") or getattr(dialect, "_on_connect_isolation_level", None)
    if str(level).upper() == "AUTOCOMMIT":
        raise ValueError("sql must not be in AUTOCOMMIT: leave isolation_level to the database")


def check_room(name: str, poll: float) -> None:
    """Raise unless a room can have this name, and look again every `poll` seconds."""
    _check_name("name", name)
    _check_seconds("poll", poll, 0.001, 1e9)


def check_message(author: str, text: str, key: str) -> None:
    """Raise unless every database stores these exactly: str, no NUL, no lone surrogates."""
    _check_name("author", author)
    _check_text("text", text)
    _check_name("key", key)


def check_place(after: int, timeout: float = 0) -> None:
    """Raise unless a reader can begin after this number, or 0, and wait this long or for ever."""
    _check_seconds("timeout", timeout)
    if isinstance(after, bool) or not isinstance(after, int):
        raise TypeError(f"after must be the number of a message, not {type(after).__name__}")
    if not 0 <= after < 2**63:
        raise ValueError(f"after must be the number of a message, not {after}")


def _check_text(what: str, value: str) -> None:
    if not isinstance(value, str) or str(value) != value:  # an Enum has two texts
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{what} contains NUL, which PostgreSQL cannot store")
    if any("\ud800" <= char <= "\udfff" for char in value):
        raise ValueError(f"{what} contains a lone surrogate, which UTF-8 cannot encode")


def _check_name(what: str, value: str) -> None:
    _check_text(what, value)
    if not 1 <= len(value) <= 200:  # an index of PostgreSQL holds 2,704 bytes
        raise ValueError(f"{what} must have 1 to 200 characters, not {len(value)}")


def _check_seconds(what: str, value: float, least: float = 0, most: float = math.inf) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} must be a number of seconds, not {type(value).__name__}")
    if not least <= value <= most:  # nor is NaN
        raise ValueError(f"{what} must be {least:g} to {most:g} seconds, not {value}")

"""What a counter refuses, before anything is written: clients, names, hits, times."""

from __future__ import annotations

import math
from reprlib import repr as shown
from typing import Any

LONGEST_NAME = 200  # bytes of UTF-8
LONGEST_KEY = 2_000  # bytes of UTF-8; name and key together must fit PostgreSQL's index entries
LARGEST_HIT = 10**12  # so that a sum cannot leave 64 bits with fewer than 9 million such hits
LATEST = 10**11  # seconds since 1970; a time in milliseconds is beyond it
NO_AUTOCOMMIT = "sql must not be in AUTOCOMMIT: leave isolation_level to the database"


def check_redis(redis: Any) -> None:
    """Raise unless this is a blocking client that decodes replies and repeats no command."""
    if not hasattr(redis, "get_connection_kwargs") or hasattr(redis, "__aenter__"):
        raise TypeError(f"redis must be a blocking client, redis.Redis(…), not {type(redis)}")
    if getattr(redis, "read_from_replicas", 0) or getattr(redis, "load_balancing_strategy", 0):
        raise ValueError("redis must not read from a cluster's replicas, which may be behind")
    settings = redis.get_connection_kwargs()
    if not settings.get("decode_responses"):
        raise ValueError("redis must decode: make it with redis.Redis(…, decode_responses=True)")
    retry = getattr(redis, "retry", None) or settings.get("retry")
    once_more = settings.get("retry_on_error") or settings.get("retry_on_timeout")
    if type(redis).__name__ == "ClusterPipeline" or (retry.get_retries() if retry else once_more):
        raise ValueError(
            "redis repeats what has no reply (retry, retry_on_error; or a cluster's pipeline): "
            "a hit would count twice. Make it with redis.Redis(…, retry=Retry(NoBackoff(), 0))"
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
        raise ValueError(NO_AUTOCOMMIT)


def check_transaction(tx: Any) -> None:
    """Raise if the driver commits each statement by itself, whoever told it to."""
    driver: Any = tx.connection.dbapi_connection
    alone = tx.dialect.name == "postgresql" and driver.autocommit
    if tx.dialect.name == "sqlite":  # autocommit came with Python 3.12; BEGIN may be sent by hand
        alone = hasattr(type(driver), "autocommit") and driver.autocommit is True
        alone = alone or (driver.isolation_level is None and not driver.in_transaction)
    if alone:
        raise ValueError(NO_AUTOCOMMIT)


def check_counter(name: str, period: int, at_once: int = 1) -> None:
    """Raise unless a counter can have this name, this period in seconds, and carry so many hits."""
    _check_text("name", name, LONGEST_NAME)
    if not name or "{" in name or "}" in name:
        raise ValueError(f"name must not be empty nor hold braces, not {shown(name)}")
    _check_int("period", period, 1, LATEST)
    _check_int("at_once", at_once, 1, 10**6)


def check_hit(key: str, by: int) -> None:
    """Raise unless Redis, SQLite and PostgreSQL all store this key exactly, and can add `by`."""
    _check_text("key", key, LONGEST_KEY)
    _check_int("by", by, -LARGEST_HIT, LARGEST_HIT)


def start_of(period: int, at: float) -> int:
    """Return when the period that holds `at` began, or raise; all in seconds since 1970, UTC."""
    if isinstance(at, bool) or not isinstance(at, int | float):
        raise TypeError(f"at must be seconds since 1970, not {type(at).__name__}")
    if not -LATEST < at < LATEST:
        raise ValueError(f"at must be seconds since 1970, not {at} (milliseconds?)")
    return math.floor(at) // period * period


def _check_text(what: str, value: str, longest: int) -> None:
    if not isinstance(value, str) or str(value) != value:  # an Enum has two texts
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    if "\0" in value:
        raise ValueError(f"{what} must not hold NUL: PostgreSQL cannot store it")
    try:
        size = len(value.encode())
    except UnicodeEncodeError:
        raise ValueError(f"{what} must not hold lone surrogates: {shown(value)}") from None
    if size > longest:
        raise ValueError(f"{what} must be at most {longest:,} bytes of UTF-8, not {size:,}")


def _check_int(what: str, value: int, least: int, most: int) -> None:
    if type(value) is not int:  # a bool, an IntEnum: redis-py sends what repr() says of it
        raise TypeError(f"{what} must be an int, not {type(value).__name__}")
    if not least <= value <= most:
        raise ValueError(f"{what} must be within {least:,} and {most:,}, not {value:,}")

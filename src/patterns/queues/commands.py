"""One command, with its reply as Redis sent it."""

from __future__ import annotations

from typing import Any

from redis import Redis
from redis.client import NEVER_DECODE


def raw(redis: Redis, *args: str | bytes | int) -> Any:
    """Send one command; strings in the reply stay bytes.

    What another program wrote into a queue need not be UTF-8, and a client that decodes
    would raise while the job is on its way.
    """
    return redis.execute_command(*args, **{NEVER_DECODE: True})  # type: ignore[no-untyped-call]


def run_script(redis: Redis, script: str, keys: list[str], *args: str | bytes | int) -> Any:
    """Run a Lua script, which Redis does as one step."""
    return raw(redis, "EVAL", script, len(keys), *keys, *args)

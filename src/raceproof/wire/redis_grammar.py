"""What a Redis command is: whether it reads, blocks or runs a script, and which keys it names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from raceproof.trace.command_text import command_text

# Commands that leave the keyspace as it is.
# fmt: off
READS = frozenset((
    "EXISTS", "GET", "GETRANGE", "HEXISTS", "HGET", "HGETALL", "HKEYS", "HLEN", "HMGET",
    "HVALS", "KEYS", "LINDEX", "LLEN", "LPOS", "LRANGE", "MGET", "PTTL", "SCAN", "SCARD",
    "SISMEMBER", "SMEMBERS", "STRLEN", "TTL", "TYPE", "XINFO", "XLEN", "XPENDING", "XRANGE",
    "XREAD", "XREVRANGE", "ZCARD", "ZCOUNT", "ZRANGE", "ZRANGEBYSCORE", "ZRANK", "ZSCORE",
    "TIME", "PING", "ECHO", "DBSIZE",
))
# fmt: on
SCRIPTS = ("EVAL", "EVALSHA", "FCALL")
# Commands of which every argument counts as a key: one too many only costs a little merging.
_ALL_KEYS = frozenset(
    ("DEL", "UNLINK", "RENAME", "LMOVE", "RPOPLPUSH", "BLMOVE", "BRPOPLPUSH", "BRPOP", "BLPOP")
)


def keys_of(name: str, args: tuple[Any, ...]) -> list[str]:
    """Return the keys that a command names."""
    if name in SCRIPTS:
        return [str(key) for key in args[3 : 3 + int(args[2])]]
    if name in _ALL_KEYS:
        return [str(key) for key in args[1:]]
    if name in ("MSET", "MSETNX"):
        return [str(key) for key in args[1::2]]
    if name in ("XREAD", "XREADGROUP"):
        names = [arg.decode() if isinstance(arg, bytes) else str(arg) for arg in args]
        after = names[[name.upper() for name in names].index("STREAMS") + 1 :]
        return after[: len(after) // 2]
    return [str(args[1])] if len(args) > 1 else []


def block_of(args: tuple[Any, ...]) -> float | None:
    """Return the milliseconds after BLOCK in XREAD and XREADGROUP, None if they do not block."""
    words = [arg.decode() if isinstance(arg, bytes) else str(arg) for arg in args]
    for word, value in zip(words, args[1:], strict=False):
        if word.upper() == "BLOCK":
            return float(value)
        if word.upper() == "STREAMS":
            break
    return None


def _without_block(args: tuple[Any, ...]) -> tuple[Any, ...]:
    names = [arg.decode() if isinstance(arg, bytes) else str(arg) for arg in args]
    at = [name.upper() for name in names].index("BLOCK") if block_of(args) is not None else None
    return args if at is None else (*args[:at], *args[at + 2 :])


def timeout_of(name: str, args: tuple[Any, ...]) -> float | None:
    """Return for how many seconds a blocking command waits, None for ever."""
    if name in ("XREAD", "XREADGROUP"):
        seconds = (block_of(args) or 0.0) / 1000
    else:
        seconds = float(args[1] if name in ("BLMPOP", "BZMPOP") else args[-1])
    return seconds or None


# Blocking commands and how each is asked without blocking.
BLOCKING: dict[str, Callable[[tuple[Any, ...]], tuple[Any, ...]]] = {
    "BLPOP": lambda args: args,
    "BRPOP": lambda args: args,
    "BLMOVE": lambda args: ("LMOVE", *args[1:-1]),
    "BRPOPLPUSH": lambda args: ("RPOPLPUSH", *args[1:-1]),
    "XREAD": _without_block,
    "XREADGROUP": _without_block,
}
WAITING = frozenset(BLOCKING)


def words_of(args: tuple[Any, ...]) -> str:
    """Return a command as it would be typed, a script by the comment in its first line."""
    if str(args[0]).upper() != "EVAL":
        return command_text(args)
    first = str(args[1]).strip().splitlines()[0]
    name = first.removeprefix("--").strip() if first.startswith("--") else "a script"
    return f"EVAL ⟨{name}⟩ {command_text(args[3:])}"

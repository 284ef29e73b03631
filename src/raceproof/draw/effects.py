"""Whether a step changes what is stored: a filled dot in the diagram, or a ring."""

from __future__ import annotations

import re

from raceproof.trace.redis_commands import command_of
from raceproof.trace.steps import Step

_ASKS = re.compile(  # of SQL, of CouchDB, and of the search's own services
    r"(SELECT|BEGIN|HEAD|what|next|read)\b|POST \S*_(view|all_docs|find|revs_diff|bulk_get)\b",
    re.IGNORECASE,
)
_NOTHING = re.compile(r"\(nil\)|\(error\)|4\d\d\b|\w+Error: ")
# What these remove, add or set where they do so only under a condition; they answer how often.
# fmt: off
_COUNTED = frozenset((
    "COPY", "DEL", "EXPIRE", "EXPIREAT", "HDEL", "HSETNX", "LREM", "MOVE", "MSETNX", "PERSIST",
    "PEXPIRE", "PEXPIREAT", "RENAMENX", "SADD", "SETNX", "SMOVE", "SREM", "UNLINK", "XACK",
    "XDEL", "ZREM",
))
# fmt: on


def changes(step: Step) -> bool:
    """Return whether a step changed what is stored: as the search saw it, or by its words.

    Words cannot tell whether `SET x 1` found another value in `x`: it counts as a change.
    """
    if step.changed is not None:
        return step.changed
    if (
        step.call.split(" ", 1)[0].upper().endswith("SUBSCRIBE")
    ):  # sent; a later step says that it takes effect
        return bool(step.reply) or step.fate == "subscribed"
    if step.fate in ("timed-out", "crash-before", "request-lost"):
        return False
    return any(_changes(call, step.reply) for call in _calls(step.call))


def _calls(text: str) -> list[str]:
    """Return the calls of a step: a transaction has several, and changes nothing if rolled back."""
    calls = text.split("; ")
    return [] if calls[-1].upper() == "ROLLBACK" else calls


def _changes(call: str, reply: str) -> bool:
    if _ASKS.match(call):
        return False
    words = call.split(" ")
    command = command_of(words)
    if command is None:  # of another service, or unknown
        return _NOTHING.match(reply) is None
    if command.runs_script:
        return not command.reads  # it may have changed much before it failed
    if command.name in _COUNTED and reply == "(integer) 0":
        return False
    old_value = command.name == "GETSET" or (command.name == "SET" and "GET" in words[3:])
    refused = _NOTHING.match(reply) and not (old_value and reply == "(nil)")
    return (command.writes or command.publishes) and not refused

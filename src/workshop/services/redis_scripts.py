"""Lua scripts on somebody else's Redis: they reach what is ours, and they end.

A script can name keys that are not in KEYS, and a loop of its that does not end holds up everybody:
once it has written, only SHUTDOWN ends it. So a prelude on its first line puts other functions in
place of `redis.call` and `redis.pcall`, and every loop and function counts its rounds.
"""

from __future__ import annotations

import hashlib
import re
from importlib import resources
from typing import AnyStr

MOST = 2_000_000  # rounds of loops in one run of a script, a part of a second; a command is 20
REFUSAL = "is refused on a server that this run did not start"

_LUA = resources.files(__package__).joinpath("redis_scripts.lua").read_text("utf-8")
_BODY = " ".join(line for line in _LUA.splitlines() if not line.startswith("--"))
_NAMES = "local redis, btp_round, load, btp_reply = "
_GIVEN = f"(redis, table.remove(ARGV), '{REFUSAL}', {MOST}) "
_BEGIN = "local loadstring = load return btp_reply((function() "
_PRELUDE = f"{_NAMES}({_BODY}){_GIVEN}{_BEGIN}".encode()
_END = b"\nend)())"
_FLAGS = re.compile(rb"#![^\n]*\n")
_WORDS = re.compile(
    rb"""--\[(=*)\[.*?\]\1\] | --[^\n]* | \[(=*)\[.*?\]\2\]
    | '(?:\\.|[^'\\])*' | "(?:\\.|[^"\\])*"
    | \b(?:do|repeat)\b | \bfunction\b[\w\s.:]*\([\w\s,.]*\)""",
    re.DOTALL | re.VERBOSE,
)
_BEGINS = re.compile(rb"do|repeat|function")
_SHA = re.compile("[0-9a-f]{40}")
_REFUSED = re.compile(f"Redis: .* {REFUSAL}", re.DOTALL)


class PrefixedScripts:
    """The scripts of one space, as they are sent; a client hears of them as it gave them."""

    def __init__(self) -> None:
        self._sent: dict[str, str] = {}  # a script's digest -> that of what was sent instead
        self._given: dict[str, str] = {}

    def source(self, script: bytes) -> bytes:
        """The script to send instead of the one given."""
        flags = _FLAGS.match(script)
        at = flags.end() if flags else 0
        sent = script[:at] + _PRELUDE + _WORDS.sub(_counted, script[at:]) + _END
        given, instead = (hashlib.sha1(one, usedforsecurity=False) for one in (script, sent))
        self._sent[given.hexdigest()] = instead.hexdigest()
        self._given[instead.hexdigest()] = given.hexdigest()
        return sent

    def digest(self, given: bytes) -> bytes:
        """The digest to send instead; of a script that was not sent from here: one of none."""
        found = self._sent.get(given.decode(errors="replace").lower(), "f" * 40)
        return found.encode()

    def given(self, reply: AnyStr) -> AnyStr:
        """A reply; instead of the digest of a script as it was sent, that of the one given."""
        if len(reply) != 40:
            return reply
        if isinstance(reply, str):
            return self._given.get(reply, reply)
        text = reply.decode("latin-1")
        return self._given.get(text, text).encode("latin-1")

    def heard(self, told: object) -> object:
        """A part of an error, which names scripts by the digests of those that were given."""
        if not isinstance(told, str):
            return told
        return _SHA.sub(lambda found: self._given.get(found[0], found[0]), told)


def refused(text: str) -> str | None:
    """What a script's error says, if it is a refusal of ours."""
    found = _REFUSED.search(text)
    return found[0] if found else None


def _counted(found: re.Match[bytes]) -> bytes:
    counted = _BEGINS.match(found[0])
    return found[0] + b" btp_round() " if counted else found[0]

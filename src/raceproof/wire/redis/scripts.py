"""Lua scripts: which are loaded, and time and chance inside them.

What is loaded is the world's own record, since a server keeps its scripts from one world to the
next; the server itself is always sent the whole script. Before it, on its first line, comes a
prelude that puts other functions in place of `redis.call` and `redis.pcall`: time is the world's,
and what cannot be searched is refused.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from importlib import resources
from typing import Any

import redis

from raceproof.wire.calls import Unsearchable
from raceproof.wire.clock import Clock
from raceproof.wire.redis.commands import (
    CHANCE,
    READS,
    SCANS,
    WRITES,
    Args,
    name_of,
    sha_of,
    unsearchable,
)
from raceproof.wire.redis.expiry import ASKS, EXPIRES, FAR, OPTIONS, SETS, UNITS, seconds_and_micros
from raceproof.wire.redis.outsiders import outsiders_hear
from raceproof.wire.redis.streams import BEGIN, REAL, STRETCH

_MARK = "raceproof refuses"
_INSIDE = READS | WRITES | set(CHANCE) | {"PUBLISH", "SPUBLISH", "TIME", "PING", "ECHO"}
_INSIDE |= {"BLPOP", "BRPOP", "BLMOVE", "BRPOPLPUSH", "BLMPOP", "BZPOPMIN", "BZPOPMAX", "BZMPOP"}
_LOADS = ("EVAL", "EVAL_RO")
_WORDS = {name.partition(" ")[0] for name in _INSIDE}


def _lua(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{key}={_lua(item)}" for key, item in value.items()) + "}"
    if isinstance(value, tuple | list):
        return "{" + ",".join(_lua(item) for item in value) + "}"
    return str(value) if isinstance(value, int) else f"'{value}'"


_LUA = resources.files(__package__).joinpath("prelude.lua").read_text("utf-8")
_ONE_LINE = " ".join(line for line in _LUA.splitlines() if not line.startswith("--"))
_TABLES = (EXPIRES, ASKS, OPTIONS, UNITS, SETS, CHANCE)
_NAMES = (dict.fromkeys(SCANS, True), dict.fromkeys(sorted(_WORDS), True))
_GIVEN: tuple[object, ...] = (FAR, BEGIN, STRETCH, REAL, _MARK, *_TABLES, *_NAMES)
_ARGUMENTS = ", ".join(["redis", *map(_lua, _GIVEN)])
_LOCAL = "local redis, pcall, xpcall, coroutine, _G, load, loadstring, getfenv, setfenv, os"
PRELUDE = f"{_LOCAL} = ({_ONE_LINE})({_ARGUMENTS}) math.randomseed(0) ".encode()
# On fakeredis, which runs Lua in this process: ends a script, whatever it does to go on.
_MOST = 20_000_000  # instructions of Lua, a tenth of a second
_BOUNDED = f"""return (function(body)
 local function run() local reply = {{pcall(body)}} debug.sethook() return reply end
 local function over()
  debug.sethook(over, '', 1)
  if debug.getinfo(2, 'f').func ~= run then error('{_MARK} endless', 0) end
 end
 debug.sethook(over, '', {_MOST})
 local reply = run()
 if not reply[1] then error(reply[2], 0) end
 return unpack(reply, 2)
end)(function() """.replace("\n", " ").encode()


class Scripts:
    """The scripts that are loaded in one world."""

    def __init__(self) -> None:
        self._loaded: dict[bytes, bytes] = {}  # those that are loaded now
        self._met: dict[bytes, bytes] = {}  # those that ever were

    def snapshot(self) -> Hashable:
        """Return the digests of the loaded scripts, sorted."""
        return tuple(sorted(self._loaded))

    def put_back(self, digests: Sequence[bytes]) -> bool:
        """Load just these; False: one of them was never seen here."""
        if not all(sha in self._met for sha in digests):
            return False
        self._loaded = {sha: self._met[sha] for sha in digests}
        return True

    def tell(self, name: str, args: Args, reply: Any) -> Any:
        """Return the reply to SCRIPT LOAD, which the server has taken or not, EXISTS or FLUSH."""
        if name == "SCRIPT FLUSH":
            self._loaded.clear()
            return b"OK"
        if name == "SCRIPT LOAD":
            return reply if isinstance(reply, redis.ResponseError) else self._load(args[2])
        return [int(sha.lower() in self._loaded) for sha in args[2:]]

    def ran(self, script: bytes, reply: Any) -> None:
        """Note that the server has loaded a script, unless it says that it is none."""
        if not (isinstance(reply, redis.ResponseError) and "compiling script" in str(reply)):
            self._load(script)

    def whole(self, name: str, args: Args, before: Sequence[Args] = ()) -> Args | None:
        """Return EVALSHA as EVAL, None if its script is not there.

        `before`: the requests before it in its transaction, one of which may load it.
        """
        if name.startswith("EVALSHA"):
            sent = {sha_of(other[1]): other[1] for other in before if name_of(other) in _LOADS}
            script = (sent | self._loaded).get(args[1].lower())
            if script is None:
                return None
        else:
            script = args[1]
        return (b"EVAL_RO" if name.endswith("_RO") else b"EVAL", script, *args[2:])

    def _load(self, script: bytes) -> bytes:
        sha = sha_of(script)
        self._loaded[sha] = self._met[sha] = script
        return sha


def with_prelude(args: Args, clock: Clock, start: int, *, bounded: bool, alone: bool) -> Args:
    """Return an EVAL as it is sent, in a world that began at `start` (ms).

    `alone`: nobody in the world subscribes to a pattern, so one that hears it is an outsider's.
    """
    if args[1].startswith(b"#!"):
        raise Unsearchable("a script with a #! line cannot be searched: leave the line out")
    script = PRELUDE + args[1]
    if bounded:  # around it all: by another pcall than the script's, which lets a refusal through
        script = _BOUNDED + script + b"\nend)"
    world = (*seconds_and_micros(clock), b"%d" % start, b"%d" % alone)
    return (args[0], script, *args[2:], *world)


def look_for_refusal(error: BaseException, sent: bytes, script: bytes) -> None:
    """Raise Unsearchable where the prelude refused; else the error names the script's own sha."""
    text = str(error)
    if _MARK in text:
        what = text.split(_MARK)[1].split()[0].strip("'\".,:")
        if what == "outsiders":
            raise outsiders_hear()
        if what == "endless":
            raise Unsearchable(
                f"a Lua script runs for more than {_MOST:,} instructions: it cannot be searched"
            )
        raise unsearchable(f"{what} in a script")
    error.args = (text.replace(sha_of(sent).decode(), sha_of(script).decode()),)

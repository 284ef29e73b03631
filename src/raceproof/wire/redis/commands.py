"""What each Redis command is: whether it reads, writes or waits, and which cannot be searched.

That is the server's own word (trace/redis_commands.py), but for commands of chance and those
that reach beyond the world. PFCOUNT is with those that write, since it keeps what it has counted
in its key. What is in no list here is refused by name.
"""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache

from raceproof.trace.command_text import command_text
from raceproof.trace.redis_commands import COMMANDS
from raceproof.wire.calls import Unsearchable

Args = tuple[bytes, ...]  # a request: a command's words, as they are sent


def _names(words: str) -> frozenset[str]:
    return frozenset(word.replace("|", " ") for word in words.split())


# Chance: searched where there is nothing to choose, which these commands tell.
CHANCE = {"SPOP": "SCARD", "SRANDMEMBER": "SCARD", "HRANDFIELD": "HLEN", "ZRANDMEMBER": "ZCARD"}
CHANCE |= {"RANDOMKEY": "DBSIZE"}
_BEYOND = _names("FLUSHALL FLUSHDB MIGRATE MOVE SWAPDB RESTORE RESTORE-ASKING PFDEBUG DUMP LOLWUT")
_TELL = _names("XINFO|CONSUMERS OBJECT|ENCODING OBJECT|FREQ OBJECT|IDLETIME OBJECT|REFCOUNT")
_TELL |= {"MEMORY USAGE"}  # what no world decides
_SEARCHED = {
    name: command
    for name, command in COMMANDS.items()
    if name not in _BEYOND | _TELL | set(CHANCE)
    and not command.runs_script
    and not name.startswith(("FUNCTION", "V"))
}
READS = {n for n, c in _SEARCHED.items() if c.reads} - {"PFCOUNT"}
WRITES = {n for n, c in _SEARCHED.items() if c.writes} | {"PFCOUNT"}
# Those that wait, and where each says for how long (XREAD and XREADGROUP: after BLOCK).
BLOCKING = {"BLMOVE": -1, "BLPOP": -1, "BRPOP": -1, "BRPOPLPUSH": -1, "BZPOPMAX": -1}
BLOCKING |= {"BZPOPMIN": -1, "BLMPOP": 1, "BZMPOP": 1, "XREAD": 0, "XREADGROUP": 0}
SCRIPTS = _names("EVAL EVALSHA EVAL_RO EVALSHA_RO")
PUBLISHES = {"PUBLISH", "SPUBLISH"}
SUBSCRIBES = _names("SUBSCRIBE PSUBSCRIBE SSUBSCRIBE UNSUBSCRIBE PUNSUBSCRIBE SUNSUBSCRIBE")
# What tells, and changes nothing but what belongs to the connection.
OTHERS = _names("""
PING ECHO TIME SELECT PUBSUB|CHANNELS PUBSUB|NUMSUB PUBSUB|NUMPAT PUBSUB|SHARDCHANNELS
PUBSUB|SHARDNUMSUB SCRIPT|LOAD SCRIPT|EXISTS SCRIPT|FLUSH CLIENT|SETNAME CLIENT|GETNAME
CLIENT|SETINFO CLIENT|INFO INFO""")
# What leaves everything as it is, for everybody.
QUIET = READS | {"PING", "ECHO", "TIME", "SELECT", "SCRIPT EXISTS", "CLIENT GETNAME"}
QUIET |= {"PUBSUB CHANNELS", "PUBSUB NUMSUB", "PUBSUB NUMPAT", "CLIENT SETINFO", "CLIENT INFO"}
QUIET |= {"INFO"}
SCANS = {"SCAN": 1, "SSCAN": 2, "HSCAN": 2, "ZSCAN": 2}  # and where the cursor stands
SEARCHED = READS | WRITES | PUBLISHES | SCRIPTS | OTHERS | set(BLOCKING) | set(CHANCE)

_FAR = "it reaches beyond the world"
_INSTEAD = {
    **dict.fromkeys(("FLUSHDB", "FLUSHALL", "SWAPDB", "MOVE", "MONITOR", "SELECT"), _FAR),
    **dict.fromkeys(("CONFIG SET", "CLIENT KILL", "CLIENT PAUSE", "SHUTDOWN"), _FAR),
    **dict.fromkeys(("FUNCTION LOAD", "FCALL", "FCALL_RO"), "use EVAL"),
    "WAIT": "a world has no replicas",
    "XINFO CONSUMERS": "it tells the real time; use XINFO GROUPS or XPENDING",
    "COPY": "DB reaches beyond the world",
    "INFO": "it tells of the machine and of the real time; INFO server tells the version",
    "CLIENT LIST": "it tells of the machine; CLIENT INFO tells a connection's own name",
    "XINFO STREAM": "FULL tells the real time; use XINFO GROUPS and XPENDING",
}
_CONTAINERS = {name.partition(" ")[0] for name in COMMANDS if " " in name}


def name_of(args: Args) -> str:
    """Return a command's name in capitals, with its subcommand where it has one."""
    name = _word(args[0])
    return f"{name} {_word(args[1])}" if name in _CONTAINERS and len(args) > 1 else name


def refuse_unknown(args: Args) -> None:
    """Raise Unsearchable for a command whose outcome the search cannot have right."""
    name = name_of(args)
    word = {"COPY": "DB", "XINFO STREAM": "FULL"}.get(name)
    if word is not None and word in map(_word, args[2:]):
        raise unsearchable(name)
    if name == "XREADGROUP" and option(args, b"CLAIM", 4, b"STREAMS") is not None:
        raise unsearchable("XREADGROUP with CLAIM", "use XAUTOCLAIM")
    if name == "INFO" and [_word(arg) for arg in args[1:]] != ["SERVER"]:
        raise unsearchable(name)
    if name not in SEARCHED and name not in SUBSCRIBES:
        raise unsearchable(name)


def unsearchable(name: str, instead: str = "") -> Unsearchable:
    """Return the refusal of a command, with what to do instead."""
    instead = instead or _INSTEAD.get(name, "")
    return Unsearchable(f"{name} cannot be searched" + (f": {instead}" if instead else ""))


def timeout_of(args: Args) -> float | None:
    """Return for how many seconds a command waits: None if it does not, 0 for ever."""
    name = name_of(args)
    if name in ("XREAD", "XREADGROUP"):
        at = option(args, b"BLOCK", stop=b"STREAMS")
        return None if at is None else _number(args[at + 1]) / 1000
    at = BLOCKING.get(name)
    return None if at is None or len(args) < 2 else _number(args[at])


def publishes(args: Args) -> bool:
    """Return whether a command's reply is a number of receivers."""
    return name_of(args) in PUBLISHES


def waits_for_several(args: Args) -> bool:
    """Return whether a command that waits does so for more than one key."""
    name = name_of(args)
    if name in ("XREAD", "XREADGROUP"):
        return len(streams_of(args)[0]) > 1
    if name in ("BLMPOP", "BZMPOP"):
        return args[2] != b"1"
    return not name.startswith(("BLMOVE", "BRPOPLPUSH")) and len(args) > 3


def option(args: Args, word: bytes, start: int = 1, stop: bytes = b"") -> int | None:
    """Return where an option stands that has a value, None if it does not before `stop`."""
    for at in range(start, len(args) - 1):
        if args[at].upper() == stop:
            return None
        if args[at].upper() == word:
            return at
    return None


def streams_of(args: Args) -> tuple[Args, Args]:
    """Return the streams that XREAD or XREADGROUP names, and after which entry of each."""
    at = option(args, b"STREAMS")
    after = args[at + 1 :] if at is not None else ()
    return after[: len(after) // 2], after[len(after) // 2 :]


def words_of(args: Args) -> str:
    """Return a command as it would be typed, a script by the comment in its first line."""
    name = name_of(args)
    if name in ("SCRIPT LOAD", "EVAL", "EVAL_RO"):
        rest = args[2:] if name == "SCRIPT LOAD" else args[3:]
        script = args[2] if name == "SCRIPT LOAD" else args[1]
        return f"{name} {script_name(script)} {command_text(rest)}".strip()
    return command_text(args)


@lru_cache(maxsize=100)
def sha_of(script: bytes) -> bytes:
    """Return the digest by which EVALSHA names a script."""
    return hashlib.sha1(script, usedforsecurity=False).hexdigest().encode()


@lru_cache(maxsize=100)
def script_name(script: bytes) -> str:
    """Return a script as a word: the comment in its first line, if it has one."""
    first = script.decode("utf-8", "backslashreplace").strip().splitlines()[:1] or [""]
    name = first[0].removeprefix("--").strip() if first[0].startswith("--") else "a script"
    return f"⟨{name}⟩"


_CALLS = re.compile(rb"\bp?call\b")
_NAMED = re.compile(rb"""\bp?call\s*\(\s*(?:'[^'\\]*'|"[^"\\]*")\s*[,)]""")


@lru_cache(maxsize=1000)
def says(what: re.Pattern[bytes], word: bytes) -> bool:
    """Return whether a word of a request, which may be a script, names something."""
    return bool(what.search(word))


@lru_cache(maxsize=1000)
def may_call(what: re.Pattern[bytes], script: bytes) -> bool:
    """Return whether a script may call what is named: also where it does not say what it calls."""
    return says(what, script) or len(_CALLS.findall(script)) > len(_NAMED.findall(script))


@lru_cache(maxsize=1000)
def _word(arg: bytes) -> str:
    return arg.decode("ascii", "backslashreplace").upper()


def _number(arg: bytes) -> float:
    try:
        return max(0.0, float(arg))
    except ValueError:
        return 0.0

"""Programs on which the search and the enumeration once disagreed, shrunk; and who was right.

Each is a program with the servers to try it on; `test_agreement.py` runs them all.
"""

from __future__ import annotations

from tests.raceproof.fuzz.found_sql import FOUND_SQL
from tests.raceproof.fuzz.programs import (
    Cmd,
    Next,
    Now,
    Pipe,
    Program,
    Script,
    Subscribe,
    Sum,
    Watch,
)

REDIS = ("fakeredis", "redis-server")
_INCR = "return redis.call('INCR', KEYS[1])"
_PUSH = "redis.call('RPUSH', KEYS[2], ARGV[1]) return redis.call('LRANGE', KEYS[2], 0, -1)"
FOUND: dict[str, tuple[Program, tuple[str, ...]]] = {
    **FOUND_SQL,
    # The search was wrong: a reply that may be lost made "nobody can move" untrue, and the
    # deadlock of the schedule in which none is lost was not seen.
    "a lost reply hides a deadlock": (
        Program({"a": (Cmd(("BLPOP", "x", 0)),)}, bounds={"lost_replies": 1}),
        REDIS,
    ),
    # The search was wrong: RESP3 replies of fakeredis have bytes where RESP2 has text.
    "consumer groups on RESP3": (
        Program(
            {"a": (Cmd(("XREADGROUP", "GROUP", "g", "c", "COUNT", "1", "STREAMS", "k", ">")),)},
            setup=(("XADD", "k", "999000-1", "f", "x"), ("XGROUP", "CREATE", "k", "g", "0")),
            options={"protocol": 3},
        ),
        REDIS,
    ),
    # The enumeration was wrong: fakeredis's own client drops its `retry`.
    "a retry after a lost reply": (
        Program(
            {"a": (Cmd(("RPUSH", "k", "x")),)},
            bounds={"lost_replies": 1},
            options={"retries": 2},
        ),
        REDIS,
    ),
    # The search was wrong: what a MULTI sets to expire did so by the server's clock.
    "expiry set in MULTI": (
        Program(
            {"a": (Pipe((Cmd(("SET", "k", "x", "EX", "10")), Cmd(("RENAME", "k", "l")))),)},
            ticks=(5.0, 5.0),
        ),
        REDIS,
    ),
    # The enumeration was wrong: `*` is resolved when the entry is added, not when it is asked for.
    "an entry after a tick": (
        Program({"a": (Cmd(("XADD", "k", "*", "f", "x")),)}, ticks=(10.0,)),
        REDIS,
    ),
    "the usual WATCH loop, one lost reply": (
        Program(
            {"a": (Watch(("n",), (Cmd(("GET", "n")),), (Cmd(("SET", "n", Sum(0))),), 2),)},
            bounds={"lost_replies": 1},
        ),
        REDIS,
    ),
    # The search was wrong: to look for a message, without waiting, was a wait with a time-out.
    "two looks for a message": (
        Program(
            {
                "a": (Subscribe(("c",)), Next(0.0), Next(0.0)),
                "b": (Cmd(("PUBLISH", "c", "m")),),
            },
        ),
        REDIS,
    ),
    # The search was wrong: one that waited was never late, and took nothing from the server.
    "one that waits is late": (
        Program(
            {
                "a": (Cmd(("BLPOP", "k", "0"), note=True),),
                "b": (Cmd(("RPUSH", "k", "x"), note=True), Cmd(("LLEN", "k"), note=True)),
            },
            bounds={"lost_replies": 1, "late": 1},
        ),
        REDIS,
    ),
    # The search was wrong: whoever reads the clock sends nothing that could be late.
    "the clock is never late": (
        Program({"a": (Now(), Cmd(("GET", "k")))}, bounds={"crashes": 1, "late": 1}),
        REDIS,
    ),
    # The search was wrong: what was set to expire in the past stayed until the server found it.
    "set to expire in the past": (
        Program({"a": (Cmd(("SET", "k", "x", "EXAT", "990")), Cmd(("DBSIZE",)))}),
        REDIS,
    ),
    "set to expire in the past by a script": (
        Program(
            {
                "a": (
                    Cmd(("EVAL", "redis.call('SET', KEYS[1], 1, 'EXAT', ARGV[1])", 1, "k", "990")),
                    Cmd(("DBSIZE",)),
                    Cmd(("EVAL", "redis.call('SET', KEYS[1], 1, 'PXAT', ARGV[1])", 1, "l", "990")),
                    Cmd(("DBSIZE",)),
                )
            }
        ),
        REDIS,
    ),
    # The enumeration was wrong: on fakeredis, a list that LMPOP has emptied is still one.
    "INCR of a list that LMPOP has emptied": (
        Program(
            {
                "a": (Cmd(("EVAL", "return redis.pcall('INCR', KEYS[1])", "1", "k"), note=True),),
                "b": (Cmd(("LMPOP", "2", "k", "l", "LEFT"), note=True),),
            },
            setup=(("RPUSH", "k", "x"),),
        ),
        REDIS,
    ),
    # The search was wrong: it remembered that a field of a hash had had an expiry.
    "a field without expiry again": (
        Program(
            {
                "a": (Cmd(("HINCRBY", "k", "f", "1")),),
                "b": (Cmd(("HSETEX", "k", "FNX", "PX", "5000", "FIELDS", "1", "g", "1")),),
            },
            ticks=(11.0,),
        ),
        REDIS[1:],
    ),
    # The search was wrong: fakeredis says that there is nothing, and yet hands an entry out.
    "an entry for a group, by one that waits": (
        Program(
            {
                "a": (Cmd(("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "k", ">")),),
                "b": (Cmd(("XADD", "k", "*", "g", "x")),),
            },
            setup=(("XADD", "k", "999000-1", "f", "x"), ("XGROUP", "CREATE", "k", "g", "0")),
        ),
        REDIS,
    ),
    # The enumeration hung: fakeredis blocks for an entry that is there, if it comes late, too.
    "an entry for a group, by one that waits, late": (
        Program(
            {
                "a": (Cmd(("XREADGROUP", "GROUP", "g", "c", "BLOCK", "0", "STREAMS", "k", ">")),),
                "b": (Cmd(("XREADGROUP", "GROUP", "g", "d", "STREAMS", "k", ">")),),
            },
            setup=(("XADD", "k", "999000-1", "f", "x"), ("XGROUP", "CREATE", "k", "g", "0")),
            bounds={"crashes": 1, "late": 1},
        ),
        REDIS,
    ),
    # The enumeration was wrong: what is subscribed to anew goes with a new connection, as no step.
    "a connection to a channel breaks": (
        Program({"a": (Subscribe(("c",)), Next(None))}, bounds={"lost_replies": 1}),
        REDIS,
    ),
    # The enumeration was wrong: a late UNWATCH arrives like others; a late EXEC is under its WATCH.
    "a late request under WATCH": (
        Program(
            {
                "a": (Watch(("k",), (Cmd(("GET", "k")),), (Cmd(("INCR", "k")),)),),
                "b": (Cmd(("SET", "k", "7")),),
            },
            bounds={"crashes": 1, "late": 1},
        ),
        REDIS,
    ),
    # The search was wrong: two late requests that are equal were told in the words of the first,
    # and its replay found those of the other: EVALSHA, or the script's name, once it is known.
    "a late script, before its name is known and after": (
        Program(
            {
                "a": (
                    Cmd(("LPUSH", "k", "2"), note=True),
                    Cmd(("EVAL", _INCR, "2", "k", "l", "1"), note=True),
                    Pipe((Cmd(("LINDEX", "l", "0")),), multi=True),
                    Script(_PUSH, ("k", "l"), ("1",)),
                ),
                "b": (Script(_INCR, ("k", "l"), ("x",)),),
            },
            bounds={"crashes": 1, "late": 1},
        ),
        REDIS,
    ),
    # The search was wrong: who died right after SUBSCRIBE stayed subscribed.
    "a message between a subscription and its effect": (
        Program(
            {"a": (Subscribe(("c",)), Next(1.0)), "b": (Cmd(("PUBLISH", "c", "m")),)},
            bounds={"crashes": 1},
        ),
        REDIS,
    ),
}

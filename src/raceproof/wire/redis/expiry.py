"""Time in commands: what expires, and what asks when, goes by the world's clock.

A key of a world expires at FAR plus the world's time: so late that the server never removes it.
It goes when the world's clock gets there. Every command that sets an expiry is sent as the one
that sets it to a moment, and every command that asks for one as the one that asks for the moment.
The tables are used for commands here, and for those in scripts (scripts.py).
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Any

from raceproof.wire.clock import Clock
from raceproof.wire.redis.commands import SCRIPTS, Args, name_of

PAST = b"1"  # ms since 1970
FAR = 4_000_000_000_000  # ms since 1970, in the year 2096

# The command that is sent instead, ms in a unit, and whether it counts from now.
EXPIRES = {
    f"{of}{p}EXPIRE{at}": (f"{of}PEXPIREAT", 1 if p else 1000, not at)
    for of in ("", "H")
    for p in ("", "P")
    for at in ("", "AT")
}
# The command that is sent instead, ms in a unit, whether it counts from now, what it rounds up.
ASKS = {
    **{f"{p}TTL": ("PEXPIRETIME", 1 if p else 1000, True, 500) for p in ("", "P")},
    **{f"{p}EXPIRETIME": ("PEXPIRETIME", 1 if p else 1000, False, 500) for p in ("", "P")},
    **{f"H{p}TTL": ("HPEXPIRETIME", 1 if p else 1000, True, 999) for p in ("", "P")},
    **{f"H{p}EXPIRETIME": ("HPEXPIRETIME", 1 if p else 1000, False, 999) for p in ("", "P")},
}
# From which word on a command may have one of the options EX, PX, EXAT, PXAT.
OPTIONS = {"SET": 3, "GETEX": 2, "HGETEX": 2, "HSETEX": 2}
UNITS = {"EX": (1000, True), "PX": (1, True), "EXAT": (1000, False), "PXAT": (1, False)}
SETS = {"SETEX": 1000, "PSETEX": 1}
_STAMPED = ("TIME", "XADD", "XCLAIM", "XAUTOCLAIM", "XPENDING")
FIELDS = frozenset(("HSETEX", "HGETEX", *(name for name in EXPIRES if name.startswith("H"))))


def now_ms(clock: Clock) -> int:
    """Return the world's time in ms."""
    return round(clock.now * 1000)


def asked_for(found: int, clock: Clock, *, up: bool) -> int:
    """Return how many ms were probably asked for when so many are left (`up`), or have gone by.

    The roundest that can be: it was asked for since the world began to be made, which may be long
    ago on a busy machine.
    """
    since = 1000 * (monotonic() - clock.began) + 1
    for grain in (10_000, 1000, 500, 100, 50, 10):
        asked = -(-found // grain) * grain if up else found // grain * grain
        if abs(asked - found) <= since and (asked > 0 or not up):
            return asked
    return max(1, found)


def seconds_and_micros(clock: Clock) -> list[bytes]:
    """Return the reply to TIME."""
    seconds, micros = divmod(round(clock.now * 1_000_000), 1_000_000)
    return [b"%d" % seconds, b"%d" % micros]


def depends_on_time(args: Args) -> bool:
    """Return whether what is sent in place of a command, or its reply, says what time it is."""
    name = name_of(args)
    return name in SCRIPTS or name in _STAMPED or timed(args, 0) != (args, None)


def timed(args: Args, now: int) -> tuple[Args, Callable[[Any], Any] | None]:
    """Return the command to send instead, and what makes its reply the one that was asked for."""
    name = name_of(args)
    if name in EXPIRES and len(args) > 2:
        instead, unit, counts = EXPIRES[name]
        return (instead.encode(), args[1], _moment(args[2], unit, counts, now), *args[3:]), None
    if name in SETS and len(args) == 4 and _moment(args[2], 1, False, 0) not in (args[2], b"1"):
        when = _moment(args[2], SETS[name], True, now)
        return (b"SET", args[1], args[3], b"PXAT", when), None
    if name in ASKS:
        instead, unit, counts, up = ASKS[name]
        return (instead.encode(), *args[1:]), lambda reply: _left(reply, unit, counts, up, now)
    if name in OPTIONS:
        for at in range(OPTIONS[name], len(args) - 1):
            word = args[at].upper().decode("ascii", "replace")
            if word == "FIELDS":
                break
            if word in UNITS:
                unit, counts = UNITS[word]
                if args[at + 1].startswith((b"-", b"0")):  # the server refuses it
                    break
                when = _moment(args[at + 1], unit, counts, now)
                return (*args[:at], b"PXAT", when, *args[at + 2 :]), None
    return args, None


def _moment(value: bytes, unit: int, counts: bool, now: int) -> bytes:
    """Return a moment for the server: FAR, or long past; what is no number stays as it is."""
    try:
        when = int(value) * unit + (now if counts else 0)
    except ValueError:
        return value
    return b"%d" % (FAR + when) if when > now else PAST


def _left(reply: Any, unit: int, counts: bool, up: int, now: int) -> Any:
    if isinstance(reply, list):
        return [_left(item, unit, counts, up, now) for item in reply]
    if not isinstance(reply, int) or reply < 0:
        return reply
    left = reply - FAR - (now if counts else 0)
    return left if unit == 1 else (left + up) // unit

"""Requests as calls of the search: what each says, waits for and leaves on the server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from raceproof.trace.command_text import command_text
from raceproof.trace.script_names import note_script
from raceproof.wire.calls import Ask, Call, Unsearchable
from raceproof.wire.redis.commands import (
    BLOCKING,
    Args,
    name_of,
    option,
    script_name,
    sha_of,
    streams_of,
    timeout_of,
    words_of,
)

_HOLDING = frozenset(("WATCH", "MULTI", "CLIENT SETNAME"))


class KnownScripts:
    """The scripts that one client has sent: their names, and which it was told is missing."""

    def __init__(self) -> None:
        self._names: dict[bytes, str] = {}
        self._missing = b""

    def note(self, args: Args) -> bool:
        """Note a request; return whether it sends the script that was just missing."""
        name = name_of(args)
        if name not in ("SCRIPT LOAD", "EVAL", "EVAL_RO") or len(args) < 3:
            return False
        script = args[2] if name == "SCRIPT LOAD" else args[1]
        sha = sha_of(script)
        self._names[sha] = script_name(script)
        note_script(sha.decode(), self._names[sha])
        return sha == self._missing

    def missing(self, sha: bytes = b"") -> None:
        """Note which script the server has just said that it does not have."""
        self._missing = sha.lower()

    def words(self, args: Args) -> str:
        """Return a request as it would be typed, a script by its name."""
        name = self._names.get(args[1].lower()) if name_of(args).startswith("EVALSHA") else None
        return words_of(args) if name is None else f"EVAL {name} {command_text(args[3:])}".strip()


def request_call(store: str, number: int, args: Args, scripts: KnownScripts) -> Call:
    """Return one request as a call."""
    name = name_of(args)
    timeout = timeout_of(args) if name in BLOCKING else None
    sends = scripts.note(args)
    return Call(
        store,
        (number, args),
        scripts.words(args),
        ("send", number, (args,)),
        waits=timeout is not None,
        timeout=timeout or None,
        holds=name in _HOLDING,
        prepares=_prepares(name, sends),
    )


def patient(ask: Ask, limit: float | None) -> Ask:
    """Return what asks of the search, and refuses what a client would not wait for.

    After `limit` seconds without a reply, which redis-py calls socket_timeout, it gives up by
    itself: with an error, or by asking again, while what it asked for may yet be done.
    """

    def asks(call: Call) -> Any:
        waits = call.waits and call.data[0] == "send"
        if waits and limit is not None and (call.timeout is None or call.timeout >= limit):
            long = "for ever" if call.timeout is None else f"up to {call.timeout:g} s"
            raise Unsearchable(
                f"{call.text} waits {long}, and its client no longer than its socket_timeout of "
                f"{limit:g} s (redis-py's default is 5), which cannot be searched: let the command "
                "wait for less, or make the client with socket_timeout=None"
            )
        return ask(call)

    return asks


def _prepares(name: str, sends: bool) -> Literal["", "maybe", "yes", "prepared"]:
    if name.startswith("EVALSHA"):
        return "maybe"
    return "" if not sends else "yes" if name == "SCRIPT LOAD" else "prepared"


def transaction_call(
    store: str, number: int, requests: Sequence[Args], scripts: KnownScripts
) -> Call:
    """Return MULTI … EXEC, sent together, as a call."""
    text = "MULTI: " + "; ".join(scripts.words(args) for args in requests[1:-1])
    key = (number, tuple(requests))
    return Call(store, key, text, ("transaction", number, tuple(requests)))


def arrival_call(store: str, number: int, args: Args) -> Call | None:
    """Return the arrival of a request that waits for what comes after it; None for all others."""
    if name_of(args) != "XREAD" or timeout_of(args) is None or b"$" not in streams_of(args)[1]:
        return None
    return Call(store, ("arrive", args), f"{words_of(args)} arrives", ("arrive", number, (args,)))


def resolved(args: Args, after: Sequence[bytes]) -> Args:
    """Return XREAD with the ids that `$` meant when it arrived."""
    at = option(args, b"STREAMS")
    assert at is not None
    return (*args[: len(args) - len(after)], *after)


def parsed(packed: bytes) -> Iterator[Args]:
    """Yield the requests of what is sent: RESP arrays of bulk strings."""
    at = 0

    def number() -> int:
        nonlocal at
        end = packed.index(b"\r\n", at)
        found, at = int(packed[at + 1 : end]), end + 2
        return found

    while at < len(packed):
        words = []
        for _ in range(number()):
            length = number()
            words.append(packed[at : at + length])
            at += length + 2
        yield tuple(words)

"""Small programs as plain values: what each client does, and within which bounds.

A client is a list of operations. Their arguments may depend on earlier replies (`Reply`,
`Sum`), and so may their course (`If`, `Until`). The same client runs on whatever `world.redis`
is: under the search, or stepped by hand. A program's `repr` is the Python that makes it again.
"""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Reply:
    """The reply to this client's operation number `at`, as text."""

    at: int


@dataclass(frozen=True)
class Sum:
    """The number in reply number `at`, plus `more`."""

    at: int
    more: int = 1


@dataclass(frozen=True)
class Cmd:
    """One command; `note` says whether the client writes its reply into the journal."""

    args: tuple[Any, ...]
    note: bool = True


@dataclass(frozen=True)
class Pipe:
    """Commands sent together, in MULTI … EXEC or as they are."""

    commands: tuple[Cmd, ...]
    multi: bool = True


@dataclass(frozen=True)
class Watch:
    """WATCH, some reads, then MULTI … EXEC; repeated after a WatchError up to `tries` times."""

    keys: tuple[str, ...]
    reads: tuple[Cmd, ...]
    commands: tuple[Cmd, ...]
    tries: int = 1


@dataclass(frozen=True)
class If:
    """Go on with `then` if the last reply is something, otherwise with `other`."""

    then: tuple[Any, ...]
    other: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Until:
    """The same command until its reply is something, at most `times` times."""

    command: Cmd
    times: int = 2


@dataclass(frozen=True)
class Forever:
    """The same command, which only reads, until its reply is something."""

    command: Cmd


@dataclass(frozen=True)
class Try:
    """Operations after whose connection error the client goes on."""

    body: tuple[Any, ...]


@dataclass(frozen=True)
class Subscribe:
    """Subscribe to channels, or to patterns, on this client's one subscriber."""

    names: tuple[str, ...]
    patterns: bool = False
    ends: bool = False  # unsubscribe from them


@dataclass(frozen=True)
class Next:
    """Take the next message; wait `timeout` seconds for it (None: for ever)."""

    timeout: float | None


@dataclass(frozen=True)
class Script:
    """A script by redis-py's `register_script`, which sends EVALSHA, and SCRIPT LOAD if needed."""

    source: str
    keys: tuple[str, ...] = ()
    args: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Now:
    """Read the clock."""


@dataclass(frozen=True)
class Sleep:
    """Let the others go on."""


@dataclass(frozen=True)
class Program:
    """Clients on one kind of world, within bounds.

    One end in `wrong` counts as wrong, chosen by what can be seen of it: the final state and
    the journal. 1 makes every end a finding of its own.
    """

    clients: dict[str, tuple[Any, ...]]
    kind: str = "redis"
    setup: tuple[Any, ...] = ()
    bounds: dict[str, int] = field(default_factory=dict)
    ticks: tuple[float, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    daemons: tuple[str, ...] = ()
    wrong: int = 1
    always: int = 0  # one in so many states, looked at after each step, is wrong; 0: none
    afterwards: tuple[str, ...] = ()  # who runs when the others have ended, in this order

    def __repr__(self) -> str:
        given = [
            f"{f.name}={getattr(self, f.name)!r}"
            for f in dataclasses.fields(self)
            if f.name == "clients" or getattr(self, f.name) != _default(f)
        ]
        return f"Program({', '.join(given)})"


def every(program: Program) -> Iterator[Any]:
    """Yield all operations of a program, those inside others too."""
    todo = [op for operations in program.clients.values() for op in operations]
    while todo:
        op = todo.pop()
        yield op
        todo += [*getattr(op, "body", ()), *getattr(op, "then", ()), *getattr(op, "other", ())]


def _default(f: Any) -> Any:
    return f.default if f.default is not dataclasses.MISSING else f.default_factory()


def verdict(program: Program, seen: str) -> str | None:
    """Return what is wrong with an end that looks like this, or None."""
    return seen if zlib.crc32(seen.encode()) % program.wrong == 0 else None


def verdict_in_between(program: Program, seen: str) -> str | None:
    """Return what is wrong already with a state that looks like this, or None."""
    wrong = program.always and zlib.crc32(f"already {seen}".encode()) % program.always == 0
    return f"already {seen}" if wrong else None


def words(value: object) -> str:
    """Return a reply as text, the same for each order of what has none."""
    if isinstance(value, BaseException):
        return f"({type(value).__name__}) {str(value).splitlines()[0] if str(value) else ''}"
    if isinstance(value, bytes):
        return value.decode("latin-1")
    if isinstance(value, set):
        return "{" + " ".join(sorted(map(words, value))) + "}"
    if isinstance(value, dict):
        return "{" + " ".join(f"{words(k)}:{words(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + " ".join(map(words, value)) + "]"
    return str(value)

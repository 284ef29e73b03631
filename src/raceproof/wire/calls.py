"""Calls and their outcomes: what passes between a client and a service during a search."""

from __future__ import annotations

import pickle
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from raceproof.trace.steps import Fate
from raceproof.wire.errors import (
    Crash,
    ExplorerError,
    LooksCloser,
    NoCallError,
    NotDeterministicError,
    Unsearchable,
    Violation,
    hearing,
)
from raceproof.wire.exact import exact

__all__ = [
    "Adapter",
    "Ask",
    "Call",
    "Crash",
    "ExplorerError",
    "LooksCloser",
    "NoCallError",
    "NotDeterministicError",
    "Outcome",
    "Part",
    "Performed",
    "PlainAdapter",
    "Unsearchable",
    "Violation",
    "hearing",
]

# Where a call stands in a transaction: a step runs from "first" to "last".
Part = Literal["whole", "first", "middle", "last"]


@dataclass(frozen=True)
class Call:
    """One call on a service, described but not yet made.

    Two calls are the same when `store` and `key` are: the key holds everything
    that is sent. `text` is the call in the words of the field, `data` what the
    adapter needs to make it. A call that `waits` may have to block; `timeout` is
    how long (None: for ever, in seconds) and `gives_up` what it returns then.
    `holds` marks calls that leave something on the server which ends with the
    client's connection (a subscription, a WATCH, an open transaction). A call that
    `delivers` only takes what the store sends by itself. One that does not `travel`
    (reading the clock, sleeping) has no request or reply that could be lost. Of what
    a store does by itself, `fate` is what a run calls it ("tick": time passes).
    """

    store: str
    key: Hashable
    text: str = field(compare=False)
    data: Any = field(default=None, compare=False, repr=False)
    waits: bool = field(default=False, compare=False)
    timeout: float | None = field(default=None, compare=False)
    gives_up: Any = field(default=None, compare=False)
    holds: bool = field(default=False, compare=False)
    delivers: bool = field(default=False, compare=False)
    part: Part = "whole"
    travels: bool = field(default=True, compare=False)
    fate: Fate = field(default="subscribed", compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", exact(self.key))


@dataclass(frozen=True)
class Outcome:
    """What a client gets for a call: a value or an error, as bytes, so that nobody shares it."""

    kind: Literal["value", "error", "timed-out", "lost"]
    blob: bytes = field(repr=False)
    text: str = field(default="", compare=False)

    @classmethod
    def value(cls, value: object, text: str) -> Outcome:
        return cls("value", pickle.dumps(value), text)

    @classmethod
    def error(cls, error: BaseException, text: str) -> Outcome:
        return cls("error", pickle.dumps(error), text)

    @classmethod
    def timed_out(cls, call: Call) -> Outcome:
        return cls("timed-out", pickle.dumps(call.gives_up))

    @classmethod
    def lost(cls, error: BaseException) -> Outcome:
        return cls("lost", pickle.dumps(error))

    def deliver(self) -> Any:
        """Return the value, or raise the error."""
        value = pickle.loads(self.blob)
        if self.kind in ("error", "lost"):
            value.injected_by_the_search = self.kind == "lost"
            raise value
        return value


@dataclass(frozen=True)
class Performed:
    """What an adapter says after a call: its outcome, and whether the store may have changed."""

    outcome: Outcome
    changed: bool = True


# How a client's proxy asks for a call: returns the value or raises.
Ask = Callable[[Call], Any]


class Adapter(Protocol):
    """What the search needs to know of one service of one world.

    A new adapter is made for each new world. `perform` makes the call for real;
    None means that it would have to wait. `snapshot` describes all that later
    calls can see, and `stored` is the part of it that outlives connections. `moves`
    are the things the store does by itself. `leave` closes an actor's connections.

    `detach` is asked before a call that stays on its way when its sender dies or gives
    up: the connection on which it was sent is from now on that of the actor `late`
    (who will perform the call, then leave), and no longer that of `actor`.

    An adapter that is `closer` describes in its snapshots also what is seldom asked
    for; one that is not raises LooksCloser when it is asked for that.

    `look` is what a check sees of the service (None: the world's own client), after
    which `disturbed` says whether it may have been changed. `would_expire` names what
    would be gone if only time passed ("key lock:a"); a search says so in a world
    without time.
    """

    store: str
    closer: bool

    def proxy(self, ask: Ask, tell: Callable[[Call], None]) -> Any: ...
    def perform(self, actor: str, call: Call) -> Performed | None: ...
    def snapshot(self) -> Hashable: ...
    def stored(self, snapshot: Any) -> Hashable: ...
    def moves(self) -> Sequence[tuple[str, Call]]: ...
    def leave(self, actor: str) -> None: ...
    def detach(self, actor: str, call: Call, late: str) -> None: ...
    def time_passed(self, now: float) -> None: ...
    def connection_error(self, call: Call) -> Exception: ...
    def look(self) -> Any: ...
    def disturbed(self) -> bool: ...
    def would_expire(self) -> Sequence[str]: ...
    def close(self) -> None: ...


class PlainAdapter:
    """The parts of an adapter that most stores do without."""

    closer = False

    def __init__(self, store: str) -> None:
        self.store = store

    def stored(self, snapshot: Any) -> Hashable:
        """Return the part of a snapshot that is stored: all of it."""
        found: Hashable = snapshot
        return found

    def moves(self) -> Sequence[tuple[str, Call]]:
        """Return what the store does by itself: nothing."""
        return ()

    def leave(self, actor: str) -> None:
        """The actor's connections close."""

    def detach(self, actor: str, call: Call, late: str) -> None:
        """A connection of the actor is now that of `late`; nothing hangs on connections here."""

    def time_passed(self, now: float) -> None:
        """The clock now says `now` (seconds)."""

    def connection_error(self, call: Call) -> Exception:
        """Return what a client sees when the connection breaks."""
        return ConnectionError("connection reset: no reply")

    def look(self) -> Any:
        """Return what a check sees of the service; None: the world's own client."""
        return None

    def disturbed(self) -> bool:
        """Return whether a check may have changed something since this was last asked."""
        return True

    def would_expire(self) -> Sequence[str]:
        """Return the names of what would be gone if only time passed: nothing."""
        return ()

    def close(self) -> None:
        """The world is no longer needed."""

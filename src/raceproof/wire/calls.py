"""Calls and their outcomes: what passes between a client and a service during a search."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

# Where a call stands in a transaction: a step runs from "first" to "last".
Part = Literal["whole", "first", "middle", "last"]


class Violation(Exception):
    """Raised by a check: what is wrong, in words and with the numbers."""


class ExplorerError(Exception):
    """The search cannot be trusted or cannot go on; the message says why and what to do."""


class NotDeterministicError(ExplorerError):
    """A client or a service behaved differently when the same schedule was replayed."""


class Unsearchable(NotImplementedError):
    """Something that cannot be searched soundly; the message names it and what to use instead.

    Wherever it is raised, it ends the search with its message: by an adapter in the
    thread of the search, by a wire in the thread of a client. It counts as soon as it
    is made, so code that swallows it (`except Exception: pass`) changes nothing.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message)
        hear = _hearing.get(threading.get_ident())
        if hear is not None:
            hear(self)


_hearing: dict[int, Callable[[Unsearchable], None]] = {}


@contextmanager
def hearing(hear: Callable[[Unsearchable], None]) -> Iterator[None]:
    """Let `hear` be told of every refusal made in this thread, swallowed or not."""
    me = threading.get_ident()
    before = _hearing.get(me)
    _hearing[me] = hear
    try:
        yield
    finally:
        del _hearing[me]
        if before is not None:
            _hearing[me] = before


class Crash(BaseException):
    """Ends a client that the schedule lets die; not an Exception, so that nothing handles it."""


@dataclass(frozen=True)
class Call:
    """One call on a service, described but not yet made.

    Two calls are the same when `store` and `key` are: the key holds everything
    that is sent. `text` is the call in the words of the field, `data` what the
    adapter needs to make it. A call that `waits` may have to block; `timeout` is
    how long (None: for ever, in seconds) and `gives_up` what it returns then.
    `holds` marks calls that leave something on the server which ends with the
    client's connection (a subscription, a WATCH, an open transaction). A call that
    `delivers` only takes what the store sends by itself. One that `prepares` ("yes") has no
    effect but on the next, and is one step with it; "maybe" says that it is so if the next is one.
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
    prepares: Literal["", "maybe", "yes"] = field(default="", compare=False)


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
    are the things the store does by itself.
    """

    store: str

    def proxy(self, ask: Ask, tell: Callable[[Call], None]) -> Any: ...
    def perform(self, actor: str, call: Call) -> Performed | None: ...
    def snapshot(self) -> Hashable: ...
    def stored(self, snapshot: Any) -> Hashable: ...
    def moves(self) -> Sequence[tuple[str, Call]]: ...
    def leave(self, actor: str) -> None: ...
    def time_passed(self, now: float) -> None: ...
    def connection_error(self, call: Call) -> Exception: ...
    def look(self) -> Any: ...
    def disturbed(self) -> bool: ...
    def close(self) -> None: ...


class PlainAdapter:
    """The parts of an adapter that most stores do without."""

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

    def close(self) -> None:
        """The world is no longer needed."""
